"""Exercises of lesson 10, minimax games."""

import numpy as np

from course_utils.checker import Exercise, Wrong, array, cases, expect, function, number


def _of_first_row(answer):
    """Take the probability of the first row from the mix of both rows; hand on anything else."""
    is_flat = isinstance(answer, list | tuple) or (isinstance(answer, np.ndarray) and answer.ndim == 1)
    if is_flat and len(answer) == 2 and np.ndim(answer[0]) == np.ndim(answer[1]) == 0:
        mix = array(answer, shape=(2,), what="your mix")
        if np.isclose(mix.sum(), 1, atol=2e-3):
            return mix[0]
    return answer


def _share(answer):
    """Give the probability with which A should play the first row of [[69.92, 100], [94.97, 58.30]]."""
    value = number(_of_first_row(answer))
    near = {
        0.5: "with one half, the keeper dives to the natural side, where you score less: can you make both dives equally good?",
        41.70 / 66.75: "this is the keeper's probability: the keeper mixes so that both kicks are equally good, and the kicker so that both dives are.",
        30.08 / 66.75: "this is the probability of the other side; the natural side gets the rest.",
        36.67 / 59.66: "this is the best mix before the practice: put 100 in place of 92.91 and solve again.",
        0.81206: "this is the value of the game, how often it's a goal; the question is how often you kick to the natural side.",
    }  # fmt: skip
    against = 69.92 * value + 94.97 * (1 - value), 100 * value + 58.30 * (1 - value)
    otherwise = (
        f"with {{value}} you score {against[0]:.1f}% if the keeper dives to the natural side and {against[1]:.1f}% if not, "
        "and the keeper picks the smaller; the best mix makes both equal."
    )
    if not 0 <= value <= 1:
        otherwise = "a probability lies between 0 and 1, but this is {value}."
    expect(value, 36.67 / 66.75, near, otherwise, rtol=0, atol=1e-3)  # 69.92 p + 94.97 (1 - p) = 100 p + 58.3 (1 - p)


def _tables():
    """A's payoffs; the worst cases of the columns differ, so that B's move is the only one."""
    yield np.array([[-1, 2, 7, 3], [4, -3, 5, 6]])  # the promises of both, with both signs, are different numbers here
    yield np.array([[4, -2, 10], [-10, 3, 2], [8, 6, 7]])
    yield np.array([[3, -1], [-2, 1]])
    yield np.array([[-7, -3], [2, -5], [-6, 1]])
    yield np.array([[2, 0, 5]])
    yield np.array([[3], [-4], [6]])
    rng = np.random.default_rng(0)
    for _ in range(10):
        yield rng.normal(0, 5, rng.integers(2, 6, 2)).round(2)


def _column(answer):
    """Write column_maximin(payoffs): what B can be sure of when moving first in a zero-sum game, and B's move."""
    find = function(answer)
    for table in _tables():
        value, move = array(find(table), shape=(2,), kinds="iuf", what="the pair (value, column)")
        try:
            _judge_pair(table, value, move)
        except Wrong as problem:
            raise Wrong(f"for {table.tolist()} you give ({value:g}, {move:g}): {problem}") from None


def _judge_pair(table, value, move):
    largest, sure = table.max(axis=0), table.min(axis=1).max()
    right, column = -largest.min(), largest.argmin()
    if np.allclose((move, value), (right, column)) and not np.isclose(right, column):
        raise Wrong("the value comes first, then the column.")
    near = [
        (-right, "this is what A gets; B's payoff is the negative."),
        (table.min(axis=0).max(), "the table holds A's payoffs, so B prefers small ones: change the sign first."),
        (-table.max(axis=1).min(), "the sign is turned, but B still picks columns: exchange rows and columns as well."),
        (sure, "this is A's maximin, but the question is about B: B picks a column, and prefers small payoffs."),
        (-sure, "this is B's minimax, as if A moved first; here B moves first."),
    ]
    worst = f"if B plays column 0, it loses {largest[0]:g} in the worst case. In which column is the worst case best?"
    expect(value, right, near, worst)
    expect(move, column, otherwise="the value is right, but the column that reaches it is {right}, counted from 0.")


def _fakes(answer):
    """Write best_with_more_fakes(p, q, ratio): the best discriminator with `ratio` fakes per real sample."""
    near = [
        (lambda p, q, ratio: p / (p + q), "the ratio has no effect yet, because you give p / (p + q)."),
        (lambda p, q, ratio: ratio * q / (p + ratio * q),
         "this is the probability of being fake; d is the probability of being real, one minus that."),
        (lambda p, q, ratio: ratio * p / (ratio * p + q),
         "more fakes should make d smaller, but yours grows: which of the two terms does the ratio weigh?"),
    ]  # fmt: skip
    cases(
        function(answer), _dice(), lambda p, q, ratio: p / (p + ratio * q), near,
        "d should be {right}, but you give {value}; set the slope p / d - ratio q / (1 - d) to zero.",
        case="for p = {0}, q = {1}, and a ratio of {2}", what="the discriminator", atol=6e-4,
    )  # fmt: skip


def _dice():
    """Distributions of data and of fakes, and ratios."""
    yield from ((np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.1, 0.8]), ratio) for ratio in (4, 1.0, 0.5))
    yield np.array([0.25, 0.75]), np.array([0.5, 0.5]), 0.5
    yield np.array([0.0, 0.5, 0.5]), np.array([0.75, 0.25, 0.0]), 3
    yield np.array([1.0]), np.array([1.0]), 2.5
    rng = np.random.default_rng(0)
    for count in (2, 4, 7):
        yield *rng.dirichlet(np.ones(count), 2).round(3), round(rng.uniform(0.2, 9), 2)


def _least(rate):
    return (1 - np.sqrt(1 - rate**2)) / rate


def _curvature(answer):
    """Write least_curvature(rate): the smallest c at which simultaneous steps do not move away from (0, 0)."""
    find = function(answer)
    for rate in (0.6, 0.1, 0.3, 0.9, 0.02, 0.99, *np.random.default_rng(0).uniform(0.1, 1, 5).round(3).tolist()):
        c = number(find(rate))
        grows = np.hypot(1 - rate * c, rate) - 1
        if c < 0:
            otherwise = "the curvature should be at least 0."
        elif grows > 0:
            otherwise = f"each step multiplies the distance by 1 + {grows:.2g}, still above 1."
        else:
            otherwise = f"each step multiplies the distance by 1 - {-grows:.2g}. That is enough, but a smaller c will do; give it to four decimals."
        small = f"rate / 2 is right for small rates only; here each step multiplies the distance by 1 + {grows:.2g}."
        try:
            expect(c, _least(rate), {rate / 2: small}, otherwise, rtol=0, atol=1e-4)
        except Wrong as problem:
            raise Wrong(f"for a rate of {rate} you give c = {c:.4f}: {problem}") from None


_GAMES = (  # name, start, equilibrium, curvature, rate, steps
    ("xy", (1.0, 1.0), (0.0, 0.0), 0.0, 0.1, 1000),
    ("(x - 1)(y + 2)", (0.0, 0.0), (1.0, -2.0), 0.0, 0.1, 1000),
    # On xy alone, A downhill and B uphill converge as well.
    ("xy + (y^2 - x^2) / 4", (1.0, 1.0), (0.0, 0.0), 0.5, 0.1, 1000),
    ("xy", (0.0, -3.0), (0.0, 0.0), 0.0, 0.3, 201),
)


def _economical(answer):
    """Write economical(gradient, start, rate, steps): a path that converges although it reads the slopes only once per step."""
    find = function(answer, seconds=10)
    for name, start, middle, curvature, rate, steps in _GAMES:
        path, readings = _played(find, start, middle, curvature, rate, steps)
        away = np.hypot(*(path - middle).T)
        try:
            _judge_path(path, away, readings, start, steps)
        except Wrong as problem:
            raise Wrong(f"on f = {name}, from {start}: {problem}") from None
    first, turned = (_played(find, start, (0, 0), 0, 0.2, 3)[0] for start in ((1.0, 2.0), (2.0, -1.0)))
    if not np.allclose(turned, np.column_stack([first[:, 1], -first[:, 0]]), atol=1e-4):
        raise Wrong(
            f"A and B don't step at the same rate: the slopes of xy look the same after a quarter turn, but from (1, 2) "
            f"you go to {first[1].round(3).tolist()} and from (2, -1) to {turned[1].round(3).tolist()}."
        )


def _played(find, start, middle, curvature, rate, steps):
    """Let the learner's function play, and return its path and the number of times that it read the slopes."""
    readings = []

    def gradient(x, y):
        readings.append((x, y))
        x, y = x - middle[0], y - middle[1]
        return y - curvature * x, x + curvature * y

    path = array(find(gradient, start, rate, steps), shape=(steps + 1, 2), kinds="iuf", what="the path")
    return path, len(readings)


def _judge_path(path, away, readings, start, steps):
    if not np.allclose(path[0], start):
        raise Wrong(f"the path should begin at the start, but it begins at {path[0].round(3).tolist()}.")
    if readings > steps + 1:
        raise Wrong(f"you read the slopes {readings} times for {steps} steps, but only {steps + 1} times are allowed.")
    if not away[-1] < 1e6 * away[0]:  # steps by the slopes here multiply the distance by at most 145 or 6000 in all
        raise Wrong("the path runs away for good: does A step uphill, and B downhill?")
    if away[-1] > 10 * away[0]:
        raise Wrong(
            f"the path spirals out, to {away[-1]:.3g} from the equilibrium: the slopes at your current or last point aren't enough on their own."
        )
    if away[-1] > 0.1:
        raise Wrong(
            f"after {steps} steps you are still {away[-1]:.3g} from the equilibrium, but at most 0.1 is allowed."
        )


EXERCISES = (
    Exercise(
        "minimax_games.share",
        _share,
        hint="For each of the two dives, write how often you score as a line in p. Where do the two lines cross?",
        right="she got better on her natural side, yet kicks there less often than before, and scores more: the mix keeps the keeper indifferent.",
    ),
    Exercise(
        "minimax_games.fakes",
        _fakes,
        hint="Repeat the derivation of d* for one outcome: the slope of p log d + ratio q log(1 - d) is zero at the best d.",
        right="at p = q it says 1 / (1 + ratio), not 1/2: a discriminator's answer depends on how many fakes it sees per real sample.",
    ),
    Exercise(
        "minimax_games.economical",
        _economical,
        hint="Slopes change little from step to step: from the slopes here and one step before, what would you guess for the next ones?",
        right="this is called the optimistic gradient (Popov, 1980; for GANs, Daskalakis and others, 2018, arXiv:1711.00141).",
    ),
    Exercise(
        "minimax_games.column",
        _column,
        hint="In a zero-sum game B gets -payoffs. For which table is B the row player?",
        right="B's maximin is the negative of A's minimax: the same number, seen from the other side.",
    ),
    Exercise(
        "minimax_games.curvature",
        _curvature,
        hint="One step maps (x, y) to ((1 - rate c) x + rate y, (1 - rate c) y - rate x). Square its length, and ask when the factor is 1.",
        right="for small rates it is about rate / 2: smaller steps need less damping, and take longer.",
    ),
)
