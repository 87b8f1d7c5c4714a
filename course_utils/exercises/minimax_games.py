"""Exercises of lesson 10, minimax games."""

from fractions import Fraction

import numpy as np

from course_utils.checker import Exercise, Wrong, array, function, number

_SECOND = np.array([[4, -2, 10], [-10, 3, 2], [8, 6, 7]])
_TABLES = (
    np.array([[-1, 2, 7], [4, -3, 5]]),  # the promises of both, with both signs, are different numbers here
    _SECOND,
    np.array([[3, -1], [-2, 1]]),
    np.array([[-7, -3], [2, -5], [-6, 1]]),
)


def _share(answer):
    """Give the probability with which A should play L1 in [[5, -2], [-3, 1]]."""
    value, wanted = (
        number(float(answer) if isinstance(answer, Fraction) else answer),
        4 / 11,
    )  # 5 p - 3 (1 - p) = -2 p + (1 - p)
    if abs(value - wanted) < 6e-4:
        return
    others = {
        7 / 11: "this is the probability of L2; L1 gets the rest.",
        3
        / 11: "this is B's probability of M1: B mixes columns so that both rows are worth the same to A, and A mixes rows.",
        -1 / 11: "this is the value of the game, what A gets on average; the probability is asked for.",
        1
        / 2: "with one half, A gets 1 against M1 and -0.5 against M2, and B plays M2: can A make both columns equally good?",
    }
    for wrong, message in others.items():
        if abs(value - wrong) < 6e-4:
            raise Wrong(message)
    if not 0 <= value <= 1:
        raise Wrong(f"a probability lies between 0 and 1, and this is {value:g}.")
    against = 5 * value - 3 * (1 - value), -2 * value + (1 - value)
    raise Wrong(
        f"with {value:g} A gets {against[0]:.3f} against M1 and {against[1]:.3f} against M2, and B picks the smaller; "
        "the best p makes both equal."
    )


def _column(answer):
    """Write column_maximin(payoffs): what B can be sure of when moving first in a zero-sum game, and B's move."""
    find = function(answer)
    for table in _TABLES:
        value, move = array(find(table), shape=(2,), kinds="iuf", what="the pair (value, column)")
        largest = table.max(axis=0)  # what B loses at most in each column
        wanted = -largest.min(), largest.argmin()
        if np.allclose((value, move), wanted):
            continue
        said = f"for {table.tolist()} you give ({value:g}, {move:g}): "
        if np.isclose(value, -wanted[0]):
            raise Wrong(said + "this is what A gets; B's payoff is the negative.")
        if np.isclose(value, table.T.min(axis=1).max()):
            raise Wrong(said + "the table holds A's payoffs, so B wants them small: change the sign first.")
        if np.isclose(value, table.min(axis=1).max()):
            raise Wrong(
                said + "this is A's maximin, and B's is asked for: B picks a column, and wants the payoff small."
            )
        if np.isclose(value, -table.min(axis=1).max()):
            raise Wrong(said + "this is B's minimax, as if A moved first; here B moves first.")
        if np.isclose(value, wanted[0]):
            raise Wrong(said + f"the value is right, and the column that reaches it is {wanted[1]}, counted from 0.")
        raise Wrong(
            said
            + f"if B plays column 0, it loses {largest[0]} in the worst case. In which column is the worst case best?"
        )


_DICE = (
    (np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.1, 0.8]), 1.0),
    (np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.1, 0.8]), 4.0),
    (np.array([0.25, 0.75]), np.array([0.5, 0.5]), 0.5),
)


def _fakes(answer):
    """Write best_with_more_fakes(p, q, ratio): the best discriminator with `ratio` fakes for each real one."""
    find = function(answer)
    for p, q, ratio in _DICE:
        found = array(find(p, q, ratio), shape=p.shape, kinds="iuf", what="the discriminator")
        if np.allclose(found, p / (p + ratio * q), atol=1e-6):
            continue
        if np.allclose(found, p / (p + q)):
            raise Wrong(
                f"the ratio has no effect yet: with {ratio:g} fakes for each real one you still give p / (p + q)."
            )
        if np.allclose(found, ratio * q / (p + ratio * q)):
            raise Wrong("this is the probability to be fake; d is the probability to be real, one minus that.")
        if np.allclose(found, ratio * p / (ratio * p + q)):
            raise Wrong(
                "more fakes should make d smaller, and yours grows: which of the two terms does the ratio weigh?"
            )
        if not ((found >= 0) & (found <= 1)).all():
            raise Wrong(f"d is a probability, between 0 and 1, and you give {found.round(3).tolist()}.")
        raise Wrong(
            f"for p = {p.tolist()}, q = {q.tolist()} and a ratio of {ratio:g} you give {found.round(3).tolist()}; "
            "set the slope p / d - ratio q / (1 - d) to zero."
        )


def _curvature(answer):
    """Write least_curvature(rate): the smallest c at which simultaneous steps do not move away from (0, 0)."""
    find = function(answer)
    for rate in (0.1, 0.3, 0.6, 0.9):
        c, root = number(find(rate)), np.sqrt(1 - rate**2)
        if abs(c - (1 - root) / rate) < 1e-4:
            continue
        factor = np.hypot(1 - rate * c, rate)
        said = f"for a rate of {rate} you give c = {c:.4f}: "
        if abs(c - rate / 2) < 1e-4:
            raise Wrong(
                said + f"rate / 2 is right for small rates only, and here each step multiplies by {factor:.4f}."
            )
        if c < 0:
            raise Wrong(said + "a curvature of at least 0 is asked for.")
        if factor > 1 + 1e-6:
            raise Wrong(said + f"each step multiplies the distance by {factor:.5f}, still above 1.")
        raise Wrong(
            said + f"each step multiplies the distance by {factor:.5f}. That is enough, and a smaller c will do; "
            "c is wanted to four decimals."
        )


_STEPS, _RATE = 1000, 0.1
_GAMES = (
    ("xy", (1.0, 1.0), (0.0, 0.0), 0.0),
    ("(x - 1)(y + 2)", (0.0, 0.0), (1.0, -2.0), 0.0),
    ("xy + (y^2 - x^2) / 4", (1.0, 1.0), (0.0, 0.0), 0.5),  # on xy alone, A downhill and B uphill converge as well
)


def _economical(answer):
    """Write economical(gradient, start, rate, steps): a path that converges with one reading of the slopes a step."""
    find = function(answer, seconds=10)
    for name, start, middle, curvature in _GAMES:
        readings = []

        def gradient(x, y, middle=middle, curvature=curvature, readings=readings):
            readings.append((x, y))
            x, y = x - middle[0], y - middle[1]
            return y - curvature * x, x + curvature * y

        path = array(find(gradient, start, _RATE, _STEPS), shape=(_STEPS + 1, 2), kinds="iuf", what="the path")
        away = np.hypot(*(path - middle).T)
        where = f"on f = {name}, from {start}: "
        if not np.allclose(path[0], start):
            raise Wrong(where + f"the path should begin at the start, and begins at {path[0].round(3).tolist()}.")
        if len(readings) > _STEPS + 1:
            raise Wrong(where + f"{len(readings)} readings of the slopes for {_STEPS} steps; {_STEPS + 1} are allowed.")
        if (
            not away[-1] < 1e6 * away[0]
        ):  # steps by the slopes here multiply the distance by sqrt(1 + rate^2), 145 times in all
            raise Wrong(where + "the path runs away for good: does A step uphill, and B downhill?")
        if away[-1] > 10 * away[0]:
            raise Wrong(
                where
                + f"the path spirals out, to {away[-1]:.3g} from the equilibrium: you step by the slopes of where you are."
            )
        if away[-1] > 0.05:
            raise Wrong(
                where + f"after {_STEPS} steps you are still {away[-1]:.2f} from the equilibrium, and 0.05 is wanted."
            )


def _optimistic(signs, remark=""):
    """Give the optimistic gradient as code; `signs` says whether A and B go uphill or downhill."""
    return (
        "def economical(gradient, start, rate, steps):\n"
        "    path = [np.array(start, dtype=float)]\n"
        "    before = np.array(gradient(*path[0]))\n"
        "    for _ in range(steps):\n"
        "        here = np.array(gradient(*path[-1]))\n"
        "        ahead = 2 * here - before  # as much further as since the last step\n"
        f"        path.append(path[-1] + rate * ahead * {signs}){remark}\n"
        "        before = here\n"
        "    return np.array(path)"
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
