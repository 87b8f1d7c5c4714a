"""Exercises of lesson 10, minimax games."""

import numpy as np

from course_utils.checker import Exercise, Wrong, array, cases, expect, function, number

_TABLES = (
    np.array([[-1, 2, 7], [4, -3, 5]]),  # the promises of both, with both signs, are different numbers here
    np.array([[4, -2, 10], [-10, 3, 2], [8, 6, 7]]),
    np.array([[3, -1], [-2, 1]]),
    np.array([[-7, -3], [2, -5], [-6, 1]]),
    np.array([[3.5, 1.25, 0.5, 2.0]]),
    np.array([[1], [-2]]),
    np.array([[2, 5, 2], [1, 0, 2]]),  # two columns are as good
    *np.random.default_rng(0).integers(-9, 10, (6, 3, 4)),
)


def _share(answer):
    """Give the probability with which A should play L1 in [[5, -2], [-3, 1]]."""
    value = number(answer)
    near = {
        7 / 11: "this is the probability of L2; L1 gets the rest.",
        3 / 11: "this is B's probability of M1: B mixes columns so that both rows are worth the same to A, and A mixes rows.",
        -1 / 11: "this is the value of the game, what A gets on average; give the probability.",
        1 / 2: "with one half, A gets 1 against M1 and -0.5 against M2, and B plays M2: can A make both columns equally good?",
    }  # fmt: skip
    against = 5 * value - 3 * (1 - value), -2 * value + (1 - value)
    otherwise = (
        f"with {value:g} A gets {against[0]:.3f} against M1 and {against[1]:.3f} against M2, and B picks the smaller; "
        "the best p makes both equal."
    )
    if not 0 <= value <= 1:
        otherwise = f"a probability lies between 0 and 1, and this is {value:g}."
    expect(value, 4 / 11, near, otherwise, rtol=0, atol=5.1e-4)  # 5 p - 3 (1 - p) = -2 p + (1 - p), to three decimals


def _column(answer):
    """Write column_maximin(payoffs): what B can be sure of when moving first in a zero-sum game, and B's move."""
    find = function(answer)
    for table in _TABLES:
        value, move = array(find(table), shape=(2,), kinds="iuf", what="the pair (value, column)")
        largest, smallest = table.max(axis=0), table.min(axis=1)  # what A gets if B moves first, or A
        best = np.flatnonzero(largest == largest.min())
        right = -largest.min(), move if move in best else best[0]
        near = [
            ((largest.min(), move), "this is what A gets; B's payoff is the negative."),
            ((table.min(axis=0).max(), move), "the table holds A's payoffs, so B wants them small: change the sign first."),
            ((smallest.max(), move), "this is A's maximin; B picks a column, and wants the payoff small."),
            ((-smallest.max(), move), "this is B's minimax, as if A moved first; here B moves first."),
            ((right[0], move), f"the value is right, and the column that reaches it is {right[1]}, counted from 0."),
        ]  # fmt: skip
        if value in best and move == right[0]:
            near.insert(0, ((value, move), "the value comes first, and then the column."))
        otherwise = (
            f"if B plays column 0, it loses {largest[0]} in the worst case. In which column is the worst case best?"
        )
        try:
            expect((value, move), right, near, otherwise)
        except Wrong as problem:
            raise Wrong(f"for {table.tolist()} you give ({value:g}, {move:g}): {problem}") from None


def _fakes(answer):
    """Write best_with_more_fakes(p, q, ratio): the best discriminator with `ratio` fakes for each real one."""
    find = function(answer)
    rng = np.random.default_rng(0)
    dice = [
        (np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.1, 0.8]), 4.0),
        (np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.1, 0.8]), 1.0),
        (np.array([0.25, 0.75]), np.array([0.5, 0.5]), 0.5),
        (np.array([0.0, 0.6, 0.4]), np.array([0.5, 0.5, 0.0]), 2.0),  # what is never real, and what is never fake
        *((*rng.dirichlet(np.ones(6), 2), ratio) for ratio in (0.2, 3.0)),
    ]
    near = [
        (lambda p, q, ratio: p / (p + q), "the ratio has no effect yet: you still give p / (p + q)."),
        (lambda p, q, ratio: ratio * q / (p + ratio * q), "this is the probability to be fake; d is the probability to be real, one minus that."),
        (lambda p, q, ratio: ratio * p / (ratio * p + q), "more fakes should make d smaller, and yours grows: which of the two terms does the ratio weigh?"),
    ]  # fmt: skip
    otherwise = "you give {value}; set the slope p / d - ratio q / (1 - d) to zero."
    cases(
        find, dice, lambda p, q, ratio: p / (p + ratio * q), near, otherwise,
        case="for p = {0}, q = {1} and a ratio of {2:g}", what="the discriminator", atol=6e-5,
    )  # fmt: skip


def _curvature(answer):
    """Write least_curvature(rate): the smallest c at which simultaneous steps do not move away from (0, 0)."""
    find = function(answer)
    for rate in (0.6, 0.1, 0.3, 0.9, 0.999, 0.01):
        c = number(find(rate))
        factor = np.hypot(1 - rate * c, rate)
        otherwise = f"each step multiplies the distance by {factor:.5f}"
        if c < 0:
            otherwise = "give a curvature of at least 0."
        elif factor > 1:
            otherwise += ", still above 1." if factor > 1 + 1e-5 else ", not yet 1: give c to four decimals."
        else:
            otherwise += ". That is enough, and a smaller c will do; give c to four decimals."
        near = {rate / 2: f"rate / 2 is right for small rates only, and here each step multiplies by {factor:.4f}."}
        try:
            expect(c, (1 - np.sqrt(1 - rate**2)) / rate, near, otherwise, rtol=0, atol=1.01e-4)
        except Wrong as problem:
            raise Wrong(f"for a rate of {rate:g} you give c = {c:.4f}: {problem}") from None


_STEPS = 1000


def _play(find, slopes, start, rate, steps):
    """Let a learner's function play; return its path (steps + 1, 2) and how often it read the slopes."""
    readings = []

    def gradient(x, y):
        readings.append((x, y))
        return slopes(x, y)

    path = array(find(gradient, start, rate, steps), shape=(steps + 1, 2), kinds="iuf", what="the path")
    if not np.allclose(path[0], start):
        raise Wrong(f"the path should begin at the start, {start}, and begins at {path[0].round(3).tolist()}.")
    if len(readings) > steps + 1:
        raise Wrong(f"{len(readings)} readings of the slopes for {steps} steps; {steps + 1} are allowed.")
    return path


def _check_end(path, middle, where):
    """Check that a path ends at the equilibrium, or say how it fails."""
    away = np.hypot(*(path - middle).T)
    if not away[-1] < 1e6 * away[0]:  # steps by the slopes here multiply the distance by 145 in all
        raise Wrong(where + "the path runs away for good: does A step uphill, and B downhill?")
    if away[-1] > 10 * away[0]:
        raise Wrong(
            where
            + f"the path spirals out, to {away[-1]:.3g} from the equilibrium: you step by the slopes of where you are."
        )
    if away[-1] > 0.05:
        raise Wrong(
            where + f"after {len(path) - 1} steps you are still {away[-1]:.2f} from the equilibrium, not within 0.05."
        )


def _economical(answer):
    """Write economical(gradient, start, rate, steps): a path that converges with one reading of the slopes per step."""
    find = function(answer, seconds=10)
    for middle, start, rate in (((0, 0), (1.0, 1.0), 0.1), ((1, -2), (0.0, 0.0), 0.1), ((0, 0), (-1.0, 0.5), 0.2)):
        path = _play(find, lambda x, y, at=middle: (y - at[1], x - at[0]), start, rate, _STEPS)
        name = "xy" if middle == (0, 0) else "(x - 1)(y + 2)"
        _check_end(path, middle, f"on f = {name}, from {start}: ")
    for slopes, rate, steps in (((3.0, 2.0), 0.1, 5), ((-1.0, 4.0), 0.25, 1)):
        path = _play(find, lambda x, y, slopes=slopes: slopes, (0.5, -1.0), rate, steps)
        right = (0.5, -1.0) + rate * np.arange(steps + 1)[:, None] * slopes * np.array([1, -1])
        if not np.allclose(path, right, atol=1e-6):
            raise Wrong(
                f"where the slopes are {slopes} everywhere, a step at the rate {rate:g} should be "
                f"{(right[1] - right[0]).tolist()}, and your first is {(path[1] - path[0]).round(4).tolist()}: "
                "A goes uphill and B downhill, both at that rate."
            )


EXERCISES = (
    Exercise(
        "minimax_games.share",
        _share,
        hint="Write down what A gets against M1, as a line in p, and against M2. A is sure of the lower; where do they cross?",
        right="raising A's best payoff need not make its row more frequent: the mix depends on what keeps B undecided.",
    ),
    Exercise(
        "minimax_games.column",
        _column,
        hint="In a zero-sum game B gets -payoffs. For which table is B the row player?",
        right="B's maximin is the negative of A's minimax: the same number, seen from the other side.",
    ),
    Exercise(
        "minimax_games.fakes",
        _fakes,
        hint="Repeat the derivation of d* for one outcome: the slope of p log d + ratio q log(1 - d) is zero at the best d.",
        right="at p = q it says 1 / (1 + ratio), not 1/2: a discriminator's answer depends on what it is shown how often.",
    ),
    Exercise(
        "minimax_games.curvature",
        _curvature,
        hint="One step maps (x, y) to ((1 - rate c) x + rate y, (1 - rate c) y - rate x). Square its length, and ask when the factor is 1.",
        right="for small rates it is about rate / 2: smaller steps need less damping, and take longer.",
    ),
    Exercise(
        "minimax_games.economical",
        _economical,
        hint="Slopes change little from step to step: what would you guess for the next slopes, from those here and those of the step before?",
        right="this is called the optimistic gradient (Popov, 1980; for GANs, Daskalakis and others, 2018, arXiv:1711.00141).",
    ),
)
