"""Exercises of lesson 11, a GAN on MNIST."""

import numpy as np
from scipy.special import expit

from course_utils.checker import Exercise, Wrong, array, cases, describe, expect, function, number


def _value(answer):
    """Give the value of the game for data spread evenly over 0 to 2 and fakes over 1 to 3, against the best D."""
    sign = "check the sign: V is a mean of logarithms of probabilities, so it can't be above 0."
    near = {
        -np.log(4): "-log 4 is the value where fakes and data are distributed alike, and these overlap by half only.",
        0: "0 is the value where fakes and data share nothing: D is right everywhere. Here it guesses from 1 to 2.",
        np.log(2): sign,
        np.log(4): sign,
        -np.log(4) + np.log(2) / 2: "you added the divergence once: V is -log 4 and twice the JSD.",
        np.log(2) / 2: "this is the divergence; V is -log 4 + 2 JSD.",
        -3 * np.log(2): "the divergence is added to -log 4; it makes the value larger.",
        -np.log(2) / 2: "this is one of V's two terms; fakes from 1 to 2 cost D as much as the data there.",
        -1: "this is with logarithms to base 2; the lesson's are natural ones.",
        -0.69: "you are close; give three decimals, or a formula.",
    }
    regions = "what is D* on 0 to 1, on 1 to 2, and on 2 to 3, and how much of p and of q lies there?"
    expect(answer, -np.log(2), near, f"{{value}} is not it: {regions}", rtol=0, atol=6e-4)


def _cost_of(logits):
    return np.logaddexp(0, -logits)


def _logits(answer):
    """Write loss_of(logits): the mean of -log D over fakes, from logits (N,) as large as 1000."""
    loss_of = function(answer)
    rng = np.random.default_rng(0)
    drawn = [np.linspace(-5, 5, 11) + 0.3, *(rng.normal(0, 3, count).round(3) for count in (4, 1, 2, 64))]
    near = [
        (lambda logits: -_cost_of(logits).mean(), "the sign is turned: minimized, this makes D(G(z)) small."),
        (lambda logits: -_cost_of(-logits).mean(), "this is the mean of log(1 - D), the saturating loss."),
        (lambda logits: _cost_of(-logits).mean(),
         "this is the mean of -log(1 - D): it asks for the label 0, but G aims for 1."),
        (lambda logits: _cost_of(logits).sum(), "this is the sum; take the mean."),
    ]  # fmt: skip
    cases(
        loss_of, [(logits,) for logits in drawn], lambda logits: _cost_of(logits).mean(), near,
        "the loss is {right}, but you give {value}.", rtol=1e-3, atol=1e-4,
    )  # fmt: skip
    for large in ([1000.0, 0.0], [-1000.0, 0.0], [1000.0, -1000.0, 3.0], [-1000.0]):
        value = loss_of(np.array(large))
        try:
            expect(
                value,
                _cost_of(np.array(large)).mean(),
                otherwise="the loss is {right}, but you give {value}.",
                rtol=1e-3,
            )
        except Wrong as problem:
            advice = (
                "Go from logits to the loss in one step, without a clip: "
                "on the way an exponential overflows, or a probability is 0."
            )
            raise Wrong(f"for the logits {large}: {problem} {advice}") from None


def _smooth(answer):
    """Write smoothed_best(p, q, label): the best D if data have the label `label` instead of 1, and fakes 0."""
    near = [
        (lambda p, q, label: (label * p + (1 - label) * q) / (p + q), "this smooths the fakes too; their label stays 0."),
        (lambda p, q, label: p / (p + q), "this is the best D for the label 1: where does `label` come in?"),
        (lambda p, q, label: label * p / (label * p + q),
         "the second term of a datum's cost, (1 - label) log(1 - D), is missing."),
        (lambda p, q, label: np.minimum(p / (p + q), label),
         "the label does not cut D* off; it scales D* at every outcome."),
    ]  # fmt: skip
    cases(
        function(answer), _distributions(), lambda p, q, label: label * p / (p + q), near,
        "set the slope of label p log d + (1 - label) p log(1 - d) + q log(1 - d) to zero; "
        "D* should be {right}, but you give {value}.",
        case="for p = {0}, q = {1}, and the label {2}", atol=6e-4,
    )  # fmt: skip


def _step(b, w, c, data, noise, rate, *, side=1, new=True, saturating=False, label=1, total=False):
    """One step of both players of the GAN with one weight and a logistic D; each option makes a known mistake."""
    real, fake, size = data, noise + b, (len(data) if total else 1)
    up, down = 1 - expit(w * real + c), expit(w * fake + c)  # the slopes of log D and of -log(1 - D)
    next_w = w + side * rate * size * ((up * real).mean() - (down * fake).mean())
    next_c = c + side * rate * size * (up.mean() - down.mean())
    v, d = (next_w, next_c) if new else (w, c)
    answer = expit(v * fake + d)
    pull = (answer if saturating else 1 - answer) if label else -answer
    return np.array([b + rate * size * (pull * v).mean(), next_w, next_c])


def _matches():
    """Weights, data, noise and rates for one step each."""
    rng = np.random.default_rng(0)
    for count in (5, 1, 40, 8):
        weights = rng.normal(size=3).round(2)
        yield *map(float, weights), rng.normal(2, 1, count).round(3), rng.normal(size=count).round(3), 0.25
    yield 1.5, 0.0, 0.0, np.array([3.0, 2.0]), np.array([0.0, -1.0]), 0.5


def _play(answer):
    """Write play(b, w, c, data, noise, rate): one step of D and one of G, for G(z) = z + b and D = sigma(w x + c)."""
    given = function(answer)

    def play(*match):
        return [number(value) for value in _three(given(*match))]

    mistakes = [
        ({"new": False}, "G answers the old D here. It moves second, so it sees the new w and c."),
        ({"saturating": True}, "G descends on log(1 - D) here, the saturating loss. The non-saturating one is -log D."),
        ({"label": 0}, "G moves to where D is low, but it should raise D at its fakes."),
        ({"side": -1}, "D descends on V here, but it should climb."),
        ({"total": True}, "these are sums over the arrays. V is made of means."),
    ]
    near = [(lambda *match, mistake=mistake: _step(*match, **mistake), words) for mistake, words in mistakes]
    near.append((lambda b, w, c, *rest: _step(b, w, c, *rest)[[1, 2, 0]], "return b first, then w and c."))
    cases(
        play, _matches(), _step, near, "b, w, and c should be {right}, but you give {value}.",
        case="from b = {0}, w = {1}, c = {2} with the rate {5}", rtol=1e-3, atol=1e-4,
    )  # fmt: skip


def _three(found):
    """The new b, w and c; anything else than three values raises Wrong."""
    try:
        values = None if isinstance(found, dict | set) else list(found)
    except TypeError:
        values = None
    if values is None or len(values) != 3:
        got = describe(found) if values is None else f"{len(values)} of them"
        raise Wrong(f"expected three numbers, b, w, and c, got {got}.")
    return values


def _distributions():
    """Distributions of data and of fakes, and labels."""
    p, q = np.array([0.5, 0.3, 0.2]), np.array([0.02, 0.3, 0.68])  # D* is above each label at the first outcome
    yield from ((p, q, label) for label in (0.9, 0.7, 1.0, 0.5))
    yield np.array([0.5, 0.0, 0.5]), np.array([0.0, 0.25, 0.75]), 0.9
    yield np.array([1.0]), np.array([1.0]), 0.8
    rng = np.random.default_rng(0)
    for count in (2, 4, 7):
        yield *rng.dirichlet(np.ones(count), 2).round(3), round(rng.uniform(0.1, 1), 2)


def _walks():
    """Ends of walks and numbers of points: noise as in the lesson, the plane, and ends of the same length."""
    rng = np.random.default_rng(0)
    for size, count in ((64, 9), (16, 5), (64, 2), (5, 3), (3, 12)):
        yield *rng.normal(size=(2, size)), count
    yield np.array([3.0, 0.0]), np.array([0.0, 4.0]), 4
    yield np.array([0.0, 2.0]), np.array([-2.0, 0.0]), 5
    yield np.array([2.0, 0.0]), np.array([-6.0, 1.0]), 6


def _path(answer):
    """Write path(start, end, count): latent points (count, d) from one to the other, all as long as noise is."""
    walk = function(answer)
    for start, end, count in _walks():
        found = array(walk(start, end, count), shape=(count, len(start)), kinds="fiu")
        if not (np.allclose(found[0], start, atol=1e-5) and np.allclose(found[-1], end, atol=1e-5)):
            raise Wrong("the first point should be `start` and the last one `end`.")
        lengths = np.linalg.norm(found, axis=1)
        low, high = sorted((np.linalg.norm(start), np.linalg.norm(end)))
        if lengths.min() < low - 1e-5 or lengths.max() > high + 1e-5:
            raise Wrong(
                f"your points are {lengths.min():.2f} to {lengths.max():.2f} long, but the ends {low:.2f} and {high:.2f}: "
                "go around the origin, by the angle between the ends."
            )
        unit = found / lengths[:, None]
        turns = np.arccos(np.clip((unit[1:] * unit[:-1]).sum(axis=1), -1, 1))
        turn = np.arccos(unit[0] @ unit[-1]) / (count - 1)
        if not np.allclose(turns, turn, rtol=1e-3):
            raise Wrong(
                f"it should turn evenly, the shorter way around: each of the {count - 1} steps by {turn:.4f}, "
                f"but yours turn by {turns.min():.4f} to {turns.max():.4f}."
            )


def _batches():
    """Pairs of batches (N, d) in two units, a varied and a collapsed one; in some the first or last features are the same in all samples."""
    for seed in range(14):
        rng = np.random.default_rng(seed)
        count, size = (64, 10) if seed < 7 else (int(rng.integers(20, 50)), int(rng.integers(2, 12)))
        centers = rng.normal(0, 2, (8, size))
        still = size // 3 if seed >= 4 else 0
        centers[:, slice(still) if seed % 2 else slice(size - still, size)] = 0
        noise = 0 if seed % 3 == 2 else 0.1  # in some the varied batch holds copies of eight samples
        varied = centers[rng.integers(0, 8, count)] + rng.normal(0, noise, (count, size))
        collapsed = centers[0] + rng.normal(0, 0.1 if seed else 0, (count, size))
        unit = 0.01 if seed % 4 == 3 else 1.0
        yield unit * varied, unit * collapsed, rng


def _betray(answer):
    """Write spread(batch): a number for a batch (N, d) that is larger for a varied batch than for a collapsed one."""
    spread = function(answer)
    for varied, collapsed, rng in _batches():
        columns = np.arange(varied.shape[1])
        shifts = (0.0, 3.0, -50.0, 3.0 * columns, 40.0 * (columns == rng.integers(varied.shape[1])))
        high = [number(spread(varied + shift)) for shift in shifts]
        low = [number(spread(collapsed + shift)) for shift in shifts]
        if not np.isclose(high[0], number(spread(rng.permutation(varied))), rtol=1e-4):
            raise Wrong("your number changes when the batch is shuffled, but a batch has no order.")
        if min(high) <= max(low):
            raise Wrong(
                f"a varied batch gets {min(high):.4g}, but one that collapsed at some place {max(low):.4g}: {_cause(high)}"
            )


def _cause(high):
    """What a number that is not larger for the varied batch depends on, from its values after the shifts."""
    if not np.isclose(high[0], high[1], rtol=1e-4):
        return (
            "your number changes when 3 is added to all numbers, so it sees where the samples are, not how they differ."
        )
    if not np.allclose(high, high[0], rtol=1e-4):
        return (
            "your number changes when each column of the batch is moved by a number of its own, "
            "so it compares the columns too: how far is each sample from all of the others?"
        )
    return "how far is each sample from all of the others?"


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
        "gan.play",
        _play,
        hint="D's slopes: with u = 1 - D on data and d = D on fakes, w climbs by mean(u * data) - mean(d * fakes), and c by mean(u) - mean(d). G's slope of -log D is -(1 - D) w: b moves by the mean of (1 - D) w.",
        right="500 of these steps with a rate of 0.1 carry fakes that begin around 0 to data around 3, to within 0.2.",
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
        hint="Scale both ends to length 1 first: u and v. At the angle t, from 0 to w, the direction is a u + b v; a is sin(w - t) / sin(w), and b is? Then give each direction its length.",
        right="this is spherical interpolation (White, 2016, arXiv:1609.04468).",
    ),
    Exercise(
        "gan.spread",
        _betray,
        hint="How far does each feature stray from its mean over the batch? One number is enough.",
        right="Karras and others (2018, arXiv:1710.10196) take the standard deviation over the batch, averaged, and append it to D's last maps as one more channel.",
    ),
)
