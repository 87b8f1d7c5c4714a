"""Exercises of lesson 04, K-means."""

from functools import cache

import numpy as np

from course_utils import images
from course_utils.checker import Exercise, Wrong, array, describe, expect, function


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
        raise Wrong(f"expected three things, centroids, labels, and losses, got {describe(result)}.")
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
            f"the loss never rises, but one more step would move {moving} of {len(labels)} labels: do you make 20 steps, each starting from the last one's centroids?"
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


def _palette(answer):
    """Write palette_of(picture, k): the k colors that draw a photograph best, and their shares, largest first."""
    find = function(answer, seconds=20)
    for name, picture, k, lowest in _photographs():
        case = f"on the {name} with k = {k}"
        colors, shares = _read_palette(find(picture.copy(), k), k, case)
        pixels = picture.reshape(-1, 3).astype(float)
        distances = ((pixels[:, None] - colors) ** 2).sum(axis=2)
        if colors.max() <= 1.5:
            raise Wrong(
                f"{case} no value of your colors is above {colors.max():.3g}: keep the picture's scale, 0 to 255."
            )
        loss = distances.min(axis=1).sum() / lowest
        if loss > 1.02:
            raise Wrong(
                f"{case} your colors have {loss:.2f} times the lowest loss that is known, and 1.02 is allowed: {_why_high(pixels, colors, loss)}"
            )
        painted = np.bincount(distances.argmin(axis=1), minlength=k) / len(pixels)
        if (colors == np.rint(colors)).all() and not np.allclose(np.sort(shares), np.sort(painted), atol=2e-3):
            raise Wrong(
                f"{case} your colors are whole numbers, and your shares are not those of the pixels nearest to them: do you cut the decimals off? Round the colors, or keep the decimals."
            )
        _judge_shares(shares, painted, len(pixels), case)


def _read_palette(result, k, case):
    """Read colors (k, 3) and shares (k,), and raise Wrong where they are not."""
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise Wrong(f"expected two things, colors and shares, got {describe(result)}.")
    colors = array(result[0], shape=(k, 3), what=f"the colors {case}")
    return colors.astype(float), array(result[1], shape=(k,), what=f"the shares {case}").astype(float)


def _why_high(pixels, colors, loss):
    """What a palette with a high loss may come from."""
    own = (pixels[:, None] == colors).all(axis=2).any(axis=0)
    if own.all():
        return "all of them are colors of single pixels, but means do better."
    return (
        "is it a bad start? Run several. Or are the colors means in another color space?"
        if loss < 2
        else "are they the centroids of K-means in red, green, and blue?"
    )


def _judge_shares(shares, painted, pixels, case):
    """Raise Wrong for shares that are counts or percent, that belong to other colors, or that are out of order."""
    total = shares.sum()
    if np.isclose(total, pixels) or np.isclose(total, 100):
        raise Wrong(f"{case} your shares add up to {total:g}: divide them so that they add up to 1.")
    if not np.isclose(total, 1):
        raise Wrong(f"{case} your shares add up to {total:.4g}, not to 1: is each pixel counted once?")
    if not np.allclose(np.sort(shares), np.sort(painted), atol=2e-3):
        raise Wrong(f"{case} your shares are not the shares of the pixels nearest to your colors: what do you count?")
    if (np.diff(shares) > 1e-9).any():
        raise Wrong(f"{case} your shares are {np.round(shares, 3).tolist()}: the largest should come first.")
    if not np.allclose(shares, painted, atol=2e-3):
        raise Wrong(f"{case} a share stands beside another cluster's color: sort both in the same order.")


@cache
def _photographs():
    """Three small photographs, each with a k, and the lowest loss of 10 starts (30 find none lower)."""
    from sklearn.cluster import KMeans

    found = []
    for name, factor, k in (("flower", 8, 5), ("coffee", 8, 4), ("chelsea", 6, 3)):
        picture = images.shrink(images.sample(name), factor)
        points = picture.reshape(-1, 3).astype(float)
        found.append((name, picture, k, KMeans(k, n_init=10, tol=0, random_state=0).fit(points).inertia_))
    return found


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
        hint="Move one line out of the loop. The update calls one function that it should replace with another. And one call cuts off what it should keep.",
        right="the start is drawn once, a centroid is a mean, and a mean need not be a whole number.",
    ),
    Exercise(
        "kmeans.palette",
        _palette,
        hint="`kmeans` with a few restarts gives the colors and the labels; np.bincount counts the labels; [::-1] turns the order of np.argsort around.",
        right="this is how programs pick the colors of a poster, a chart, or a web page from a photograph.",
    ),
)
