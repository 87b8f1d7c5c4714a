# Answers to the exercises of lesson 04: solutions, and what a student might write. They use what the lesson defines above its exercises.
# After the exercise's name: solution; right, and how it is written; or wrong, and words that the verdict must hold.

# %% kmeans.inertia: solution
inertia_of_four = 16 + 4 + 0 + 36

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


# %% kmeans.median: wrong, "the answer is 4"
def weighted_median(values, weights):
    order = np.argsort(values)
    below = np.cumsum(weights[order])
    return values[order][np.searchsorted(below, below[-1] / 2, side="right")]


# %% kmeans.fields: solution
def find_fields(picture):
    quiet = filters.gaussian(picture, 1, channel_axis=2, preserve_range=True)
    features = with_coordinates(quiet, 1.5)
    return kmeans(features, 8, np.random.default_rng(0), restarts=3)[1].reshape(picture.shape[:2])


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
