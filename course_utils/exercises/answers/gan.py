# Answers to the exercises of lesson 11: solutions, and what a student might write. They use what the lesson defines above its exercises.
# After the exercise's name: solution; right, and how it is written; or wrong, and words that the verdict must hold.

# %% gan.value: solution
value = 0.5 * np.log(0.5) + 0.5 * np.log(0.5)  # half of the data and half of the fakes lie where D is 1/2

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


# %% gan.logits: wrong, "the mean is wanted"
def loss_of(logits):
    return np.logaddexp(0, -logits).sum()


# %% gan.logits: wrong, "one step"
def loss_of(logits):
    return -np.log(np.clip(1 / (1 + np.exp(-logits)), 1e-7, 1)).mean()


# %% gan.smooth: solution
def smoothed_best(p, q, label):
    return label * p / (p + q)


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
