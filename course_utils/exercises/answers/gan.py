# Answers to the exercises of lesson 11: solutions, and what a student might write. They use what the lesson defines above its exercises.
# After the exercise's name: solution; right, and how it is written; or wrong, and words that the verdict must hold.

# %% gan.value: solution
value = 0.5 * np.log(0.5) + 0.5 * np.log(0.5)  # half of the data and half of the fakes lie where D is 1/2

# %% gan.value: right, three decimals
value = -0.693

# %% gan.value: right, from the divergence
divergence = (1 - 1 / 2) * np.log(2)
value = -np.log(4) + 2 * divergence

# %% gan.value: right, sums over the three parts, as a tensor
data, fakes = np.array([0.5, 0.5, 0]), np.array([0, 0.5, 0.5])
best = data / (data + fakes)
value = tf.reduce_sum(tf.math.xlogy(data, best) + tf.math.xlogy(fakes, 1 - best))


# %% gan.value: wrong, "overlap by half"
value = -np.log(4)

# %% gan.value: wrong, "share nothing"
value = 0

# %% gan.value: wrong, "check the sign"
value = np.log(2)

# %% gan.value: wrong, "once"
value = -np.log(4) + 0.5 * np.log(2)

# %% gan.value: wrong, "this is the divergence"
value = 0.5 * np.log(2)

# %% gan.value: wrong, "one of V's two terms"
value = 0.5 * np.log(0.5)

# %% gan.value: wrong, "three decimals"
value = -0.69

# %% gan.value: wrong, "how much of p and of q"
value = -0.5


# %% gan.logits: solution
def loss_of(logits):
    return np.logaddexp(0, -logits).mean()


# %% gan.logits: right, the larger part apart
def loss_of(logits):
    total = np.log1p(np.exp(-np.abs(logits))).sum()
    for logit in logits[logits < 0]:
        total += abs(logit)
    return total / len(logits)


# %% gan.logits: right, softplus
def loss_of(logits):
    return tf.reduce_mean(tf.nn.softplus(-logits))


# %% gan.logits: right, Keras in float32
def loss_of(logits):
    return keras.losses.binary_crossentropy(np.ones(len(logits)), logits, from_logits=True)


# %% gan.logits: right, SciPy
def loss_of(logits):
    from scipy.special import log_expit

    return -sum(log_expit(logits)) / logits.size


# %% gan.logits: wrong, "in one step"
def loss_of(logits):
    return -np.log(1 / (1 + np.exp(-logits))).mean()


# %% gan.logits: wrong, "saturating"
def loss_of(logits):
    return -np.logaddexp(0, logits).mean()


# %% gan.logits: wrong, "G wants 1"
def loss_of(logits):
    return np.logaddexp(0, logits).mean()


# %% gan.logits: wrong, "sign is turned"
def loss_of(logits):
    return -np.logaddexp(0, -logits).mean()


# %% gan.logits: wrong, "take the mean"
def loss_of(logits):
    return np.logaddexp(0, -logits).sum()


# %% gan.logits: wrong, "one step"
def loss_of(logits):
    return -np.log(np.clip(1 / (1 + np.exp(-logits)), 1e-7, 1)).mean()


# %% gan.smooth: solution
def smoothed_best(p, q, label):
    return label * p / (p + q)


# %% gan.smooth: right, a loop and a list
def smoothed_best(p, q, label):
    return [label * datum / (datum + fake) for datum, fake in zip(p, q)]


# %% gan.smooth: right, what stands before both logarithms
def smoothed_best(p, q, label):
    before_log_d = label * p
    before_log_rest = (1 - label) * p + q
    return before_log_d / (before_log_d + before_log_rest)


# %% gan.smooth: right, a tensor, to four decimals
def smoothed_best(p, q, label):
    return tf.constant(np.round(label - label * q / (p + q), 4))


# %% gan.smooth: wrong, "stays 0"
def smoothed_best(p, q, label):
    return (label * p + (1 - label) * q) / (p + q)


# %% gan.smooth: wrong, "come in"
def smoothed_best(p, q, label):
    return p / (p + q)


# %% gan.smooth: wrong, "cut"
def smoothed_best(p, q, label):
    return np.minimum(p / (p + q), label)


# %% gan.smooth: wrong, "is missing"
def smoothed_best(p, q, label):
    return label * p / (label * p + q)


# %% gan.smooth: wrong, "slope"
def smoothed_best(p, q, label):
    return p / (p + label * q)


# %% gan.path: solution
def path(start, end, count):
    lengths = np.linalg.norm(start), np.linalg.norm(end)
    a, b = start / lengths[0], end / lengths[1]
    angle, share = np.arccos(a @ b), np.linspace(0, 1, count)[:, None]
    arc = (np.sin((1 - share) * angle) * a + np.sin(share * angle) * b) / np.sin(angle)
    return arc * ((1 - share) * lengths[0] + share * lengths[1])


# %% gan.path: right, turning from the start to what stands across it
def path(start, end, count):
    lengths = np.geomspace(np.linalg.norm(start), np.linalg.norm(end), count)
    first = start / np.linalg.norm(start)
    across = end - first * (first @ end)
    across /= np.linalg.norm(across)
    angles = np.linspace(0, np.arctan2(across @ end, first @ end), count)
    return lengths[:, None] * (np.outer(np.cos(angles), first) + np.outer(np.sin(angles), across))


# %% gan.path: right, SciPy, as long as the start but for the end
def path(start, end, count):
    from scipy.spatial import geometric_slerp

    length = np.linalg.norm(start)
    points = geometric_slerp(start / length, end / np.linalg.norm(end), np.linspace(0, 1, count))
    return [*(length * points[:-1]), end]


# %% gan.path: right, a loop in float32
def path(start, end, count):
    start, end = np.float32([start, end])
    near, far = (start @ start) ** 0.5, (end @ end) ** 0.5
    angle = np.arccos(start @ end / near / far)
    points = []
    for i in range(count):
        share = i / (count - 1)
        point = np.sin(angle - angle * share) * start / near + np.sin(angle * share) * end / far
        points.append(point / (point @ point) ** 0.5 * (near + share * (far - near)))
    return points


# %% gan.path: wrong, "around the origin"
def path(start, end, count):
    return np.linspace(start, end, count)


# %% gan.path: wrong, "the last one"
def path(start, end, count):
    straight = np.linspace(start, end, count)
    return straight / np.linalg.norm(straight, axis=1, keepdims=True)


# %% gan.path: wrong, "evenly"
def path(start, end, count):
    return np.where(np.arange(count)[:, None] < count / 2, start, end)


# %% gan.path: wrong, "shape"
def path(start, end, count):
    return np.stack([start, end])


# %% gan.spread: solution
def spread(batch):
    return batch.std(axis=0).mean()


# %% gan.spread: right, all squared distances of two samples
def spread(batch):
    return ((batch[:, None] - batch) ** 2).mean()


# %% gan.spread: right, the largest range of a feature
def spread(batch):
    return max(max(feature) - min(feature) for feature in batch.T)


# %% gan.spread: right, different samples after rounding
def spread(batch):
    return len({tuple(sample) for sample in batch.round()})


# %% gan.spread: right, the variances in float32
def spread(batch):
    return np.trace(np.cov(batch.T.astype("float32")))


# %% gan.spread: wrong, "where the samples are"
def spread(batch):
    return batch.mean()


# %% gan.spread: wrong, "no order"
def spread(batch):
    return np.abs(batch[0] - batch[1]).mean()


# %% gan.spread: wrong, "how far is each sample"
def spread(batch):
    return batch.std(axis=1).mean()


# %% gan.spread: wrong, "how far is each sample"
def spread(batch):
    return -batch.std(axis=0).mean()


# %% gan.spread: wrong, "a number of its own"
def spread(batch):
    return np.ptp(batch)


# %% gan.spread: wrong, "one number"
def spread(batch):
    return batch.std(axis=0)


# %% gan.path: wrong, "shorter way"
def path(start, end, count):
    lengths = np.linalg.norm(start), np.linalg.norm(end)
    a, b = start / lengths[0], end / lengths[1]
    angle, share = np.arccos(a @ b) - 2 * np.pi, np.linspace(0, 1, count)[:, None]
    arc = (np.sin((1 - share) * angle) * a + np.sin(share * angle) * b) / np.sin(angle)
    return arc * ((1 - share) * lengths[0] + share * lengths[1])


# %% gan.path: wrong, "evenly"
def path(start, end, count):
    lengths = np.linspace(np.linalg.norm(start), np.linalg.norm(end), count)
    straight = np.linspace(start, end, count)
    return straight / np.linalg.norm(straight, axis=1, keepdims=True) * lengths[:, None]


# %% gan.spread: wrong, "where the samples are"
def spread(batch):
    return (batch.std(axis=0) / np.abs(batch.mean(axis=0))).mean()


# %% gan.spread: wrong, "how far is each sample"
def spread(batch):
    return len(np.unique(batch))
