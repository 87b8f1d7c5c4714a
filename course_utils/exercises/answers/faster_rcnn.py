# Answers to the exercises of lesson 09: solutions, and what a student might write. They use what the lesson defines above its exercises.
# After the exercise's name: solution; right, and how it is written; or wrong, and words that the verdict must hold.

# %% faster_rcnn.bins: solution
ten_in_four = [[0, 3], [2, 5], [5, 8], [7, 10]]  # floor(i 10 / 4) and ceil((i + 1) 10 / 4)

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


# %% faster_rcnn.joint: solution
def joint(class_losses, box_losses, classes, balance):
    return (class_losses + balance * (classes > 0) * box_losses).mean()


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


# %% faster_rcnn.bilinear: wrong, "a quarter of the way"
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


# %% faster_rcnn.bilinear: wrong, "rows 1 and 2"
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
