"""Exercises of lesson 04, K-means."""

from functools import cache

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


def _color_groups(seed):
    """Fifty colors in four unequal groups: (50, 3), float. From any four of them, all settles in 12 steps or fewer."""
    rng = np.random.default_rng(seed)
    centers = np.array([[40, 40, 60], [200, 60, 50], [90, 180, 90], [220, 210, 190]])
    return centers[rng.choice(4, 50, p=[0.4, 0.3, 0.2, 0.1])] + rng.normal(0, 30, (50, 3))


def _color_line():
    """A hundred and fifty colors from one to another, (150, 3), float, where six clusters may take 30 steps to settle."""
    t = np.sort(np.random.default_rng(2).uniform(0, 1, 150))[:, None]
    return t * [240, -150, 90] + [5, 200, 40]


def _repair(answer):
    """Write cluster_colors(points, k, rng, steps=20) without the chapter's errors: centroids, labels, losses."""
    cluster = function(answer)
    few = np.array(
        [[10.5, 20, 30], [200.25, 20, 30], [10, 220.5, 30], [12.5, 24, 250.75], [240, 230, 30.5], [230.5, 25, 235]]
    )
    groups = [_color_groups(seed) for seed in (0, 2, 3)]
    trials = [(points, 4, seed) for seed, points in enumerate(groups)] + [(few, 4, seed) for seed in range(6)]
    for points, k, seed in [*trials, (groups[0], 3, 0), (groups[1], 2, 1)]:
        centroids, labels, losses = _read_clusters(cluster(points, k, np.random.default_rng(seed)), len(points), k)
        _judge_clusters(points, centroids, labels, losses)
    for rest, steps in (((), 20), ((3,), 3), ((1,), 1)):
        points = _color_line()
        result = _read_clusters(cluster(points, 6, np.random.default_rng(7), *rest), 150, 6)
        _judge_steps(points, *result, steps)
    _judge_start(lambda seed: _read_clusters(cluster(groups[0], 4, np.random.default_rng(seed)), 50, 4)[2])


def _read_clusters(result, points, k):
    """Read centroids (K, 3), labels (N,) and losses, and raise Wrong where they are not."""
    if not isinstance(result, (tuple, list)) or len(result) != 3:
        raise Wrong(f"expected three things, centroids, labels and losses, got {describe(result)}.")
    _refuse_empty(result[0])
    centroids = array(result[0], shape=(k, 3), what="the centroids")
    labels = array(result[1], shape=(points,), kinds="iu", what="the labels")
    losses = array(result[2], what="the losses")
    if losses.ndim != 1 or len(losses) < 1:
        raise Wrong("the losses should hold one number for each step.")
    if labels.min() < 0 or labels.max() >= k:
        raise Wrong(f"a label is a whole number from 0 to {k - 1}, the row of a centroid.")
    return centroids, labels, losses


def _refuse_empty(centroids):
    """Raise Wrong for a centroid that is NaN, the mean of no points."""
    try:
        lost = bool(np.isnan(np.asarray(centroids, dtype=float)).any())
    except (TypeError, ValueError):
        return  # `array` says what else is wrong with it
    if lost:
        raise Wrong("a centroid is NaN, the mean of no points: how did its cluster get empty? No start here needs one.")


def _means(points, labels, k):
    if len(np.unique(labels)) < k:
        raise Wrong("a cluster has no points: how did it get empty? No start here needs an empty one.")
    return np.array([points[labels == j].mean(axis=0) for j in range(k)])


def _moving(points, centroids, labels):
    """Count the labels that one more step would change."""
    distances = ((points[None] - centroids[:, None]) ** 2).sum(axis=2)
    return int((distances.argmin(axis=0) != labels).sum())


def _judge_clusters(points, centroids, labels, losses):
    """Raise Wrong for centroids that aren't means, for whole numbers, for a loss that rises, or for an early end."""
    if np.abs(centroids).max() > 1000:
        raise Wrong(
            f"one of your centroids is {np.rint(centroids[np.abs(centroids).max(axis=1).argmax()]).tolist()}, far outside of all colors: is it a mean?"
        )
    if (centroids == np.rint(centroids)).all():
        raise Wrong("all of your centroids are whole numbers, but the means of these colors are not: what rounds them?")
    _refuse_rise(losses)
    if np.abs(_means(points, labels, len(centroids)) - centroids).max() > 0.01:
        raise Wrong("your centroids are not the means of their points: what does the update take?")
    moving = _moving(points, centroids, labels)
    if moving:
        raise Wrong(
            f"the loss never rises, but one more step would move {moving} of {len(labels)} labels: are 20 steps made, each from the last one's centroids?"
        )
    inertia = ((points - centroids[labels]) ** 2).sum()  # settled: the same before and after the last update
    if not any(np.isclose(losses[-1], inertia / scale, rtol=1e-3) for scale in (1, len(points), points.size)):
        raise Wrong(
            f"your last loss is {losses[-1]:.4g}, but the inertia of the centroids and labels that you return is {inertia:.4g}: what do you append?"
        )


def _refuse_rise(losses):
    rises = int((np.diff(losses) > 1e-6 * losses[0]).sum())
    if rises:
        raise Wrong(
            f"your loss rises in {rises} of {len(losses) - 1} steps, and Lloyd's never does: what is drawn anew?"
        )


def _judge_steps(points, centroids, labels, losses, steps):
    """Raise Wrong for more losses than steps, or for fewer, unless all has settled."""
    _refuse_rise(losses)
    settled = not _moving(points, _means(points, labels, len(centroids)), labels)
    if len(losses) > steps or (len(losses) < steps and not settled):
        raise Wrong(f"for steps = {steps} you return {len(losses)} losses: each step appends one.")


def _judge_start(losses_from):
    """Raise Wrong for a start that is not drawn from `rng`."""
    runs = [losses_from(seed) for seed in (0, 0, 1, 2, 3, 4)]
    if not np.array_equal(runs[0], runs[1]):
        raise Wrong("two calls with the same `rng` give different losses: draw with `rng`, and with nothing else.")
    if np.ptp([run[0] for run in runs]) == 0:
        raise Wrong("your first loss is the same for five different `rng`: the start should be drawn with it.")


def _lower_median(values, weights):
    order = np.argsort(values, kind="stable")
    below = np.cumsum(weights[order])
    return values[order][(below >= below[-1] / 2).argmax()]


def _weighted_values():
    """Values with weights, mistakes that give different results first. Powers of 2 add up exactly."""
    rng = np.random.default_rng(0)
    yield from (
        ([6.0, 10, 11, 5, 8, 3, 7], [3.0, 5, 4, 1, 1, 3, 1]), ([4.0, 2, 8, 6], [1.0, 1, 1, 1]), ([1.0, 2, 3], [1.0, 1, 1]),
        ([3.0, 1, 2], [1, 1, 1]), ([0.0, 10], [9, 1]), ([5.0, 1, 9], [1.0, 1, 8]), ([7.0], [2.0]), ([9, 1, 5], [8, 1, 1]),
        ([1.0, 2, 3], [0.5, 0.25, 0.125]), ([2.0, 1], [3.0, 3]), ([-5.0, -7, 2, 2], [1.0, 2, 1, 2]),
    )  # fmt: skip
    for n in range(1, 12):
        yield rng.permutation(20)[:n].astype(float), 2.0 ** rng.integers(-3, 4, n)


def _median_mistakes(values, weights):
    """What known mistakes give, with a sentence about each."""
    order = np.argsort(values, kind="stable")
    ordered, below, unsorted = values[order], np.cumsum(weights[order]), np.cumsum(weights)
    half, sort = below[-1] / 2, "values and weights must be sorted together; is one of them still in the old order?"
    return [
        (np.median(values), "this is the plain median, and the weights have no effect."),
        (np.average(values, weights=weights), "this is their weighted mean."),
        (ordered[(below > half).argmax()], "exactly half of the weight is enough: ask for at least half."),
        (values[(unsorted >= half).argmax()], sort),
        (ordered[(unsorted >= half).argmax()], sort),
        (ordered[(below >= len(values) / 2).argmax()], "take half of all the weight, not half of the number of values."),
    ]  # fmt: skip


def _median(answer):
    """Write weighted_median(values, weights): the smallest value with at least half of the weight at or below it."""
    find = function(answer)
    for values, weights in _weighted_values():
        values, weights = np.array(values), np.array(weights)
        found = number(find(values, weights))
        case = f"for the values {values.tolist()} with weights {weights.tolist()}"
        near = [(wrong, f"{case} you give {wrong:g}: {why}") for wrong, why in _median_mistakes(values, weights)]
        none = "" if np.isclose(found, values).any() else ", which is none of the values"
        otherwise = f"{case} the answer is {{right}}, but you give {{value}}{none}."
        expect(found, _lower_median(values, weights), near, otherwise)


def _fields(answer):
    """Write find_fields(picture): labels of the eight fields at a mean adjusted Rand index of at least 0.93."""
    from sklearn.metrics import adjusted_rand_score

    find = function(answer, seconds=20)
    scores = []
    for picture, field in _lands():
        labels = array(find(picture), shape=field.shape, what="the labels")
        if labels.dtype.kind == "f":
            raise Wrong(f"labels are whole numbers, but yours have the dtype {labels.dtype}: end with .astype(int).")
        scores.append(adjusted_rand_score(field.ravel(), labels.ravel()))
        if sum(1 - score for score in scores) > 5 * (1 - 0.93):
            break  # a perfect score on all other lands would not be enough
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
    lands = "one land" if len(scores) == 1 else f"{len(scores)} lands"
    raise Wrong(f"the mean index over {lands} is {score:.3f}, but over five it should be at least 0.93: {advice}")


@cache
def _lands():
    drawn = [images.fields(np.random.default_rng(seed), noise=40, shade=0.5) for seed in range(100, 105)]
    return [(picture, field) for picture, field, _ in drawn]


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
        right="smoothing gives colors that a pixel shares with its neighbors, and the coordinates separate fields of one crop.",
    ),
)
