# Answers to the exercises of lesson 02: solutions, and what a student might write. They use what the lesson defines above its exercises.
# After the exercise's name: solution; right, and how it is written; or wrong, and words that the verdict must hold.

# %% otsu.by_hand: solution
variance_at_50 = 0.5 * 0.5 * (15 - 95) ** 2

# %% otsu.by_hand: wrong, "weigh"
variance_at_50 = (15 - 95) ** 2

# %% otsu.by_hand: wrong, "all four"
variance_at_50 = np.var([10, 20, 90, 100])

# %% otsu.by_hand: wrong, "within"
variance_at_50 = 25

# %% otsu.by_hand: wrong, "one share"
variance_at_50 = 0.5 * (15 - 95) ** 2

# %% otsu.by_hand: wrong, "class means are"
variance_at_50 = 7


# %% otsu.mend: solution
def mended_otsu(histogram):
    shares, values = np.array(histogram) / np.sum(histogram), np.arange(256)
    u, best, best_threshold = (shares * values).sum(), -1.0, 0
    for t in range(255):
        p1, p2 = shares[: t + 1].sum(), shares[t + 1 :].sum()
        if p1 > 0 and p2 > 0:
            u1, u2 = (shares * values)[: t + 1].sum() / p1, (shares * values)[t + 1 :].sum() / p2
            variance = p1 * (u1 - u) ** 2 + p2 * (u2 - u) ** 2
            if variance > best:
                best, best_threshold = variance, t
    return best_threshold


# %% otsu.mend: wrong, "shift test"
def mended_otsu(histogram):
    return int(unnormalised_variance(histogram).argmax())


# %% otsu.mend: wrong, "moves as it should"
def mended_otsu(histogram):
    return int(np.average(np.arange(256), weights=histogram))


# %% otsu.mend: wrong, "does it take a histogram"
def mended_otsu(histogram):
    return int(between_class_variance(histogram).argmin())


# %% otsu.mend: wrong, "does it take a histogram"
def mended_otsu(histogram):
    return int(np.mean(histogram))


# %% otsu.gain: solution
def after_gain_and_offset(t, v, a, b):
    return a * t + b, a**2 * v


# %% otsu.gain: wrong, "twice"
def after_gain_and_offset(t, v, a, b):
    return a * t + b, a * v


# %% otsu.gain: wrong, "moves like all others"
def after_gain_and_offset(t, v, a, b):
    return t + b, v


# %% otsu.gain: wrong, "offset"
def after_gain_and_offset(t, v, a, b):
    return a * t + b, a**2 * v + b


# %% otsu.gain: wrong, "as far apart"
def after_gain_and_offset(t, v, a, b):
    return a * t + b, v


# %% otsu.gain: wrong, "order"
def after_gain_and_offset(t, v, a, b):
    return a**2 * v, a * t + b


# %% otsu.gain: wrong, "shape"
def after_gain_and_offset(t, v, a, b):
    return a * t + b


# %% otsu.quantize: solution
def quantize(gray, levels):
    labels = np.digitize(gray, multi_otsu(images.histogram(gray), levels), right=True)
    means = [gray[labels == k].mean() for k in range(levels)]
    return np.rint(means)[labels].astype(np.uint8)


# %% otsu.quantize: wrong, "numbers of the classes"
def quantize(gray, levels):
    return np.digitize(gray, multi_otsu(images.histogram(gray), levels), right=True)


# %% otsu.quantize: wrong, "can be had"
def quantize(gray, levels):
    return gray // (256 // levels + 1) * (256 // levels + 1)


# %% otsu.quantize: wrong, "levels are wanted"
def quantize(gray, levels):
    return gray


# %% otsu.quantize: wrong, "right=True"
def quantize(gray, levels):
    labels = np.digitize(gray, multi_otsu(images.histogram(gray), levels))
    return np.rint([gray[labels == k].mean() for k in range(levels)])[labels]


# %% otsu.quantize: wrong, "np.rint rounds"
def quantize(gray, levels):
    labels = np.digitize(gray, multi_otsu(images.histogram(gray), levels), right=True)
    return np.array([gray[labels == k].mean() for k in range(levels)])[labels].astype(int)


# %% otsu.quantize: wrong, "round"
def quantize(gray, levels):
    labels = np.digitize(gray, multi_otsu(images.histogram(gray), levels), right=True)
    return np.array([gray[labels == k].mean() for k in range(levels)])[labels]


# %% otsu.small: solution
def small_object_threshold(histogram):
    shares, _, variances = class_statistics(histogram)
    usable = ((shares > 0) & (variances > 0)).all(axis=0)
    spreads, weights = np.sqrt(variances[:, usable]), shares[:, usable]
    cost = np.full(256, np.inf)
    cost[usable] = (weights * np.log(spreads / weights)).sum(axis=0)
    return int(cost.argmin())


# %% otsu.small: wrong, "Otsu's own"
def small_object_threshold(histogram):
    return otsu_threshold(histogram)


# %% otsu.small: wrong, "more errors"
def small_object_threshold(histogram):
    return 120


# %% otsu.small: wrong, "all but empty"
def small_object_threshold(histogram):
    shares, _, variances = class_statistics(histogram)
    cost = (shares * np.log(np.sqrt(variances + 1e-12) / (shares + 1e-12))).sum(axis=0)
    return int(np.nanargmin(np.where(shares.min(axis=0) > 0, cost, -np.inf)))
