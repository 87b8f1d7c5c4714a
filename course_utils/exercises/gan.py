"""Exercises of lesson 11, a GAN on MNIST."""

import numpy as np

from course_utils.checker import Exercise, Wrong, array, function, number


def _value(answer):
    """Give the value of the game for data spread evenly over 0 to 2 and fakes over 1 to 3, against the best D."""
    value = number(answer)
    messages = (
        (-np.log(4), "-log 4 is the value where fakes and data are distributed alike, and these overlap by half only."),
        (0, "0 is the value where fakes and data share nothing: D is right everywhere. Here it guesses from 1 to 2."),
        (np.log(2), "check the sign: V is a mean of logarithms of probabilities, so it can't be above 0."),
        (np.log(4), "check the sign: V is a mean of logarithms of probabilities, so it can't be above 0."),
        (-np.log(4) + np.log(2) / 2, "you added the divergence once: V is -log 4 + *2* JSD."),
        (np.log(2) / 2, "this is the divergence; V is -log 4 + 2 JSD."),
        (-2 * np.log(2) - np.log(2), "the divergence is added to -log 4; it makes the value larger."),
        (-np.log(2) / 2, "this is one of V's two terms; fakes from 1 to 2 cost D as much as the data there."),
        (-0.69, "you are near; give three decimals, or a formula."),
    )
    if not np.isclose(value, -np.log(2), atol=2e-3):
        near = [text for wrong, text in messages if np.isclose(value, wrong, atol=2e-3)]
        raise Wrong(
            near[0]
            if near
            else f"{value:g} is not it: what is D* on 0 to 1, on 1 to 2 and on 2 to 3, and how much of p and of q lies there?"
        )


def _logits(answer):
    """Write loss_of(logits): the mean of -log D over fakes, from logits (N,) as large as 1000."""
    loss_of = function(answer)
    logits = np.linspace(-5, 5, 11) + 0.3
    found = number(loss_of(logits))
    wanted = float(np.logaddexp(0, -logits).mean())
    if np.isclose(found, -wanted):
        raise Wrong("the sign is turned: minimised, this makes D(G(z)) small.")
    if np.isclose(found, float(-np.logaddexp(0, logits).mean())):
        raise Wrong("this is the mean of log(1 - D), the saturating loss.")
    if np.isclose(found, float(np.logaddexp(0, logits).mean())):
        raise Wrong("this is the mean of -log(1 - D): it asks for the label 0, and G wants 1.")
    if np.isclose(found, wanted * len(logits)):
        raise Wrong("this is the sum; the mean is wanted.")
    if not np.isclose(found, wanted):
        raise Wrong(f"for 11 logits from -4.7 to 5.3 you give {found:.4f}, and {wanted:.4f} is wanted.")
    for large, mean in (([1000.0, 0.0], np.log(2) / 2), ([-1000.0, 0.0], 500 + np.log(2) / 2)):
        if not np.isclose(_finite(loss_of, np.array(large), large), mean):
            raise Wrong(
                f"for the logits {large} the loss is {mean:.3f}, and yours is another: go from logits to the loss in one step."
            )


def _finite(loss_of, logits, shown):
    with np.errstate(all="ignore"):
        try:
            return number(loss_of(logits))
        except Wrong:
            raise Wrong(
                f"for the logits {shown} the result is not finite: on the way an exponential overflows, or a probability rounds to 0. "
                "Go from logits to the loss in one step, by a function made for it."
            ) from None


def _smooth(answer):
    """Write smoothed_best(p, q, label): the best D if data have the label `label` instead of 1, and fakes 0."""
    best = function(answer)
    p, q = np.array([0.5, 0.3, 0.2]), np.array([0.02, 0.3, 0.68])  # D* is above each label at the first outcome
    for label in (0.9, 0.7, 1.0):
        found, wanted = array(best(p, q, label), shape=(3,), kinds="fiu"), label * p / (p + q)
        if np.allclose(found, wanted, atol=1e-6):
            continue
        case = f"for the label {label:g}, at the first outcome (p = 0.5, q = 0.02) you give {found[0]:.4f}: "
        if np.allclose(found, (label * p + (1 - label) * q) / (p + q)):
            raise Wrong(case + "this smooths the fakes too; their label stays 0.")
        if np.allclose(found, p / (p + q)):
            raise Wrong(case + "this is the best D for the label 1: where does `label` come in?")
        if np.allclose(found, label * p / (label * p + q)):
            raise Wrong(case + "the second term of a datum's cost, (1 - label) log(1 - D), is missing.")
        if np.allclose(found, np.minimum(p / (p + q), label)):
            raise Wrong(case + "the label does not cut D* off, it scales it at every outcome.")
        raise Wrong(case + "set the slope of label p log d + (1 - label) p log(1 - d) + q log(1 - d) to zero.")


def _path(answer):
    """Write path(start, end, count): latent points (count, d) from one to the other, all as long as noise is."""
    walk = function(answer)
    rng = np.random.default_rng(0)
    for size, count in ((64, 9), (16, 5)):
        start, end = rng.normal(size=(2, size))
        found = array(walk(start, end, count), shape=(count, size), kinds="fiu")
        if not (np.allclose(found[0], start, atol=1e-5) and np.allclose(found[-1], end, atol=1e-5)):
            raise Wrong("the first point should be `start` and the last one `end`.")
        lengths = np.linalg.norm(found, axis=1)
        low, high = sorted((np.linalg.norm(start), np.linalg.norm(end)))
        if lengths.min() < low - 1e-6 or lengths.max() > high + 1e-6:
            raise Wrong(
                f"your points are {lengths.min():.2f} to {lengths.max():.2f} long, and the ends {low:.2f} and {high:.2f}: "
                "go around the origin, by the angle between the ends."
            )
        unit = found / lengths[:, None]
        turns = np.arccos(np.clip((unit[1:] * unit[:-1]).sum(axis=1), -1, 1))
        if turns.max() > 1.2 * turns.min() + 1e-3:
            raise Wrong("it does not turn evenly: every step should turn by about the same angle.")


def _batches():
    """Pairs of batches (64, 10), a varied and a collapsed one."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        centers = rng.normal(0, 2, (8, 10))
        varied = centers[rng.integers(0, 8, 64)] + rng.normal(0, 0.1, (64, 10))
        yield varied, centers[0] + rng.normal(0, 0.1, (64, 10)), rng


def _betray(answer):
    """Write spread(batch): a number for a batch (N, d) that is larger for a varied batch than for a collapsed one."""
    spread = function(answer)
    wins = 0
    for varied, collapsed, rng in _batches():
        high, low = number(spread(varied)), number(spread(collapsed))
        if not np.isclose(high, number(spread(rng.permutation(varied)))):
            raise Wrong("your number changes when the batch is shuffled, and a batch has no order.")
        wins += high > low
        moved = number(spread(varied + 3.0))
        if not np.isclose(high, moved):
            raise Wrong(
                "your number changes when 3 is added to all numbers: it sees where the samples are, not how they differ."
            )
        if not np.isclose(high, number(spread(varied + 3.0 * np.arange(varied.shape[1])))):
            raise Wrong(
                "your number changes when each column of the batch is moved by a number of its own, "
                "so it compares the columns too: how far is each sample from the others?"
            )
    if wins < 20:
        raise Wrong(
            f"in {20 - wins} of 20 cases the varied batch does not get the larger number: how far is each sample from the others?"
        )


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
