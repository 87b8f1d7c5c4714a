# Answers to the exercises of lesson 03: solutions, and what a student might write. They use what the lesson defines above its exercises.
# After the exercise's name: solution; right, and how it is written; or wrong, and words that the verdict must hold.

# %% watershed.level: solution
def meeting_level(heights, left, right):
    return heights[left : right + 1].max()


# %% watershed.level: wrong, "highest of all"
def meeting_level(heights, left, right):
    return heights.max()


# %% watershed.level: wrong, "still lies between"
def meeting_level(heights, left, right):
    return max(heights[left], heights[right])


# %% watershed.level: wrong, "must rise"
def meeting_level(heights, left, right):
    return heights[left : right + 1].min()


# %% watershed.level: wrong, "return"
def meeting_level(heights, left, right):
    print(heights[left : right + 1].max())


# %% watershed.height: solution
s = 36 / 20
height_in_pixels = 20 * (s / (2 * np.sqrt(3)) + np.sqrt(1 - s**2 / 4))

# %% watershed.height: wrong, "in radii"
s = 36 / 20
height_in_pixels = s / (2 * np.sqrt(3)) + np.sqrt(1 - s**2 / 4)

# %% watershed.height: wrong, "centres"
height_in_pixels = 20

# %% watershed.height: wrong, "pass"
height_in_pixels = 20 * np.sin(np.pi / 6 + np.arccos(36 / 40))

# %% watershed.height: wrong, "in radii, 36 / 20"
height_in_pixels = 36 / np.sqrt(3) + 20

# %% watershed.height: wrong, "not it"
height_in_pixels = 10.4


# %% watershed.chapter: solution
def count_bright(gray):
    mask = gray > filters.threshold_otsu(gray)  # not 0 on the objects, and no exchange
    D = ndimage.distance_transform_edt(mask)
    return len(feature.peak_local_max(D, min_distance=10, labels=mask.astype(int)))


# %% watershed.chapter: wrong, "you count"
def count_bright(gray):
    thresh = np.where(gray > filters.threshold_otsu(gray), 0, 1)
    D = ndimage.distance_transform_edt(thresh)
    return len(feature.peak_local_max(D, min_distance=10, labels=thresh))


# %% watershed.chapter: wrong, "table is still"
def count_bright(gray):
    return ndimage.label(gray <= filters.threshold_otsu(gray))[1]


# %% watershed.chapter: wrong, "expected one number"
def count_bright(gray):
    return feature.peak_local_max(gray.astype(float), min_distance=10)


# %% watershed.dams: solution
def dams(labels):
    found = np.zeros(labels.shape, bool)
    here, right = labels[:, :-1], labels[:, 1:]
    found[:, :-1] |= (here != right) & (here > 0) & (right > 0)
    here, below = labels[:-1], labels[1:]
    found[:-1] |= (here != below) & (here > 0) & (below > 0)
    return found


# %% watershed.dams: wrong, "shape"
def dams(labels):
    return labels[:, :-1] != labels[:, 1:]


# %% watershed.dams: wrong, "background"
def dams(labels):
    found = np.zeros(labels.shape, bool)
    found[:, :-1] |= labels[:, :-1] != labels[:, 1:]
    found[:-1] |= labels[:-1] != labels[1:]
    return found


# %% watershed.dams: wrong, "you miss the dam"
def dams(labels):
    found = np.zeros(labels.shape, bool)
    here, right = labels[:, :-1], labels[:, 1:]
    found[:, :-1] |= (here != right) & (here > 0) & (right > 0)
    return found


# %% watershed.dams: wrong, "you have a dam"
def dams(labels):
    return labels > 0


# %% watershed.ghost: solution
def count_discs(mask):
    D = ndimage.distance_transform_edt(mask)
    peaks = feature.peak_local_max(D, min_distance=2, exclude_border=False)  # the highest first
    kept = []
    for peak in peaks:
        apart = [np.hypot(*(peak - other)) - D[tuple(other)] - 0.4 * D[tuple(peak)] for other in kept]
        if all(gap > 0 for gap in apart):  # at most 60 % of its radius lie inside of a higher one's disc
            kept.append(peak)
    return len(kept)


# %% watershed.ghost: wrong, "the ghost is still there"
def count_discs(mask):
    return recipe_segments(mask).max()


# %% watershed.ghost: wrong, "discs are lost"
def count_discs(mask):
    return ndimage.label(mask)[1]


# %% watershed.ghost: wrong, "discs are lost"
def count_discs(mask):
    return recipe_segments(mask, min_distance=25).max()


# %% watershed.ghost: wrong, "you count"
def count_discs(mask):
    D = ndimage.distance_transform_edt(mask)
    return maxima(morphology.reconstruction(D - 3, D)).max()
