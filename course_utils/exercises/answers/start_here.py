# Answers to the exercises of lesson 00: solutions, and what a student might write. They use what the lesson defines above its exercises.
# After the exercise's name: solution; right, and how it is written; or wrong, and words that the verdict must hold.

# %% start_here.pixels: solution
pixels = coins.size

# %% start_here.pixels: wrong, "one side"
pixels = coins.shape[0]

# %% start_here.pixels: wrong, "rows and"
pixels = 303 + 384

# %% start_here.pixels: wrong, "one number"
pixels = coins.shape


# %% start_here.negative: solution
def negative(gray):
    return 255 - gray


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
