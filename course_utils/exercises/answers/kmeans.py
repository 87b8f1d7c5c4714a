# Answers to the exercises of lesson 04: solutions, and what a student might write. They use what the lesson defines above its exercises.
# After the exercise's name: solution; right, and how it is written; or wrong, and words that the verdict must hold.

# %% kmeans.inertia: solution
inertia_of_four = 16 + 4 + 0 + 36


# %% kmeans.inertia: right, from the variance
inertia_of_four = 4 * np.var([0, 2, 4, 10])

# %% kmeans.inertia: right, with a loop
inertia_of_four = 0
for value in (0, 2, 4, 10):
    inertia_of_four += (value - 4) ** 2
inertia_of_four = float(inertia_of_four)

# %% kmeans.inertia: right, as a difference of sums
inertia_of_four = sum(v * v for v in (0, 2, 4, 10)) - 16 * 16 / 4


# %% kmeans.inertia: wrong, "their sum"
inertia_of_four = 14

# %% kmeans.inertia: wrong, "not squared"
inertia_of_four = 12

# %% kmeans.inertia: wrong, "from the centroid"
inertia_of_four = 0 + 4 + 16 + 100

# %% kmeans.inertia: wrong, "how far"
inertia_of_four = 4

# %% kmeans.inertia: wrong, "not it"
inertia_of_four = 50


# %% kmeans.repair: solution
def cluster_colors(points, k, rng, steps=20):
    centroids = points[rng.choice(len(points), k, replace=False)]
    losses = []
    for _ in range(steps):
        labels = squared_distances(points, centroids).argmin(axis=0)
        centroids = np.array([points[labels == j].mean(axis=0) for j in range(k)])
        losses.append(((points - centroids[labels]) ** 2).sum())
    return centroids, labels, losses


# %% kmeans.repair: right, with loops and lists
def cluster_colors(points, k, rng, steps=20):
    centroids = [points[i] for i in rng.permutation(len(points))[:k]]
    losses = []
    for _ in range(steps):
        labels = []
        for point in points:
            labels.append(int(np.argmin([np.sum((point - centroid) ** 2) for centroid in centroids])))
        centroids = [np.mean([p for p, label in zip(points, labels) if label == j], axis=0) for j in range(k)]
        losses.append(sum(np.sum((p - centroids[label]) ** 2) for p, label in zip(points, labels)))
    return [centroids, labels, losses]


# %% kmeans.repair: right, until no label changes
def cluster_colors(points, k, rng, steps=20):
    start = points[rng.choice(len(points), k, replace=False)]
    return lloyd(points, start, np.ones(len(points)), steps)


# %% kmeans.repair: right, with the loss as a mean before each update
def cluster_colors(points, k, rng, steps=20):
    centroids = np.array(rng.choice(points, k, replace=False))
    losses = np.zeros(steps)
    for step in range(steps):
        distances = np.linalg.norm(points[:, None] - centroids, axis=2)
        labels = np.argmin(distances, axis=1)
        losses[step] = np.mean(np.min(distances, axis=1) ** 2)
        for j in range(k):
            centroids[j] = points[labels == j].mean(axis=0)
    return centroids, labels, losses


# %% kmeans.repair: wrong, "is it a mean"
def cluster_colors(points, k, rng, steps=20):
    centroids = points[rng.choice(len(points), k, replace=False)]
    losses = []
    for _ in range(steps):
        labels = squared_distances(points, centroids).argmin(axis=0)
        centroids = np.array([points[labels == j].sum(axis=0) for j in range(k)])
        losses.append(((points - centroids[labels]) ** 2).sum())
    return centroids, labels, losses


# %% kmeans.repair: wrong, "whole numbers"
def cluster_colors(points, k, rng, steps=20):
    centroids = points[rng.choice(len(points), k, replace=False)]
    losses = []
    for _ in range(steps):
        labels = squared_distances(points, centroids).argmin(axis=0)
        centroids = np.array([points[labels == j].mean(axis=0).astype(int) for j in range(k)])
        losses.append(((points - centroids[labels]) ** 2).sum())
    return centroids, labels, losses


# %% kmeans.repair: wrong, "drawn anew"
def cluster_colors(points, k, rng, steps=20):
    losses = []
    for _ in range(steps):
        centroids = points[rng.choice(len(points), k, replace=False)]
        labels = squared_distances(points, centroids).argmin(axis=0)
        for j in np.unique(labels):
            centroids[j] = points[labels == j].mean(axis=0)
        losses.append(((points - centroids[labels]) ** 2).sum())
    return centroids, labels, losses


# %% kmeans.repair: wrong, "one more step"
def cluster_colors(points, k, rng, steps=20):
    centroids = points[rng.choice(len(points), k, replace=False)]
    losses = []
    for _ in range(2):
        labels = squared_distances(points, centroids).argmin(axis=0)
        centroids = np.array([points[labels == j].mean(axis=0) for j in range(k)])
        losses.append(((points - centroids[labels]) ** 2).sum())
    return centroids, labels, losses


# %% kmeans.repair: wrong, "three things"
def cluster_colors(points, k, rng, steps=20):
    return points[:k]


# %% kmeans.repair: wrong, "not the means of their points"
def cluster_colors(points, k, rng, steps=20):
    centroids = points[rng.choice(len(points), k, replace=False)]
    losses = []
    for _ in range(steps):
        labels = squared_distances(points, centroids).argmin(axis=0)
        centroids = np.array([np.median(points[labels == j], axis=0) for j in range(k)])
        losses.append(((points - centroids[labels]) ** 2).sum())
    return centroids, labels, losses


# %% kmeans.repair: wrong, "your last loss is 0"
def cluster_colors(points, k, rng, steps=20):
    centroids = points[rng.choice(len(points), k, replace=False)]
    losses = []
    for _ in range(steps):
        labels = squared_distances(points, centroids).argmin(axis=0)
        centroids = np.array([points[labels == j].mean(axis=0) for j in range(k)])
        losses.append(0 * ((points - centroids[labels]) ** 2).sum())
    return centroids, labels, losses


# %% kmeans.repair: wrong, "NaN"
@np.errstate(invalid="ignore")
def cluster_colors(points, k, rng, steps=20):
    centroids = np.full((k, 3), 1e3) * np.arange(k)[:, None]
    losses = []
    for _ in range(steps):
        labels = squared_distances(points, centroids).argmin(axis=0)
        centroids = np.array([points[labels == j].sum(axis=0) / (labels == j).sum() for j in range(k)])
        losses.append(((points - centroids[labels]) ** 2).sum())
    return centroids, labels, losses


# %% kmeans.median: solution
def weighted_median(values, weights):
    order = np.argsort(values)
    below = np.cumsum(weights[order])
    return values[order][np.searchsorted(below, below[-1] / 2)]


# %% kmeans.median: right, with NumPy's quantile
def weighted_median(values, weights):
    return np.quantile(values, 0.5, weights=weights, method="inverted_cdf")


# %% kmeans.median: right, with a loop
def weighted_median(values, weights):
    total = 0.0
    for value, weight in sorted(zip(values, weights)):
        total += weight
        if total >= sum(weights) / 2:
            return value


# %% kmeans.median: right, from the definition
def weighted_median(values, weights):
    heavy = [value for value in values if weights[values <= value].sum() >= weights.sum() / 2]
    return np.float32(min(heavy))


# %% kmeans.median: wrong, "no effect"
def weighted_median(values, weights):
    return np.median(values)


# %% kmeans.median: wrong, "weighted mean"
def weighted_median(values, weights):
    return np.average(values, weights=weights)


# %% kmeans.median: wrong, "sorted together"
def weighted_median(values, weights):
    below = np.cumsum(weights)
    return values[np.searchsorted(below, below[-1] / 2)]


# %% kmeans.median: wrong, "sorted together"
def weighted_median(values, weights):
    order = np.argsort(values)
    below = np.cumsum(weights)
    return values[order][np.searchsorted(below, below[-1] / 2)]


# %% kmeans.median: wrong, "out of bounds"
def weighted_median(values, weights):
    return np.sort(np.repeat(values, weights.astype(int)))[(int(weights.sum()) - 1) // 2]


# %% kmeans.median: wrong, "none of the values"
def weighted_median(values, weights):
    return np.median(np.repeat(values, np.maximum(weights, 1).astype(int)))


# %% kmeans.median: wrong, "at least half"
def weighted_median(values, weights):
    order = np.argsort(values)
    below = np.cumsum(weights[order])
    return values[order][np.searchsorted(below, below[-1] / 2, side="right")]


# %% kmeans.fields: solution
def find_fields(picture):
    quiet = filters.gaussian(picture, 1, channel_axis=2, preserve_range=True)
    features = with_coordinates(quiet, 1.5)
    return kmeans(features, 8, np.random.default_rng(0), restarts=3)[1].reshape(picture.shape[:2])


# %% kmeans.fields: right, with OpenCV's blur
def find_fields(picture):
    import cv2

    quiet = cv2.GaussianBlur(picture.astype(np.float32), (0, 0), 1)
    labels = kmeans(with_coordinates(quiet, 1.5), 8, np.random.default_rng(1), restarts=5)[1]
    return labels.reshape(picture.shape[:2]).astype(np.uint8)


# %% kmeans.fields: right, with scikit-learn
def find_fields(picture):
    from sklearn.cluster import KMeans

    quiet = filters.gaussian(picture.astype(float), 1, channel_axis=-1)
    features = with_coordinates(quiet, 1.5)
    return KMeans(8, n_init=3, random_state=0).fit_predict(features).reshape(picture.shape[:2]) + 1


# %% kmeans.fields: wrong, "remedy for noise"
def find_fields(picture):
    features = with_coordinates(picture, 5)
    return kmeans(features, 8, np.random.default_rng(0), restarts=3)[1].reshape(picture.shape[:2])


# %% kmeans.fields: wrong, "eight fields, and you give 4"
def find_fields(picture):
    quiet = filters.gaussian(picture, 2, channel_axis=2, preserve_range=True).reshape(-1, 3)
    return kmeans(quiet, 4, np.random.default_rng(0), restarts=3)[1].reshape(picture.shape[:2])


# %% kmeans.fields: wrong, "shape"
def find_fields(picture):
    return kmeans(with_coordinates(picture, 3), 8, np.random.default_rng(0))[1]


# %% kmeans.fields: wrong, "you give 1"
def find_fields(picture):
    return np.zeros(picture.shape[:2], int)


# %% kmeans.fields: wrong, "whole numbers"
def find_fields(picture):
    return np.zeros(picture.shape[:2])


# %% kmeans.fields: wrong, "still 0 to 255"
def find_fields(picture):
    quiet = filters.gaussian(picture, 1, channel_axis=2)
    features = with_coordinates(quiet, 1.5)
    return kmeans(features, 8, np.random.default_rng(0), restarts=3)[1].reshape(picture.shape[:2])


# %% kmeans.repair: wrong, "should be drawn with it"
def cluster_colors(points, k, rng, steps=20):
    centroids = points[:k]
    losses = []
    for _ in range(steps):
        labels = squared_distances(points, centroids).argmin(axis=0)
        centroids = np.array([points[labels == j].mean(axis=0) for j in range(k)])
        losses.append(((points - centroids[labels]) ** 2).sum())
    return centroids, labels, losses


# %% kmeans.repair: wrong, "has no points"
def cluster_colors(points, k, rng, steps=20):
    centroids = points[rng.choice(len(points), k, replace=False)]
    losses = []
    for _ in range(steps):
        labels = squared_distances(points, centroids).argmin(axis=0)
        centroids = np.array([points.mean(axis=0) for j in range(k)])
        losses.append(((points - centroids[labels]) ** 2).sum())
    return centroids, labels, losses


# %% kmeans.repair: wrong, "not the means of their points"
def cluster_colors(points, k, rng, steps=20):
    centroids = points[rng.choice(len(points), k, replace=False)]
    losses = []
    for _ in range(steps):
        labels = squared_distances(points, centroids).argmin(axis=0)
        centroids = np.array([points[labels == j].mean(axis=0).round(1) for j in range(k)])
        losses.append(((points - centroids[labels]) ** 2).sum())
    return centroids, labels, losses


# %% kmeans.repair: wrong, "each step appends one"
def cluster_colors(points, k, rng, steps=20):
    centroids = points[rng.choice(len(points), k, replace=False)]
    losses = []
    for _ in range(20):
        labels = squared_distances(points, centroids).argmin(axis=0)
        centroids = np.array([points[labels == j].mean(axis=0) for j in range(k)])
        losses.append(((points - centroids[labels]) ** 2).sum())
    return centroids, labels, losses


# %% kmeans.repair: wrong, "with nothing else"
def cluster_colors(points, k, rng, steps=20):
    centroids = points[np.random.default_rng().choice(len(points), k, replace=False)]
    losses = []
    for _ in range(steps):
        labels = squared_distances(points, centroids).argmin(axis=0)
        centroids = np.array([points[labels == j].mean(axis=0) for j in range(k)])
        losses.append(((points - centroids[labels]) ** 2).sum())
    return centroids, labels, losses


# %% kmeans.repair: wrong, "how did its cluster get empty"
def cluster_colors(points, k, rng, steps=20):
    centroids = points[rng.choice(len(points), k)]
    losses = []
    for _ in range(steps):
        labels = squared_distances(points, centroids).argmin(axis=0)
        centroids = np.array([points[labels == j].mean(axis=0) for j in range(k)])
        losses.append(((points - centroids[labels]) ** 2).sum())
    return centroids, labels, losses


# %% kmeans.repair: wrong, "the centroids to have the shape"
def cluster_colors(points, k, rng, steps=20):
    centroids = points[rng.choice(len(points), 4, replace=False)]
    losses = []
    for _ in range(steps):
        labels = squared_distances(points, centroids).argmin(axis=0)
        centroids = np.array([points[labels == j].mean(axis=0) for j in range(4)])
        losses.append(((points - centroids[labels]) ** 2).sum())
    return centroids, labels, losses


# %% kmeans.median: wrong, "at least half"
def weighted_median(values, weights):
    order = np.argsort(values)
    below = np.cumsum(weights[order])
    return values[order][np.argmax(below > below[-1] / 2)]


# %% kmeans.median: wrong, "not half of the number"
def weighted_median(values, weights):
    order = np.argsort(values)
    return values[order][np.argmax(np.cumsum(weights[order]) >= len(values) / 2)]


# %% kmeans.median: wrong, "the answer is"
def weighted_median(values, weights):
    order = np.argsort(values)
    return values[order][np.searchsorted(np.cumsum(weights[order]), weights.mean())]
