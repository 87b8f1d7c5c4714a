# Answers to the exercises of lesson 00: solutions, and what a student might write. They use what the lesson defines above its exercises.
# After the exercise's name: solution; right, and how it is written; or wrong, and words that the verdict must hold.

# %% start_here.pixels: solution
pixels = coins.size

# %% start_here.pixels: right, rows times columns
rows, columns = coins.shape
pixels = rows * columns

# %% start_here.pixels: right, a float
pixels = 303 * 384.0

# %% start_here.pixels: right, a NumPy integer
pixels = np.multiply(*coins.shape)

# %% start_here.pixels: right, counted one by one
pixels = sum(1 for row in coins for _ in row)


# %% start_here.pixels: wrong, "one side"
pixels = coins.shape[0]

# %% start_here.pixels: wrong, "rows and"
pixels = 303 + 384

# %% start_here.pixels: wrong, "one number"
pixels = coins.shape


# %% start_here.pixels: wrong, "the sum of all gray values"
pixels = coins.sum()

# %% start_here.pixels: wrong, "rows and"
pixels = 303 * 384 - 1

# %% start_here.pixels: wrong, "leave out the quotes"
pixels = "303 x 384"


# %% start_here.negative: solution
def negative(gray):
    return 255 - gray


# %% start_here.negative: right, bits
def negative(gray):
    return ~gray


# %% start_here.negative: right, floats
def negative(gray):
    return np.subtract(255.0, gray)


# %% start_here.negative: right, loops
def negative(gray):
    rows, columns = gray.shape
    return [[255 - gray[y, x] for x in range(columns)] for y in range(rows)]


# %% start_here.negative: right, a table
def negative(gray):
    table = np.arange(256)[::-1]
    return table[gray]


# %% start_here.negative: right, scikit-image
def negative(gray):
    from skimage.util import invert

    return invert(gray)


# %% start_here.negative: right, a lambda with exclusive or
negative = lambda gray: gray ^ 255  # noqa: E731


# %% start_here.negative: wrong, "wraps"
def negative(gray):
    return -gray


# %% start_here.negative: wrong, "should turn into"
def negative(gray):
    return 1 - gray


# %% start_here.negative: wrong, "return"
def negative(gray):
    255 - gray


# %% start_here.negative: wrong, "unchanged"
def negative(gray):
    return gray


# %% start_here.negative: wrong, "brightest"
def negative(gray):
    return gray.max() - gray


# %% start_here.negative: wrong, "should turn into"
def negative(gray):
    return 255 - gray[::-1]


# %% start_here.negative: wrong, "shape"
def negative(gray):
    return 155


# %% start_here.negative: wrong, "shape"
def negative(gray):
    return 255 - gray[:, :3]


# %% start_here.negative: wrong, "array of numbers"
def negative(gray):
    return gray < 128


# %% start_here.negative: wrong, "from 0 to 1"
def negative(gray):
    return 1 - gray / 255
