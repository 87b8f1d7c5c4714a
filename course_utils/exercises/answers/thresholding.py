# Answers to the exercises of lesson 01: solutions, and what a student might write. They use what the lesson defines above its exercises.
# After the exercise's name: solution; right, and how it is written; or wrong, and words that the verdict must hold.

# %% thresholding.middle: solution
low, high = valleys(histogram_of(camera), peaks=3)
middle_share = ((camera > low) & (camera <= high)).mean()  # or (classes == 1).mean()

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


# %% thresholding.negative: solution
def threshold_of_negative(t):
    return 254 - t  # the values t + 1 ... 255 turn into 0 ... 254 - t


# %% thresholding.negative: wrong, "nearly"
def threshold_of_negative(t):
    return 255 - t


# %% thresholding.negative: wrong, "change sides"
def threshold_of_negative(t):
    return t


# %% thresholding.negative: wrong, "return"
def threshold_of_negative(t):
    print(254 - t)


# %% thresholding.cost: solution
def cheapest_threshold(dark_share, dark_mean, bright_mean, spread, miss_cost):
    odds = dark_share / (miss_cost * (1 - dark_share))
    return (dark_mean + bright_mean) / 2 + spread**2 / (bright_mean - dark_mean) * np.log(odds)


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


# %% thresholding.iterate: solution
def iterated_threshold(gray):
    t, new = -1.0, gray.mean()
    while abs(new - t) >= 0.01:
        t = new
        new = (gray[gray > t].mean() + gray[gray <= t].mean()) / 2
    return new


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


# %% thresholding.ink: solution
def find_ink(gray):
    quiet = ndimage.gaussian_filter(gray.astype(float), 1)
    surroundings = ndimage.uniform_filter(quiet, 35)
    return quiet < 0.8 * surroundings  # ink reflects a share of the light, so compare by a ratio


# %% thresholding.ink: wrong, "follow the light"
def find_ink(gray):
    return gray <= 100


# %% thresholding.ink: wrong, "turn it round"
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
