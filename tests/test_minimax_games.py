"""What lesson 10 defines: the laws of two-player games, agreement with SciPy and with brute force, and bad input."""

import itertools

import nashpy
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import optimize
from scipy.spatial import distance

from course_utils.checker import RIGHT, judge
from course_utils.exercises.minimax_games import EXERCISES
from course_utils.notebooks import definitions, lessons

lesson = definitions("10_minimax_games")


def lesson_text():
    return "\n".join(cell.source for cell in lessons(wanted=("10",))[0].code_cells)


SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, max_side=5)
WHOLE = hnp.arrays(np.int64, SHAPES, elements=st.integers(-9, 9))  # small numbers, so that ties are common
REAL = hnp.arrays(np.float64, SHAPES, elements=st.floats(-1e6, 1e6))
SMALL = hnp.arrays(
    np.int64, hnp.array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=3), elements=st.integers(-9, 9)
)
COUNTS = hnp.arrays(np.int64, 6, elements=st.integers(0, 1000)).filter(np.any)
DISTRIBUTIONS = COUNTS.map(lambda counts: counts / counts.sum())
MIXES = {  # all mixes of 2 and of 3 moves in steps of 1/60
    size: np.array([m for m in itertools.product(range(61), repeat=size) if sum(m) == 60]) / 60 for size in (2, 3)
}
FIRST_A, FIRST_B = np.array([[6, 4], [-20, 8], [10, -201]]), np.array([[2, -41], [4, 8], [0.5, 2]])
SECOND = np.array([[4, -2, 10], [-10, 3, 2], [8, 6, 7]])
PENNIES = np.array([[1, -1], [-1, 1]])


# The penalty kick


def test_best_mixes_are_those_that_the_study_of_penalties_gives():
    """Palacios-Huerta (2003): at equilibrium 38.54% of kicks and 41.99% of dives go to the kicker's other side."""
    kicks = np.array([[69.92, 92.91], [94.97, 58.30]])
    _, kicker, keeper = lesson.solve_zero_sum(kicks)
    assert [round(100 * mix[1], 2) for mix in (kicker, keeper)] == [38.54, 41.99]
    assert f"kicks = np.array({kicks.tolist()})".replace("58.3]", "58.30]") in lesson_text()


def test_what_professionals_do_is_quoted_as_the_study_gives_it():
    """Palacios-Huerta (2003): 39.98% of kicks and 42.31% of dives went to the kicker's other side."""
    kicker, keeper = 100 - 39.98, 100 - 42.31
    prose = lessons(wanted=("10",))[0].prose
    assert f"kickers chose the natural side {kicker:.1f}% of the time, keepers {keeper:.1f}%." in prose
    assert f"ax.plot({kicker:.2f}, 56.5" in lesson_text()
    best = [100 * mix[0] for mix in lesson.solve_zero_sum([[69.92, 92.91], [94.97, 58.30]])[1:]]
    assert "within two points of the theory" in prose
    assert np.abs(np.subtract(best, (kicker, keeper))).max() < 2


# Pure moves


def test_promises_in_the_first_table():
    # A's row minima are 4, -20, -201; its column maxima 10, 8. B's column minima are 0.5, -41; its row maxima 2, 8, 2.
    assert lesson.maximin(FIRST_A) == (4, 0)
    assert lesson.minimax(FIRST_A) == (8, 1)
    assert lesson.maximin(FIRST_B.T) == (0.5, 0)
    assert lesson.minimax(FIRST_B.T) == (2, 0)


@given(REAL)
def test_promises_are_what_loops_over_all_cells_find(table):
    rows, columns = map(range, table.shape)
    assert lesson.maximin(table)[0] == max(min(table[i, j] for j in columns) for i in rows)
    assert lesson.minimax(table)[0] == min(max(table[i, j] for i in rows) for j in columns)


@given(WHOLE)
def test_minimax_is_at_least_maximin_and_both_moves_keep_their_promise(table):
    (low, first), (high, last) = lesson.maximin(table), lesson.minimax(table)
    assert high >= low
    assert table[first].min() == low
    assert any(table[last, j] == table[:, j].max() == high for j in range(table.shape[1]))


@given(WHOLE)
def test_b_sees_the_same_promises_with_the_sign_and_the_order_turned(table):
    assert lesson.maximin(-table.T)[0] == -lesson.minimax(table)[0]
    assert lesson.minimax(-table.T)[0] == -lesson.maximin(table)[0]


@given(st.tuples(WHOLE, st.randoms(use_true_random=False)))
def test_equilibria_are_exactly_the_cells_that_no_player_gains_by_leaving(drawn):
    a, random = drawn
    b = np.array([random.randint(-3, 3) for _ in range(a.size)]).reshape(a.shape)
    rows, columns = map(range, a.shape)
    wanted = [
        (i, j)
        for i, j in itertools.product(rows, columns)
        if not any(a[k, j] > a[i, j] for k in rows) and not any(b[i, k] > b[i, j] for k in columns)
    ]
    assert lesson.pure_equilibria(a, b) == wanted


def test_the_first_table_has_one_equilibrium():
    assert lesson.pure_equilibria(FIRST_A, FIRST_B) == [(1, 1)]


@given(WHOLE)
def test_a_saddle_exists_exactly_where_the_promises_meet_and_is_worth_them(table):
    (low, _), (high, _) = lesson.maximin(table), lesson.minimax(table)
    saddles = lesson.saddle_points(table)
    assert bool(saddles) == (low == high)
    for i, j in saddles:
        assert table[i, j] == table[i].min() == table[:, j].max() == low


@given(WHOLE)
def test_saddles_can_be_exchanged(table):
    saddles = lesson.saddle_points(table)
    assert all((i, j) in saddles for (i, _), (_, j) in itertools.product(saddles, saddles))


def test_auditor_counts_and_names_what_fails(capsys):
    statements = [("one", lambda a, b: a[0, 0] == 1), ("two", lambda a, b: b[0, 0] == 2), ("sum", lambda a, b: a == -b)]
    lesson.audit(statements, np.array([[1]]), np.array([[-1]]))
    assert capsys.readouterr().out == "2 of 3 statements hold\n  false: two\n"


@pytest.mark.parametrize("number", [-201, -0.4213, -123456.789, 1e300, -1e-300])
def test_long_numbers_do_not_run_into_each_other_in_the_picture(number):
    fig = lesson.draw_game(np.full((3, 3), number))
    fig.canvas.draw()
    places = [text.get_window_extent() for text in fig.axes[0].texts if text.get_text()]
    # Payoffs, the row and the column of promises with their words, the names, and the words maximin and minimax.
    assert len(places) == 9 + 2 * 4 + 2 * 3 + 2
    assert not any(one.overlaps(other) for one, other in itertools.combinations(places, 2))


# Mixed moves


def _check_is_equilibrium(table, value, p, q, tolerance):
    for mix, size in ((p, table.shape[0]), (q, table.shape[1])):
        assert mix.shape == (size,)
        assert (mix >= 0).all()
        assert np.isclose(mix.sum(), 1)
    assert np.isclose(p @ table @ q, value, atol=tolerance)
    assert (table @ q <= value + tolerance).all()  # no row is better for A than its mix
    assert (p @ table >= value - tolerance).all()  # no column is better for B


@given(REAL)
@settings(max_examples=60)
def test_no_player_gains_by_leaving_and_the_value_is_between_promises(table):
    value, p, q = lesson.solve_zero_sum(table)
    tolerance = 2e-6 * np.ptp(table) + 1e-300
    _check_is_equilibrium(table, value, p, q, tolerance)
    assert lesson.maximin(table)[0] - tolerance <= value <= lesson.minimax(table)[0] + tolerance


@given(WHOLE)
@settings(max_examples=60)
def test_value_of_a_is_minus_the_value_of_minus_a_turned(table):
    assert np.isclose(lesson.solve_zero_sum(table)[0], -lesson.solve_zero_sum(-table.T)[0], atol=1e-8)


@given(WHOLE, st.integers(-1000, 1000), st.sampled_from([0.001, 0.5, 3, 1e6]))
@settings(max_examples=60)
def test_value_moves_with_a_shift_and_a_scale(table, shift, scale):
    value = lesson.solve_zero_sum(table)[0]
    moved, p, q = lesson.solve_zero_sum(scale * table + shift)
    assert np.isclose(moved, scale * value + shift, atol=1e-7 * scale)
    _check_is_equilibrium(table, value, p, q, 1e-6)  # the old game is solved by the new strategies


@given(WHOLE)
@settings(max_examples=60)
def test_a_saddle_is_the_value(table):
    assume(lesson.saddle_points(table))
    assert np.isclose(lesson.solve_zero_sum(table)[0], lesson.maximin(table)[0], atol=1e-8)


@given(WHOLE)
@settings(max_examples=60)
def test_value_equals_scipys_for_the_textbook_program(table):
    # Another program: with all payoffs positive, minimise the sum of u with A' u >= 1; the value is 1 / sum.
    positive = table - table.min() + 1.0
    found = optimize.linprog(np.ones(len(table)), A_ub=-positive.T, b_ub=-np.ones(table.shape[1]), method="highs-ds")
    wanted = 1 / found.fun + table.min() - 1
    assert np.isclose(lesson.solve_zero_sum(table)[0], wanted, atol=1e-6)
    _check_is_equilibrium(table, wanted, found.x / found.x.sum(), lesson.solve_zero_sum(table)[2], 1e-6)


@given(SMALL)
@settings(max_examples=60)
def test_brute_force_over_mixes_finds_no_better_promise(table):
    value, p, q = lesson.solve_zero_sum(table)
    step = 1 / 60
    for payoffs, mix, best in ((table, p, value), (-table.T, q, -value)):
        searched = (MIXES[len(payoffs)] @ payoffs).min(axis=1).max()
        assert searched <= best + 1e-9
        assert searched >= best - 2 * step * np.ptp(
            payoffs
        )  # the nearest grid point moves each share by at most a step
        assert np.isclose((mix @ payoffs).min(), best, atol=1e-8)


@pytest.mark.parametrize(
    ("table", "value", "p", "q"),
    [
        (PENNIES, 0, [1 / 2, 1 / 2], [1 / 2, 1 / 2]),
        ([[3, -1], [-2, 1]], 1 / 7, [3 / 7, 4 / 7], [2 / 7, 5 / 7]),  # 3p - 2(1 - p) = -p + (1 - p) gives p = 3/7
        (FIRST_A, 64 / 15, [14 / 15, 1 / 15, 0], [2 / 15, 13 / 15]),  # 4 + 2q = 8 - 28q gives q = 2/15
        ([[0, -1, 1], [1, 0, -1], [-1, 1, 0]], 0, [1 / 3] * 3, [1 / 3] * 3),
        (SECOND, 6, [0, 0, 1], [0, 1, 0]),
        ([[5]], 5, [1], [1]),
        ([[2, 2], [2, 2]], 2, None, None),
    ],
)
def test_known_solutions(table, value, p, q):
    found = lesson.solve_zero_sum(table)
    assert np.isclose(found[0], value, atol=1e-9)
    if p is not None:
        assert np.allclose(found[1], p, atol=1e-8)
        assert np.allclose(found[2], q, atol=1e-8)


@pytest.mark.parametrize("scale", [1e-300, 1e-12, 1e12, 1.7e308])
def test_units_of_any_size_are_solved(scale):
    value, p, q = lesson.solve_zero_sum(scale * np.array([[1.0, -1], [-0.5, 0.25]]))
    # p - (1 - p) / 2 = -p + (1 - p) / 4 gives p = 3/11, and the value -1/11
    assert np.isclose(value / scale, -1 / 11)
    assert np.allclose(p, [3 / 11, 8 / 11])
    assert np.allclose(q, [5 / 11, 6 / 11]) or np.allclose(
        scale * np.array([[1.0, -1], [-0.5, 0.25]]) @ q / scale, -1 / 11
    )


def test_multipliers_of_one_program_solve_the_other():
    for table in (np.array([[3.0, -1], [-2, 1]]), FIRST_A, PENNIES):
        assert np.allclose(lesson.safest_mix(table)[1], lesson.solve_zero_sum(table)[2])
        assert np.allclose(lesson.safest_mix(-table.T)[1], lesson.solve_zero_sum(table)[1])


def test_a_solver_without_an_answer_gets_one_sentence(monkeypatch):
    monkeypatch.setattr(lesson, "linprog", lambda **_: optimize.OptimizeResult(x=None, message="No luck."))
    with pytest.raises(ArithmeticError, match=r"^the solver found no answer: No luck\. Are the payoffs"):
        lesson.solve_zero_sum(PENNIES)


def test_a_solver_that_is_not_exact_is_found_out(monkeypatch):
    monkeypatch.setattr(lesson, "safest_mix", lambda payoffs: (np.eye(len(payoffs))[0], None))
    with pytest.raises(ArithmeticError, match="the solver is not exact here"):
        lesson.solve_zero_sum(PENNIES)


@given(WHOLE, st.integers(1, 60))
@settings(max_examples=40)
def test_fictitious_play_closes_in_on_the_value_from_both_sides(table, rounds):
    rows, columns, gaps = lesson.fictitious_play(table, rounds)
    value = lesson.solve_zero_sum(table)[0]
    assert rows.shape == (rounds, table.shape[0])
    assert columns.shape == (rounds, table.shape[1])
    assert np.allclose(rows.sum(axis=1), 1)
    assert (gaps >= -1e-9).all()
    sure, conceded = (rows @ table).min(axis=1), (columns @ table.T).max(axis=1)
    assert np.allclose(conceded - sure, gaps)
    assert (sure <= value + 1e-6).all()
    assert (conceded >= value - 1e-6).all()


def test_fictitious_play_of_pennies_step_by_step():
    # Both show heads; then A stays (it won), B changes; then A has seen one of each and takes the first, B answers tails.
    rows, columns, _ = lesson.fictitious_play(PENNIES, 3)
    assert np.allclose(rows, [[1, 0], [1, 0], [1, 0]])
    assert np.allclose(columns, [[1, 0], [1 / 2, 1 / 2], [1 / 3, 2 / 3]])


def test_fictitious_play_converges_like_the_root_of_the_rounds():
    gaps = lesson.fictitious_play(PENNIES, 4000)[2]
    assert gaps[-1] < 0.05
    assert 0.4 < gaps[3999] / gaps[999] < 0.6  # four times the rounds, half the gap


# Games in which both can win


CHAPTER_B = np.array([[2, -41], [8, 4], [0.5, 2]])


@given(st.integers(0, 9999), st.integers(2, 4), st.integers(2, 4))
@settings(max_examples=40, deadline=None)
def test_equilibria_without_ties_are_odd_in_number_with_the_pure_ones(seed, rows, columns):
    a, b = np.random.default_rng(seed).normal(size=(2, rows, columns))
    found = lesson.support_enumeration(a, b)
    assert len(found) % 2 == 1
    for p, q in found:
        for mix in (p, q):
            assert (mix >= 0).all()
            assert np.isclose(mix.sum(), 1)
        assert (a @ q <= p @ a @ q + 1e-7).all()
        assert (p @ b <= p @ b @ q + 1e-7).all()
    pure = {(int(p.argmax()), int(q.argmax())) for p, q in found if min(max(p), max(q)) > 1 - 1e-9}
    assert pure == set(lesson.pure_equilibria(a, b))


@given(st.integers(0, 9999), st.integers(1, 3), st.integers(2, 4))
@settings(max_examples=40, deadline=None)
def test_equilibria_equal_nashpys_from_vertices(seed, rows, columns):
    a, b = np.random.default_rng(seed).normal(size=(2, rows, columns))
    assume(rows > 1)  # Nashpy's geometry needs two moves
    ours = sorted([*p, *q] for p, q in lesson.support_enumeration(a, b))
    theirs = sorted([*p, *q] for p, q in nashpy.Game(a, b).vertex_enumeration())
    assert len(ours) == len(theirs)
    assert all(min(np.abs(np.subtract(one, other)).max() for other in theirs) < 1e-7 for one in ours)


@given(st.integers(0, 9999), st.sampled_from([1e-6, 1.0, 1e6]), st.floats(-3, 3))
@settings(max_examples=30, deadline=None)
def test_a_zero_sum_game_has_one_equilibrium_worth_its_value_in_any_unit(seed, scale, shift):
    table = scale * (np.random.default_rng(seed).normal(size=(3, 4)) + shift)
    ((p, q),) = lesson.support_enumeration(table, -table)
    assert np.isclose(p @ table @ q, lesson.solve_zero_sum(table)[0], rtol=1e-6, atol=1e-6 * np.abs(table).max())


def test_known_equilibria():
    ((p, q),) = lesson.support_enumeration(FIRST_A, CHAPTER_B)
    # B is indifferent where 2 p + 0.5 (1 - p) = -41 p + 2 (1 - p): p = 1.5 / 44.5; A where 6 q + 4 (1 - q) = 10 q - 201 (1 - q).
    assert np.allclose(p, [1.5 / 44.5, 0, 43 / 44.5])
    assert np.allclose(q, [205 / 209, 4 / 209])
    crossing = np.array([[-3, 1], [0, 0]])
    found = {tuple(np.round([*p, *q], 9)) for p, q in lesson.support_enumeration(crossing, crossing.T)}
    assert found == {(1, 0, 0, 1), (0, 1, 1, 0), (0.25, 0.75, 0.25, 0.75)}


def test_ties_do_not_stop_the_enumeration_or_repeat_an_equilibrium():
    for a, b in (([[1, 1], [1, 1]], [[1, 1], [1, 1]]), ([[0, -1, 1], [-1, 0, 1], [-1, 0, 1]], [[0, 1, -1]] * 3)):
        found = [tuple(np.round([*p, *q], 9)) for p, q in lesson.support_enumeration(a, b)]
        assert len(set(found)) == len(found) > 0


# Bad input


BAD_TABLES = [
    ([[1, 2], [3]], "equally long"),
    ([["a", 1]], "rows of numbers"),
    ([[1j]], "rows of numbers"),
    ([[None, {}]], "rows of numbers"),
    ([[10**400]], "rows of numbers"),
    ("abc", "rows of numbers"),
    (None, "shape|rows of numbers"),
    (3, r"has \(\)"),
    ([], r"has \(0,\)"),
    ([[]], r"has \(1, 0\)"),
    ([1, 2], r"has \(2,\)"),
    (np.zeros((2, 2, 2)), r"has \(2, 2, 2\)"),
    ([[1, 2], [3, np.nan]], r"finite numbers, but \[1, 1\] holds nan"),
    ([[1, -np.inf]], r"\[0, 1\] holds -inf"),
]


@pytest.mark.parametrize(("table", "words"), BAD_TABLES, ids=range(len(BAD_TABLES)))
@pytest.mark.parametrize(
    "use",
    [
        lesson.maximin, lesson.minimax, lesson.saddle_points, lesson.solve_zero_sum,
        lambda table: lesson.pure_equilibria(table, table), lambda table: lesson.fictitious_play(table, 3),
        lesson.safest_mix, lesson.draw_game, lambda table: lesson.support_enumeration([[1, 2]], table),
    ],
    ids=["maximin", "minimax", "saddle_points", "solve_zero_sum", "pure_equilibria", "fictitious_play", "safest_mix",
         "draw_game", "support_enumeration"],
)  # fmt: skip
def test_bad_table_gets_one_sentence(use, table, words):
    with pytest.raises(ValueError, match=words) as caught:
        use(table)
    assert "payoff" in str(caught.value)
    assert str(caught.value).count("\n") == 0


def test_tables_of_two_shapes_are_no_game():
    with pytest.raises(ValueError, match=r"the same shape.*\(2, 2\) and \(3, 2\)"):
        lesson.pure_equilibria(PENNIES, FIRST_A)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: lesson.support_enumeration(PENNIES, FIRST_A), r"the same shape.*\(2, 2\) and \(3, 2\)"),
        (lambda: lesson.fictitious_play(PENNIES, 0), "number of rounds as a whole number of at least 1, got 0"),
        (lambda: lesson.fictitious_play(PENNIES, 2.5), "got 2.5"),
        (lambda: _played(start=(1, 2, 3)), r"the start as two finite numbers, .* got \(1, 2, 3\)"),
        (lambda: _played(start=1), "two finite numbers"),
        (lambda: _played(start=(1, np.nan)), "two finite numbers"),
        (lambda: _played(start="ab"), "two finite numbers"),
        (lambda: _played(rate=0), "rate as a number above 0, got 0"),
        (lambda: _played(rate=-1), "got -1"),
        (lambda: _played(rate=np.nan), "got nan"),
        (lambda: _played(rate="fast"), "got 'fast'"),
        (lambda: _played(steps=0), "number of steps as a whole number of at least 1, got 0"),
        (lambda: _played(steps=True), "got True"),
        (lambda: lesson.game_value([0.5], [0.5, 0.5], [0.5, 0.5]), "2 probabilities"),
        (lambda: lesson.game_value([0.5, 1.5], [0.5, 0.5], [0.5, 0.5]), "2 probabilities"),
        (lambda: lesson.game_value("real", [0.5, 0.5], [0.5, 0.5]), "2 probabilities"),
        (lambda: lesson.game_value([0.5, 0.5], [0.5, 0.5], "fake"), "summing to 1"),
        (lambda: lesson.best_discriminator([0.5, 0.5], "ab"), "same outcomes"),
        (lambda: lesson.best_discriminator([0.5, 0.5], [-1, 2]), "same outcomes"),
        (lambda: lesson.best_discriminator("ab", [0.5, 0.5]), "same outcomes"),
        (lambda: lesson.train_dice([0.5, 0.5], [1, 2, 3], 5), "2 weights, one per outcome"),
        (lambda: lesson.train_dice([0.5, 0.6], [1, 2], 5), "summing to 1"),
        (lambda: lesson.train_dice([0.5, 0.5], [1, 2], 0), "number of steps"),
    ],
    ids=range(23),
)
def test_other_bad_input_gets_one_sentence(call, words):
    with pytest.raises(ValueError, match=words) as caught:
        call()
    assert "\n" not in str(caught.value)


def _played(start=(1, 0), rate=0.1, steps=3):
    return lesson.play(lesson.simultaneous_step, lesson.product_slopes, start, rate, steps)


def test_lists_are_taken_like_arrays():
    table, p, q = PENNIES.tolist(), [0.25, 0.75], [0.5, 0.5]
    assert np.allclose(lesson.safest_mix(table)[0], 0.5)
    assert lesson.draw_game(table).axes
    assert np.isclose(lesson.game_value([0.5, 0.5], p, q), -np.log(4))
    assert np.allclose(lesson.best_discriminator(p, q), [1 / 3, 3 / 5])
    assert lesson.train_dice(p, [0, 0], 2).shape == (2, 3, 2)


def test_a_generator_that_leaves_out_a_face_trains_on():
    q, d = lesson.train_dice([0.5, 0.5], [-2000, 0], 3)
    assert np.isfinite(q).all()
    assert np.isfinite(d).all()


def test_tables_are_not_changed():
    table = SECOND.astype(float)
    lesson.solve_zero_sum(table)
    lesson.fictitious_play(table, 5)
    assert np.array_equal(table, SECOND)


# Continuous games


@given(hnp.arrays(np.float64, hnp.array_shapes(min_dims=1, max_dims=1, max_side=4), elements=st.sampled_from([-3, -1, 1e-3, 2])), st.integers(0, 99))  # fmt: skip
def test_kind_follows_the_signs_of_the_curvatures_in_any_axes(curvatures, seed):
    axes = np.linalg.qr(np.random.default_rng(seed).normal(size=(len(curvatures),) * 2))[0]
    hessian = axes @ np.diag(curvatures) @ axes.T
    signs = set(np.sign(curvatures))
    wanted = {frozenset({1}): "minimum", frozenset({-1}): "maximum"}.get(frozenset(signs), "saddle")
    assert lesson.classify_stationary_point(hessian) == wanted
    assert lesson.classify_stationary_point(1e200 * hessian) == wanted
    assert lesson.classify_stationary_point(1e-200 * hessian) == wanted


@pytest.mark.parametrize(
    ("hessian", "kind", "orientation"),
    [
        ([[2, 0], [0, -2]], "saddle", "wrong"),
        ([[-2, 0], [0, 2]], "saddle", "right"),
        ([[0, 0], [0, 0]], "undecided", "undecided"),
        ([[0, 1], [1, 0]], "saddle", "undecided"),  # f = xy
        ([[1, 0], [0, 0]], "undecided", "wrong"),
        ([[-1, 5], [5, 1]], "saddle", "right"),
        ([[2, 3], [3, 2]], "saddle", "wrong"),  # curvatures 5 and -1, and still A gains along x
        ([[1, 0], [0, 1]], "minimum", "wrong"),
        ([[-1, 0], [0, -1]], "maximum", "wrong"),
    ],
)
def test_kind_and_orientation_of_small_hessians(hessian, kind, orientation):
    assert lesson.classify_stationary_point(hessian) == kind
    assert lesson.orientation(hessian) == orientation


BAD_HESSIANS = [
    ([[1, 2], [3, 4]], "symmetric"),
    ([[1, 2]], r"square.*\(1, 2\)"),
    ([], "square"),
    (5, "square"),
    ([[1], [2, 3]], "equally long"),
    ([["a"]], "rows of numbers"),
    ([[np.nan, 0], [0, 1]], "finite"),
    ([[1, 0], [0, np.inf]], "finite"),
]


@pytest.mark.parametrize(("hessian", "words"), BAD_HESSIANS, ids=range(len(BAD_HESSIANS)))
@pytest.mark.parametrize("use", [lesson.classify_stationary_point, lesson.orientation], ids=lambda f: f.__name__)
def test_bad_hessian_gets_one_sentence(use, hessian, words):
    with pytest.raises(ValueError, match=words) as caught:
        use(hessian)
    assert "a Hessian" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_orientation_wants_two_players():
    with pytest.raises(ValueError, match=r"\(2, 2\), but this has the shape \(3, 3\)"):
        lesson.orientation(np.eye(3))


@given(st.floats(0.01, 1.5), st.floats(-3, 3), st.floats(-3, 3))
def test_factor_per_step_on_the_product(rate, x, y):
    assume(np.hypot(x, y) > 1e-3)
    factors = {
        lesson.simultaneous_step: np.sqrt(1 + rate**2),
        lesson.extragradient_step: np.sqrt(1 - rate**2 + rate**4),
    }
    for step, factor in factors.items():
        moved = step(lesson.product_slopes, x, y, rate)
        assert np.isclose(np.hypot(*moved), factor * np.hypot(x, y))


@given(st.floats(0.01, 1.5), st.floats(-3, 3), st.floats(-3, 3))
def test_alternating_steps_on_the_product_stay_on_one_ellipse(rate, x, y):
    # v + r u = y and u - r y = x, so u u + v v + r u v = u u + v y = u u + y y - r u y = u x + y y.
    u, v = lesson.alternating_step(lesson.product_slopes, x, y, rate)
    assert np.isclose(u * u + v * v + rate * u * v, x * x + y * y + rate * x * y, atol=1e-9)


def test_figures_of_the_rate_one_tenth():
    radius = {name: np.hypot(*lesson.play(getattr(lesson, f"{name}_step"), lesson.product_slopes, (1, 0), 0.1, 100).T)
              for name in ("simultaneous", "alternating", "extragradient")}  # fmt: skip
    assert np.isclose(radius["simultaneous"][-1], 1.01**50)
    assert 0.975 < radius["alternating"].min() < radius["alternating"].max() < 1.027
    assert np.isclose(radius["extragradient"][-1], 0.9901**50)


def test_path_begins_at_the_start_and_has_a_place_for_each_step():
    path = lesson.play(lesson.simultaneous_step, lesson.product_slopes, (1, 2), 0.5, 1)
    assert np.allclose(path, [[1, 2], [1 + 0.5 * 2, 2 - 0.5 * 1]])


@given(st.floats(-2, 2), st.floats(-2, 2))
def test_slopes_of_the_smallest_gan_are_the_differences_of_its_value(x, y):
    def f(x, y):
        return -np.log(2) - np.log1p(np.exp(x * y))

    h = 1e-6
    wanted = (f(x + h, y) - f(x - h, y)) / (2 * h), (f(x, y + h) - f(x, y - h)) / (2 * h)
    assert np.allclose(lesson.smallest_gan_slopes(x, y), wanted, atol=1e-6)


# The game of a GAN


@given(DISTRIBUTIONS, DISTRIBUTIONS, hnp.arrays(np.float64, 6, elements=st.floats(0.001, 0.999)))
def test_no_discriminator_beats_the_best_one(p, q, other):
    best = lesson.best_discriminator(p, q)
    assert ((best >= 0) & (best <= 1)).all()
    assert lesson.game_value(best, p, q) >= lesson.game_value(other, p, q) - 1e-9


@given(DISTRIBUTIONS, DISTRIBUTIONS)
def test_value_against_the_best_discriminator_is_divergence_minus_log_4(p, q):
    jsd = lesson.jensen_shannon(p, q)
    assert -1e-12 <= jsd <= np.log(2) + 1e-12
    assert np.isclose(lesson.game_value(lesson.best_discriminator(p, q), p, q), -np.log(4) + 2 * jsd, atol=1e-9)
    assert np.isclose(jsd, lesson.jensen_shannon(q, p))


@given(DISTRIBUTIONS, DISTRIBUTIONS)
def test_divergence_equals_scipys(p, q):
    assume(np.abs(p - q).max() > 1e-4)  # nearer to each other, SciPy may take the root of a rounding error below 0
    assert np.isclose(lesson.jensen_shannon(p, q), distance.jensenshannon(p, q) ** 2, atol=1e-10)


def test_equal_and_disjoint_distributions():
    p, q = np.array([0.5, 0.5, 0, 0]), np.array([0, 0, 0.25, 0.75])
    assert lesson.jensen_shannon(p, p) == 0
    assert np.isclose(lesson.jensen_shannon(p, q), np.log(2))
    assert lesson.best_discriminator(p, q).tolist() == [1, 1, 0, 0]
    assert lesson.best_discriminator(p, p).tolist() == [0.5] * 4  # also where neither ever comes
    assert lesson.game_value(lesson.best_discriminator(p, q), p, q) == 0


@given(st.integers(0, 999))
@settings(max_examples=20)
def test_generator_reaches_the_data_against_the_best_discriminator(seed):
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.full(6, 5.0))
    q, d = lesson.train_dice(p, rng.normal(size=6), 600)
    values = [lesson.game_value(*pair, r) for pair, r in zip(zip(d, [p] * len(d), strict=True), q, strict=True)]
    assert (np.diff(values) <= 1e-9).all()
    assert np.isclose(values[-1], -np.log(4), atol=1e-3)


def test_one_step_of_both_dice_follows_the_slopes_of_the_value():
    p, weights, h = np.array([0.2, 0.3, 0.5]), np.array([0.5, -0.2, 0.1]), 1e-6

    def value(weights, logits):
        q = np.exp(weights) / np.exp(weights).sum()
        return lesson.game_value(1 / (1 + np.exp(-logits)), p, q)

    q, d = lesson.train_dice(p, weights, 1, rate=0.7, discriminator_rate=0.3)
    down = [(value(weights + h * e, np.zeros(3)) - value(weights - h * e, np.zeros(3))) / (2 * h) for e in np.eye(3)]
    up = [(value(weights, h * e) - value(weights, -h * e)) / (2 * h) for e in np.eye(3)]
    moved = np.exp(weights - 0.7 * np.array(down))
    assert np.allclose(q[1], moved / moved.sum(), atol=1e-6)
    assert np.allclose(d[1], 1 / (1 + np.exp(-0.3 * np.array(up))), atol=1e-6)


# Exercises


def test_a_path_that_looks_ahead_and_comes_halfway_back_is_a_right_answer():
    def economical(gradient, start, rate, steps):
        path = [np.array(start, dtype=float)]
        anchor = path[0]
        for k in range(1, steps + 1):
            ahead = np.array(lesson.simultaneous_step(gradient, *path[-1], rate))
            if k % 5 == 0:
                anchor = ahead = (anchor + ahead) / 2
            path.append(ahead)
        return np.array(path)

    assert judge(_exercise("economical"), economical).status == RIGHT


def test_an_array_without_axes_is_a_right_answer():
    assert judge(_exercise("share"), np.array(0.549)).status == RIGHT


def _exercise(name):
    return next(exercise for exercise in EXERCISES if exercise.name == f"minimax_games.{name}")
