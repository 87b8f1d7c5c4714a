# Answers to the exercises of lesson 09: solutions, and what a student might write. They use what the lesson defines above its exercises.
# After the exercise's name: solution; right, and how it is written; or wrong, and words that the verdict must hold.

# %% faster_rcnn.bins: solution
ten_in_four = [[0, 3], [2, 5], [5, 8], [7, 10]]  # floor(i 10 / 4) and ceil((i + 1) 10 / 4)

# %% faster_rcnn.bins: right, whole numbers rounded by floor division
ten_in_four = [(i * 10 // 4, -(-(i + 1) * 10 // 4)) for i in range(4)]

# %% faster_rcnn.bins: right, an array of floats from the exact edges
edges = np.linspace(0, 10, 5)
ten_in_four = np.stack([np.floor(edges[:-1]), np.ceil(edges[1:])], axis=1)

# %% faster_rcnn.bins: right, a tensor
ten_in_four = tf.constant([[0, 3], [2, 5], [5, 8], [7, 10]])


# %% faster_rcnn.bins: wrong, "share a cell"
ten_in_four = [[0, 2], [2, 5], [5, 7], [7, 10]]

# %% faster_rcnn.bins: wrong, "end with the last cell"
ten_in_four = [[0, 2], [2, 4], [5, 7], [7, 9]]

# %% faster_rcnn.bins: wrong, "list of four pairs"
ten_in_four = [0, 2, 5, 7, 10]

# %% faster_rcnn.bins: wrong, "bin 1"
ten_in_four = [[0, 3], [3, 5], [4, 8], [7, 10]]

# %% faster_rcnn.bins: wrong, "number 0"
ten_in_four = [[1, 4], [3, 6], [6, 9], [8, 11]]


# %% faster_rcnn.joint: solution
def joint(class_losses, box_losses, classes, balance):
    return (class_losses + balance * (classes > 0) * box_losses).mean()


# %% faster_rcnn.joint: right, a loop
def joint(class_losses, box_losses, classes, balance):
    total = 0
    for i in range(len(classes)):
        total += class_losses[i]
        if classes[i] != 0:
            total += balance * box_losses[i]
    return total / len(classes)


# %% faster_rcnn.joint: right, means of both parts
def joint(class_losses, box_losses, classes, balance):
    return np.mean(class_losses) + balance * np.mean(np.where(classes >= 1, box_losses, 0))


# %% faster_rcnn.joint: right, TensorFlow in float32
def joint(class_losses, box_losses, classes, balance):
    class_losses, box_losses = tf.cast([class_losses, box_losses], tf.float32)
    return tf.reduce_mean(class_losses + balance * tf.where(classes == 0, 0.0, box_losses))


# %% faster_rcnn.joint: right, sums and a dot product
def joint(class_losses, box_losses, classes, balance):
    return (class_losses.sum() + balance * (box_losses @ np.sign(classes))) / classes.size


# %% faster_rcnn.joint: wrong, "background pays for its boxes"
def joint(class_losses, box_losses, classes, balance):
    return (class_losses + balance * box_losses).mean()


# %% faster_rcnn.joint: wrong, "no effect"
def joint(class_losses, box_losses, classes, balance):
    return (class_losses + (classes > 0) * box_losses).mean()


# %% faster_rcnn.joint: wrong, "pays for nothing"
def joint(class_losses, box_losses, classes, balance):
    return ((classes > 0) * (class_losses + balance * box_losses)).mean()


# %% faster_rcnn.joint: wrong, "over all proposals"
def joint(class_losses, box_losses, classes, balance):
    return class_losses.mean() + balance * box_losses[classes > 0].mean()


# %% faster_rcnn.joint: wrong, "class number"
def joint(class_losses, box_losses, classes, balance):
    return (class_losses + balance * classes * box_losses).mean()


# %% faster_rcnn.joint: wrong, "class 1 pays nothing"
def joint(class_losses, box_losses, classes, balance):
    return (class_losses + balance * (classes > 1) * box_losses).mean()


# %% faster_rcnn.joint: wrong, "other way round"
def joint(class_losses, box_losses, classes, balance):
    return (class_losses + balance * (classes == 0) * box_losses).mean()


# %% faster_rcnn.joint: wrong, "belongs to the box losses"
def joint(class_losses, box_losses, classes, balance):
    return (balance * class_losses + (classes > 0) * box_losses).mean()


# %% faster_rcnn.joint: wrong, "sum over the proposals"
def joint(class_losses, box_losses, classes, balance):
    return (class_losses + balance * (classes > 0) * box_losses).sum()


# %% faster_rcnn.bilinear: solution
def bilinear(features, x, y):
    height, width = features.shape
    x, y = np.clip(x - 0.5, 0, width - 1), np.clip(y - 0.5, 0, height - 1)
    left, top = min(int(x), width - 2), min(int(y), height - 2)
    right, below = x - left, y - top
    rows = (1 - below) * features[top] + below * features[top + 1]
    return (1 - right) * rows[left] + right * rows[left + 1]


# %% faster_rcnn.bilinear: right, four neighbours clipped one by one
def bilinear(features, x, y):
    height, width = features.shape
    column, row = int(np.floor(x - 0.5)), int(np.floor(y - 0.5))
    total = 0.0
    for i in (row, row + 1):
        for j in (column, column + 1):
            weight = (1 - abs(x - 0.5 - j)) * (1 - abs(y - 0.5 - i))
            total += weight * features[np.clip(i, 0, height - 1), np.clip(j, 0, width - 1)]
    return total


# %% faster_rcnn.bilinear: right, SciPy
def bilinear(features, x, y):
    from scipy.ndimage import map_coordinates

    return map_coordinates(features, [[y - 0.5], [x - 0.5]], order=1, mode="nearest")


# %% faster_rcnn.bilinear: right, NumPy's interpolation along rows and then a column
def bilinear(features, x, y):
    height, width = features.shape
    column = [np.interp(x, np.arange(width) + 0.5, row) for row in features]
    return np.interp(y, np.arange(height) + 0.5, column)


# %% faster_rcnn.bilinear: right, padded by the outer cells
def bilinear(features, x, y):
    wide = np.pad(features, 1, mode="edge")
    left, top = int(x + 0.5), int(y + 0.5)
    right, below = x + 0.5 - left, y + 0.5 - top
    return [1 - below, below] @ wide[top : top + 2, left : left + 2] @ [1 - right, right]


# %% faster_rcnn.bilinear: wrong, "value of one cell"
def bilinear(features, x, y):
    return features[int(y), int(x)]


# %% faster_rcnn.bilinear: wrong, "centre of cell 0"
def bilinear(features, x, y):
    left, top = int(x), int(y)
    rows = (1 - y + top) * features[top] + (y - top) * features[top + 1]
    return (1 - x + left) * rows[left] + (x - left) * rows[left + 1]


# %% faster_rcnn.bilinear: wrong, "columns"
def bilinear(features, x, y):
    return features[int(x), int(y)]


# %% faster_rcnn.bilinear: wrong, "between two rows"
def bilinear(features, x, y):
    x, y = x - 0.5, y - 0.5
    left, top = int(x), int(y)
    return (1 - x + left) * features[top, left] + (x - left) * features[top, left + 1]


# %% faster_rcnn.bilinear: wrong, "beyond the outer centres"
def bilinear(features, x, y):
    x, y = x - 0.5, y - 0.5
    left, top = int(np.floor(x)), int(np.floor(y))
    rows = (1 - y + top) * features[top] + (y - top) * features[(top + 1) % 5]
    return (1 - x + left) * rows[left] + (x - left) * rows[(left + 1) % 6]


# %% faster_rcnn.soft: solution
def soft_nms(boxes, scores, sigma):
    scores, left = scores.astype(float), list(range(len(scores)))
    while left:
        best = left.pop(int(np.argmax(scores[left])))
        if left:
            scores[left] *= np.exp(-(geometry.iou(boxes[[best]], boxes[left])[0] ** 2) / sigma)
    return scores


# %% faster_rcnn.soft: right, chosen boxes marked
def soft_nms(boxes, scores, sigma):
    overlap = geometry.iou(boxes, boxes)
    new, is_left = scores, np.ones(len(scores), bool)
    for _ in scores:
        best = np.argmax(np.where(is_left, new, -np.inf))
        is_left[best] = False
        new = np.where(is_left, new * np.exp(-(overlap[best] ** 2) / sigma), new)
    return new


# %% faster_rcnn.soft: right, a list of scores and a recursion
def soft_nms(boxes, scores, sigma):
    overlap = geometry.iou(boxes, boxes)

    def lower(left, now):
        if not left:
            return now
        best = max(left, key=now.__getitem__)
        left = [i for i in left if i != best]
        for i in left:
            now[i] /= np.exp(overlap[best, i] ** 2 / sigma)
        return lower(left, now)

    return lower(range(len(scores)), scores.tolist())


# %% faster_rcnn.soft: right, written into the array given
def soft_nms(boxes, scores, sigma):
    factors = np.exp(-(geometry.iou(boxes, boxes) ** 2) / sigma)
    left = set(range(len(scores)))
    while left:
        best = min(left, key=lambda i: -scores[i])
        left -= {best}
        for i in left:
            scores[i] *= factors[i, best]
    return scores


# %% faster_rcnn.soft: wrong, "hard suppression"
def soft_nms(boxes, scores, sigma):
    keep = geometry.non_maximum_suppression(boxes, scores, 0.4)
    new = np.zeros(len(scores))
    new[keep] = scores[keep]
    return new


# %% faster_rcnn.soft: wrong, "keeps its score"
def soft_nms(boxes, scores, sigma):
    return scores * np.exp(-(geometry.iou(boxes, boxes) ** 2).sum(axis=1) / sigma)


# %% faster_rcnn.soft: wrong, "square"
def soft_nms(boxes, scores, sigma):
    overlap = np.where(scores[None] > scores[:, None], geometry.iou(boxes, boxes), 0)
    return scores * np.exp(-overlap / sigma).prod(axis=1)


# %% faster_rcnn.soft: wrong, "lowered"
def soft_nms(boxes, scores, sigma):
    overlap = np.where(scores[None] > scores[:, None], geometry.iou(boxes, boxes), 0)
    return scores * np.exp(-(overlap**2) / sigma).prod(axis=1)


# %% faster_rcnn.soft: wrong, "keeps its score"
def soft_nms(boxes, scores, sigma):
    return np.sort(scores)


# %% faster_rcnn.anchors: solution
def car_anchors():
    return (10, 15, 22, 32), (2.0, 2.6)  # heights by factors of about 1.5; both ratios within 1.8 to 3


# %% faster_rcnn.anchors: right, heights by equal factors
def car_anchors():
    return 2.0 ** np.arange(3.3, 5.2, 0.6), [2, 2.6]


# %% faster_rcnn.anchors: right, a loop and a tensor
def car_anchors():
    heights = [10]
    for _ in range(3):
        heights.append(heights[-1] * 1.49)
    return [tf.constant(heights), (2, 2.6)]


# %% faster_rcnn.anchors: right, eight heights and one ratio
def car_anchors():
    return 9.1 * 1.27 ** np.arange(8), 2.3


# %% faster_rcnn.anchors: wrong, "above 1"
def car_anchors():
    return (20, 30, 42), (0.45, 0.7)


# %% faster_rcnn.anchors: wrong, "8 pixels high"
def car_anchors():
    return (20, 30, 40, 50), (2.0, 2.6)


# %% faster_rcnn.anchors: wrong, "53 pixels high"
def car_anchors():
    return (8, 10, 12, 14), (2.0, 2.6)


# %% faster_rcnn.anchors: wrong, "12 anchors"
def car_anchors():
    return (10, 15, 22, 32), (1.8, 2.4, 3.0)


# %% faster_rcnn.anchors: wrong, "equal factors"
def car_anchors():
    return (10, 30), (2.4,)


# %% faster_rcnn.anchors: wrong, "two sequences"
def car_anchors():
    return (10, 15, 22, 32)


# %% faster_rcnn.bilinear: wrong, "does your function suit any height and width"
def bilinear(features, x, y):
    x, y = np.clip(x - 0.5, 0, 5), np.clip(y - 0.5, 0, 4)
    left, top = min(int(x), features.shape[1] - 2), min(int(y), features.shape[0] - 2)
    rows = (1 - y + top) * features[top] + (y - top) * features[top + 1]
    return (1 - x + left) * rows[left] + (x - left) * rows[left + 1]


# %% faster_rcnn.bilinear: wrong, "beyond the outer centres"
def bilinear(features, x, y):
    height, width = features.shape
    x, y = min(max(x - 0.5, 0), width - 1), min(y - 0.5, height - 1)
    left, top = min(int(x), width - 2), min(int(y), height - 2)
    rows = (1 - y + top) * features[top] + (y - top) * features[top + 1]
    return (1 - x + left) * rows[left] + (x - left) * rows[left + 1]


# %% faster_rcnn.soft: wrong, "none that was chosen already"
def soft_nms(boxes, scores, sigma):
    new, left = scores.copy(), list(range(len(scores)))
    while left:
        best = max(left, key=lambda i: new[i])
        left.remove(best)
        others = np.arange(len(scores)) != best
        new[others] *= np.exp(-(geometry.iou(boxes[[best]], boxes[others])[0] ** 2) / sigma * (new[others] < 0.9))
    return new
