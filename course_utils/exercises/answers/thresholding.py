# Answers to the exercises of lesson 01: solutions, and what a student might write. They use what the lesson defines above its exercises.
# After the exercise's name: solution; right, and how it is written; or wrong, and words that the verdict must hold.

# %% thresholding.middle: solution
low, high = valleys(histogram_of(camera), peaks=3)
middle_share = ((camera > low) & (camera <= high)).mean()  # or (classes == 1).mean()

# %% thresholding.middle: right, the classes numbered
classes = np.digitize(camera, valleys(histogram_of(camera), 3), right=True)
middle_share = np.count_nonzero(classes == 1) / camera.size

# %% thresholding.middle: right, from the histogram
low, high = valleys(histogram_of(camera), 3)
shares = histogram_of(camera).cumsum() / camera.size
middle_share = shares[high] - shares[low]

# %% thresholding.middle: right, the number itself
middle_share = 0.372

# %% thresholding.middle: right, what the other classes leave
low, high = valleys(histogram_of(camera), 3)
middle_share = 1 - np.mean((camera <= low) | (camera > high))


# %% thresholding.middle: wrong, "percent"
low, high = valleys(histogram_of(camera), 3)
middle_share = 100 * ((camera > low) & (camera <= high)).mean()

# %% thresholding.middle: wrong, "dark class too"
low, high = valleys(histogram_of(camera), 3)
middle_share = (camera <= high).mean()

# %% thresholding.middle: wrong, "bright class too"
low, high = valleys(histogram_of(camera), 3)
middle_share = (camera > low).mean()

# %% thresholding.middle: wrong, "bright class; "
low, high = valleys(histogram_of(camera), 3)
middle_share = (camera > high).mean()

# %% thresholding.middle: wrong, "divide"
low, high = valleys(histogram_of(camera), 3)
middle_share = ((camera > low) & (camera <= high)).sum()

# %% thresholding.middle: wrong, "three decimals"
low, high = valleys(histogram_of(camera), 3)
middle_share = ((camera > low) & (camera < high)).mean()


# %% thresholding.middle: wrong, "percent"
low, high = valleys(histogram_of(camera), 3)
middle_share = round(100 * ((camera > low) & (camera <= high)).mean(), 1)

# %% thresholding.middle: wrong, "three decimals"
low, high = two_peaks(histogram_of(camera))
middle_share = ((camera > low) & (camera <= high)).mean()

# %% thresholding.middle: wrong, "one number"
middle_share = valleys(histogram_of(camera), 3)


# %% thresholding.negative: solution
def threshold_of_negative(t):
    return 254 - t  # the values t + 1 ... 255 turn into 0 ... 254 - t


# %% thresholding.negative: right, half-way between two gray values
def threshold_of_negative(t):
    return 254.5 - t


# %% thresholding.negative: right, the bright values counted
def threshold_of_negative(t):
    return np.count_nonzero(np.arange(256) > t) - 1


# %% thresholding.negative: right, one below the dark part's values
def threshold_of_negative(t):
    return min(255 - g for g in range(t + 1)) - 1


# %% thresholding.negative: right, in shares of the range
def threshold_of_negative(t):
    return 255 * (1 - (t + 1) / 255)


# %% thresholding.negative: right, a lambda
threshold_of_negative = lambda t: 255 - (t + 1)  # noqa: E731


# %% thresholding.negative: wrong, "nearly"
def threshold_of_negative(t):
    return 255 - t


# %% thresholding.negative: wrong, "change sides"
def threshold_of_negative(t):
    return t


# %% thresholding.negative: wrong, "return"
def threshold_of_negative(t):
    print(254 - t)


# %% thresholding.negative: wrong, "change sides"
def threshold_of_negative(t):
    return 154


# %% thresholding.negative: wrong, "of the 256 gray values"
def threshold_of_negative(t):
    return 253 - t


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


# %% thresholding.ink: solution
def find_ink(gray):
    quiet = ndimage.gaussian_filter(gray, 1)
    return quiet < 0.8 * local_mean(quiet, 35)  # ink reflects a share of the light, so compare by a ratio


# %% thresholding.ink: right, OpenCV's medians, 0 and 255
def find_ink(gray):
    quiet, paper = cv2.medianBlur(gray, 3), cv2.medianBlur(gray, 51)
    return 255 * (quiet < 0.75 * paper)


# %% thresholding.ink: right, scikit-image's local threshold
def find_ink(gray):
    quiet = ndimage.gaussian_filter(gray, 1)
    return np.less(quiet, 0.8 * filters.threshold_local(quiet, 35, "mean"))


# %% thresholding.ink: right, a smooth surface for the light, and Otsu's threshold
def find_ink(gray):
    y, x = np.indices(gray.shape)
    terms = np.stack([x, y, x * y, x * x, y * y, np.ones(gray.shape)], axis=-1)
    quiet = ndimage.gaussian_filter(gray, 1)
    light = terms @ np.linalg.lstsq(terms.reshape(gray.size, 6), quiet.ravel())[0]
    return quiet / light < filters.threshold_otsu(quiet / light)


# %% thresholding.ink: wrong, "follow the light"
def find_ink(gray):
    return gray <= 100


# %% thresholding.ink: wrong, "turn it around"
def find_ink(gray):
    return gray > local_mean(gray, 35) - 15


# %% thresholding.ink: wrong, "empty"
def find_ink(gray):
    return np.zeros(gray.shape, bool)


# %% thresholding.ink: wrong, "noise"
def find_ink(gray):
    return ink_of(gray)


# %% thresholding.ink: wrong, "blurred too much"
def find_ink(gray):
    return ndimage.gaussian_filter(gray, 5) < 0.8 * local_mean(gray, 35)


# %% thresholding.ink: wrong, "follow the light"
def find_ink(gray):
    return np.ones(gray.shape, bool)


# %% thresholding.ink: wrong, "shape"
def find_ink(gray):
    return gray[gray < 100]


# %% thresholding.ink: wrong, "follow the light"
def find_ink(gray):
    return gray <= filters.threshold_otsu(gray)


# %% thresholding.ink: wrong, "square around each pixel too small"
def find_ink(gray):
    return gray < 0.8 * local_mean(gray, 5)


# %% thresholding.ink: wrong, "got 256 different values"
def find_ink(gray):
    return gray


# %% thresholding.ink: wrong, "expected a mask"
def find_ink(gray):
    return local_mean(gray, 35) - 15
