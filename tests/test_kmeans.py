"""What lesson 04 defines: properties, and agreement with scikit-learn."""

import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skimage import color
from sklearn.cluster import KMeans, kmeans_plusplus

from course_utils import images
from course_utils.checker import RIGHT, judge
from course_utils.exercises import of_topic
from course_utils.notebooks import definitions

lesson = definitions("04_kmeans")
POINTS = hnp.arrays(np.int16, st.tuples(st.integers(1, 40), st.integers(1, 4)), elements=st.integers(0, 30))
SEEDS = st.integers(0, 2**32 - 1)


def count_distinct(points):
    return len(np.unique(points, axis=0))


def blobs(rng, centers, spread=1.0, each=30):
    """Points around each center, in the order of the centers."""
    centers = np.asarray(centers, float)
    return np.repeat(centers, each, axis=0) + rng.normal(0, spread, (each * len(centers), centers.shape[1]))


def inertia_of(points, centroids, labels, weights=1.0):
    return (weights * ((points - centroids[labels]) ** 2).sum(axis=1)).sum()


@given(SEEDS, st.integers(1, 6), st.integers(1, 5))
def test_assign_finds_the_nearest_centroid_and_its_squared_distance(seed, k, dimensions):
    rng = np.random.default_rng(seed)
    points, centroids = rng.normal(0, 50, (30, dimensions)), rng.normal(0, 50, (k, dimensions))
    expected = ((points[:, None] - centroids) ** 2).sum(axis=2)  # (30, K)
    labels, distances = lesson.assign(points, centroids)
    assert np.array_equal(labels, expected.argmin(axis=1))
    assert np.allclose(distances, expected.min(axis=1))


def test_distance_to_itself_is_never_below_zero():
    points = np.random.default_rng(0).normal(1000, 1e-6, (500, 3))
    assert (lesson.assign(points, points[:1])[1] >= 0).all()


def test_update_takes_weighted_means():
    points, labels, weights = np.array([[1.0, 2], [3, 4], [5, 8]]), np.array([0, 1, 0]), np.array([1.0, 1, 3])
    assert lesson.update(points, labels, weights, 2).tolist() == [[(1 + 3 * 5) / 4, (2 + 3 * 8) / 4], [3, 4]]


def test_empty_cluster_gets_the_point_that_is_worst_off():
    points, labels = np.array([[0.0], [1], [2], [9]]), np.zeros(4, int)
    assert lesson.update(points, labels, np.ones(4), 2).ravel().tolist() == [(0 + 1 + 2 + 9) / 4, 9]


@given(SEEDS, st.integers(2, 6))
@settings(max_examples=30)
def test_start_with_lost_centroids_leaves_no_cluster_empty(seed, k):
    points = np.random.default_rng(seed).normal(0, 1, (50, 2))
    start = np.vstack([points[:1], np.full((k - 1, 2), 1e4)])  # nothing is near to any but the first
    centroids, labels, _ = lesson.lloyd(points, start)
    assert np.isfinite(centroids).all()
    assert set(labels) == set(range(k))


@given(SEEDS, st.integers(1, 8), st.integers(1, 5))
@settings(max_examples=40)
def test_same_start_ends_where_scikit_learn_ends(seed, k, dimensions):
    rng = np.random.default_rng(seed)
    points, weights = rng.normal(0, 1, (200, dimensions)), rng.integers(1, 9, 200).astype(float)
    start = lesson.plus_plus(points, k, rng, weights)
    theirs = KMeans(k, init=start, n_init=1, tol=0, max_iter=1000).fit(points, sample_weight=weights)
    centroids, labels, losses = lesson.lloyd(points, start, weights)
    assert np.allclose(centroids, theirs.cluster_centers_)
    assert np.array_equal(labels, theirs.labels_)
    assert np.isclose(losses[-1], theirs.inertia_)
    assert np.isclose(losses[-1], inertia_of(points, centroids, labels, weights))


@pytest.mark.parametrize("tolerance", [1e-2, 1e-4])
def test_tolerance_ends_the_steps_at_the_first_that_gains_less(tolerance):
    points = np.random.default_rng(0).normal(0, 1, (2000, 2))
    to_the_end = lesson.lloyd(points, points[:6])[2]
    losses = lesson.lloyd(points, points[:6], tolerance=tolerance)[2]
    gains = -np.diff(losses) / losses[1:]
    assert len(losses) < len(to_the_end)
    assert (gains[:-1] >= tolerance).all()
    assert gains[-1] < tolerance


@given(POINTS, SEEDS, st.integers(1, 6))
def test_loss_never_rises(points, seed, k):
    points = points.astype(float)
    start = np.random.default_rng(seed).uniform(0, 30, (k, points.shape[1]))
    assume(k <= count_distinct(points))
    losses = lesson.lloyd(points, start)[2]
    assert (np.diff(losses) <= 1e-9 * (1 + losses[0])).all()


@given(POINTS, SEEDS, st.integers(1, 6), st.integers(1, 3))
def test_result_is_a_fixed_point_and_its_inertia_is_the_sum(points, seed, k, restarts):
    assume(k <= count_distinct(points))
    rng = np.random.default_rng(seed)
    weights = rng.integers(1, 5, len(points))
    centroids, labels, inertia = lesson.kmeans(points, k, rng, restarts, weights)
    assert centroids.shape == (k, points.shape[1])
    assert labels.shape == (len(points),)
    assert set(labels) == set(range(k))  # k distinct points and no empty cluster
    for j in range(k):
        own = labels == j
        assert np.allclose(centroids[j], np.average(points[own], axis=0, weights=weights[own]))
    distances = ((points[None] - centroids[:, None]) ** 2).sum(axis=2)
    assert np.allclose(distances.min(axis=0), distances[labels, np.arange(len(points))])
    assert np.isclose(inertia, inertia_of(points, centroids, labels, weights))


@pytest.mark.parametrize("name", images.COLOR_SAMPLES)
def test_inertia_is_within_one_percent_of_scikit_learns_best_of_ten(name):
    pixels = images.shrink(images.sample(name), 10).reshape(-1, 3)
    colors, counts, _ = lesson.distinct(pixels)
    ours = lesson.kmeans(colors, 5, np.random.default_rng(0), restarts=10, weights=counts)[2]
    assert ours <= 1.01 * KMeans(5, n_init=10, random_state=0).fit(pixels.astype(float)).inertia_


@given(hnp.arrays(np.uint8, st.integers(1, 40).map(lambda n: (n, 3)), elements=st.sampled_from([0, 1, 128, 255])))
def test_distinct_colours_are_numpys_unique_rows(pixels):
    colors, counts, index = lesson.distinct(pixels)
    expected, expected_counts = np.unique(pixels, axis=0, return_counts=True)
    assert np.array_equal(colors, expected)
    assert np.array_equal(counts, expected_counts)
    assert np.array_equal(colors[index], pixels)


@given(SEEDS)
@settings(max_examples=20)
def test_weight_counts_as_repetition(seed):
    rng = np.random.default_rng(seed)
    points, counts = blobs(rng, [[0, 0], [30, 0], [0, 30]], each=8), rng.integers(1, 5, 24)
    weighted = lesson.kmeans(points, 3, np.random.default_rng(seed), 3, counts)
    repeated = lesson.kmeans(np.repeat(points, counts, axis=0), 3, np.random.default_rng(seed), 3)
    assert np.isclose(weighted[2], repeated[2])
    assert np.array_equal(np.repeat(weighted[1], counts) == weighted[1][0], repeated[1] == repeated[1][0])


def best_of_all_labellings(points):
    """The smallest inertia of two clusters, and its centroids, by trying each of the 2^N labellings."""
    best = np.inf, None
    for labels in itertools.product(range(2), repeat=len(points)):
        labels = np.array(labels)
        if 0 < labels.sum() < len(points):
            means = np.array([points[labels == j].mean(axis=0) for j in (0, 1)])
            best = min(best, (inertia_of(points, means, labels), means), key=lambda found: found[0])
    return best


def test_small_problems_are_mostly_solved_as_by_trying_everything():
    reached = []
    for seed in range(30):
        points = np.random.default_rng(seed).normal(0, 1, (7, 2))
        best, centroids = best_of_all_labellings(points)
        found = lesson.kmeans(points, 2, np.random.default_rng(seed), restarts=30)[2]
        assert found >= best - 1e-9
        assert np.isclose(lesson.lloyd(points, centroids, np.ones(7))[2][-1], best)  # the best solution stays as it is
        reached.append(np.isclose(found, best))
    assert np.mean(reached) > 0.9  # the rest are local minima that no pair of points leads out of


def test_more_restarts_never_end_higher():
    pixels = images.shrink(images.sample("rocket"), 16).reshape(-1, 3)
    losses = [lesson.kmeans(pixels, 6, np.random.default_rng(0), restarts)[2] for restarts in (1, 4, 16)]
    assert losses == sorted(losses, reverse=True)


@given(POINTS, SEEDS, st.integers(1, 6))
def test_start_is_made_of_distinct_points(points, seed, k):
    points = points.astype(float)
    assume(k <= count_distinct(points))
    start = lesson.plus_plus(points, k, np.random.default_rng(seed), np.ones(len(points)))
    assert count_distinct(start) == k
    assert {tuple(row) for row in start} <= {tuple(row) for row in points}


def test_start_reaches_every_far_group():
    points = blobs(np.random.default_rng(0), [[0, 0], [500, 0], [0, 500], [500, 500]])
    reached = [
        len({tuple(row) for row in np.rint(lesson.plus_plus(points, 4, np.random.default_rng(s), np.ones(120)) / 500)})
        for s in range(50)
    ]
    assert min(reached) == 4


def test_start_is_as_good_as_scikit_learns():
    points = blobs(np.random.default_rng(0), np.random.default_rng(1).uniform(0, 60, (12, 2)))

    def loss(start):
        return lesson.assign(points, start)[1].sum()

    ours = [loss(lesson.plus_plus(points, 12, np.random.default_rng(s), np.ones(len(points)))) for s in range(100)]
    theirs = [loss(kmeans_plusplus(points, 12, random_state=s)[0]) for s in range(100)]
    assert np.mean(ours) < 1.1 * np.mean(theirs)


def test_same_generator_gives_the_same_clusters():
    points = np.random.default_rng(3).normal(0, 1, (100, 3))
    first, second = (lesson.kmeans(points, 4, np.random.default_rng(5), 3) for _ in range(2))
    assert np.array_equal(first[0], second[0])
    assert np.array_equal(first[1], second[1])


def test_features_are_left_as_they_were():
    points = np.random.default_rng(3).normal(0, 1, (50, 3))
    before = points.copy()
    lesson.kmeans(points, 4, np.random.default_rng(0), 2)
    assert np.array_equal(points, before)


def test_as_many_clusters_as_points_cost_nothing():
    points = np.arange(6).reshape(3, 2)
    centroids, labels, inertia = lesson.kmeans(points, 3, np.random.default_rng(0))
    assert inertia == 0
    assert np.array_equal(centroids[labels], points)


@pytest.mark.parametrize(
    ("features", "k", "words"),
    [
        (np.zeros((0, 3)), 2, r"shape \(0, 3\)"),
        (np.zeros(5), 2, r"shape \(5,\)"),
        (np.zeros((4, 4, 3)), 2, r"reshape\(-1, 3\) for a color picture"),
        (np.full((4, 3), "red"), 2, "dtype <U3"),
        (np.array([[1.0, np.nan], [2, 3]]), 1, "1 of 2 points hold NaN"),
        (np.array([[np.inf, 1], [2, 3]]), 1, "infinity"),
        (np.array([[1, 2], [1, 2], [3, 4]]), 3, "k = 3 needs 3 distinct points, but there are only 2"),
        (np.repeat([[0.1, 0.7], [0.3, 0.2]], 6000, axis=0), 3, "there are only 2"),
        (np.ones((9, 3)), 2, "there are only 1"),
        (np.eye(3), 0, "k should be a whole number of at least 1, got 0"),
        (np.eye(3), 2.0, "k should be a whole number"),
        (np.eye(3), "2", "k should be a whole number"),
        (np.eye(3), True, "k should be a whole number of at least 1, got True"),
        (np.arange(5.0), 2, r"reshape\(-1, 1\) for a gray one"),
    ],
)
def test_bad_input_gets_one_sentence(features, k, words):
    with pytest.raises(ValueError, match=words) as caught:
        lesson.kmeans(features, k, np.random.default_rng(0))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("weights", [[1, 1], [1, 1, 0], [1, 1, -1], [1, 1, np.nan]])
def test_bad_weights_get_one_sentence(weights):
    with pytest.raises(ValueError, match="weights should be 3 finite numbers above 0"):
        lesson.kmeans(np.eye(3), 2, np.random.default_rng(0), weights=weights)


def test_bad_number_of_restarts_gets_one_sentence():
    with pytest.raises(ValueError, match="restarts should be a whole number"):
        lesson.kmeans(np.eye(3), 2, np.random.default_rng(0), restarts=0)


@pytest.mark.parametrize("rng", [3, None, np.random.RandomState(3), np.random.default_rng])
def test_rng_that_is_no_generator_gets_one_sentence(rng):
    with pytest.raises(ValueError, match=r"rng should be a np.random.Generator, such as") as caught:
        lesson.kmeans(np.eye(3), 2, rng)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", images.COLOR_SAMPLES)
def test_starts_on_a_sample_lose_less_than_one_percent(name):
    pixels = images.shrink(images.sample(name), 5).reshape(-1, 3)
    sampled = lesson.kmeans(pixels, 5, np.random.default_rng(0), restarts=10, sample=4000)[2]
    whole = lesson.kmeans(pixels, 5, np.random.default_rng(0), restarts=10, sample=len(pixels))[2]
    assert sampled <= 1.01 * whole


def test_sample_that_misses_a_rare_color_still_fills_every_cluster():
    points = np.vstack([np.zeros((50_000, 3)), [[255, 0, 0]], [[0, 255, 0]]])
    centroids, labels, loss = lesson.kmeans(points, 3, np.random.default_rng(0))
    assert loss == 0
    assert set(labels) == {0, 1, 2}
    assert {tuple(row) for row in centroids} == {(0, 0, 0), (255, 0, 0), (0, 255, 0)}


def test_light_of_srgb_is_scikit_images():
    picture = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    luminance = color.rgb2xyz(picture)[..., 1]  # of a gray pixel: its light
    assert np.allclose(lesson.to_light(picture)[..., 0], luminance, atol=1e-3)


@given(SEEDS)
@settings(max_examples=20)
def test_chromaticity_holds_when_the_light_goes(seed):
    rng = np.random.default_rng(seed)
    picture = rng.integers(60, 256, (4, 5, 3), dtype=np.uint8)
    shares = lesson.chromaticity(picture)
    assert np.allclose(shares.sum(axis=1), 1)
    assert np.abs(lesson.chromaticity(lesson.dim(picture, 0.4)) - shares).max() < 0.03
    assert np.array_equal(lesson.dim(picture, 1), picture)


def test_hue_is_a_direction():
    picture = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    a, b = color.rgb2lab(picture).reshape(-1, 3)[:, 1:].T
    assert np.allclose(np.arctan2(*lesson.hue(picture).T[::-1]), np.arctan2(b, a))


@pytest.mark.parametrize("seed", range(20))
def test_object_is_the_union_of_clusters_that_fits_best(seed):
    rng = np.random.default_rng(seed)
    inside, labels = rng.random((6, 8)) < 0.4, rng.permutation(np.arange(48) % 5)
    found, overlap = lesson.object_of(labels, inside)
    unions = [
        np.isin(labels, some).reshape(6, 8) for count in range(1, 6) for some in itertools.combinations(range(5), count)
    ]
    assert np.isclose(overlap, max((union & inside).sum() / (union | inside).sum() for union in unions))
    assert np.isclose(overlap, (found & inside).sum() / (found | inside).sum())


def test_rows_with_coordinates_hold_color_column_and_row():
    picture = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    rows = lesson.with_coordinates(picture, 10.0)
    assert rows.shape == (6, 5)
    assert rows[5].tolist() == [15, 16, 17, 10 * 2, 10 * 1]  # last pixel: column 2, row 1


@pytest.mark.parametrize("shape", [(5,), (2, 3, 4, 5)])
def test_coordinates_of_no_picture_get_one_sentence(shape):
    with pytest.raises(ValueError, match=r"shape \(H, W\) or \(H, W, C\)"):
        lesson.with_coordinates(np.zeros(shape), 1.0)


def test_gray_picture_gives_three_columns():
    assert lesson.with_coordinates(np.array([[7, 8]]), 2.0).tolist() == [[7, 0, 0], [8, 2, 0]]


@given(POINTS, SEEDS, st.integers(1, 5))
def test_medians_never_raise_the_sum_of_absolute_differences(points, seed, k):
    points = points.astype(float)
    assume(k <= count_distinct(points))
    start = lesson.plus_plus(points, k, np.random.default_rng(seed), np.ones(len(points)))
    _, _, losses = lesson.kmedians(points, start)
    assert (np.diff(losses) <= 1e-9 * (1 + losses[0])).all()


def test_one_median_of_small_numbers():
    points = np.array([[0.0], [0], [0], [0], [10]])
    centroids, _, losses = lesson.kmedians(points, np.array([[3.0]]))
    assert centroids.tolist() == [[0]]
    assert losses.tolist() == [4 * 3 + 7, 10]


@given(SEEDS)
@settings(max_examples=20)
def test_redrawn_centroids_end_above_lloyds(seed):
    points = np.clip(blobs(np.random.default_rng(seed), [[40, 40, 40], [200, 60, 60], [90, 200, 90]], 8), 0, 255)
    losses = lesson.restless(points, 3, np.random.default_rng(seed), 20)[2]
    best = lesson.kmeans(points, 3, np.random.default_rng(seed), restarts=5)[2]
    assert (losses >= best).all()
    assert (np.diff(losses) > 0).any()


@given(SEEDS, st.integers(1, 5))
@settings(max_examples=20)
def test_half_steps_of_the_drawing_are_lloyds_steps(seed, k):
    points = np.random.default_rng(seed).normal(0, 1, (60, 2))
    start = lesson.plus_plus(points, k, np.random.default_rng(seed))
    losses = np.array([loss for *_, loss in lesson.half_steps(points, start)])
    ours = lesson.lloyd(points, start)[2]
    assert (np.diff(losses) <= 1e-9).all()
    assert np.allclose(losses[1 : 2 * len(ours) : 2][:20], ours[:20])  # the assignments


def test_clicks_come_first_and_random_points_make_up_the_rest():
    marks, points = np.zeros((16, 16), bool), np.random.default_rng(0).uniform(0, 255, (30, 2))
    marks[0, 0] = marks[15, 15] = True
    starts = lesson.starts_of(marks, points, 4)
    assert starts[:2].tolist() == [[8, 248], [248, 8]]  # upper left and lower right
    assert {tuple(row) for row in starts[2:]} <= {tuple(row) for row in points}
    assert len(starts) == 4
    assert len(lesson.starts_of(marks, points, 1)) == 2


def test_three_centroids_are_stuck_where_the_explorer_opens():
    points = lesson.into_square(lesson.point_sets(0)["unequal spread"][0])
    marks = np.zeros((16, 16), bool)
    marks[[4, 9, 5], [4, 5, 13]] = True
    stuck = lesson.half_steps(points, lesson.starts_of(marks, points, 3))
    assert np.isclose(stuck[-1][2], stuck[-3][2])
    assert stuck[-1][2] > 2 * lesson.kmeans(points, 3, np.random.default_rng(0), restarts=10)[2]


def test_repaired_program_may_keep_its_labels_as_floats():
    def cluster_colors(points, k, rng, steps=20):
        centroids, labels, losses = rng.choice(points, k, replace=False), np.zeros(len(points)), []
        for _ in range(steps):
            labels[:] = lesson.assign(points, centroids)[0]
            centroids = np.stack([points[labels == j].mean(axis=0) for j in range(k)])
            losses.append(sum(((points[labels == j] - centroids[j]) ** 2).sum() for j in range(k)))
        return centroids, labels, losses

    verdict = judge({exercise.name: exercise for exercise in of_topic("kmeans")}["kmeans.repair"], cluster_colors)
    assert verdict.status == RIGHT, verdict
