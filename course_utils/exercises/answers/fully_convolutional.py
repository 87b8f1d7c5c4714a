# Answers to the exercises of lesson 05: solutions, and what a student might write. They use what the lesson defines above its exercises.
# After the exercise's name: solution; right, and how it is written; or wrong, and words that the verdict must hold.

# %% fully_convolutional.rows: solution
rows_out = 100 // 2 // 2 // 2 * 2 * 2 * 2


# %% fully_convolutional.rows: right, with the lesson's function for sizes
sizes = [100]
for _ in range(3):
    sizes.append(size_down(sizes[-1], 2, 2))
rows_out = sizes[-1] << 3


# %% fully_convolutional.rows: right, what is left over taken off
rows_out = 100 - 100 % 8


# %% fully_convolutional.rows: right, a float
rows_out = 96.0


# %% fully_convolutional.rows: wrong, "12 whole pairs"
rows_out = 100

# %% fully_convolutional.rows: wrong, "rounded up"
rows_out = 104

# %% fully_convolutional.rows: wrong, "go up again"
rows_out = 12

# %% fully_convolutional.rows: wrong, "each of the six steps"
rows_out = 98


# %% fully_convolutional.kernel: solution
def even_kernel(smallest, stride):
    return -(-smallest // stride) * stride


# %% fully_convolutional.kernel: right, a loop
def even_kernel(smallest, stride):
    kernel = stride
    while kernel < smallest:
        kernel += stride
    return kernel


# %% fully_convolutional.kernel: right, the remainder of a negative number
def even_kernel(smallest, stride):
    return smallest + -smallest % stride


# %% fully_convolutional.kernel: right, a lambda with NumPy's ceil
even_kernel = lambda smallest, stride: stride * np.ceil(smallest / stride)  # noqa: E731


# %% fully_convolutional.kernel: right, the first of a range
def even_kernel(smallest, stride):
    return next(kernel for kernel in range(smallest, smallest + stride) if kernel % stride == 0)


# %% fully_convolutional.kernel: right, stamps counted
def even_kernel(smallest, stride):
    kernel = smallest
    while np.ptp(stamps_at(kernel, stride)) > 0:
        kernel += 1
    return kernel


# %% fully_convolutional.kernel: wrong, "not a multiple of the stride"
def even_kernel(smallest, stride):
    return smallest


# %% fully_convolutional.kernel: wrong, "too small"
def even_kernel(smallest, stride):
    return smallest // stride * stride


# %% fully_convolutional.kernel: wrong, "large enough"
def even_kernel(smallest, stride):
    return smallest * stride


# %% fully_convolutional.kernel: wrong, "large enough"
def even_kernel(smallest, stride):
    return (smallest // stride + 1) * stride


# %% fully_convolutional.kernel: wrong, "large enough"
def even_kernel(smallest, stride):
    return stride * 2 if smallest <= stride * 2 else -(-smallest // stride) * stride


# %% fully_convolutional.kernel: wrong, "not a multiple of the stride"
def even_kernel(smallest, stride):
    return smallest + smallest % 2  # right for stride 2


# %% fully_convolutional.ignore: solution
def cross_entropy_without(scores, truth, ignored=255):
    counts = truth != ignored
    return cross_entropy(scores[counts], truth[counts])


# %% fully_convolutional.ignore: right, a loop over pixels
def cross_entropy_without(scores, truth, ignored=255):
    losses = []
    for place in np.ndindex(truth.shape):
        if truth[place] != ignored:
            losses.append(-log_softmax(scores[place])[truth[place]])
    return np.mean(losses)


# %% fully_convolutional.ignore: right, Keras
def cross_entropy_without(scores, truth, ignored=255):
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=ignored)(truth, scores)


# %% fully_convolutional.ignore: right, SciPy and weights of 0 and 1
def cross_entropy_without(scores, truth, ignored=255):
    from scipy import special

    counts = truth != ignored
    logs = np.take_along_axis(special.log_softmax(scores, axis=-1), (truth * counts)[..., np.newaxis], axis=-1)
    return -np.average(logs.squeeze(axis=-1), weights=counts)


# %% fully_convolutional.ignore: right, TensorFlow in float32
def cross_entropy_without(scores, truth, ignored=255):
    counts = truth != ignored
    picked = tf.constant(scores[counts], tf.float32)
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(truth[counts], picked))


# %% fully_convolutional.ignore: wrong, "number of all pixels"
def cross_entropy_without(scores, truth, ignored=255):
    counts = truth != ignored
    return cross_entropy(scores[counts], truth[counts]) * counts.mean()


# %% fully_convolutional.ignore: wrong, "wrong sign"
def cross_entropy_without(scores, truth, ignored=255):
    counts = truth != ignored
    return np.take_along_axis(log_softmax(scores[counts]), truth[counts][:, None], -1).mean()


# %% fully_convolutional.ignore: wrong, "still count"
def cross_entropy_without(scores, truth, ignored=255):
    return cross_entropy(scores, np.where(truth == ignored, 0, truth))


# %% fully_convolutional.ignore: wrong, "ignored=3"
def cross_entropy_without(scores, truth, ignored=255):
    counts = truth != 255
    return cross_entropy(scores[counts], truth[counts])


# %% fully_convolutional.ignore: wrong, "subtract the largest"
def cross_entropy_without(scores, truth, ignored=255):
    counts = truth != ignored
    p = np.exp(scores[counts]) / np.exp(scores[counts]).sum(axis=-1, keepdims=True)
    return -np.log(np.take_along_axis(p, truth[counts][:, None], -1)).mean()


# %% fully_convolutional.ignore: wrong, "with classes from 0 to 3"
def cross_entropy_without(scores, truth, ignored=255):
    return cross_entropy(scores, truth)


# %% fully_convolutional.ignore: wrong, "one mean per picture"
def cross_entropy_without(scores, truth, ignored=255):
    return np.mean([cross_entropy(z[t != ignored], t[t != ignored]) for z, t in zip(scores, truth)])


# %% fully_convolutional.ignore: wrong, "this is the sum"
def cross_entropy_without(scores, truth, ignored=255):
    counts = truth != ignored
    return cross_entropy(scores[counts], truth[counts]) * counts.sum()


# %% fully_convolutional.ignore: wrong, "in one step"
def cross_entropy_without(scores, truth, ignored=255):
    counts = truth != ignored
    p = np.exp(log_softmax(scores[counts]))
    return -np.log(np.take_along_axis(p, truth[counts][:, None], -1) + 1e-12).mean()


# %% fully_convolutional.ignore: wrong, "with ignored=3"
def cross_entropy_without(scores, truth, ignored=255):
    counts = truth < scores.shape[-1]  # whatever is not a class
    return cross_entropy(scores[counts], truth[counts])


# %% fully_convolutional.average: solution
def average_unpool(y, size):
    return np.kron(y, np.ones((size, size))) / size**2


# %% fully_convolutional.average: right, NumPy's repeat
def average_unpool(y, size):
    return y.repeat(size, axis=0).repeat(size, axis=1) / (size * size)


# %% fully_convolutional.average: right, stamps of the lesson's transposed convolution
def average_unpool(y, size):
    kernel = np.full((size, size, 1, 1), 1 / size**2)
    return transposed_convolution(y[..., None], kernel, size).squeeze(axis=-1)


# %% fully_convolutional.average: right, the gradient of TensorFlow's pooling
def average_unpool(y, size):
    y = y[None, ..., None]
    x = tf.zeros((1, size * y.shape[1], size * y.shape[2], 1), y.dtype)
    with tf.GradientTape() as tape:
        tape.watch(x)
        pooled = tf.nn.avg_pool2d(x, size, size, "VALID")
    return tf.squeeze(tape.gradient(pooled, x, output_gradients=y), axis=(0, 3))


# %% fully_convolutional.average: right, loops and float16
def average_unpool(y, size):
    rows, columns = y.shape
    up = np.empty((rows * size, columns * size), np.float16)
    for i, j in np.ndindex(up.shape):
        up[i, j] = y[i // size, j // size] / size**2
    return up


# %% fully_convolutional.average: wrong, "factor of size**2"
def average_unpool(y, size):
    return unpool_nearest(y[..., None], size)[..., 0]


# %% fully_convolutional.average: wrong, "a square has"
def average_unpool(y, size):
    return np.kron(y, np.ones((size, size))) / size


# %% fully_convolutional.average: wrong, "not one alone"
def average_unpool(y, size):
    return unpool_bed_of_nails(y[..., None], size)[..., 0]


# %% fully_convolutional.average: wrong, "shape"
def average_unpool(y, size):
    return y / size**2


# %% fully_convolutional.average: wrong, "which weight"
def average_unpool(y, size):
    return -np.kron(y, np.ones((size, size)))


# %% fully_convolutional.average: wrong, "you divide by 4"
def average_unpool(y, size):
    return np.kron(y, np.ones((size, size))) / 4


# %% fully_convolutional.average: wrong, "its own square"
def average_unpool(y, size):
    return np.tile(y, (size, size)) / size**2


# %% fully_convolutional.average: wrong, "shape"
def average_unpool(y, size):
    return np.kron(y, np.ones((2, 2))) / 4


# %% fully_convolutional.average: wrong, "and yours is"
def average_unpool(y, size):
    return np.kron(y, np.ones((size, size))) * size**2


# %% fully_convolutional.average: wrong, "and yours is"
def average_unpool(y, size):
    return ndimage.zoom(y, size, order=1) / size**2


# %% fully_convolutional.edges: solution
def bring_back(pooled, positions):
    up = 0.5 * np.kron(pooled, np.ones((2, 2)))
    up.ravel()[positions] = pooled
    return up


# %% fully_convolutional.edges: right, the lesson's unpooling
def bring_back(pooled, positions):
    pooled, positions = pooled[..., None], positions[..., None]
    half = unpool_nearest(pooled) * 0.5
    exact = max_unpool(pooled, positions, half.shape)
    return np.where(exact, exact, half).squeeze()


# %% fully_convolutional.edges: right, float32 and loops
def bring_back(pooled, positions):
    up = np.zeros((2 * pooled.shape[0], 2 * pooled.shape[1]), np.float32)
    for i, j in np.ndindex(up.shape):
        up[i, j] = pooled[i // 2, j // 2] * 0.5
    for value, place in zip(pooled.flat, positions.flat):
        up[divmod(place, up.shape[1])] = value
    return up


# %% fully_convolutional.edges: right, half of the enlarged picture
def bring_back(pooled, positions):
    up = ndimage.zoom(pooled, 2) * 0.5
    np.put(up, positions, pooled)
    return up


# %% fully_convolutional.edges: wrong, "what other than 0"
def bring_back(pooled, positions):
    return max_unpool(pooled[..., None], positions[..., None], (2 * pooled.shape[0], 2 * pooled.shape[1], 1))[..., 0]


# %% fully_convolutional.edges: wrong, "never larger"
def bring_back(pooled, positions):
    return np.kron(pooled, np.ones((2, 2)))


# %% fully_convolutional.edges: wrong, "put them back"
def bring_back(pooled, positions):
    return 0.3 * np.kron(pooled, np.ones((2, 2)))


# %% fully_convolutional.edges: wrong, "by how much"
def bring_back(pooled, positions):
    up = 0.2 * np.kron(pooled, np.ones((2, 2)))
    up.ravel()[positions] = pooled
    return up


# %% fully_convolutional.edges: wrong, "shape"
def bring_back(pooled, positions):
    return pooled


# %% fully_convolutional.edges: wrong, "IndexError"
def bring_back(pooled, positions):
    side = 2 * pooled.shape[1]  # right for squares
    up = 0.5 * np.kron(pooled, np.ones((2, 2)))
    rows, columns = positions // side, positions % (2 * pooled.shape[0])
    up[columns, rows] = pooled
    return up
