# Answers to the exercises of lesson 07: solutions, and what a student might write. They use what the lesson defines above its exercises.
# After the exercise's name: solution; right, and how it is written; or wrong, and words that the verdict must hold.

# %% localization.shifted: solution
iou_of_shifted = 15 * 15 / (2 * 20 * 20 - 15 * 15)

# %% localization.shifted: right, the lesson's function
iou_of_shifted = overlap_over_union(first=(0, 0, 20, 20), second=(5, 5, 25, 25))

# %% localization.shifted: right, counted pixels
true = {(x, y) for x in range(20) for y in range(20)}
found = {(x, y) for x in range(5, 25) for y in range(5, 25)}
iou_of_shifted = len(true & found) / len(true | found)


# %% localization.shifted: right, rounded
iou_of_shifted = 0.39

# %% localization.shifted: right, an array of one number
iou_of_shifted = geometry.iou(first=[[3, 4, 23, 24]], second=[[8, 9, 28, 29]])


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


# %% localization.shifted: wrong, "only one of the boxes"
iou_of_shifted = 1 - 15 * 15 / (2 * 20 * 20 - 15 * 15)

# %% localization.shifted: wrong, "between 0 and 1"
iou_of_shifted = 39.13

# %% localization.shifted: wrong, "either box covers"
iou_of_shifted = 0.4


# %% localization.weight: solution
b_for_normalized = 0.05 * 128**2

# %% localization.weight: right, from one pixel's loss
b_for_normalized = 0.05 / (1 / 128) ** 2


# %% localization.weight: right, a whole number
b_for_normalized = 819

# %% localization.weight: right, fractions
b_for_normalized = 128 * 128 * 5 / 100


# %% localization.weight: right, a tensor
b_for_normalized = 0.05 * tf.square(128.0)


# %% localization.weight: wrong, "unchanged"
b_for_normalized = 0.05

# %% localization.weight: wrong, "grows like its square"
b_for_normalized = 0.05 * 128

# %% localization.weight: wrong, "wrong way around"
b_for_normalized = 0.05 / 128**2

# %% localization.weight: wrong, "times as much"
b_for_normalized = 800


# %% localization.weight: wrong, "1.001 times as much"
b_for_normalized = 820

# %% localization.weight: wrong, "multiplies the old weight"
b_for_normalized = 128**2

# %% localization.weight: wrong, "its weight is not"
b_for_normalized = (0.05 * 128) ** 2

# %% localization.weight: wrong, "four terms"
b_for_normalized = 4 * 0.05 * 128**2


# %% localization.edges: solution
def to_edges(boxes, height, width):
    x, y, h, w = boxes.T
    return np.stack([x / width, y / height, (x + w) / width, (y + h) / height], axis=1)


# %% localization.edges: right, box by box
def to_edges(boxes, height, width):
    return [(x / width, y / height, (x + w) / width, (y + h) / height) for x, y, h, w in boxes]


# %% localization.edges: right, whole columns
def to_edges(boxes, height, width):
    corners, sizes = boxes[:, :2], boxes[:, :1:-1]
    return np.hstack([corners, corners + sizes]) / np.tile([width, height], 2)


# %% localization.edges: right, a matrix
def to_edges(boxes, height, width):
    to_corners = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [1, 0, 0, 1], [0, 1, 1, 0]])
    return boxes @ to_corners.T / [width, height, width, height]


# %% localization.edges: right, TensorFlow
def to_edges(boxes, height, width):
    x, y, h, w = tf.unstack(boxes, axis=1)
    return tf.stack([x / width, y / height, (x + w) / width, (y + h) / height], axis=1)


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


# %% localization.edges: wrong, "the order is"
def to_edges(boxes, height, width):
    x, y, h, w = boxes.T
    return np.stack([y / height, x / width, (y + h) / height, (x + w) / width], axis=1)


# %% localization.edges: wrong, "yours are"
def to_edges(boxes, height, width):
    x, y, h, w = boxes.T
    return np.stack([x / 200, y / 100, (x + w) / 200, (y + h) / 100], axis=1)


# %% localization.edges: wrong, "shares of the width"
def to_edges(boxes, height, width):
    x, y, h, w = boxes.T
    return np.stack([x, y, x + w, y + h], axis=1) / height


# %% localization.edges: wrong, "shape"
def to_edges(boxes, height, width):
    x, y, h, w = boxes.T
    return np.stack([x / width, y / height, (x + w) / width, (y + h) / height])


# %% localization.edges: wrong, "cut off to whole numbers"
def to_edges(boxes, height, width):
    x, y, h, w = boxes.T
    edges = np.empty_like(boxes)
    for column, values in enumerate([x / width, y / height, (x + w) / width, (y + h) / height]):
        edges[:, column] = values
    return edges


# %% localization.mirror: solution
def mirror(images, boxes):
    width = images.shape[2]
    x0, y0, x1, y1 = boxes.T
    return images[:, :, ::-1], np.stack([width - x1, y0, width - x0, y1], axis=1)


# %% localization.mirror: right, loops
def mirror(images, boxes):
    *_, width = images.shape
    turned = [[row[::-1] for row in image] for image in images]
    return turned, [(width - x1, y0, width - x0, y1) for x0, y0, x1, y1 in boxes]


# %% localization.mirror: right, flipped
def mirror(images, boxes):
    flipped = np.where([True, False, True, False], images.shape[-1] - boxes, boxes)
    return np.flip(images, axis=2), flipped[:, [2, 1, 0, 3]]


# %% localization.mirror: right, in place
def mirror(images, boxes):
    boxes[:, ::2] = images.shape[2] - boxes[:, 2::-2]
    images[:] = images[..., ::-1]
    return [images, boxes]


# %% localization.mirror: right, TensorFlow
def mirror(images, boxes):
    turned = tf.image.flip_left_right(images[..., None])
    x0, y0, x1, y1 = tf.unstack(boxes, axis=1)
    width = images.shape[2]
    return tf.squeeze(turned, 3), tf.stack([width - x1, y0, width - x0, y1], axis=1)


# %% localization.mirror: wrong, "stayed where they were"
def mirror(images, boxes):
    return images[:, :, ::-1], boxes


# %% localization.mirror: wrong, "swapped roles"
def mirror(images, boxes):
    w = images.shape[2]
    x0, y0, x1, y1 = boxes.T
    return images[:, :, ::-1], np.stack([w - x0, y0, w - x1, y1], axis=1)


# %% localization.mirror: wrong, "before you used them"
def mirror(images, boxes):
    w = images.shape[2]
    boxes[:, 0] = w - boxes[:, 2]
    boxes[:, 2] = w - boxes[:, 0]
    return images[:, :, ::-1], boxes


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


# %% localization.mirror: wrong, "upside down"
def mirror(images, boxes):
    h = images.shape[1]
    x0, y0, x1, y1 = boxes.T
    return images[:, ::-1], np.stack([x0, h - y1, x1, h - y0], axis=1)


# %% localization.mirror: wrong, "mirrored at the height"
def mirror(images, boxes):
    w = images.shape[1]
    x0, y0, x1, y1 = boxes.T
    return images[:, :, ::-1], np.stack([w - x1, y0, w - x0, y1], axis=1)


# %% localization.mirror: wrong, "becomes"
def mirror(images, boxes):
    x0, y0, x1, y1 = boxes.T
    return images[:, :, ::-1], np.stack([30 - x1, y0, 30 - x0, y1], axis=1)


# %% localization.mirror: wrong, "counts pictures"
def mirror(images, boxes):
    return images[::-1], boxes[::-1]


# %% localization.mirror: wrong, "half a turn"
def mirror(images, boxes):
    w = images.shape[2]
    x0, y0, x1, y1 = boxes.T
    return images[:, ::-1, ::-1], np.stack([w - x1, y0, w - x0, y1], axis=1)


# %% localization.mirror: wrong, "up and down"
def mirror(images, boxes):
    h = images.shape[1]
    x0, y0, x1, y1 = boxes.T
    return images[:, :, ::-1], np.stack([x0, h - y1, x1, h - y0], axis=1)


# %% localization.error: solution
def localization_error(labels, boxes, found_labels, found_boxes):
    overlaps = np.array([overlap_over_union(*pair) for pair in zip(boxes, found_boxes)])
    return ((found_labels != labels) | (overlaps < 0.5)).mean()


# %% localization.error: right, counted in a loop
def localization_error(labels, boxes, found_labels, found_boxes):
    wrong = 0
    for i in range(len(labels)):
        if labels[i] != found_labels[i] or overlap_over_union(first=boxes[i], second=found_boxes[i]) < 0.5:
            wrong += 1
    return wrong / len(labels)


# %% localization.error: right, all pairs
def localization_error(labels, boxes, found_labels, found_boxes):
    overlaps = geometry.iou(first=boxes, second=found_boxes).diagonal()
    is_right = (found_labels == labels) & (overlaps >= 0.5)
    return 1 - is_right.mean()


# %% localization.error: right, areas
def localization_error(labels, boxes, found_labels, found_boxes):
    shared = shared_area(boxes=found_boxes, truths=boxes)
    areas = geometry.area(boxes) + geometry.area(found_boxes)
    bad = (shared / (areas - shared) < 0.5) | (labels - found_labels).astype(bool)
    return sum(bad) / bad.size


# %% localization.error: right, a tensor
def localization_error(labels, boxes, found_labels, found_boxes):
    low, high = np.fmax.reduce([boxes, found_boxes])[:, :2], np.fmin.reduce([boxes, found_boxes])[:, 2:]
    shared = tf.reduce_prod(tf.nn.relu(high - low), axis=1)
    both = sum(np.prod(part[:, 2:] - part[:, :2], axis=1) for part in (boxes, found_boxes))
    return tf.reduce_mean(tf.cast((labels != found_labels) | (3 * shared < both), tf.float32))


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


# %% localization.error: wrong, "into parentheses"
def localization_error(labels, boxes, found_labels, found_boxes):
    o = np.array([overlap_over_union(*pair) for pair in zip(boxes, found_boxes)])
    return (found_labels != labels | (o < 0.5)).mean()


# %% localization.error: wrong, "into parentheses"
def localization_error(labels, boxes, found_labels, found_boxes):
    o = geometry.iou(boxes, found_boxes).diagonal()
    return np.mean((o < 0.5) | found_labels != labels)


# %% localization.error: wrong, "in percent"
def localization_error(labels, boxes, found_labels, found_boxes):
    o = geometry.iou(boxes, found_boxes).diagonal()
    return 100 * ((found_labels != labels) | (o < 0.5)).mean()


# %% localization.error: wrong, "divide by how many"
def localization_error(labels, boxes, found_labels, found_boxes):
    o = np.array([overlap_over_union(*pair) for pair in zip(boxes, found_boxes)])
    return ((found_labels != labels) | (o < 0.5)).sum()


# %% localization.error: wrong, "share nothing"
def localization_error(labels, boxes, found_labels, found_boxes):
    low, high = np.maximum(boxes, found_boxes)[:, :2], np.minimum(boxes, found_boxes)[:, 2:]
    shared = np.prod(high - low, axis=1)
    overlaps = shared / (geometry.area(boxes) + geometry.area(found_boxes) - shared)
    return ((found_labels != labels) | (overlaps < 0.5)).mean()


# %% localization.error: wrong, "both directions"
def localization_error(labels, boxes, found_labels, found_boxes):
    low, high = np.maximum(boxes, found_boxes)[:, 0], np.minimum(boxes, found_boxes)[:, 2]
    overlaps = (high - low) / (np.maximum(boxes, found_boxes)[:, 2] - np.minimum(boxes, found_boxes)[:, 0])
    return ((found_labels != labels) | (overlaps < 0.5)).mean()


# %% localization.error: wrong, "its own picture"
def localization_error(labels, boxes, found_labels, found_boxes):
    overlaps = geometry.iou(boxes, found_boxes).max(axis=1)
    return ((found_labels != labels) | (overlaps < 0.5)).mean()


# %% localization.error: wrong, "one number"
def localization_error(labels, boxes, found_labels, found_boxes):
    overlaps = geometry.iou(boxes, found_boxes).diagonal()
    return (found_labels != labels) | (overlaps < 0.5)


# %% localization.error: wrong, "where label and box are both wrong"
def localization_error(labels, boxes, found_labels, found_boxes):
    overlaps = geometry.iou(boxes, found_boxes).diagonal()
    return ((found_labels != labels) ^ (overlaps < 0.5)).mean()


# %% localization.error: wrong, "that of one box"
def localization_error(labels, boxes, found_labels, found_boxes):
    size = np.minimum(boxes, found_boxes)[:, 2:] - np.maximum(boxes, found_boxes)[:, :2]
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return ((found_labels != labels) | (np.prod(np.maximum(size, 0), axis=1) / areas < 0.5)).mean()


# %% localization.error: wrong, "0 where boxes share nothing"
def localization_error(labels, boxes, found_labels, found_boxes):
    size = np.minimum(boxes, found_boxes)[:, 2:] - np.maximum(boxes, found_boxes)[:, :2]
    shared = np.prod(np.maximum(size, 1), axis=1)  # right for boxes in pixels
    areas = [np.prod(each[:, 2:] - each[:, :2], axis=1) for each in (boxes, found_boxes)]
    return ((found_labels != labels) | (shared / (sum(areas) - shared) < 0.5)).mean()
