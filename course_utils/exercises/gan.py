"""Exercises of lesson 11, a GAN on MNIST."""

import numpy as np

from course_utils.checker import Exercise, Wrong, array, cases, expect, function, number


def _value(answer):
    """Give the value of the game for data spread evenly over 0 to 2 and fakes over 1 to 3, against the best D."""
    sign = "check the sign: V is a mean of logarithms of probabilities, so it can't be above 0."
    near = {
        -np.log(4): "-log 4 is the value where fakes and data are distributed alike, and these overlap by half only.",
        0: "0 is the value where fakes and data share nothing: D is right everywhere. Here it guesses from 1 to 2.",
        np.log(2): sign,
        np.log(4): sign,
        -np.log(4) + np.log(2) / 2: "you added the divergence once: V is -log 4 + *2* JSD.",
        np.log(2) / 2: "this is the divergence; V is -log 4 + 2 JSD.",
        -3 * np.log(2): "the divergence is added to -log 4; it makes the value larger.",
        -np.log(2) / 2: "this is one of V's two terms; fakes from 1 to 2 cost D as much as the data there.",
        -0.69: "you are near; give three decimals, or a formula.",
    }
    otherwise = (
        "{value} is not it: what is D* on 0 to 1, on 1 to 2 and on 2 to 3, and how much of p and of q lies there?"
    )
    expect(answer, -np.log(2), near, otherwise, rtol=0, atol=6e-4)


def _logits(answer):
    """Write loss_of(logits): the mean of -log D over fakes, from logits (N,) as large as 1000."""
    loss_of = function(answer)

    def right(logits):
        return np.logaddexp(0, -logits).mean()

    near = [
        (lambda logits: -right(logits), "the sign is turned: minimized, this makes D(G(z)) small."),
        (lambda logits: -right(-logits), "this is the mean of log(1 - D), the saturating loss."),
        (lambda logits: right(-logits), "this is the mean of -log(1 - D): it asks for the label 0, and G wants 1."),
        (lambda logits: right(logits) * len(logits), "this is the sum; take the mean."),
    ]
    rng = np.random.default_rng(0)
    moderate = [(np.linspace(-4.7, 5.3, 11),), *((rng.normal(0, 3, count),) for count in (1, 2, 30)), (np.zeros(3),)]
    cases(
        loss_of,
        moderate,
        right,
        near,
        "the loss is {right}, and you give {value}.",
        case="for the logits {0}",
        rtol=1e-5,
    )
    large = [
        (np.array(logits),) for logits in ([1000.0, 0.0], [-1000.0, 0.0], [1000.0], [-1000.0], [50.0, -50.0, 800.0])
    ]
    for (logits,) in large:
        otherwise = "the loss is {right}, and yours is {value}: go from logits to the loss in one step."
        said = f"for the logits {logits.tolist()}"
        cases(
            lambda given, said=said: _finite(loss_of, given, said),
            [(logits,)],
            right,
            near,
            otherwise,
            case=said,
            rtol=1e-5,
        )


def _finite(loss_of, logits, said):
    try:
        return number(loss_of(logits))
    except Wrong:
        raise Wrong(
            "the result is not finite: on the way an exponential overflows, or a probability rounds to 0. "
            "Go from logits to the loss in one step, by a function made for it."
        ) from None


def _smooth(answer):
    """Write smoothed_best(p, q, label): the best D if data have the label `label` instead of 1, and fakes 0."""
    rng = np.random.default_rng(0)
    p, q = np.array([0.5, 0.3, 0.2]), np.array([0.02, 0.3, 0.68])  # D* is above each label at the first outcome
    calls = [
        *((p, q, label) for label in (0.9, 0.7, 1.0)),
        (np.array([0.0, 0.6, 0.4]), np.array([0.5, 0.5, 0.0]), 0.8),  # what is never a datum, and what is never a fake
        (np.array([1.0]), np.array([1.0]), 0.6),
        *((*rng.dirichlet(np.ones(5), 2), label) for label in (0.5, 0.95)),
    ]
    near = [
        (lambda p, q, label: (label * p + (1 - label) * q) / (p + q), "this smooths the fakes too; their label stays 0."),
        (lambda p, q, label: p / (p + q), "this is the best D for the label 1: where does `label` come in?"),
        (lambda p, q, label: label * p / (label * p + q), "the second term of a datum's cost, (1 - label) log(1 - D), is missing."),
        (lambda p, q, label: np.minimum(p / (p + q), label), "the label does not cut D* off, it scales it at every outcome."),
    ]  # fmt: skip
    otherwise = "you give {value}; set the slope of label p log d + (1 - label) p log(1 - d) + q log(1 - d) to zero for each outcome."
    cases(
        function(answer), calls, lambda p, q, label: label * p / (p + q), near, otherwise,
        case="for p = {0}, q = {1} and the label {2:g}", atol=6e-5,
    )  # fmt: skip


def _path(answer):
    """Write path(start, end, count): latent points (count, d) from one to the other, all as long as noise is."""
    walk = function(answer)
    rng = np.random.default_rng(0)
    for size, count in ((64, 9), (16, 5), (16, 4), (2, 12), (3, 3), (64, 2)):
        start, end = rng.normal(size=(2, size))
        found = array(walk(start, end, count), shape=(count, size), kinds="fiu")
        if not (np.allclose(found[0], start, atol=1e-5) and np.allclose(found[-1], end, atol=1e-5)):
            raise Wrong("the first point should be `start` and the last one `end`.")
        lengths = np.linalg.norm(found, axis=1)
        low, high = sorted((np.linalg.norm(start), np.linalg.norm(end)))
        if lengths.min() < low - 1e-5 or lengths.max() > high + 1e-5:
            raise Wrong(
                f"your points are {lengths.min():.2f} to {lengths.max():.2f} long, and the ends {low:.2f} and {high:.2f}: "
                "go around the origin, by the angle between the ends."
            )
        unit = found / lengths[:, None]
        turns = np.arccos(np.clip((unit[1:] * unit[:-1]).sum(axis=1), -1, 1))
        if np.ptp(turns) > 1e-3:
            raise Wrong(
                f"it does not turn evenly: the steps turn by {turns.min():.4f} to {turns.max():.4f}, and it should be the same angle."
            )
        if turns.sum() > np.arccos(unit[0] @ unit[-1]) + 1e-3:
            raise Wrong("it turns by the same angle at each step, and not the shorter way around.")


def _why_not_larger(spread, collapsed):
    """Say why a varied batch may not get a larger number than a collapsed one."""
    number_of_it = number(spread(collapsed))
    if not np.isclose(number_of_it, number(spread(collapsed + 30.0)), rtol=1e-3):
        return (
            "your number changes when 30 is added to all numbers: it sees where the samples are, not how they differ, "
            "and a varied batch does not always get the larger one."
        )
    if not np.isclose(number_of_it, number(spread(collapsed + 30.0 * np.arange(collapsed.shape[1]))), rtol=1e-3):
        return (
            "your number changes when each column of the batch is moved by a number of its own, "
            "so it compares the columns too: how far is each sample from the others?"
        )
    return "a varied batch does not always get the larger number: how far is each sample from the others?"


def _betray(answer):
    """Write spread(batch): a number for a batch (N, d) that is larger for a varied batch than for a collapsed one."""
    spread = function(answer)
    for seed, (count, size) in enumerate([(64, 10), (33, 10), (64, 3), (40, 7)] * 3):
        rng = np.random.default_rng(seed)
        centers = rng.normal(0, 2, (8, size))
        varied = centers[rng.permutation(count) % 8] + rng.normal(0, 0.1, (count, size))
        collapsed = centers[0] + rng.normal(0, 0.1, (count, size))
        high = number(spread(varied))
        if not np.isclose(high, number(spread(rng.permutation(varied))), rtol=1e-4):
            raise Wrong("your number changes when the batch is shuffled, and a batch has no order.")
        elsewhere = collapsed + 30, collapsed - 30, collapsed + 30.0 * np.arange(size), np.tile(centers[0], (count, 1))
        low = [number(spread(batch)) for batch in (collapsed, *elsewhere)]
        if min(high, number(spread(varied + 30)), number(spread(varied - 30))) <= max(low):
            raise Wrong(_why_not_larger(spread, collapsed))


EXERCISES = (
    Exercise(
        "gan.value",
        _value,
        hint="From 0 to 1 there are data only, from 2 to 3 fakes only: D is right there, and log 1 is 0. What does it say from 1 to 2, and which share of each lies there?",
        right="it is -log 4 + 2 JSD with JSD = log(2) / 2, half of the way from no difference to no overlap.",
    ),
    Exercise(
        "gan.logits",
        _logits,
        hint="-log(1 / (1 + exp(-l))) is log(1 + exp(-l)). NumPy has logaddexp(a, b) for log(exp(a) + exp(b)), without the overflow.",
        right="a logit of -1000 costs 1000, and its slope is still -1.",
    ),
    Exercise(
        "gan.smooth",
        _smooth,
        hint="With the label 0.9 a datum costs 0.9 log d + 0.1 log(1 - d). Collect what stands before log d and before log(1 - d); the lesson's D* is the first over the sum of both.",
        right="D never becomes surer than the label. Smoothing the fakes as well would put q into the numerator, and reward G for staying where it is.",
    ),
    Exercise(
        "gan.path",
        _path,
        hint="Write the points as a start + b end. On the arc of angle t from 0 to w, a is sin(w - t) / sin(w), and b is?",
        right="this is spherical interpolation (White, 2016, arXiv:1609.04468).",
    ),
    Exercise(
        "gan.spread",
        _betray,
        hint="How far does each feature stray from its mean over the batch? One number is enough.",
        right="Karras and others (2018, arXiv:1710.10196) take the standard deviation over the batch, averaged, and append it to D's last maps as one more channel.",
    ),
)
