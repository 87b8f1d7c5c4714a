"""Exercises of lesson 04, K-means."""

import numpy as np

from course_utils import images
from course_utils.checker import Exercise, Wrong, array, describe, expect, function, number


def _inertia(answer):
    """Give the inertia of the gray values 0, 2, 4 and 10 as one cluster."""
    expect(
        answer,
        56,
        near={
            14: "this is the mean of the squares, the variance; inertia is their sum.",
            12: "these distances are not squared.",
            120: "these are the squares of the values; take their distances from the centroid.",
            4: "this is the centroid; how far from it are the four values?",
        },
        otherwise="{value} is not it. The centroid is the mean of the four values; sum the squared distances from it.",
    )


def _color_groups(rng):
    """Three hundred colors in four unequal groups whose means are not whole numbers: (300, 3), float."""
    centers = np.array([[40, 40, 60], [200, 60, 50], [90, 180, 90], [220, 210, 190]])
    return centers[rng.choice(4, 300, p=[0.4, 0.3, 0.2, 0.1])] + rng.normal(0, 12, (300, 3))


def _repair(answer):
    """Write cluster_colors(points, k, rng, steps=20) without the chapter's errors: centroids, labels, losses."""
    cluster = function(answer)
    few = np.array(
        [[10.5, 20, 30], [200.25, 20, 30], [10, 220.5, 30], [12.5, 24, 250.75], [240, 230, 30.5], [230.5, 25, 235]]
    )
    trials = [(_color_groups(np.random.default_rng(seed)), seed) for seed in range(3)] + [
        (few, seed) for seed in range(6)
    ]
    for points, seed in trials:
        result = cluster(points, 4, np.random.default_rng(seed))
        if not isinstance(result, (tuple, list)) or len(result) != 3:
            raise Wrong(f"three things should be returned: centroids, labels and losses; this is {describe(result)}.")
        _refuse_empty(result[0])
        centroids = array(result[0], shape=(4, 3), what="the centroids")
        labels = array(result[1], shape=(len(points),), kinds="iu", what="the labels")
        losses = array(result[2], what="the losses")
        if losses.ndim != 1 or len(losses) < 2:
            raise Wrong("the losses should hold one number for each step, at least two.")
        if labels.min() < 0 or labels.max() > 3:
            raise Wrong("a label is 0, 1, 2 or 3, the row of a centroid.")
        _judge_clusters(points, centroids, labels, losses)
    points = trials[0][0]
    starts = [array(cluster(points, 4, np.random.default_rng(seed))[2])[0] for seed in range(5)]
    if np.ptp(starts) == 0:
        raise Wrong("your first loss is the same for five different `rng`: the start should be drawn with it.")


def _refuse_empty(centroids):
    """Raise Wrong for a centroid that is NaN, the mean of no points."""
    try:
        lost = bool(np.isnan(np.asarray(centroids, dtype=float)).any())
    except (TypeError, ValueError):
        return  # `array` says what else is wrong with it
    if lost:
        raise Wrong("a centroid is NaN, the mean of no points: how did its cluster get empty? No start here needs one.")


def _judge_clusters(points, centroids, labels, losses):
    """Raise Wrong for centroids that aren't means, for whole numbers, for a loss that rises, or for an early end."""
    if np.abs(centroids).max() > 1000:
        raise Wrong(
            f"one of your centroids is {np.rint(centroids[np.abs(centroids).max(axis=1).argmax()]).tolist()}, far outside of all colors: is it a mean?"
        )
    if (centroids == np.rint(centroids)).all():
        raise Wrong("all of your centroids are whole numbers, and the means of these colors are not: who cuts them?")
    means = np.array([points[labels == j].mean(axis=0) if (labels == j).any() else centroids[j] for j in range(4)])
    if np.abs(means - centroids).max() > 2:  # labels made anew after the last update move a mean by less
        raise Wrong("your centroids are not the means of their points: what does the update take?")
    rises = int((np.diff(losses) > 1e-6 * losses[0]).sum())
    if rises:
        raise Wrong(
            f"your loss rises in {rises} of {len(losses) - 1} steps, and Lloyd's never does: what is drawn anew?"
        )
    distances = ((points[None] - means[:, None]) ** 2).sum(axis=2)
    moving = int((distances.argmin(axis=0) != labels).sum())
    if moving > 3 or not np.allclose(means, centroids, atol=1):
        raise Wrong(
            f"the loss never rises, but one more step would move {moving} labels: are 20 steps made, each from the last one's centroids?"
        )
    inertia = ((points - centroids[labels]) ** 2).sum()  # settled: before or after the last update is about the same
    if not any(np.isclose(losses[-1], loss, rtol=0.01) for loss in (inertia, inertia / len(points))):
        raise Wrong(
            f"your last loss is {losses[-1]:.4g}, and the inertia of the centroids and labels that you return is {inertia:.4g}: what do you append?"
        )


def _lower_median(values, weights):
    order = np.argsort(values, kind="stable")
    below = np.cumsum(weights[order])
    return values[order][(below >= below[-1] / 2).argmax()]


def _median(answer):
    """Write weighted_median(values, weights): the smallest value with at least half of the weight at or below it."""
    find, rng = function(answer), np.random.default_rng(0)
    trials = [
        ([1.0, 2, 3], [1.0, 1, 1]), ([3.0, 1, 2], [1.0, 1, 1]), ([0.0, 10], [9.0, 1]), ([5.0, 1, 9], [1.0, 1, 8]),
        ([4.0, 2, 8, 6], [1.0, 1, 1, 1]), ([7.0], [2.0]), ([9.0, 1, 5], [8.0, 1, 1]), ([1.0, 2, 3], [0.5, 0.25, 0.125]),
        ([2.0, 1], [3.0, 3]), ([-5.0, -7, 2, 2], [1.0, 2, 1, 2]),
    ]  # fmt: skip
    trials += [(rng.permutation(20)[:n].astype(float), 2.0 ** rng.integers(-3, 4, n)) for n in range(1, 12)]
    for values, weights in trials:
        values, weights = np.array(values), np.array(weights)
        found, right = number(find(values, weights)), _lower_median(values, weights)
        if np.isclose(found, right):
            continue
        case = f"the values {values.tolist()} with weights {weights.tolist()}"
        plain, mean = (
            bool(np.isclose(found, other)) for other in (np.median(values), np.average(values, weights=weights))
        )
        if not np.isclose(found, values).any():
            reason = ""
            if mean and not plain:
                reason = ": it is their weighted mean"
            elif plain and not mean:
                reason = ": it is their plain median, and the weights have no effect"
            raise Wrong(f"for {case} you give {found:g}, and {found:g} is none of the values{reason}.")
        if plain and not mean:
            raise Wrong(f"for {case} you give {found:g}, the plain median: the weights have no effect.")
        advice = "" if (np.sort(values) == values).all() else ": are values and weights sorted together?"
        raise Wrong(f"for {case} the answer is {right:g}, and you give {found:g}{advice or '.'}")


def _fields(answer):
    """Write find_fields(picture): labels of the eight fields at a mean adjusted Rand index of at least 0.93."""
    from sklearn.metrics import adjusted_rand_score

    find = function(answer, seconds=20)
    scores = []
    for seed in range(100, 105):
        picture, field, _ = images.fields(np.random.default_rng(seed), noise=40, shade=0.5)
        labels = array(find(picture), shape=field.shape, what="the labels")
        if labels.dtype.kind == "f":
            raise Wrong(f"labels are whole numbers, and yours have the dtype {labels.dtype}: end with .astype(int).")
        scores.append(adjusted_rand_score(field.ravel(), labels.ravel()))
    score, kinds = float(np.mean(scores)), len(np.unique(labels))
    if score >= 0.93:
        return
    low, high = min(scores), max(scores)
    if kinds != 8:
        advice = f"there are eight fields, and you give {kinds} different labels."
    elif high >= 0.93 and low < high - 0.1:
        advice = f"one land scores {low:.3f} and another {high:.3f}: is that a bad start?"
    elif 0.4 < score < 0.6:
        advice = "is the picture still 0 to 255 where it meets the coordinates?"
    elif score < 0.91:
        advice = "do you use both the place of a pixel and lesson 01's remedy for noise?"
    else:
        advice = "nearly there: try another weight, and more or less smoothing."
    raise Wrong(f"the mean index over five lands is {score:.3f}, but it should be at least 0.93: {advice}")


EXERCISES = (
    Exercise(
        "kmeans.inertia",
        _inertia,
        hint="The one centroid is the mean, 4. How far from it is each value, and what are the squares of that?",
        right="four times the variance: for k = 1 the inertia is the number of points times their variance.",
    ),
    Exercise(
        "kmeans.repair",
        _repair,
        hint="One line must leave the loop, one function takes a sum where the update wants another one, and one call cuts off what it should keep.",
        right="the start is drawn once, a centroid is a mean, and a mean need not be a whole number.",
    ),
    Exercise(
        "kmeans.median",
        _median,
        hint="Sort the values with np.argsort and put the weights into the same order; then look at the cumulative sum of the weights.",
        right="with it K-medians works on 10,794 weighted colors as it does on 15,000 pixels.",
    ),
    Exercise(
        "kmeans.fields",
        _fields,
        hint="Smooth the picture with filters.gaussian(picture, 1, channel_axis=2, preserve_range=True) first; then look for the weight of its coordinates.",
        right="smoothing gives colors that a pixel shares with its neighbors, and the coordinates part fields of one crop.",
    ),
)
