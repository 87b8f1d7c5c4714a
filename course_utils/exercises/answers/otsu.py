# Answers to the exercises of lesson 02: solutions, and what a student might write. They use what the lesson defines above its exercises.
# After the exercise's name: solution; right, and how it is written; or wrong, and words that the verdict must hold.

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


# %% otsu.mend: right, the lesson's function
def mended_otsu(histogram):
    return otsu_threshold(histogram)


# %% otsu.mend: right, scikit-image
def mended_otsu(histogram):
    return filters.threshold_otsu(hist=(histogram, np.arange(256)))


# %% otsu.mend: right, running sums
def mended_otsu(histogram):
    pixels, total = np.cumsum(histogram), np.cumsum(np.arange(256) * histogram)
    dark, bright = pixels[:-1], pixels[-1] - pixels[:-1]
    distance = total[:-1] / dark - (total[-1] - total[:-1]) / bright
    return np.nanargmax(distance**2 * dark * bright)


# %% otsu.mend: right, the smallest variance within
def mended_otsu(histogram):
    values = np.repeat(np.arange(256), histogram)

    def within(t):
        dark, bright = values[values <= t], values[values > t]
        return dark.size * dark.var() + bright.size * bright.var()

    return min(range(values.min(), values.max()), key=within)


# %% otsu.mend: wrong, "shift test"
def mended_otsu(histogram):
    return int(chapter_variance(histogram).argmax())


# %% otsu.mend: wrong, "moves as it should"
def mended_otsu(histogram):
    return int(np.average(np.arange(256), weights=histogram))


# %% otsu.mend: wrong, "use its histogram"
def mended_otsu(histogram):
    return int(between_class_variance(histogram).argmin())


# %% otsu.mend: wrong, "use its histogram"
def mended_otsu(histogram):
    return int(np.mean(histogram))


# %% otsu.mend: wrong, "may be the last"
def mended_otsu(histogram):
    return int(between_class_variance(histogram)[:250].argmax())


# %% otsu.mend: wrong, "the largest between-class variance is at"
def mended_otsu(histogram):
    curve = between_class_variance(histogram)
    return 2 + int(curve[2:].argmax())


# %% otsu.mend: wrong, "use its histogram"
def mended_otsu(histogram):
    return otsu_threshold(images.histogram(camera // 2))


# %% otsu.quantize: solution
def quantize(gray, levels):
    labels = np.digitize(gray, multi_otsu(images.histogram(gray), levels), right=True)
    painted = np.zeros(gray.shape, np.uint8)
    for k in range(levels):
        painted[labels == k] = np.rint(gray[labels == k].mean())
    return painted


# %% otsu.quantize: right, means as a table, floats
def quantize(gray, levels):
    labels = np.digitize(gray, multi_otsu(images.histogram(gray), levels), right=True)
    means = [gray[labels == k].mean() for k in range(levels)]
    return np.rint(means)[labels]


# %% otsu.quantize: right, scikit-image and SciPy
def quantize(gray, levels):
    labels = np.searchsorted(filters.threshold_multiotsu(gray, levels), gray)
    return np.round(ndimage.mean(gray, labels, range(levels)))[labels]


# %% otsu.quantize: right, cut by cut
def quantize(gray, levels):
    labels = sum(gray > cut for cut in multi_otsu(images.histogram(gray), levels))
    return np.choose(labels, [round(gray[labels == k].mean()) for k in range(levels)])


# %% otsu.quantize: wrong, "numbers of the classes"
def quantize(gray, levels):
    return np.digitize(gray, multi_otsu(images.histogram(gray), levels), right=True)


# %% otsu.quantize: wrong, "is possible"
def quantize(gray, levels):
    return gray // (256 // levels + 1) * (256 // levels + 1)


# %% otsu.quantize: wrong, "more than the 3 levels"
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


# %% otsu.quantize: wrong, "means of multi_otsu's classes"
def quantize(gray, levels):
    labels = np.digitize(gray, multi_otsu(images.histogram(gray), 3), right=True)
    return np.rint([gray[labels == k].mean() for k in range(3)])[labels]


# %% otsu.quantize: wrong, "means of multi_otsu's classes"
def quantize(gray, levels):
    labels = np.digitize(gray, multi_otsu(images.histogram(gray), levels), right=True)
    return np.rint([np.median(gray[labels == k]) for k in range(levels)])[labels]


# %% otsu.quantize: wrong, "means of multi_otsu's classes"
def quantize(gray, levels):
    cuts = np.quantile(gray, np.arange(1, levels) / levels)
    labels = np.digitize(gray, cuts, right=True)
    return np.rint([gray[labels == k].mean() for k in range(levels)])[labels]


# %% otsu.small: solution
def small_object_threshold(histogram):
    (p1, p2), _, variances = class_statistics(histogram)
    s1, s2 = np.sqrt(variances)
    cost = {t: p1[t] * np.log(s1[t] / p1[t]) + p2[t] * np.log(s2[t] / p2[t]) for t in np.flatnonzero(s1 * s2)}
    return min(cost, key=cost.get)


# %% otsu.small: right, a loop
def small_object_threshold(histogram):
    shares, _, variances = class_statistics(histogram)
    costs = []
    for t, (share, variance) in enumerate(zip(shares.T, variances.T)):
        if variance.all():
            costs.append((share @ np.log(np.sqrt(variance) / share), t))
    return min(costs)[1]


# %% otsu.small: right, NaN passed over
def small_object_threshold(histogram):
    shares, _, variances = class_statistics(histogram)
    dark, bright = shares * np.log(np.sqrt(variances) / shares)
    cost = dark + bright
    return np.nanargmin(np.where(np.isfinite(cost), cost, np.nan))


# %% otsu.small: right, the paper's formula
def small_object_threshold(histogram):
    (p1, p2), _, (v1, v2) = class_statistics(histogram)
    cost = p1 * np.log(v1) + p2 * np.log(v2) - 2 * (p1 * np.log(p1) + p2 * np.log(p2))
    return np.ma.masked_invalid(cost).argmin()


# %% otsu.small: wrong, "Otsu's own"
def small_object_threshold(histogram):
    return otsu_threshold(histogram)


# %% otsu.small: wrong, "the best threshold"
def small_object_threshold(histogram):
    return 120


# %% otsu.small: wrong, "almost empty"
def small_object_threshold(histogram):
    shares, _, variances = class_statistics(histogram)
    cost = (shares * np.log(np.sqrt(variances + 1e-12) / (shares + 1e-12))).sum(axis=0)
    return int(np.nanargmin(np.where(shares.min(axis=0) > 0, cost, -np.inf)))


# %% otsu.small: wrong, "the best threshold"
def small_object_threshold(histogram):
    shares, _, variances = class_statistics(histogram)
    cost = (shares * np.log(variances / shares)).sum(axis=0)
    return int(np.ma.masked_invalid(cost).argmin())


# %% otsu.small: wrong, "the best threshold"
def small_object_threshold(histogram):
    values = np.arange(256)
    peak = int(histogram.argmax())
    spread = np.sqrt(np.average((values - peak) ** 2, weights=histogram))
    return peak + 2.5 * spread
