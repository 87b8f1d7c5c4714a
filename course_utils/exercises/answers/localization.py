# Answers to the exercises of lesson 07: solutions, and what a student might write. They use what the lesson defines above its exercises.
# After the exercise's name: solution; right, and how it is written; or wrong, and words that the verdict must hold.

# %% localization.shifted: solution
iou_of_shifted = 15 * 15 / (2 * 20 * 20 - 15 * 15)

# %% localization.shifted: wrong, "share of the true box"
iou_of_shifted = 15 * 15 / (20 * 20)

# %% localization.shifted: wrong, "counted twice"
iou_of_shifted = 15 * 15 / (2 * 20 * 20)

# %% localization.shifted: wrong, "one direction"
iou_of_shifted = 15 * 20 / (2 * 20 * 20 - 15 * 20)

# %% localization.shifted: wrong, "one direction only"
iou_of_shifted = 15 / 20

# %% localization.shifted: wrong, "divide it"
iou_of_shifted = 15 * 15

# %% localization.shifted: wrong, "corners"
iou_of_shifted = 15 * 15 / (25 * 25)

# %% localization.weight: solution
b_for_widths = 0.05 * 128**2

# %% localization.weight: wrong, "unchanged"
b_for_widths = 0.05

# %% localization.weight: wrong, "grows like its square"
b_for_widths = 0.05 * 128

# %% localization.weight: wrong, "turned round"
b_for_widths = 0.05 / 128**2

# %% localization.weight: wrong, "times as much"
b_for_widths = 800


# %% localization.edges: solution
def to_edges(boxes, height, width):
    x, y, h, w = np.asarray(boxes, float).T
    return np.stack([x / width, y / height, (x + w) / width, (y + h) / height], axis=1)


# %% localization.edges: wrong, "swapped"
def to_edges(boxes, height, width):
    x, y, w, h = boxes.T
    return np.stack([x / width, y / height, (x + w) / width, (y + h) / height], axis=1)


# %% localization.edges: wrong, "shares of the height"
def to_edges(boxes, height, width):
    x, y, h, w = boxes.T
    return np.stack([x, y, x + w, y + h], axis=1) / width


# %% localization.edges: wrong, "divide by"
def to_edges(boxes, height, width):
    x, y, h, w = boxes.T
    return np.stack([x, y, x + w, y + h], axis=1)


# %% localization.edges: wrong, "where the box ends"
def to_edges(boxes, height, width):
    x, y, h, w = boxes.T
    return np.stack([x / width, y / height, w / width, h / height], axis=1)


# %% localization.edges: wrong, "shape"
def to_edges(boxes, height, width):
    x, y, h, w = boxes[0]
    return np.array([x / width, y / height, (x + w) / width, (y + h) / height])


# %% localization.mirror: solution
def mirror(images, boxes):
    width = images.shape[2]
    x0, y0, x1, y1 = boxes.T
    return images[:, :, ::-1], np.stack([width - x1, y0, width - x0, y1], axis=1)


# %% localization.mirror: wrong, "stayed where they were"
def mirror(images, boxes):
    return images[:, :, ::-1], boxes


# %% localization.mirror: wrong, "changed their roles"
def mirror(images, boxes):
    w = images.shape[2]
    x0, y0, x1, y1 = boxes.T
    return images[:, :, ::-1], np.stack([w - x0, y0, w - x1, y1], axis=1)


# %% localization.mirror: wrong, "off by one"
def mirror(images, boxes):
    w = images.shape[2] - 1
    x0, y0, x1, y1 = boxes.T
    return images[:, :, ::-1], np.stack([w - x1, y0, w - x0, y1], axis=1)


# %% localization.mirror: wrong, "upside down"
def mirror(images, boxes):
    w = images.shape[2]
    x0, y0, x1, y1 = boxes.T
    return images[:, ::-1], np.stack([w - x1, y0, w - x0, y1], axis=1)


# %% localization.mirror: wrong, "two things"
def mirror(images, boxes):
    return images[:, :, ::-1]


# %% localization.error: solution
def localization_error(labels, boxes, found_labels, found_boxes):
    overlaps = np.array([overlap_over_union(*pair) for pair in zip(boxes, found_boxes)])
    return ((found_labels != labels) | (overlaps < 0.5)).mean()


# %% localization.error: wrong, "wrong labels alone"
def localization_error(labels, boxes, found_labels, found_boxes):
    return (found_labels != labels).mean()


# %% localization.error: wrong, "wrong boxes alone"
def localization_error(labels, boxes, found_labels, found_boxes):
    o = np.array([overlap_over_union(*pair) for pair in zip(boxes, found_boxes)])
    return (o < 0.5).mean()


# %% localization.error: wrong, "one is enough"
def localization_error(labels, boxes, found_labels, found_boxes):
    o = np.array([overlap_over_union(*pair) for pair in zip(boxes, found_boxes)])
    return ((found_labels != labels) & (o < 0.5)).mean()


# %% localization.error: wrong, "exactly 0.5"
def localization_error(labels, boxes, found_labels, found_boxes):
    o = np.array([overlap_over_union(*pair) for pair in zip(boxes, found_boxes)])
    return ((found_labels != labels) | (o <= 0.5)).mean()


# %% localization.error: wrong, "share of right pictures"
def localization_error(labels, boxes, found_labels, found_boxes):
    o = np.array([overlap_over_union(*pair) for pair in zip(boxes, found_boxes)])
    return ((found_labels == labels) & (o >= 0.5)).mean()


# %% localization.error: wrong, "counted twice"
def localization_error(labels, boxes, found_labels, found_boxes):
    o = np.array([overlap_over_union(*pair) for pair in zip(boxes, found_boxes)])
    return (found_labels != labels).mean() + (o < 0.5).mean()


# %% localization.error: wrong, "divide by how many"
def localization_error(labels, boxes, found_labels, found_boxes):
    o = np.array([overlap_over_union(*pair) for pair in zip(boxes, found_boxes)])
    return ((found_labels != labels) | (o < 0.5)).sum()
