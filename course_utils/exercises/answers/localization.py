# Answers to the exercises of lesson 07: solutions, and what a student might write. They use what the lesson defines above its exercises.
# After the exercise's name: solution; right, and how it is written; or wrong, and words that the verdict must hold.

# %% localization.shifted: solution
iou_of_shifted = 15 * 15 / (2 * 20 * 20 - 15 * 15)


# %% localization.shifted: right, with the lesson's function
iou_of_shifted = overlap_over_union((0, 0, 20, 20), (5, 5, 25, 25))

# %% localization.shifted: right, rounded
iou_of_shifted = 0.391

# %% localization.shifted: right, by counting pixels
first, second = np.zeros((2, 30, 30), bool)
first[:20, :20] = second[5:25, 5:25] = True
iou_of_shifted = (first & second).sum() / (first | second).sum()


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


# %% localization.weight: right, as a decimal number
b_for_widths = 819.2

# %% localization.weight: right, from one error
error = 3.0
b_for_widths = 0.05 * error**2 / (error / 128) ** 2


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


# %% localization.edges: right, box by box
def to_edges(boxes, height, width):
    found = np.zeros((len(boxes), 4))
    for i, (x, y, h, w) in enumerate(boxes):
        found[i] = x / width, y / height, (x + w) / width, (y + h) / height
    return found


# %% localization.edges: right, as a tensor of float32
def to_edges(boxes, height, width):
    corners = boxes[:, [0, 1, 0, 1]] + boxes[:, [3, 2, 3, 2]] * [0, 0, 1, 1]
    return tf.constant(corners / [width, height, width, height], tf.float32)


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


# %% localization.mirror: right, with NumPy's flip
def mirror(images, boxes):
    turned = boxes.copy()
    turned[:, [2, 0]] = images.shape[2] - boxes[:, [0, 2]]
    return [np.flip(images, axis=2), turned]


# %% localization.mirror: right, as tensors
def mirror(images, boxes):
    width = images.shape[-1]
    x0, y0, x1, y1 = tf.unstack(tf.cast(boxes, tf.float32), axis=1)
    return tf.reverse(images, [2]), tf.stack([width - x1, y0, width - x0, y1], axis=1)


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


# %% localization.mirror: wrong, "expected two things"
def mirror(images, boxes):
    return images[:, :, ::-1]


# %% localization.error: solution
def localization_error(labels, boxes, found_labels, found_boxes):
    overlaps = np.array([overlap_over_union(*pair) for pair in zip(boxes, found_boxes)])
    return ((found_labels != labels) | (overlaps < 0.5)).mean()


# %% localization.error: right, picture by picture
def localization_error(labels, boxes, found_labels, found_boxes):
    wrong = 0
    for label, box, found_label, found_box in zip(labels, boxes, found_labels, found_boxes):
        if label != found_label or overlap_over_union(box, found_box) < 0.5:
            wrong += 1
    return wrong / len(labels)


# %% localization.error: right, from what is right
def localization_error(labels, boxes, found_labels, found_boxes):
    from course_utils import geometry

    overlaps = np.diag(geometry.iou(boxes, found_boxes))
    return 1 - np.mean(np.logical_and(labels == found_labels, overlaps >= 0.5))


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
