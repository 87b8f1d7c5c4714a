# Answers to the exercises of lesson 09: solutions, and what a student might write. They use what the lesson defines above its exercises.
# After the exercise's name: solution; right, and how it is written; or wrong, and words that the verdict must hold.

# %% faster_rcnn.bins: solution
ten_in_four = [[0, 3], [2, 5], [5, 8], [7, 10]]  # floor(i 10 / 4) and ceil((i + 1) 10 / 4)


# %% faster_rcnn.bins: right, the formula with NumPy
edges = np.arange(5) * 10 / 4
ten_in_four = np.stack([np.floor(edges[:-1]), np.ceil(edges[1:])], axis=1)


# %% faster_rcnn.bins: right, whole numbers
ten_in_four = tuple((10 * i // 4, -(-10 * (i + 1) // 4)) for i in range(4))


# %% faster_rcnn.bins: right, the cells that quarters of a cell lie in
touched = [{int(point) for point in np.arange(10 * i, 10 * (i + 1)) / 4} for i in range(4)]
ten_in_four = [[min(cells), max(cells) + 1] for cells in touched]


# %% faster_rcnn.bins: wrong, "share a cell"
ten_in_four = [[0, 2], [2, 5], [5, 7], [7, 10]]


# %% faster_rcnn.bins: wrong, "end with the last cell"
ten_in_four = [[0, 2], [2, 4], [5, 7], [7, 9]]


# %% faster_rcnn.bins: wrong, "four pairs"
ten_in_four = [0, 2, 5, 7, 10]


# %% faster_rcnn.bins: wrong, "bin 1"
ten_in_four = [[0, 3], [3, 5], [4, 8], [7, 10]]


# %% faster_rcnn.bins: wrong, "number 0"
ten_in_four = [[1, 4], [3, 6], [6, 9], [8, 11]]


# %% faster_rcnn.bins: wrong, "share a cell"
ten_in_four = [[0, 3], [3, 5], [5, 8], [8, 10]]


# %% faster_rcnn.bins: wrong, "not how many cells"
ten_in_four = [[0, 3], [2, 3], [5, 3], [7, 3]]


# %% faster_rcnn.joint: solution
def joint(class_losses, box_losses, classes, balance):
    return (class_losses + balance * (classes > 0) * box_losses).mean()


# %% faster_rcnn.joint: right, a loop
def joint(class_losses, box_losses, classes, balance):
    total = 0
    for class_loss, box_loss, label in zip(class_losses, box_losses, classes):
        total += class_loss
        if label >= 1:
            total += balance * box_loss
    return total / len(classes)


# %% faster_rcnn.joint: right, two means
def joint(class_losses, box_losses, classes, balance):
    return np.mean(class_losses) + balance * np.where(classes == 0, 0, box_losses).mean()


# %% faster_rcnn.joint: right, a scalar product
def joint(class_losses, box_losses, classes, balance):
    return (class_losses.sum() + np.sign(classes) @ box_losses * balance) / classes.size


# %% faster_rcnn.joint: right, TensorFlow
def joint(class_losses, box_losses, classes, balance):
    return tf.reduce_mean(tf.where(classes > 0, class_losses + balance * box_losses, class_losses))


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


# %% faster_rcnn.joint: wrong, "other way around"
def joint(class_losses, box_losses, classes, balance):
    return (class_losses + balance * (classes == 0) * box_losses).mean()


# %% faster_rcnn.joint: wrong, "belongs to the box losses"
def joint(class_losses, box_losses, classes, balance):
    return (balance * class_losses + (classes > 0) * box_losses).mean()


# %% faster_rcnn.joint: wrong, "divided by the number of digits"
def joint(class_losses, box_losses, classes, balance):
    objects = classes > 0
    return (class_losses + balance * objects * box_losses).sum() / max(objects.sum(), 1)


# %% faster_rcnn.joint: wrong, "sum over the proposals"
def joint(class_losses, box_losses, classes, balance):
    return (class_losses + balance * (classes > 0) * box_losses).sum()


# %% faster_rcnn.joint: wrong, "the loss is"
def joint(class_losses, box_losses, classes, balance):
    return np.median(class_losses + balance * (classes > 0) * box_losses)


# %% faster_rcnn.bilinear: solution
def bilinear(features, x, y):
    height, width = features.shape
    x, y = np.clip(x - 0.5, 0, width - 1), np.clip(y - 0.5, 0, height - 1)
    left, top = int(x), int(y)
    right, below = min(left + 1, width - 1), min(top + 1, height - 1)
    rows = (1 - y + top) * features[top] + (y - top) * features[below]
    return (1 - x + left) * rows[left] + (x - left) * rows[right]


# %% faster_rcnn.bilinear: right, SciPy
def bilinear(features, x, y):
    from scipy.ndimage import map_coordinates

    return map_coordinates(features, [[y - 0.5], [x - 0.5]], order=1, mode="nearest")


# %% faster_rcnn.bilinear: right, clipped indices
def bilinear(features, x, y):
    x, y = x - 0.5, y - 0.5
    left, top = int(np.floor(x)), int(np.floor(y))
    rows = np.array([top, top + 1]).clip(0, features.shape[0] - 1)
    columns = np.array([left, left + 1]).clip(0, features.shape[1] - 1)
    return [top + 1 - y, y - top] @ features[rows][:, columns] @ [left + 1 - x, x - left]


# %% faster_rcnn.bilinear: right, weights of all rows and columns
def bilinear(features, x, y):
    def weights(position, count):
        return [np.interp(position, np.arange(count) + 0.5, unit) for unit in np.eye(count)]

    return weights(y, len(features)) @ features @ weights(x, features.shape[1])


# %% faster_rcnn.bilinear: right, NumPy's interpolation along both axes
def bilinear(features, x, y):
    rows, columns = (np.arange(count) + 0.5 for count in features.shape)
    along = [np.interp(x, columns, row) for row in features]
    return np.interp(y, rows, along)


# %% faster_rcnn.bilinear: wrong, "subtract 0.5"
def bilinear(features, x, y):
    from scipy.ndimage import map_coordinates

    return map_coordinates(features, [[y + 0.5], [x + 0.5]], order=1, mode="nearest")


# %% faster_rcnn.bilinear: wrong, "beyond the outer centers"
def bilinear(features, x, y):
    from scipy.ndimage import map_coordinates

    return map_coordinates(features, [[y - 0.5], [x - 0.5]], order=1, mode="constant")


# %% faster_rcnn.bilinear: wrong, "a quarter of the way"
def bilinear(features, x, y):
    return features[int(y), int(x)]


# %% faster_rcnn.bilinear: wrong, "center of cell 0"
def bilinear(features, x, y):
    left, top = int(x), int(y)
    rows = (1 - y + top) * features[top] + (y - top) * features[top + 1]
    return (1 - x + left) * rows[left] + (x - left) * rows[left + 1]


# %% faster_rcnn.bilinear: wrong, "columns"
def bilinear(features, x, y):
    return features[int(x), int(y)]


# %% faster_rcnn.bilinear: wrong, "rows 1 and 2"
def bilinear(features, x, y):
    x, y = x - 0.5, y - 0.5
    left, top = int(x), int(y)
    return (1 - x + left) * features[top, left] + (x - left) * features[top, left + 1]


# %% faster_rcnn.bilinear: wrong, "beyond the outer centers"
def bilinear(features, x, y):
    x, y = x - 0.5, y - 0.5
    left, top = int(np.floor(x)), int(np.floor(y))
    rows = (1 - y + top) * features[top] + (y - top) * features[(top + 1) % 5]
    return (1 - x + left) * rows[left] + (x - left) * rows[(left + 1) % 6]


# %% faster_rcnn.bilinear: wrong, "beyond the outer centers"
def bilinear(features, x, y):
    height, width = features.shape
    x, y = np.clip(x - 0.5, 0, width - 1), y - 0.5
    left, top = min(int(x), width - 2), min(int(np.floor(y)), height - 2)
    rows = (1 - y + top) * features[top] + (y - top) * features[top + 1]
    return (1 - x + left) * rows[left] + (x - left) * rows[left + 1]


# %% faster_rcnn.bilinear: wrong, "on a map of shape"
def bilinear(features, x, y):
    x, y = np.clip(x - 0.5, 0, 5), np.clip(y - 0.5, 0, 4)
    left, top = min(int(x), 4), min(int(y), 3)
    below, right = min(top + 1, len(features) - 1), min(left + 1, features.shape[1] - 1)
    top, left = min(top, len(features) - 1), min(left, features.shape[1] - 1)
    rows = (1 - y + top) * features[top] + (y - top) * features[below]
    return (1 - x + left) * rows[left] + (x - left) * rows[right]


# %% faster_rcnn.soft: solution
def soft_nms(boxes, scores, sigma):
    left, new = dict(enumerate(scores)), np.empty(len(scores))
    while left:
        best = max(left, key=left.get)
        new[best] = left.pop(best)
        for other in left:
            overlap = geometry.iou(boxes, boxes)[best, other]
            left[other] *= np.exp(-(overlap**2) / sigma)
    return new


# %% faster_rcnn.soft: right, a mask of those left
def soft_nms(boxes, scores, sigma):
    decay = np.exp(-(geometry.iou(boxes, boxes) ** 2) / sigma)
    new, left = scores, np.ones(len(scores), bool)
    for _ in scores:
        best = np.flatnonzero(left)[new[left].argmax()]
        left[best] = False
        new = new * np.where(left, decay[best], 1)
    return new


# %% faster_rcnn.soft: right, the best swapped to the front in place
def soft_nms(boxes, scores, sigma):
    order = np.arange(len(scores))
    for i in range(len(scores)):
        best = i + scores[i:].argmax()
        for values in (boxes, scores, order):
            values[[i, best]] = values[[best, i]]
        overlap = geometry.iou(boxes, boxes)[i, i + 1 :]
        scores[i + 1 :] *= np.exp(-np.square(overlap) / sigma)
    return scores[np.argsort(order)]


# %% faster_rcnn.soft: right, lists
def soft_nms(boxes, scores, sigma):
    new, waiting = [*scores], set(range(len(scores)))
    while waiting:
        best = sorted(waiting, key=new.__getitem__)[-1]
        waiting = waiting - {best}
        for other in waiting:
            shared = geometry.iou(boxes, boxes)[best, other]
            new[other] /= np.e ** (shared * shared / sigma)
    return new


# %% faster_rcnn.soft: wrong, "half of sigma"
def soft_nms(boxes, scores, sigma):
    kept, new = tf.image.non_max_suppression_with_scores(
        np.float32(boxes), np.float32(scores), len(scores), 1.0, 0.0, sigma
    )
    return tf.scatter_nd(kept[:, None], new, [len(scores)])


# %% faster_rcnn.soft: wrong, "linear"
def soft_nms(boxes, scores, sigma):
    new, left = scores.astype(float), list(range(len(scores)))
    while left:
        best = left.pop(int(np.argmax(new[left])))
        if left:
            new[left] *= 1 - geometry.iou(boxes[[best]], boxes[left])[0]
    return new


# %% faster_rcnn.soft: wrong, "normal distribution"
def soft_nms(boxes, scores, sigma):
    new, left = scores.astype(float), list(range(len(scores)))
    while left:
        best = left.pop(int(np.argmax(new[left])))
        if left:
            new[left] *= np.exp(-(geometry.iou(boxes[[best]], boxes[left])[0] ** 2) / (2 * sigma**2))
    return new


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


# %% faster_rcnn.soft: wrong, "keeps its whole score"
def soft_nms(boxes, scores, sigma):
    return scores


# %% faster_rcnn.soft: wrong, "divide by sigma"
def soft_nms(boxes, scores, sigma):
    scores, left = scores.astype(float), list(range(len(scores)))
    while left:
        best = left.pop(int(np.argmax(scores[left])))
        if left:
            scores[left] *= np.exp(-(geometry.iou(boxes[[best]], boxes[left])[0] ** 2) * sigma)
    return scores


# %% faster_rcnn.soft: wrong, "chosen already"
def soft_nms(boxes, scores, sigma):
    scores, left = scores.astype(float), list(range(len(scores)))
    while left:
        best = left.pop(int(np.argmax(scores[left])))
        if left:
            scores[left] *= np.exp(-(geometry.iou(boxes[[best]], boxes[left])[0] ** 2) / 0.4)
    return scores


# %% faster_rcnn.soft: wrong, "chosen already"
def soft_nms(boxes, scores, sigma):
    first = scores.argmax()
    lowered = scores * np.exp(-(geometry.iou(boxes, boxes[[first]])[:, 0] ** 2) / sigma)
    lowered[first] = scores[first]
    return lowered


# %% faster_rcnn.anchors: solution
def car_anchors():
    heights = [9.5 * 1.5**k for k in range(4)]  # 9.5 to 32
    return heights, (2.0, 2.6)  # both ratios within 1.8 to 3


# %% faster_rcnn.anchors: right, eight heights and one ratio
def car_anchors():
    return np.exp2(np.arange(3.2, 5.4, 0.3)), [2.3]


# %% faster_rcnn.anchors: right, a tensor of heights
def car_anchors():
    return 2 ** (3.25 + 0.6 * tf.range(4.0)), (2.6, 2.0)


# %% faster_rcnn.anchors: right, an array of pairs
def car_anchors():
    grid = np.array([[3.3, 2.0], [4.4, 2.6]])
    return 2 ** np.array([*grid[:, 0], *grid[:, 0] + 0.55]), grid[:, 1]


# %% faster_rcnn.anchors: wrong, "8 pixels high"
def car_anchors():
    return (24, 38, 60, 96), (2.0, 2.6)  # the widths


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


# %% faster_rcnn.anchors: wrong, "ratios are positive"
def car_anchors():
    return (2.0, 2.6), (10, 15, 22, 32)


# %% faster_rcnn.anchors: wrong, "above 1"
def car_anchors():
    return np.array([10, 15, 22, 32]) * 2, (1 / 2.0, 1 / 2.6)


# %% faster_rcnn.anchors: wrong, "instead of 85%"
def car_anchors():
    return np.geomspace(8, 53, 4), (2.0, 2.6)
