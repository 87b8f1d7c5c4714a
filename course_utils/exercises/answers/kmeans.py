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
        labels = assign(points, centroids)[0]
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
    return lloyd(points, start, steps=steps)


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
        labels = assign(points, centroids)[0]
        centroids = np.array([points[labels == j].sum(axis=0) for j in range(k)])
        losses.append(((points - centroids[labels]) ** 2).sum())
    return centroids, labels, losses


# %% kmeans.repair: wrong, "whole numbers"
def cluster_colors(points, k, rng, steps=20):
    centroids = points[rng.choice(len(points), k, replace=False)]
    losses = []
    for _ in range(steps):
        labels = assign(points, centroids)[0]
        centroids = np.array([points[labels == j].mean(axis=0).astype(int) for j in range(k)])
        losses.append(((points - centroids[labels]) ** 2).sum())
    return centroids, labels, losses


# %% kmeans.repair: wrong, "drawn anew"
def cluster_colors(points, k, rng, steps=20):
    losses = []
    for _ in range(steps):
        centroids = points[rng.choice(len(points), k, replace=False)]
        labels = assign(points, centroids)[0]
        for j in np.unique(labels):
            centroids[j] = points[labels == j].mean(axis=0)
        losses.append(((points - centroids[labels]) ** 2).sum())
    return centroids, labels, losses


# %% kmeans.repair: wrong, "one more step"
def cluster_colors(points, k, rng, steps=20):
    centroids = points[rng.choice(len(points), k, replace=False)]
    losses = []
    for _ in range(2):
        labels = assign(points, centroids)[0]
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
        labels = assign(points, centroids)[0]
        centroids = np.array([np.median(points[labels == j], axis=0) for j in range(k)])
        losses.append(((points - centroids[labels]) ** 2).sum())
    return centroids, labels, losses


# %% kmeans.repair: wrong, "your last loss is 0"
def cluster_colors(points, k, rng, steps=20):
    centroids = points[rng.choice(len(points), k, replace=False)]
    losses = []
    for _ in range(steps):
        labels = assign(points, centroids)[0]
        centroids = np.array([points[labels == j].mean(axis=0) for j in range(k)])
        losses.append(0 * ((points - centroids[labels]) ** 2).sum())
    return centroids, labels, losses


# %% kmeans.repair: wrong, "NaN"
@np.errstate(invalid="ignore")
def cluster_colors(points, k, rng, steps=20):
    centroids = np.full((k, 3), 1e3) * np.arange(k)[:, None]
    losses = []
    for _ in range(steps):
        labels = assign(points, centroids)[0]
        centroids = np.array([points[labels == j].sum(axis=0) / (labels == j).sum() for j in range(k)])
        losses.append(((points - centroids[labels]) ** 2).sum())
    return centroids, labels, losses


# %% kmeans.repair: wrong, "should be drawn with it"
def cluster_colors(points, k, rng, steps=20):
    centroids = points[:k]
    losses = []
    for _ in range(steps):
        labels = assign(points, centroids)[0]
        centroids = np.array([points[labels == j].mean(axis=0) for j in range(k)])
        losses.append(((points - centroids[labels]) ** 2).sum())
    return centroids, labels, losses


# %% kmeans.repair: wrong, "has no points"
def cluster_colors(points, k, rng, steps=20):
    centroids = points[rng.choice(len(points), k, replace=False)]
    losses = []
    for _ in range(steps):
        labels = assign(points, centroids)[0]
        centroids = np.array([points.mean(axis=0) for j in range(k)])
        losses.append(((points - centroids[labels]) ** 2).sum())
    return centroids, labels, losses


# %% kmeans.repair: wrong, "not the means of their points"
def cluster_colors(points, k, rng, steps=20):
    centroids = points[rng.choice(len(points), k, replace=False)]
    losses = []
    for _ in range(steps):
        labels = assign(points, centroids)[0]
        centroids = np.array([points[labels == j].mean(axis=0).round(1) for j in range(k)])
        losses.append(((points - centroids[labels]) ** 2).sum())
    return centroids, labels, losses


# %% kmeans.repair: wrong, "each step appends one"
def cluster_colors(points, k, rng, steps=20):
    centroids = points[rng.choice(len(points), k, replace=False)]
    losses = []
    for _ in range(20):
        labels = assign(points, centroids)[0]
        centroids = np.array([points[labels == j].mean(axis=0) for j in range(k)])
        losses.append(((points - centroids[labels]) ** 2).sum())
    return centroids, labels, losses


# %% kmeans.repair: wrong, "with nothing else"
def cluster_colors(points, k, rng, steps=20):
    centroids = points[np.random.default_rng().choice(len(points), k, replace=False)]
    losses = []
    for _ in range(steps):
        labels = assign(points, centroids)[0]
        centroids = np.array([points[labels == j].mean(axis=0) for j in range(k)])
        losses.append(((points - centroids[labels]) ** 2).sum())
    return centroids, labels, losses


# %% kmeans.repair: wrong, "how did its cluster get empty"
def cluster_colors(points, k, rng, steps=20):
    centroids = points[rng.choice(len(points), k)]
    losses = []
    for _ in range(steps):
        labels = assign(points, centroids)[0]
        centroids = np.array([points[labels == j].mean(axis=0) for j in range(k)])
        losses.append(((points - centroids[labels]) ** 2).sum())
    return centroids, labels, losses


# %% kmeans.repair: wrong, "the centroids to have the shape"
def cluster_colors(points, k, rng, steps=20):
    centroids = points[rng.choice(len(points), 4, replace=False)]
    losses = []
    for _ in range(steps):
        labels = assign(points, centroids)[0]
        centroids = np.array([points[labels == j].mean(axis=0) for j in range(4)])
        losses.append(((points - centroids[labels]) ** 2).sum())
    return centroids, labels, losses


# %% kmeans.palette: solution
def palette_of(picture, k):
    colors, labels, _ = kmeans(picture.reshape(-1, 3), k, np.random.default_rng(0), restarts=10)
    shares = np.bincount(labels) / len(labels)
    order = np.argsort(shares)[::-1]
    return colors[order], shares[order]


# %% kmeans.palette: right, with scikit-learn and a loop
def palette_of(picture, k):
    from sklearn.cluster import KMeans

    model = KMeans(k, n_init=10, random_state=0).fit(picture.reshape(-1, 3).astype(float))
    found = [(np.mean(model.labels_ == j), list(model.cluster_centers_[j])) for j in range(k)]
    found.sort(reverse=True)
    return [color for _, color in found], [share for share, _ in found]


# %% kmeans.palette: right, with OpenCV and whole numbers
def palette_of(picture, k):
    import cv2

    cv2.setRNGSeed(0)
    pixels = np.float32(picture.reshape(-1, 3))
    until = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 200, 0.01)
    _, labels, colors = cv2.kmeans(pixels, k, None, until, 20, cv2.KMEANS_PP_CENTERS)
    numbers, counts = np.unique(labels, return_counts=True)
    order = np.argsort(-counts)
    return np.rint(colors[numbers[order]]).astype(np.uint8), counts[order] / counts.sum()


# %% kmeans.palette: wrong, "bad start"
def palette_of(picture, k):
    pixels = picture.reshape(-1, 3).astype(float)
    colors, labels, _ = lloyd(pixels, np.array([pixels.min(axis=0)] * k) + np.arange(k)[:, None])
    for seed in range(200):
        start = pixels[np.random.default_rng(seed).choice(len(pixels), k, replace=False)]
        found, which, losses = lloyd(pixels, start)
        if losses[-1] > lloyd(pixels, colors)[2][-1]:
            colors, labels = found, which
    shares = np.bincount(labels) / len(labels)
    order = np.argsort(shares)[::-1]
    return colors[order], shares[order]


# %% kmeans.palette: wrong, "single pixels"
def palette_of(picture, k):
    colors, counts = np.unique(picture.reshape(-1, 3), axis=0, return_counts=True)
    order = np.argsort(counts)[::-1][:k]
    return colors[order], counts[order] / counts.sum()


# %% kmeans.palette: wrong, "largest should come first"
def palette_of(picture, k):
    colors, labels, _ = kmeans(picture.reshape(-1, 3), k, np.random.default_rng(0), restarts=10)
    shares = np.bincount(labels) / len(labels)
    order = np.argsort(shares)
    return colors[order], shares[order]


# %% kmeans.palette: wrong, "same order"
def palette_of(picture, k):
    colors, labels, _ = kmeans(picture.reshape(-1, 3), k, np.random.default_rng(0), restarts=10)
    shares = np.bincount(labels) / len(labels)
    order = np.argsort(shares)[::-1]
    return colors[order[::-1]], shares[order]


# %% kmeans.palette: wrong, "add up to 1"
def palette_of(picture, k):
    colors, labels, _ = kmeans(picture.reshape(-1, 3), k, np.random.default_rng(0), restarts=10)
    counts = np.bincount(labels)
    order = np.argsort(counts)[::-1]
    return colors[order], counts[order]


# %% kmeans.palette: wrong, "add up to 1"
def palette_of(picture, k):
    colors, labels, _ = kmeans(picture.reshape(-1, 3), k, np.random.default_rng(0), restarts=10)
    percent = 100 * np.bincount(labels) / len(labels)
    order = np.argsort(percent)[::-1]
    return colors[order], percent[order]


# %% kmeans.palette: wrong, "0 to 255"
def palette_of(picture, k):
    colors, labels, _ = kmeans(picture.reshape(-1, 3) / 255, k, np.random.default_rng(0), restarts=10)
    shares = np.bincount(labels) / len(labels)
    order = np.argsort(shares)[::-1]
    return colors[order], shares[order]


# %% kmeans.palette: wrong, "two things"
def palette_of(picture, k):
    return kmeans(picture.reshape(-1, 3), k, np.random.default_rng(0), restarts=10)


# %% kmeans.palette: wrong, "what do you count"
def palette_of(picture, k):
    colors = kmeans(picture.reshape(-1, 3), k, np.random.default_rng(0), restarts=10)[0]
    return colors, np.ones(k) / k


# %% kmeans.palette: wrong, "in red, green, and blue"
def palette_of(picture, k):
    colors = np.repeat(np.linspace(0, 255, k)[:, None], 3, axis=1)
    labels = assign(picture.reshape(-1, 3).astype(float), colors)[0]
    shares = np.bincount(labels, minlength=k) / len(labels)
    order = np.argsort(shares)[::-1]
    return colors[order], shares[order]


# %% kmeans.palette: wrong, "cut the decimals off"
def palette_of(picture, k):
    colors, labels, _ = kmeans(picture.reshape(-1, 3), k, np.random.default_rng(0), restarts=10)
    shares = np.bincount(labels) / len(labels)
    order = np.argsort(shares)[::-1]
    return colors[order].astype(int), shares[order]


# %% kmeans.palette: wrong, "another color space"
def palette_of(picture, k):
    colors, labels, _ = kmeans(color.rgb2lab(picture).reshape(-1, 3), k, np.random.default_rng(0), restarts=10)
    shares = np.bincount(labels) / len(labels)
    order = np.argsort(shares)[::-1]
    return 255 * color.lab2rgb(colors[order][None])[0], shares[order]
