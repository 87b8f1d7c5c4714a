# Answers to the exercises of lesson 08: solutions, and what a student might write. They use what the lesson defines above its exercises.
# After the exercise's name: solution; right, and how it is written; or wrong, and words that the verdict must hold.

# %% region_proposals.ap: solution
ap_of_five = average_precision(np.array([True, False, True, True, False]), total=4)


# %% region_proposals.ap: right, by hand
ap_of_five = (1 + 3 / 4 + 3 / 4) / 4


# %% region_proposals.ap: right, rounded
ap_of_five = 0.625


# %% region_proposals.ap: right, a half-precision number
ap_of_five = np.float16(5 / 8)


# %% region_proposals.ap: wrong, "as they come"
ap_of_five = (1 + 2 / 3 + 3 / 4) / 4

# %% region_proposals.ap: wrong, "the fourth counts as well"
ap_of_five = (1 + 3 / 4 + 3 / 4) / 3

# %% region_proposals.ap: wrong, "averaged over three of the four"
ap_of_five = (1 + 2 / 3 + 3 / 4) / 3

# %% region_proposals.ap: wrong, "old mean over 11"
ap_of_five = average_precision(np.array([True, False, True, True, False]), 4, np.linspace(0, 1, 11))

# %% region_proposals.ap: wrong, "COCO's mean"
ap_of_five = average_precision(np.array([True, False, True, True, False]), 4, np.linspace(0, 1, 101))

# %% region_proposals.ap: wrong, "trapezoidal rule"
ap_of_five = (1 + (1 / 2 + 2 / 3) / 2 + (2 / 3 + 3 / 4) / 2) / 4

# %% region_proposals.ap: wrong, "after all five"
ap_of_five = 3 / 5

# %% region_proposals.ap: wrong, "the recall after all five"
ap_of_five = 3 / 4

# %% region_proposals.ap: wrong, "number of detections"
ap_of_five = 0.5

# %% region_proposals.ap: wrong, "adds 1/4 of recall"
ap_of_five = 2.5

# %% region_proposals.ap: wrong, "rounded to two digits"
ap_of_five = round(0.625, 2)

# %% region_proposals.ap: wrong, "in percent"
ap_of_five = 62.5

# %% region_proposals.ap: wrong, "is not it"
ap_of_five = 0.3


# %% region_proposals.suppress: solution
def suppress(boxes, scores):
    kept = []
    for i in np.argsort(-scores):
        if not kept or geometry.iou(boxes[[i]], boxes[kept]).max() <= 0.3:
            kept.append(i)
    return np.array(kept)


# %% region_proposals.suppress: right, the package's function
def suppress(boxes, scores):
    return geometry.non_maximum_suppression(boxes, scores, threshold=0.3)


# %% region_proposals.suppress: right, TensorFlow
def suppress(boxes, scores):
    return tf.image.non_max_suppression(boxes, scores, len(boxes), iou_threshold=0.3)


# %% region_proposals.suppress: right, sets of what is left
def suppress(boxes, scores):
    overlaps, left, kept = geometry.iou(boxes, boxes), set(range(len(boxes))), []
    for i in sorted(left, key=scores.item, reverse=True):
        if i in left:
            kept.append(i)
            left -= {*np.flatnonzero(overlaps[i] > 0.3)}
    return kept


# %% region_proposals.suppress: wrong, "a dropped box drops none"
def suppress(boxes, scores):
    order = np.argsort(-scores)
    overlap = np.triu(geometry.iou(boxes[order], boxes[order]), 1)
    return order[overlap.max(axis=0) <= 0.3]


# %% region_proposals.suppress: wrong, "nothing is dropped"
def suppress(boxes, scores):
    return np.argsort(-scores)


# %% region_proposals.suppress: wrong, "best first"
def suppress(boxes, scores):
    return np.sort(geometry.non_maximum_suppression(boxes, scores, 0.3))[::-1]


# %% region_proposals.suppress: wrong, "not sorted here"
def suppress(boxes, scores):
    kept = []
    for i in range(len(boxes)):
        if not kept or geometry.iou(boxes[[i]], boxes[kept]).max() <= 0.3:
            kept.append(i)
    return np.array(kept)


# %% region_proposals.suppress: wrong, "should be kept"
def suppress(boxes, scores):
    return np.array([0])


# %% region_proposals.suppress: wrong, "as a mask"
def suppress(boxes, scores):
    return scores > 0.3


# %% region_proposals.suppress: wrong, "or boxes"
def suppress(boxes, scores):
    return boxes[geometry.non_maximum_suppression(boxes, scores, 0.3)]


# %% region_proposals.suppress: wrong, "exactly 0.3 drops no box"
def suppress(boxes, scores):
    kept = []
    for i in np.argsort(-scores):
        if not kept or geometry.iou(boxes[[i]], boxes[kept]).max() < 0.3:
            kept.append(i)
    return np.array(kept)


# %% region_proposals.suppress: wrong, "you drop at an IoU of 0.5"
def suppress(boxes, scores):
    return geometry.non_maximum_suppression(boxes, scores)


# %% region_proposals.suppress: wrong, "the last kept one only"
def suppress(boxes, scores):
    kept = []
    for i in np.argsort(-scores):
        if not kept or geometry.iou(boxes[[i]], boxes[[kept[-1]]]).max() <= 0.3:
            kept.append(i)
    return kept


# %% region_proposals.suppress: wrong, "can be negative"
def suppress(boxes, scores):
    kept = geometry.non_maximum_suppression(boxes, scores, 0.3)
    return kept[scores[kept] > 0]


# %% region_proposals.suppress: wrong, "should be kept"
def suppress(boxes, scores):
    overlaps, left, kept = geometry.iou(boxes, boxes), scores.copy(), []
    while (left > 0).any():  # stops at a score of 0
        kept.append(left.argmax())
        left[overlaps[kept[-1]] > 0.3] = 0
    return kept


# %% region_proposals.sixty: solution
def sixty(image):
    boxes = selective_search(image, scales=(200,), strategies=((1, 0, 0, 0),), smooth=0.8, thinnest=20)
    return boxes[:60]


# %% region_proposals.sixty: right, a list of boxes of one search by color
def sixty(image):
    found = selective_search(image, (200,), [(2, 0, 0, 0)], 20, 24, 0.8)
    return [list(box) for box in found][:50]


# %% region_proposals.sixty: right, all searches, then the most square ones
def sixty(image):
    boxes = selective_search(image, smooth=0.8, thinnest=20)
    side = boxes[:, 2:] - boxes[:, :2]
    round_ones = boxes[(side.max(axis=1) < 60) & (side.max(axis=1) < 1.4 * side.min(axis=1))]
    return round_ones[:60]


# %% region_proposals.sixty: right, a watershed instead of the search
def sixty(image):
    return watershed_pieces(image)[0]


# %% region_proposals.sixty: wrong, "is the grain of the table among them"
def sixty(image):
    return selective_search(image)[:60]


# %% region_proposals.sixty: wrong, "too low to reach 0.90"
def sixty(image):
    return np.empty((0, 4))


# %% region_proposals.sixty: wrong, "60 are the most"
def sixty(image):
    return selective_search(image, scales=(200,), strategies=((1, 0, 0, 0),), smooth=0.8)


# %% region_proposals.sixty: wrong, "is the order x0, y0, x1, y1"
def sixty(image):
    boxes = selective_search(image, (200,), ((1, 0, 0, 0),), thinnest=20, smooth=0.8)
    return boxes[:60, [1, 0, 3, 2]]


# %% region_proposals.sixty: wrong, "should be (P, 4)"
def sixty(image):
    return selective_search(image)[0]


# %% region_proposals.sixty: wrong, "your boxes"
def sixty(image):
    return selective_search(image)[:60][:, ::-1]


# %% region_proposals.sixty: wrong, "has finite edges"
def sixty(image):
    x0, y0, x1, y1 = selective_search(image)[:60].T
    return np.stack([x1, y1, x0, y0], axis=1)


# %% region_proposals.large: solution
large_boxes = count_boxes(125)  # 125 + 124 + ... + 1 stretches, squared


# %% region_proposals.large: right, added up
large_boxes = sum(range(126)) ** 2


# %% region_proposals.large: right, all pairs of edges
edges = np.arange(129)
large_boxes = np.count_nonzero(edges - edges[:, None] >= 4) ** 2


# %% region_proposals.large: right, a float by a formula for triangles
large_boxes = (125.0 * 126 / 2) ** 2


# %% region_proposals.large: wrong, "thin ones too"
large_boxes = count_boxes(128)

# %% region_proposals.large: wrong, "square it"
large_boxes = 125 * 126 // 2

# %% region_proposals.large: wrong, "exactly 4"
large_boxes = count_boxes(124)

# %% region_proposals.large: wrong, "long enough"
large_boxes = count_boxes(128) - count_boxes(3)

# %% region_proposals.large: wrong, "is not it"
large_boxes = 125**2


# %% region_proposals.large: wrong, "stretches of 3 too"
large_boxes = count_boxes(126)

# %% region_proposals.large: wrong, "in both"
large_boxes = (128 * 129 // 2) * (125 * 126 // 2)


# %% region_proposals.needed: solution
def proposals_needed(truth, boxes):
    hit = geometry.iou(truth, boxes) >= 0.5  # (n, P)
    if not hit.any(axis=1).all():
        return -1
    return hit.argmax(axis=1).max() + 1  # the slowest of the first hits


# %% region_proposals.needed: right, a loop that stops
def proposals_needed(truth, boxes):
    for number, box in enumerate(boxes, start=1):
        truth = truth[geometry.iou(truth, [box]).squeeze(axis=1) < 0.5]
        if not len(truth):
            return number
    return -1


# %% region_proposals.needed: right, how many are found by then
def proposals_needed(truth, boxes):
    best_so_far = np.maximum.accumulate(geometry.iou(truth, boxes), axis=1).min(axis=0)
    places = np.flatnonzero(best_so_far >= 0.5)
    return places[0] + 1 if places.size else -1


# %% region_proposals.needed: right, floats and infinity
def proposals_needed(truth, boxes):
    places = np.arange(1, len(boxes) + 1.0)
    firsts = np.where(geometry.iou(truth, boxes) >= 0.5, places, np.inf).min(axis=1)
    return -1 if np.isinf(firsts).any() else max(firsts)


# %% region_proposals.needed: wrong, "add one"
def proposals_needed(truth, boxes):
    return (geometry.iou(truth, boxes) >= 0.5).argmax(axis=1).max()


# %% region_proposals.needed: wrong, "the slowest"
def proposals_needed(truth, boxes):
    return (geometry.iou(truth, boxes) >= 0.5).argmax(axis=1).min() + 1


# %% region_proposals.needed: wrong, "the answer is -1"
def proposals_needed(truth, boxes):
    return (geometry.iou(truth, boxes) >= 0.5).argmax(axis=1).max() + 1


# %% region_proposals.needed: wrong, "these are all of the boxes"
def proposals_needed(truth, boxes):
    return len(boxes)


# %% region_proposals.needed: wrong, "exactly 0.5 is enough"
def proposals_needed(truth, boxes):
    hit = geometry.iou(truth, boxes) > 0.5
    return hit.argmax(axis=1).max() + 1 if hit.any(axis=1).all() else -1


# %% region_proposals.needed: wrong, "before and between them"
def proposals_needed(truth, boxes):
    hit = geometry.iou(truth, boxes) >= 0.5
    return len(np.unique(hit.argmax(axis=1))) if hit.any(axis=1).all() else -1


# %% region_proposals.needed: wrong, "count the boxes that hit"
def proposals_needed(truth, boxes):
    hit = geometry.iou(truth, boxes) >= 0.5
    return hit.any(axis=0).sum() if hit.any(axis=1).all() else -1


# %% region_proposals.needed: wrong, "never looked at"
def proposals_needed(truth, boxes):
    for number in range(len(boxes)):
        if recall([truth], [boxes[:number]]) == 1:
            return number
    return -1


# %% region_proposals.needed: wrong, "several true boxes"
def proposals_needed(truth, boxes):
    left = list(range(len(truth)))
    for number, box in enumerate(boxes, 1):
        hits = [i for i in left if geometry.iou([truth[i]], [box])[0, 0] >= 0.5]
        left = [i for i in left if i not in hits[:1]]  # one at a time, as in average precision
        if not left:
            return number
    return -1


# %% region_proposals.needed: wrong, "several true boxes"
def proposals_needed(truth, boxes):
    shared = [[max(min(a[2], b[2]) - max(a[0], b[0]), 0) * max(min(a[3], b[3]) - max(a[1], b[1]), 0) for b in boxes] for a in truth]  # fmt: skip
    hit = np.array(shared) / geometry.area(truth)[:, None] >= 0.5  # covered, whatever the size of the proposal
    return hit.argmax(axis=1).max() + 1 if hit.any(axis=1).all() else -1


# %% region_proposals.hardest: solution
def hardest(scores, overlap, count):
    negative = np.flatnonzero(overlap < 0.3)
    return negative[np.argsort(-scores[negative])][:count]


# %% region_proposals.hardest: right, other boxes set to minus infinity
def hardest(scores, overlap, count):
    candidates = np.where(overlap < 0.3, scores, -np.inf)
    return np.argsort(candidates)[::-1][:count]


# %% region_proposals.hardest: right, sorted pairs in a list
def hardest(scores, overlap, count):
    pairs = [(score, i) for i, score in enumerate(scores) if not overlap[i] >= 0.3]
    return [i for _, i in sorted(pairs, reverse=True)[:count]]


# %% region_proposals.hardest: right, TensorFlow
def hardest(scores, overlap, count):
    candidates = tf.where(overlap < 0.3, scores, -np.inf)
    return tf.math.top_k(candidates, count).indices


# %% region_proposals.hardest: right, one after the other
def hardest(scores, overlap, count):
    left, found = np.flatnonzero(overlap < 0.3).tolist(), np.empty(count, np.int16)
    for k in range(count):
        found[k] = max(left, key=scores.item)
        left.remove(found[k])
    return found


# %% region_proposals.hardest: wrong, "not a negative"
def hardest(scores, overlap, count):
    return np.argsort(-scores)[:count]


# %% region_proposals.hardest: wrong, "a negative is hard if its score is high"
def hardest(scores, overlap, count):
    negative = np.flatnonzero(overlap < 0.3)
    return negative[np.argsort(scores[negative])][:count]


# %% region_proposals.hardest: wrong, "comes first"
def hardest(scores, overlap, count):
    negative = np.flatnonzero(overlap < 0.3)
    return np.sort(negative[np.argsort(-scores[negative])][:count])


# %% region_proposals.hardest: wrong, "shape"
def hardest(scores, overlap, count):
    return np.flatnonzero(overlap < 0.3)


# %% region_proposals.hardest: wrong, "as scores"
def hardest(scores, overlap, count):
    return np.sort(scores[overlap < 0.3])[::-1][:count]


# %% region_proposals.hardest: wrong, "not a negative"
def hardest(scores, overlap, count):
    return np.argsort(-scores * (overlap < 0.3))[:count]  # right where all scores are positive


# %% region_proposals.hardest: wrong, "by 0.30"
def hardest(scores, overlap, count):
    negative = np.flatnonzero(overlap <= 0.3)
    return negative[np.argsort(-scores[negative])][:count]


# %% region_proposals.hardest: wrong, "count within the negatives"
def hardest(scores, overlap, count):
    return np.argsort(-scores[overlap < 0.3])[:count]


# %% region_proposals.hardest: wrong, "comes first"
def hardest(scores, overlap, count):
    candidates = np.where(overlap < 0.3, scores, -np.inf)
    return np.argpartition(-candidates, count)[:count]


# %% region_proposals.hardest: wrong, "a negative is hard if its score is high"
def hardest(scores, overlap, count):
    negative = np.flatnonzero(overlap < 0.3)
    return negative[np.argsort(-np.abs(scores[negative]))][:count]
