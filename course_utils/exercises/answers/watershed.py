# Answers to the exercises of lesson 03: solutions, and what a student might write. They use what the lesson defines above its exercises.
# After the exercise's name: solution; right, and how it is written; or wrong, and words that the verdict must hold.

# %% watershed.level: solution
def meeting_level(heights, left, right):
    return heights[left : right + 1].max()


# %% watershed.level: right, with Python's max
def meeting_level(heights, left, right):
    return max(heights[left : right + 1])


# %% watershed.level: right, place by place
def meeting_level(heights, left, right):
    level = heights[left]
    for place in range(left, right + 1):
        if heights[place] > level:
            level = heights[place]
    return level


# %% watershed.level: right, by raising the water
def meeting_level(heights, left, right):
    for level in sorted(heights):
        if all(height <= level for height in heights[left : right + 1]):
            return level


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


# %% watershed.level: wrong, "on the right must"
def meeting_level(heights, left, right):
    return heights[left:right].max()


# %% watershed.level: wrong, "on the left must"
def meeting_level(heights, left, right):
    return max(heights[left + 1 : right + 1])


# %% watershed.level: wrong, "raised"
def meeting_level(heights, left, right):
    return heights[left + 1 : right].sort()[-1]


# %% watershed.level: wrong, "the level is"
def meeting_level(heights, left, right):
    return max(np.delete(heights[left : right + 1], 0), default=heights[left]) + 1


# %% watershed.dams: solution
def dams(labels):
    found = np.zeros(labels.shape, bool)
    here, right = labels[:, :-1], labels[:, 1:]
    found[:, :-1] |= (here != right) & (here > 0) & (right > 0)
    here, below = labels[:-1], labels[1:]
    found[:-1] |= (here != below) & (here > 0) & (below > 0)
    return found


# %% watershed.dams: right, pixel by pixel
def dams(labels):
    found = np.zeros(labels.shape, bool)
    height, width = labels.shape
    for y in range(height):
        for x in range(width):
            for y2, x2 in ((y, x + 1), (y + 1, x)):
                if y2 < height and x2 < width and 0 < labels[y2, x2] != labels[y, x] > 0:
                    found[y, x] = True
    return found


# %% watershed.dams: right, from products
def dams(labels):
    found = np.zeros(labels.shape, int)
    found[:, :-1] = labels[:, 1:] * labels[:, :-1] * np.diff(labels)
    found[:-1] |= labels[1:] * labels[:-1] * np.diff(labels, axis=0)
    return found.astype(bool)


# %% watershed.dams: right, with a padded copy, as 0 and 255
def dams(labels):
    padded = np.pad(labels, ((0, 1), (0, 1)))
    right, below = padded[:-1, 1:], padded[1:, :-1]
    different = ((right > 0) & (right != labels)) | ((below > 0) & (below != labels))
    return np.uint8(different & (labels > 0)) * 255


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


# %% watershed.dams: wrong, "you have a dam"
def dams(labels):
    right, below = np.roll(labels, -1, axis=1), np.roll(labels, -1, axis=0)
    return (labels > 0) & (((right > 0) & (right != labels)) | ((below > 0) & (below != labels)))


# %% watershed.dams: wrong, "you miss the dam"
def dams(labels):
    found = np.zeros(labels.shape, bool)
    here, right = labels[:, :-1], labels[:, 1:]
    found[:, :-1] = (here != right) & (here > 0) & (right > 0)
    here, below = labels[:-1], labels[1:]
    found[:-1] = (here != below) & (here > 0) & (below > 0)
    return found


# %% watershed.dams: wrong, "you have a dam"
def dams(labels):
    return segmentation.find_boundaries(labels, mode="inner") & (labels > 0)


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


# %% watershed.ghost: right, with maxima found by a filter
def count_discs(mask):
    D = ndimage.distance_transform_edt(mask)
    peaks = np.argwhere((ndimage.maximum_filter(D, 5) == D) & mask)
    kept = []
    for peak in sorted(peaks, key=lambda peak: -D[tuple(peak)]):
        if all(np.linalg.norm(peak - other) > D[tuple(other)] + 0.4 * D[tuple(peak)] for other in kept):
            kept.append(peak)
    return len(kept)


# %% watershed.ghost: right, drop by drop
def count_discs(mask):
    D = ndimage.distance_transform_edt(mask)
    rows, columns = np.indices(mask.shape)
    count = 0
    while D.max() > 0:
        y, x = np.unravel_index(D.argmax(), D.shape)
        count += D[y, x] >= 8
        D[np.hypot(rows - y, columns - x) <= D[y, x] + 0.4 * D] = 0
    return count


# %% watershed.ghost: wrong, "you count"
def count_discs(mask):
    radius = ndimage.distance_transform_edt(mask).max()
    return round(mask.sum() / (np.pi * radius**2))


# %% watershed.ghost: wrong, "you count"
def count_discs(mask):
    return 2


# %% watershed.ghost: wrong, "you count 3"
def count_discs(mask):
    D = ndimage.distance_transform_edt(mask)
    return min(3, len(feature.peak_local_max(D, min_distance=5, exclude_border=False)))


# %% watershed.ghost: wrong, "you count"
def count_discs(mask):
    D = ndimage.distance_transform_edt(mask)
    peaks = feature.peak_local_max(D, min_distance=5, exclude_border=False)
    return (D[tuple(peaks.T)] > 0.97 * D.max()).sum()


# %% watershed.ghost: wrong, "discs are lost"
def count_discs(mask):
    D = ndimage.distance_transform_edt(mask)
    return len(feature.peak_local_max(D, min_distance=int(0.9 * D.max()), exclude_border=False))
