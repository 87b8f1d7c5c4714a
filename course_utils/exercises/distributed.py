"""Exercises of lesson 14, training on many machines."""

import numpy as np

from course_utils.checker import Exercise, Wrong, array, cases, expect, function, number


def _megabytes(answer):
    """Give the megabytes that each of 8 machines sends in a ring all-reduce of 31 million numbers of 4 bytes."""
    near = {
        2 * 7 / 8 * 31: "this counts millions of numbers, and each has 4 bytes.",
        7
        / 8
        * 31
        * 4: "this is the first half, until each machine holds one finished chunk: the sums must come back too.",
        2 * 31 * 4: "nearly: a machine sends 2 (K - 1) chunks of N / K numbers, so not quite twice the gradient.",
        2
        * 7
        / 8
        * 31
        * 4
        * 8: "this is what all 8 machines send together: in each step, a machine passes on one chunk of N / K numbers, not the whole gradient.",
        2 * 7 / 8 * 31 * 4 * 1e6: "this is in bytes: divide by a million.",
        217e6 / 2**20: "this is in mebibytes, of 1,048,576 bytes: a megabyte is a million.",
        2 * 7 / 8 * 31 * 8: "a number in float32 has 4 bytes, not 8.",
        31 * 4: "this is the size of one gradient: a machine sends 2 (K - 1) chunks of N / K numbers.",
        31
        * 4
        * 7: "this is what one machine would receive if all others sent it their gradients; in a ring nobody gets so much.",
    }
    expect(
        answer, 217, near, "{value} is not it: a machine sends 2 (K - 1) chunks of N / K numbers, of 4 bytes each.",
        rtol=0, atol=0.6,
    )  # fmt: skip


def _shards():
    """Mean gradients (K, N) and counts of pictures."""
    yield [[1.0, 0.0], [5.0, -4.0]], [3, 1]
    yield [[1.0, 2.0], [3.0, 4.0]], [4, 4]
    yield [[2.0, 7.0, 1.0]], [5]
    yield [[1.0], [9.0], [4.0]], [2, 0, 6]
    yield [[np.nan, np.nan], [3.0, 4.0]], [0, 2]
    rng = np.random.default_rng(0)
    for _ in range(12):
        workers, size = rng.integers(1, 6, 2)
        counts = rng.integers(0, 9, workers)
        counts[rng.integers(workers)] += 1
        gradients = rng.normal(size=(workers, size))
        gradients[counts == 0] = rng.choice([np.nan, 1e6])
        yield gradients.tolist(), counts.tolist()


def _right_combination(gradients, counts):
    return sum(count * row for row, count in zip(gradients, counts, strict=True) if count) / sum(counts)


def _combine(answer):
    """Write combine(gradients, counts): the mean gradient of all pictures from the workers' means."""
    given = [(np.array(gradients), np.array(counts)) for gradients, counts in _shards()]

    def mended(gradients):
        return np.nan_to_num(gradients)

    near = (
        (lambda g, c: mended(g).mean(axis=0), "this counts every worker alike, even one with fewer pictures."),
        (lambda g, c: mended(g).sum(axis=0), "this sums the means, so it is as many times too large as there are workers."),
        (lambda g, c: mended(g)[c > 0].mean(axis=0), "this counts every worker alike that has any pictures, even one with fewer of them."),
        (lambda g, c: (mended(g) * c[:, None]).sum(axis=0), "this is the sum over all pictures: divide by how many there are."),
        (lambda g, c: (mended(g) * c[:, None]).sum(axis=0) / len(c), "divide by the number of pictures, not of workers."),
        (lambda g, c: (mended(g) * c[:, None]).mean(axis=0), "divide by the number of pictures, not of workers."),
    )  # fmt: skip
    compute = function(answer)

    def flat(gradients, counts):
        found = compute(gradients, counts)
        try:
            values = np.asarray(found, float)
        except (Exception, SystemExit):  # `cases` says what is wrong with it
            return found
        if np.isnan(values).any() and np.isnan(gradients).any():
            raise Wrong("NaN came through: 0 times NaN is NaN, so leave out the rows of workers without a picture.")
        if values.shape == (1, gradients.shape[1]):
            raise Wrong(
                f"the result has the shape {values.shape}: expected one number per weight, {(gradients.shape[1],)}."
            )
        return found

    cases(
        flat, given, _right_combination, near, case="with the counts {1}", what="your gradient", rtol=1e-3, atol=1e-3,
    )  # fmt: skip


def _time(machines, alone, weights, bandwidth, latency):
    return alone / machines + 2 * (machines - 1) * (latency + 4 * weights / machines / bandwidth)


def _fewest(times):
    """The first place of the least of some numbers, from 1; equal up to rounding."""
    times = np.asarray(times)
    return int(np.flatnonzero(times <= times.min() * (1 + 1e-9))[0]) + 1


def _rounded_root(alone, weights, bandwidth, latency, most):
    """The number of machines where the slope of the time is 0, rounded."""
    root = np.sqrt(max(alone - 8 * weights / bandwidth, 0) / (2 * latency))
    return int(np.clip(np.round(root), 1, most))


def _clusters():
    """Seconds alone, weights, bytes per second, latency, and the most machines."""
    yield 0.2, 30_000_000, 1.25e10, 1e-3, 64  # 10 are best, none of the mistakes
    yield 1.0, 1_000_000, 1.25e9, 1e-4, 64
    yield 1.0, 30_000_000, 1.25e8, 1e-4, 64  # one machine is best
    yield 10.0, 1_000_000, 1.25e9, 1e-5, 16  # all are
    yield 2.0, 0, 1e9, 1.0, 8  # 1 and 2 machines: 2 s and 3 s
    yield 4.0, 0, 1e9, 1.0, 8  # 1 and 2 machines: 4 s each
    yield 12.0, 0, 1e9, 1.0, 8  # 2 and 3 machines: 8 s each
    yield 12.24, 0, 1e9, 1.0, 8  # 3 machines, though the formula's minimum is at 2.47
    yield 1.0, 1_000_000, 1e9, 1e-3, 1
    rng = np.random.default_rng(1)
    for _ in range(25):
        yield (
            float(rng.uniform(0.05, 5)), int(10 ** rng.uniform(4, 7.5)), float(10 ** rng.uniform(8, 10.5)),
            float(10 ** rng.uniform(-5, -2)), int(rng.integers(2, 200)),
        )  # fmt: skip


def _machines(answer):
    """Write best_machines(alone, weights, bandwidth, latency, most): how many machines make a step of a fixed batch shortest."""
    find = function(answer)
    for given in _clusters():
        *rest, most = given
        counts = np.arange(1, most + 1)
        times = _time(counts, *rest)
        alone, weights, bandwidth, latency = rest
        sums = _time(counts, 0.0, *rest[1:])
        told = f"for {alone:.3g} s alone, {weights:,} weights, {bandwidth:.3g} bytes per second, {latency:.2g} s latency, and at most {most} machines"
        found = number(find(*given))
        if found != round(found) or not 1 <= found <= most:
            raise Wrong(f"{told}: expected a number of machines from 1 to {most}, got {found:g}.")
        right = _fewest(times)
        as_long = alone + sums
        near = [
            (_rounded_root(*rest, most), "rounding the place of the minimum can miss: compare the whole numbers on both sides of it."),
            (most if right != most else 0, "you take all, but the sums of more machines cost more than they gain: count the latency of each message too."),
            (_fewest(as_long), "here the batch is divided, so computing takes alone / K."),
            (int(np.flatnonzero(times <= times.min() * (1 + 1e-9))[-1]) + 1, "a smaller number is just as fast: take the fewest."),
            (_fewest(alone / counts + sums / 2), "the sums go around twice: 2 (K - 1) messages."),
            (_fewest(alone / counts + 2 * (counts - 1) * (latency + weights / counts / bandwidth)), "each weight has 4 bytes."),
            (_fewest(alone / counts + 2 * (counts - 1) * (latency + 4 * weights / bandwidth)), "a message holds one chunk, N / K numbers."),
            (_fewest(times[:-1]) if most > 1 else 0, "`most` machines are allowed too."),
            (right - 1, "the numbers of machines begin with 1, and positions with 0."),
        ]  # fmt: skip
        try:
            expect(
                int(found),
                right,
                near,
                f"{{value}} machines take {times[int(found) - 1]:.4g} s, and {{right}} take {times.min():.4g} s.",
            )
        except Wrong as problem:
            raise Wrong(f"{told}: {problem}") from None


def _deaths():
    """Steps, how often a checkpoint is written, and after which step each attempt died."""
    yield 20, 5, [14]
    yield 20, 5, []
    yield 40, 10, [13, 27]
    yield 20, 5, [3]
    yield 20, 5, [10]
    yield 30, 10, [15, 15, 15]
    yield 7, 100, [6, 6]
    yield 12, 1, [3, 7]
    rng = np.random.default_rng(2)
    for _ in range(15):
        every, total = int(rng.integers(1, 12)), int(rng.integers(20, 90))
        deaths, low = [], 0
        for _ in range(int(rng.integers(0, 5))):
            if low + 1 >= total:
                break
            deaths.append(int(rng.integers(low + 1, total)))  # each attempt does at least one step
            low = deaths[-1] // every * every
        yield total, every, deaths


def _steps(answer):
    """Write steps_done(total, every, deaths): all steps that are computed, those done again included."""
    cases(
        function(answer), _deaths(), lambda total, every, deaths: total + sum(death % every for death in deaths),
        (
            (lambda total, every, deaths: total, "steps after the newest checkpoint are done again."),
            (lambda total, every, deaths: total + sum(deaths), "an attempt goes on from the newest checkpoint, not from the start."),
            (lambda total, every, deaths: sum(death % every for death in deaths), "these are the steps that are done again: count the others too."),
            (lambda total, every, deaths: total + every * len(deaths), "a death costs the steps since the newest checkpoint, which may be fewer than `every`."),
            (lambda total, every, deaths: total + sum(death // every for death in deaths), "`//` counts checkpoints: how many steps came after the last one?"),
            (lambda total, every, deaths: total + (max(deaths) % every if deaths else 0), "count each death."),
        ),
        case="for {0} steps, a checkpoint every {1}, and deaths after {2}",
    )  # fmt: skip


def _chunks():
    """Chunks (K, K, n) of each machine."""
    yield np.arange(8.0).reshape(2, 2, 2)
    yield np.arange(9.0).reshape(3, 3, 1) ** 2
    yield np.array([[[5.0, 7.0]]])
    rng = np.random.default_rng(3)
    for _ in range(6):
        machines, size = rng.integers(2, 7), rng.integers(1, 4)
        yield rng.normal(size=(machines, machines, size)).round(3)


def _scatter(answer):
    """Write reduce_scatter(chunks): the finished chunk that each machine holds after the first half of the ring."""
    compute = function(answer)

    def right(chunks):
        return np.roll(chunks.sum(axis=0), -1, axis=0)

    near = (
        (lambda chunks: chunks.sum(axis=0), "machine k doesn't finish chunk k: follow a chunk around the ring."),
        (lambda chunks: np.roll(chunks.sum(axis=0), 1, axis=0), "the chunks are one machine away on the wrong side: which one does machine 1 finish?"),
        (lambda chunks: right(chunks) / len(chunks), "this is the mean: the ring sums."),
        (lambda chunks: chunks.sum(axis=1), "you summed over the chunks of one machine: sum each chunk over the machines."),
    )  # fmt: skip
    for chunks in _chunks():
        found = array(compute(chunks), kinds="iuf", what="your result")
        if found.shape == chunks.shape:
            raise Wrong(f"expected one chunk per machine, {chunks.shape[1:]}, got all of them, {chunks.shape}.")
        try:
            expect(
                found,
                right(chunks),
                [(mistake(chunks), said) for mistake, said in near],
                what="your result",
                rtol=1e-3,
                atol=1e-3,
            )
        except Wrong as problem:
            raise Wrong(f"for {len(chunks)} machines: {problem}") from None


EXERCISES = (
    Exercise(
        "distributed.megabytes",
        _megabytes,
        hint="Each of the 2 (K - 1) steps sends one chunk. How many numbers does a chunk hold, and how many bytes does a number have?",
        right="with 1,000 machines it would be 248 MB, hardly more: that is why rings scale.",
    ),
    Exercise(
        "distributed.combine",
        _combine,
        hint="How much is the sum of worker k's gradients? Add those, then divide once. What is 0 times NaN?",
        right="it is the sum over all pictures, divided once by their number, as in the lesson's step.",
    ),
    Exercise(
        "distributed.machines",
        _machines,
        hint="Compute the time of each number of machines in turn, and keep the first one that is shorter than all before.",
        right="with a fixed batch there is always a best number, and it is often surprisingly small.",
    ),
    Exercise(
        "distributed.steps",
        _steps,
        hint="An attempt that dies after step 13 with a checkpoint every 5 steps does how many steps in vain?",
        right="more checkpoints lose fewer steps, and cost time to write. The best interval grows with the root of the time between failures.",
    ),
    Exercise(
        "distributed.scatter",
        _scatter,
        hint="Machine k sends chunk k in step 0 and chunk k - 1 in step 1. Which one does it receive in the last of K - 1 steps?",
        right="each machine could now update its own share of the weights and send those around: this is how ZeRO and FSDP save memory.",
    ),
)
