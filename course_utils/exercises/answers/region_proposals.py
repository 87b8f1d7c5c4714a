# Answers to the exercises of lesson 08: solutions, and what a student might write. They use what the lesson defines above its exercises.
# After the exercise's name: solution; right, and how it is written; or wrong, and words that the verdict must hold.

# %% region_proposals.large: solution
large_boxes = count_boxes(125)  # 125 + 124 + ... + 1 stretches, squared


# %% region_proposals.large: right, counted
large_boxes = sum(128 - width + 1 for width in range(4, 129)) ** 2

# %% region_proposals.large: right, as a decimal number
large_boxes = np.arange(1.0, 126).sum() ** 2


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


# %% region_proposals.needed: solution
def proposals_needed(truth, boxes):
    hit = geometry.iou(truth, boxes) >= 0.5  # (n, P)
    if not hit.any(axis=1).all():
        return -1
    return hit.argmax(axis=1).max() + 1  # the slowest of the first hits


# %% region_proposals.needed: right, box by box
def proposals_needed(truth, boxes):
    left = list(range(len(truth)))
    for looked_at, box in enumerate(boxes, start=1):
        left = [i for i in left if geometry.iou(truth[[i]], box[None])[0, 0] < 0.5]
        if not left:
            return looked_at
    return -1


# %% region_proposals.needed: right, with running sums
def proposals_needed(truth, boxes):
    all_found = (np.cumsum(geometry.iou(truth, boxes) >= 0.5, axis=1) > 0).all(axis=0)
    return float(np.flatnonzero(all_found)[0] + 1) if all_found[-1] else -1.0


# %% region_proposals.needed: wrong, "add one"
def proposals_needed(truth, boxes):
    return (geometry.iou(truth, boxes) >= 0.5).argmax(axis=1).max()


# %% region_proposals.needed: wrong, "the slowest"
def proposals_needed(truth, boxes):
    return (geometry.iou(truth, boxes) >= 0.5).argmax(axis=1).min() + 1


# %% region_proposals.needed: wrong, "should be -1"
def proposals_needed(truth, boxes):
    return (geometry.iou(truth, boxes) >= 0.5).argmax(axis=1).max() + 1


# %% region_proposals.needed: wrong, "are needed, and you give"
def proposals_needed(truth, boxes):
    return len(boxes)


# %% region_proposals.hardest: solution
def hardest(scores, overlap, count):
    negative = np.flatnonzero(overlap < 0.3)
    return negative[np.argsort(-scores[negative])][:count]


# %% region_proposals.hardest: right, as a list
def hardest(scores, overlap, count):
    order = sorted(range(len(scores)), key=lambda i: scores[i], reverse=True)
    return [i for i in order if overlap[i] < 0.3][:count]


# %% region_proposals.hardest: right, with the others masked
def hardest(scores, overlap, count):
    masked = np.where(overlap < 0.3, scores, -np.inf)
    return np.argsort(masked)[::-1][:count].astype(np.int16)


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


# %% region_proposals.suppress: solution
def suppress(boxes, scores):
    kept = []
    for i in np.argsort(-scores):
        if not kept or geometry.iou(boxes[[i]], boxes[kept]).max() <= 0.3:
            kept.append(i)
    return np.array(kept)


# %% region_proposals.suppress: right, with the package's
def suppress(boxes, scores):
    return geometry.non_maximum_suppression(boxes, scores, 0.3)


# %% region_proposals.suppress: right, by taking the best of what is left
def suppress(boxes, scores):
    left, kept = list(range(len(boxes))), []
    while left:
        best = max(left, key=lambda i: scores[i])
        kept.append(best)
        left = [i for i in left if i != best and geometry.iou(boxes[[best]], boxes[[i]])[0, 0] <= 0.3]
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


# %% region_proposals.thirty: solution
def thirty(image):
    brightness_only = ((1, 0, 0, 0),)  # digits are brighter than stone; their texture and size say less
    return selective_search(image, scales=(100,), strategies=brightness_only)[:30]


# %% region_proposals.thirty: right, as a list
def thirty(image):
    found = selective_search(image, scales=(100,), strategies=((1, 0, 0, 0),))
    return [box.tolist() for box in found[:30]]


# %% region_proposals.thirty: right, with another scale
def thirty(image):
    return selective_search(image, scales=(90,), strategies=((1, 0, 0, 0),))[:30].astype(np.float32)


# %% region_proposals.thirty: wrong, "is one enough"
def thirty(image):
    return selective_search(image)[:30]


# %% region_proposals.thirty: wrong, "keep the first ones"
def thirty(image):
    return selective_search(image)


# %% region_proposals.thirty: wrong, "at least 0.90"
def thirty(image):
    return selective_search(image, scales=(100,), strategies=((0, 0, 1, 1),))[:30]


# %% region_proposals.thirty: wrong, "at least 0.90"
def thirty(image):
    return sliding_windows()[::150][:30]


# %% region_proposals.thirty: wrong, "shape"
def thirty(image):
    return np.zeros((30, 5))


# %% region_proposals.needed: wrong, "exactly 0.5"
def proposals_needed(truth, boxes):
    hit = geometry.iou(truth, boxes) > 0.5
    return hit.argmax(axis=1).max() + 1 if hit.any(axis=1).all() else -1


# %% region_proposals.hardest: wrong, "not a negative"
def hardest(scores, overlap, count):
    negative = np.flatnonzero(overlap <= 0.3)
    return negative[np.argsort(-scores[negative])][:count]
