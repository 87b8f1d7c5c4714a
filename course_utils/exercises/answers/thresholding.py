# Answers to the exercises of lesson 01: solutions, and what a student might write. They use what the lesson defines above its exercises.
# After the exercise's name: solution; right, and how it is written; or wrong, and words that the verdict must hold.

# %% thresholding.iterate: solution
def iterated_threshold(gray):
    t, new = np.inf, gray.mean()
    while abs(new - t) >= 0.01:
        t = new
        new = (gray[gray > t].mean() + gray[gray <= t].mean()) / 2
    return new


# %% thresholding.iterate: right, recursion
def iterated_threshold(gray, t=None):
    t = gray.mean() if t is None else t
    new = (np.mean(gray[gray > t]) + np.mean(gray[gray <= t])) / 2
    return new if abs(new - t) < 0.01 else iterated_threshold(gray, new)


# %% thresholding.iterate: right, SciPy
def iterated_threshold(gray):
    from scipy.optimize import fixed_point

    def half_way(t):
        return 0.5 * (gray[gray > t].mean() + gray[gray <= t].mean())

    return fixed_point(half_way, gray.mean(), method="iteration")


# %% thresholding.iterate: right, the histogram and a fixed number of steps
def iterated_threshold(gray):
    counts = np.bincount(gray.ravel())
    values = np.arange(len(counts))
    t = np.average(values, weights=counts)
    for _ in values:
        bright = values > t
        t = (np.average(values, weights=counts * bright) + np.average(values, weights=counts * ~bright)) / 2
    return t


# %% thresholding.iterate: wrong, "only begins"
def iterated_threshold(gray):
    return gray.mean()


# %% thresholding.iterate: wrong, "begin with gray.mean()"
def iterated_threshold(gray):
    t, new = -1.0, 50.0
    while abs(new - t) >= 0.01:
        t, new = new, (gray[gray > new].mean() + gray[gray <= new].mean()) / 2
    return new


# %% thresholding.iterate: wrong, "stands still"
def iterated_threshold(gray):
    t = gray.mean()
    return (gray[gray > t].mean() + gray[gray <= t].mean()) / 2


# %% thresholding.iterate: wrong, "did not return"
def iterated_threshold(gray):
    t = gray.mean()
    while True:
        t = (gray[gray > t].mean() + gray[gray <= t].mean()) / 2


# %% thresholding.iterate: wrong, "stands still"
def iterated_threshold(gray):
    return (int(gray.min()) + int(gray.max())) / 2


# %% thresholding.iterate: wrong, "don't round"
def iterated_threshold(gray):
    t, new = -1, round(gray.mean())
    while new != t:
        t, new = new, round((gray[gray > new].mean() + gray[gray <= new].mean()) / 2)
    return new


# %% thresholding.iterate: wrong, "equal to t"
def iterated_threshold(gray):
    t, new = np.inf, gray.mean()
    while abs(new - t) >= 0.01:
        t, new = new, (gray[gray >= new].mean() + gray[gray <= new].mean()) / 2
    return new


# %% thresholding.iterate: wrong, "without pixels"
def iterated_threshold(gray):
    return 300


# %% thresholding.iterate: wrong, "on "
def iterated_threshold(gray):
    return filters.threshold_otsu(gray)


# %% thresholding.cost: solution
def cheapest_threshold(dark_share, dark_mean, bright_mean, spread, miss_cost):
    odds = dark_share / (miss_cost * (1 - dark_share))
    return (dark_mean + bright_mean) / 2 + spread**2 / (bright_mean - dark_mean) * np.log(odds)


# %% thresholding.cost: right, a whole gray value
def cheapest_threshold(dark_share, dark_mean, bright_mean, spread, miss_cost):
    odds = dark_share / (1 - dark_share) / miss_cost
    return int((dark_mean + bright_mean) / 2 + spread**2 / (bright_mean - dark_mean) * np.log(odds))


# %% thresholding.cost: right, logarithms apart
def cheapest_threshold(dark_share, dark_mean, bright_mean, spread, miss_cost):
    dark, bright = np.log(dark_share), np.log(1 - dark_share) + np.log(miss_cost)
    return 0.5 * (dark_mean + bright_mean) + (dark - bright) * spread * spread / (bright_mean - dark_mean)


# %% thresholding.cost: right, where both densities cross
def cheapest_threshold(dark_share, dark_mean, bright_mean, spread, miss_cost):
    from scipy.optimize import newton

    def gap(t):
        dark = np.log(dark_share) + norm(dark_mean, spread).logpdf(t)
        return dark - np.log(miss_cost * (1 - dark_share)) - norm(bright_mean, spread).logpdf(t)

    return newton(gap, dark_mean)


# %% thresholding.cost: right, tried out
def cheapest_threshold(dark_share, dark_mean, bright_mean, spread, miss_cost):
    def cost(t):
        false_alarms = dark_share * norm.sf(t, dark_mean, spread)
        misses = (1 - dark_share) * norm.cdf(t, bright_mean, spread)
        return false_alarms + miss_cost * misses

    return min(range(np.iinfo(np.uint8).max), key=cost)


# %% thresholding.cost: wrong, "Bayes threshold"
def cheapest_threshold(dark_share, dark_mean, bright_mean, spread, miss_cost):
    return (dark_mean + bright_mean) / 2


# %% thresholding.cost: wrong, "no effect"
def cheapest_threshold(p, m1, m2, s, c):
    return (m1 + m2) / 2 + s**2 / (m2 - m1) * np.log(p / (1 - p))


# %% thresholding.cost: wrong, "wrong way"
def cheapest_threshold(p, m1, m2, s, c):
    return (m1 + m2) / 2 + s**2 / (m2 - m1) * np.log(c * p / (1 - p))


# %% thresholding.cost: wrong, "wrong sign"
def cheapest_threshold(p, m1, m2, s, c):
    return (m1 + m2) / 2 + s**2 / (m2 - m1) * np.log(c * (1 - p) / p)


# %% thresholding.cost: wrong, "should be lower"
def cheapest_threshold(p, m1, m2, s, c):
    odds = (1 - p) / p * c
    return (m1 + m2) / 2 + s**2 / (m2 - m1) * np.log(c**2 / odds)


# %% thresholding.cost: wrong, "yours is"
def cheapest_threshold(p, m1, m2, s, c):
    return (m1 + m2) / 2 + s / (m2 - m1) * np.log(p / (1 - p) / c)


# %% thresholding.cost: wrong, "yours is"
def cheapest_threshold(p, m1, m2, s, c):
    return (m1 + m2) / 2 + 25**2 / (m2 - m1) * np.log(p / (1 - p) / c)


# %% thresholding.cost: wrong, "yours is 160"
def cheapest_threshold(p, m1, m2, s, c):
    return np.clip((m1 + m2) / 2 + s**2 / (m2 - m1) * np.log(p / (1 - p) / c), m1, m2)


# %% thresholding.cost: wrong, "no effect"
def cheapest_threshold(p, m1, m2, s, c):
    return (m1 + m2) / 2 + s**2 / (m2 - m1) * np.log(p / (1 - p) / max(c, 1))


# %% thresholding.coins: solution
def find_coins(gray):
    quiet = blur(gray, 1)
    return quiet > 1.15 * local_mean(quiet, 101)  # coins reflect a larger share of the light, so compare by a ratio


# %% thresholding.coins: right, a Gaussian window
def find_coins(gray):
    quiet = ndimage.gaussian_filter(gray.astype(float), 1.5)
    return quiet > 1.1 * ndimage.gaussian_filter(quiet, 35)


# %% thresholding.coins: right, OpenCV's adaptive threshold, 0 and 255
def find_coins(gray):
    quiet = cv2.GaussianBlur(gray, (0, 0), 1.2)
    return cv2.adaptiveThreshold(quiet, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, 101, -9)


# %% thresholding.coins: right, holes filled, a list
def find_coins(gray):
    quiet = ndimage.median_filter(gray, 5)
    coins = quiet > filters.threshold_local(quiet, 121, "mean") * 1.15
    return ndimage.binary_fill_holes(coins).tolist()


# %% thresholding.coins: wrong, "follow the light"
def find_coins(gray):
    return gray > 105


# %% thresholding.coins: wrong, "follow the light"
def find_coins(gray):
    return gray > filters.threshold_otsu(gray)


# %% thresholding.coins: wrong, "follow the light"
def find_coins(gray):
    return np.ones(gray.shape, bool)


# %% thresholding.coins: wrong, "turn it around"
def find_coins(gray):
    return gray <= 1.15 * local_mean(gray, 101)


# %% thresholding.coins: wrong, "hardly a pixel"
def find_coins(gray):
    return np.zeros(gray.shape, bool)


# %% thresholding.coins: wrong, "Is it noise?"
def find_coins(gray):
    return gray > 1.15 * local_mean(gray, 101)


# %% thresholding.coins: wrong, "window smaller than a coin"
def find_coins(gray):
    return blur(gray, 1) > 1.15 * local_mean(gray, 25)


# %% thresholding.coins: wrong, "blur too much"
def find_coins(gray):
    return blur(gray, 6) > 1.15 * local_mean(gray, 101)


# %% thresholding.coins: wrong, "too large a difference"
def find_coins(gray):
    return blur(gray, 1) > 1.5 * local_mean(gray, 101)


# %% thresholding.coins: wrong, "different values"
def find_coins(gray):
    return gray


# %% thresholding.coins: wrong, "expected a mask"
def find_coins(gray):
    return 1.15 * local_mean(gray, 101)


# %% thresholding.coins: wrong, "shape"
def find_coins(gray):
    return gray[gray > 100]
