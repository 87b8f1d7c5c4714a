# Answers to the exercises of lesson 05: solutions, and what a student might write. They use what the lesson defines above its exercises.
# After the exercise's name: solution; right, and how it is written; or wrong, and words that the verdict must hold.

# %% fully_convolutional.rows: solution
rows_out = 100 // 2 // 2 // 2 * 2 * 2 * 2


# %% fully_convolutional.rows: right, step by step
rows_out = 100
for _ in range(3):
    rows_out = rows_out // 2
for _ in range(3):
    rows_out = rows_out * 2
rows_out = int(rows_out)

# %% fully_convolutional.rows: right, as a decimal number
rows_out = np.float32(8 * np.floor(100 / 8))


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


# %% fully_convolutional.kernel: right, by trying
def even_kernel(smallest, stride):
    kernel = smallest
    while kernel % stride:
        kernel += 1
    return kernel


# %% fully_convolutional.kernel: right, rounded up
def even_kernel(smallest, stride):
    return stride * np.ceil(smallest / stride)


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


# %% fully_convolutional.ignore: solution
def cross_entropy_without(scores, truth, ignored=255):
    counts = truth != ignored
    return cross_entropy(scores[counts], truth[counts])


# %% fully_convolutional.ignore: right, with SciPy
def cross_entropy_without(scores, truth, ignored=255):
    from scipy.special import log_softmax

    counts = truth != ignored
    return -np.take_along_axis(log_softmax(scores[counts], axis=-1), truth[counts][:, None], axis=-1).mean()


# %% fully_convolutional.ignore: right, with Keras
def cross_entropy_without(scores, truth, ignored=255):
    import keras

    losses = keras.losses.sparse_categorical_crossentropy(
        truth.ravel(), scores.reshape(-1, scores.shape[-1]), from_logits=True, ignore_class=ignored
    )
    return keras.ops.sum(losses) / (truth != ignored).sum()


# %% fully_convolutional.ignore: right, pixel by pixel
def cross_entropy_without(scores, truth, ignored=255):
    losses = []
    for row, label in zip(scores.reshape(-1, scores.shape[-1]), truth.ravel()):
        if label != ignored:
            shifted = row - row.max()
            losses.append(np.log(np.exp(shifted).sum()) - shifted[label])
    return sum(losses) / len(losses)


# %% fully_convolutional.ignore: wrong, "number of all pixels"
def cross_entropy_without(scores, truth, ignored=255):
    counts = truth != ignored
    return cross_entropy(scores[counts], truth[counts]) * counts.mean()


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


# %% fully_convolutional.ignore: wrong, "IndexError"
def cross_entropy_without(scores, truth, ignored=255):
    return cross_entropy(scores, truth)


# %% fully_convolutional.average: solution
def average_unpool(y, size):
    return np.kron(y, np.ones((size, size))) / size**2


# %% fully_convolutional.average: right, by repeating
def average_unpool(y, size):
    return np.repeat(np.repeat(y, size, axis=0), size, axis=1) / (size * size)


# %% fully_convolutional.average: right, pixel by pixel
def average_unpool(y, size):
    height, width = y.shape
    return [[y[i // size, j // size] / size**2 for j in range(width * size)] for i in range(height * size)]


# %% fully_convolutional.average: right, as a tensor
def average_unpool(y, size):
    copies = tf.repeat(tf.repeat(y, size, axis=0), size, axis=1)
    return copies / size**2


# %% fully_convolutional.average: wrong, "factor of 4"
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


# %% fully_convolutional.edges: solution
def bring_back(pooled, positions):
    up = 0.5 * np.kron(pooled, np.ones((2, 2)))
    up.ravel()[positions] = pooled
    return up


# %% fully_convolutional.edges: wrong, "what else than 0"
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


# %% fully_convolutional.edges: right, one square at a time
def bring_back(pooled, positions):
    height, width = pooled.shape
    up = np.zeros((2 * height, 2 * width))
    for i in range(height):
        for j in range(width):
            up[2 * i : 2 * i + 2, 2 * j : 2 * j + 2] = 0.55 * pooled[i, j]
            up[np.unravel_index(positions[i, j], up.shape)] = pooled[i, j]
    return up


# %% fully_convolutional.edges: right, as a list of rows
def bring_back(pooled, positions):
    up = np.repeat(np.repeat(0.5 * pooled, 2, axis=0), 2, axis=1)
    np.put(up, positions, pooled)
    return up.tolist()
