# Answers to the exercises of lesson 11: solutions, and what a student might write. They use what the lesson defines above its exercises.
# After the exercise's name: solution; right, and how it is written; or wrong, and words that the verdict must hold.

# %% gan.value: solution
value = 0.5 * np.log(0.5) + 0.5 * np.log(0.5)  # half of the data and half of the fakes lie where D is 1/2


# %% gan.value: right, three decimals
value = -0.693


# %% gan.value: right, twice a mean over two intervals
value = 2 * np.mean([np.log(1), np.log(1 / 2)])


# %% gan.value: right, a Fraction
from fractions import Fraction

value = Fraction(-693, 1000)


# %% gan.value: right, from the divergence
jsd = np.log(2) / 2
value = 2 * jsd - np.log(4)

# %% gan.value: right, a tensor
value = tf.math.log(0.5)


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


# %% gan.value: wrong, "base 2"
value = 0.5 * np.log2(0.5) + 0.5 * np.log2(0.5)


# %% gan.value: right, a Decimal
from decimal import Decimal

value = Decimal("-0.693")


# %% gan.logits: solution
def loss_of(logits):
    return np.logaddexp(0, -logits).mean()


# %% gan.logits: right, log1p of the part that can't overflow
def loss_of(logits):
    return np.mean(np.log1p(np.exp(-np.abs(logits))) - np.clip(logits, None, 0))


# %% gan.logits: right, a loop
def loss_of(logits):
    total = 0
    for logit in logits:
        size = abs(logit)
        total += (size - logit) / 2 + np.log(1 + np.exp(-size))
    return total / logits.size


# %% gan.logits: right, Keras from logits in float32
def loss_of(logits):
    cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)
    return cross_entropy(np.ones((1, len(logits))), logits[None])


# %% gan.logits: wrong, "in one step"
def loss_of(logits):
    return -np.log(1 / (1 + np.exp(-logits))).mean()


# %% gan.logits: wrong, "saturating"
def loss_of(logits):
    return -np.logaddexp(0, logits).mean()


# %% gan.logits: wrong, "G aims for 1"
def loss_of(logits):
    return np.logaddexp(0, logits).mean()


# %% gan.logits: wrong, "sign is turned"
def loss_of(logits):
    return -np.logaddexp(0, -logits).mean()


# %% gan.logits: wrong, "this is the sum; take the mean"
def loss_of(logits):
    return np.logaddexp(0, -logits).sum()


# %% gan.logits: wrong, "one step"
def loss_of(logits):
    return -np.log(np.clip(1 / (1 + np.exp(-logits)), 1e-7, 1)).mean()


# %% gan.logits: wrong, "for [-4.7, "
def loss_of(logits):
    return np.maximum(0, -logits).mean()


# %% gan.logits: wrong, "in one step"
def loss_of(logits):
    return np.log(1 + np.exp(-np.clip(logits, -100, 100))).mean()


# %% gan.logits: right, in a small dtype
def loss_of(logits):
    return np.logaddexp(0, -logits).mean().astype(np.float16)


# %% gan.logits: wrong, "in one step"
def loss_of(logits):
    return -np.log(expit(logits) + 1e-12).mean()


# %% gan.logits: wrong, "you give"
def loss_of(logits):
    return -np.log(expit(logits).mean())


# %% gan.play: solution
def play(b, w, c, data, noise, rate):
    fakes = noise + b
    up, down = 1 - expit(w * data + c), expit(w * fakes + c)
    w, c = w + rate * ((up * data).mean() - (down * fakes).mean()), c + rate * (up.mean() - down.mean())
    return b + rate * (1 - expit(w * fakes + c)).mean() * w, w, c


# %% gan.play: right, by TensorFlow's gradients
def play(b, w, c, data, noise, rate):
    b, w, c = (tf.Variable(value, dtype=tf.float64) for value in (b, w, c))
    with tf.GradientTape() as tape:
        loss = discriminator_loss(w * data + c, w * (noise + b) + c)
    for weight, slope in zip((w, c), tape.gradient(loss, (w, c))):
        weight.assign_sub(rate * slope)
    with tf.GradientTape() as tape:
        loss = non_saturating_loss(w * (noise + b) + c)
    b.assign_sub(rate * tape.gradient(loss, b))
    return [b, w, c]


# %% gan.play: right, a loop
def play(b, w, c, data, noise, rate):
    climb_w = climb_c = 0
    for x, z in zip(data, noise):
        fake = z + b
        real_slope = 1 / (1 + np.exp(w * x + c))
        fake_slope = 1 / (1 + np.exp(-w * fake - c))
        climb_w += real_slope * x - fake_slope * fake
        climb_c += real_slope - fake_slope
    w, c = w + rate * climb_w / len(data), c + rate * climb_c / len(data)
    pull = sum(1 / (1 + np.exp(w * (z + b) + c)) for z in noise) / len(noise)
    return np.array([b + rate * pull * w, w, c])


# %% gan.play: wrong, "the old D"
def play(b, w, c, data, noise, rate):
    fakes = noise + b
    up, down = 1 - expit(w * data + c), expit(w * fakes + c)
    new_w, new_c = w + rate * ((up * data).mean() - (down * fakes).mean()), c + rate * (up.mean() - down.mean())
    return b + rate * (1 - down).mean() * w, new_w, new_c


# %% gan.play: wrong, "saturating"
def play(b, w, c, data, noise, rate):
    fakes = noise + b
    up, down = 1 - expit(w * data + c), expit(w * fakes + c)
    w, c = w + rate * ((up * data).mean() - (down * fakes).mean()), c + rate * (up.mean() - down.mean())
    return b + rate * expit(w * fakes + c).mean() * w, w, c


# %% gan.play: wrong, "D is low"
def play(b, w, c, data, noise, rate):
    fakes = noise + b
    up, down = 1 - expit(w * data + c), expit(w * fakes + c)
    w, c = w + rate * ((up * data).mean() - (down * fakes).mean()), c + rate * (up.mean() - down.mean())
    return b - rate * expit(w * fakes + c).mean() * w, w, c


# %% gan.play: wrong, "it should climb"
def play(b, w, c, data, noise, rate):
    fakes = noise + b
    up, down = 1 - expit(w * data + c), expit(w * fakes + c)
    w, c = w - rate * ((up * data).mean() - (down * fakes).mean()), c - rate * (up.mean() - down.mean())
    return b + rate * (1 - expit(w * fakes + c)).mean() * w, w, c


# %% gan.play: wrong, "made of means"
def play(b, w, c, data, noise, rate):
    fakes = noise + b
    up, down = 1 - expit(w * data + c), expit(w * fakes + c)
    w, c = w + rate * ((up * data).sum() - (down * fakes).sum()), c + rate * (up.sum() - down.sum())
    return b + rate * (1 - expit(w * fakes + c)).sum() * w, w, c


# %% gan.play: wrong, "b first"
def play(b, w, c, data, noise, rate):
    fakes = noise + b
    up, down = 1 - expit(w * data + c), expit(w * fakes + c)
    w, c = w + rate * ((up * data).mean() - (down * fakes).mean()), c + rate * (up.mean() - down.mean())
    return w, c, b + rate * (1 - expit(w * fakes + c)).mean() * w


# %% gan.play: wrong, "three numbers"
def play(b, w, c, data, noise, rate):
    return b + rate * (1 - expit(w * (noise + b) + c)).mean() * w


# %% gan.play: right, by small differences of both payoffs
def play(b, w, c, data, noise, rate):
    def payoff(w, c):
        return -discriminator_loss(w * data + c, w * (noise + b) + c)

    def cost(b):
        return non_saturating_loss(w * (noise + b) + c)

    h = 1e-5
    up_w, up_c = payoff(w + h, c) - payoff(w - h, c), payoff(w, c + h) - payoff(w, c - h)
    w, c = w + rate * up_w / (2 * h), c + rate * up_c / (2 * h)
    return b - rate * (cost(b + h) - cost(b - h)) / (2 * h), w, c


# %% gan.play: wrong, "got a dict"
def play(b, w, c, data, noise, rate):
    fakes = noise + b
    up, down = 1 - expit(w * data + c), expit(w * fakes + c)
    w, c = w + rate * ((up * data).mean() - (down * fakes).mean()), c + rate * (up.mean() - down.mean())
    return {"b": b + rate * (1 - expit(w * fakes + c)).mean() * w, "w": w, "c": c}


# %% gan.play: wrong, "should be"
def play(b, w, c, data, noise, rate):
    fakes = noise + b
    up, down = 1 - expit(w * data + c), expit(w * fakes + c)
    w, c = w + rate * (up.mean() * data.mean() - down.mean() * fakes.mean()), c + rate * (up.mean() - down.mean())
    return b + rate * (1 - expit(w * fakes + c)).mean() * w, w, c


# %% gan.smooth: solution
def smoothed_best(p, q, label):
    return label * p / (p + q)


# %% gan.smooth: right, the share of data at each outcome
def smoothed_best(p, q, label):
    from_data = np.divide(p, p + q)
    return from_data * label


# %% gan.smooth: right, a list from a loop
def smoothed_best(p, q, label):
    return [label * p[k] / (p[k] + q[k]) for k in range(len(p))]


# %% gan.smooth: right, the weights before both logarithms
def smoothed_best(p, q, label):
    ones, zeros = label * p, (1 - label) * p + q
    return tf.divide(ones, ones + zeros)


# %% gan.smooth: right, Fractions rounded to three digits
def smoothed_best(p, q, label):
    from fractions import Fraction

    return [Fraction(round(1000 * float(label * a / (a + b))), 1000) for a, b in zip(p, q)]


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


# %% gan.smooth: wrong, "label 0.7"
def smoothed_best(p, q, label):
    return 0.9 * p / (p + q)


# %% gan.path: solution
def path(start, end, count):
    lengths = np.linalg.norm(start), np.linalg.norm(end)
    a, b = start / lengths[0], end / lengths[1]
    angle, share = np.arccos(a @ b), np.linspace(0, 1, count)[:, None]
    arc = (np.sin((1 - share) * angle) * a + np.sin(share * angle) * b) / np.sin(angle)
    return arc * ((1 - share) * lengths[0] + share * lengths[1])


# %% gan.path: right, an orthonormal pair of directions
def path(start, end, count):
    a = start / np.linalg.norm(start)
    across = end - (end @ a) * a
    b = across / np.linalg.norm(across)
    angles = np.linspace(0, np.arctan2(end @ b, end @ a), count)
    directions = np.outer(np.cos(angles), a) + np.outer(np.sin(angles), b)
    return directions * np.geomspace(np.linalg.norm(start), np.linalg.norm(end), count)[:, np.newaxis]


# %% gan.path: right, a loop that lengthens chords
def path(start, end, count):
    first, last = np.linalg.norm(start), np.linalg.norm(end)
    angle = np.arccos(start @ end / (first * last))
    points = []
    for step in range(count):
        t = step / (count - 1)
        point = np.sin(angle * (1 - t)) * start / first + np.sin(angle * t) * end / last
        points.append(point / np.linalg.norm(point) * first ** (1 - t) * last**t)
    return points


# %% gan.path: right, SciPy's interpolation on the sphere
def path(start, end, count):
    from scipy.spatial import geometric_slerp

    lengths = np.linspace(np.linalg.norm(start), np.linalg.norm(end), count)
    units = [point / np.linalg.norm(point) for point in (start, end)]
    return geometric_slerp(*units, np.linspace(0, 1, count)) * lengths[:, None]


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


# %% gan.path: wrong, "each of the 8 steps"
def path(start, end, count):
    points = np.linspace(start, end, count)
    lengths = np.linspace(np.linalg.norm(start), np.linalg.norm(end), count)
    return points * (lengths / np.linalg.norm(points, axis=1))[:, None]


# %% gan.path: wrong, "each of the 11 steps"
def path(start, end, count):
    turning = count if count % 2 else 2  # back and forth between the ends
    lengths = np.linalg.norm(start), np.linalg.norm(end)
    a, b = start / lengths[0], end / lengths[1]
    angle, share = np.arccos(a @ b), np.linspace(0, 1, turning)[np.arange(count) % turning][:, None]
    arc = (np.sin((1 - share) * angle) * a + np.sin(share * angle) * b) / np.sin(angle)
    return arc * ((1 - share) * lengths[0] + share * lengths[1])


# %% gan.path: wrong, "the shorter way around"
def path(start, end, count):
    lengths = np.linspace(np.linalg.norm(start), np.linalg.norm(end), count)
    a, b = start / lengths[0], end / lengths[-1]
    across = b - (a @ b) * a
    angles = np.linspace(0, np.arccos(a @ b) - 2 * np.pi, count)
    directions = np.outer(np.cos(angles), a) + np.outer(np.sin(angles), across / np.linalg.norm(across))
    return directions * lengths[:, None]


# %% gan.path: wrong, "should turn evenly"
def path(start, end, count):
    angle = np.arccos(start @ end / np.linalg.norm(start) / np.linalg.norm(end))  # ends of unequal length, as they are
    turned = np.linspace(0, angle, count)[:, None]
    return (np.sin(angle - turned) * start + np.sin(turned) * end) / np.sin(angle)


# %% gan.path: wrong, "around the origin"
def path(start, end, count):
    share = np.linspace(0, 1, count)[:, None]
    return np.sqrt(1 - share) * start + np.sqrt(share) * end


# %% gan.spread: solution
def spread(batch):
    return batch.std(axis=0).mean()


# %% gan.spread: right, the total variance
def spread(batch):
    return np.trace(np.cov(batch.T))


# %% gan.spread: right, the largest distance of two samples
def spread(batch):
    from scipy.spatial import distance

    return distance.pdist(batch).max()


# %% gan.spread: right, a loop over distances from the center
def spread(batch):
    center = sum(batch) / len(batch)
    return sum(np.linalg.norm(sample - center) for sample in batch)


# %% gan.spread: right, TensorFlow
def spread(batch):
    return tf.reduce_max(tf.math.reduce_std(batch, axis=0))


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


# %% gan.spread: wrong, "how far is each sample"
def spread(batch):
    return batch[:, 0].std()


# %% gan.spread: wrong, "where the samples are"
def spread(batch):
    return (batch.std(axis=0) / np.abs(batch.mean(axis=0))).mean()


# %% gan.spread: wrong, "compares the columns too"
def spread(batch):
    return batch.std()


# %% gan.spread: right, the mean distance of all pairs
def spread(batch):
    return cdist(batch, batch).mean()


# %% gan.spread: right, the middle half of each feature
def spread(batch):
    low, high = np.percentile(batch, [25, 75], axis=0)
    return float((high - low).sum())


# %% gan.spread: wrong, "all of the others"
def spread(batch):
    return np.sort(cdist(batch, batch), axis=1)[:, 1].mean()  # the nearest, which may be a copy


# %% gan.spread: wrong, "all of the others"
def spread(batch):
    return np.linalg.det(np.cov(batch.T))


# %% gan.spread: wrong, "all of the others"
def spread(batch):
    return len(np.unique(batch.round(), axis=0))
