"""Exercises of lesson 12, saving and restoring."""

import numpy as np

from course_utils.checker import Exercise, Wrong, array, describe, expect, function, number

_COST, _BETWEEN_KILLS = 20, 24 * 60 * 60
_SHARE, _HALF, _Z = 0.92, 0.005, 1.96


def _interval(answer):
    """Give the seconds between two saves that lose the least time, if a save takes 20 s and one kill comes per day."""
    product = _COST * _BETWEEN_KILLS
    near = {
        np.sqrt(product): "the 2 got lost: the derivative of T/(2M) is 1/(2M).",
        np.sqrt(product / 2): "the 2 is on the wrong side: T squared is 2cM.",
        2 * product: "this is T squared: take the root.",
        2 * np.sqrt(product): "the 2 belongs under the root: T squared is 2cM.",
        np.sqrt(2 * product) / 60: "this is in minutes, or you put M in as 24 hours: give seconds, with M = 86,400.",
        np.sqrt(2 * product / 60): "here M is in minutes and c in seconds: one day is M = 86,400 seconds.",
        np.sqrt(2 * _BETWEEN_KILLS): "this leaves out c: a save takes 20 seconds.",
        np.sqrt(2 * product) / 3600: "this is in hours: give seconds.",
    }
    expect(
        answer, np.sqrt(2 * product), near,
        "an interval of {value} s loses more than necessary: set the derivative of c/T + T/(2M) with respect to T to 0.",
        rtol=3e-3, atol=0,
    )  # fmt: skip


def _digits(answer):
    """Give the number of test digits that makes the interval of 0.92 as narrow as 0.005 to each side."""
    spread = _SHARE * (1 - _SHARE)
    near = {
        _Z**2
        * spread
        / (2 * _HALF) ** 2: "this makes the whole interval 0.01 + 0.01 wide: make it 0.005 to each side.",
        spread / _HALF**2: "you left out the 1.96: with this many digits one standard deviation is 0.005.",
        _Z**2 / 4 / _HALF**2: "this is for q = 0.5, the worst case; here q is 0.92.",
        _Z * np.sqrt(spread) / _HALF: "this is the root of it: n stands under a root, so square.",
        11_309: "nearly: with 11,309 digits the interval is still a little wider than 0.005, so round up.",
        _Z * spread / _HALF**2: "you didn't square the 1.96: it stands outside of the root.",
    }
    expect(
        answer, _Z**2 * spread / _HALF**2, near,
        "with {value} digits it is not 0.005: solve 1.96 * sqrt(q(1 - q)/n) = 0.005 for n.", rtol=0, atol=0.6,
    )  # fmt: skip


def _histories():
    """Steps, losses, and how many of the newest to keep."""
    nan = float("nan")
    yield [100, 200, 300, 400, 500], [0.5, 0.3, 0.4, 0.45, 0.6], 2
    yield [100, 200, 300, 400], [0.5, 0.4, 0.35, 0.3], 2
    yield [100, 200, 300, 400, 500], [0.5, nan, 0.3, 0.7, 0.9], 1
    yield [100, 200, 300], [0.5, 0.6, 0.7], 5
    yield [100, 200, 300], [nan, nan, nan], 2
    yield [100, 200, 300, 400], [0.3, 0.5, 0.3, 0.6], 1  # two are the lowest: either may stay
    yield [100, 200, 300], [float("inf"), 0.9, float("inf")], 1
    yield [7], [0.1], 1
    rng = np.random.default_rng(0)
    for _ in range(20):
        count = int(rng.integers(1, 9))
        losses = rng.permutation(count) / 10 + 0.1
        losses[rng.random(count) < 0.3] = nan
        yield (50 * np.cumsum(rng.integers(1, 4, count))).tolist(), losses.tolist(), int(rng.integers(1, 4))


def _keep(answer):
    """Write steps_to_keep(steps, losses, newest): the newest steps and the one with the lowest loss, sorted."""
    find = function(answer)
    for steps, losses, newest in _histories():
        result = find(steps, losses, newest)
        if isinstance(result, (set, frozenset, dict)):
            raise Wrong(f"expected a sorted list of steps, got {describe(result)}, which has no order.")
        found = array(result, kinds="iuf").ravel().tolist()
        last = set(steps[-newest:])
        least = min((loss for loss in losses if not np.isnan(loss)), default=None)
        lowest = {step for step, loss in zip(steps, losses, strict=True) if loss == least}
        best = set(sorted(lowest & set(found) or lowest)[:1])  # of several with the lowest loss, the one that was kept
        case = f"of the steps {steps} with the losses {losses} and newest={newest} you keep {found}"
        unknown, missing, extra = set(found) - set(steps), (last | best) - set(found), set(found) - last - best
        nan_kept = [step for step, loss in zip(steps, losses, strict=True) if np.isnan(loss) and step in extra]
        if unknown:
            raise Wrong(f"{case}, but {sorted(unknown)} are not among these steps.")
        if nan_kept and not best:
            raise Wrong(f"{case}: all losses are NaN, so there is no best, and only the newest stay.")
        if nan_kept:
            raise Wrong(f"{case}: a loss of NaN is not the lowest.")
        if missing & last:
            raise Wrong(f"{case}, but step {max(missing & last)} is missing, one of the {newest} newest.")
        if missing:
            raise Wrong(f"{case}, but step {min(best)}, the one with the lowest loss, is gone.")
        if extra:
            raise Wrong(f"{case}: step {max(extra)} is neither among the newest nor the best.")
        if len(found) != len(set(found)):
            raise Wrong(f"{case}: a step is named twice: the best may be among the newest.")
        if found != sorted(found):
            raise Wrong(f"{case}: sort them.")


class _Crash(Exception):
    """The machine stops."""


class _Disk:
    """A disk that stops working at one of its operations; a write that it interrupts leaves half of the text."""

    def __init__(self, files, crash_at=None, torn=False):
        self.files, self._crash_at, self._torn = dict(files), crash_at, torn
        self.done, self.crashed = [], False

    def __deepcopy__(self, memo):
        return self

    def _begin(self, words):
        if self.crashed:
            raise _Crash
        if len(self.done) == self._crash_at:
            self.crashed = True
            if not self._torn:
                raise _Crash
        self.done.append(words)

    def write(self, name, text):
        """Write a file: `name`, and `text` as its content."""
        self._begin(f"write({name!r})")
        self.files[name] = str(text)[: len(str(text)) // 2] if self.crashed else str(text)
        if self.crashed:
            raise _Crash

    def replace(self, old, new):
        """Rename the file `old` to `new`, over a file of that name."""
        if old not in self.files:
            raise FileNotFoundError(f"there is no file {old!r} on the disk")
        self._begin(f"replace({old!r}, {new!r})")
        if self.crashed:
            raise _Crash
        self.files[new] = self.files.pop(old)

    def read(self, name):
        """Read the file `name`: its text."""
        if self.crashed:
            raise _Crash
        if name not in self.files:
            raise FileNotFoundError(f"there is no file {name!r} on the disk")
        return self.files[name]

    def delete(self, name):
        """Delete the file `name`."""
        if name not in self.files:
            raise FileNotFoundError(f"there is no file {name!r} on the disk")
        self._begin(f"delete({name!r})")
        if self.crashed:
            raise _Crash
        del self.files[name]

    def names(self):
        """List the files' names, sorted."""
        if self.crashed:
            raise _Crash
        return sorted(self.files)


_PAIRS = {str(step): (f"weights of step {step}", f"optimizer of step {step}") for step in (100, 200, 1000)}
_EARLIER = ("weights of step 200, saved before", "optimizer of step 200, saved before")
_OLD = {"latest": "100", "weights-100": _PAIRS["100"][0], "optimizer-100": _PAIRS["100"][1]}
# What may be on the disk: the pair of step 100 with what an earlier crash left, also one of a save of the same step; and
# the pair of step 200 itself, from a save that finished, or was stopped before it deleted the old pair.
_NAMED = {"latest": "200", "weights-200": _EARLIER[0], "optimizer-200": _EARLIER[1]}
_DISKS = (
    _OLD,
    _OLD | {"weights-150": "half of", "latest.new": "1"},
    _OLD | {"weights-200": "half of", "optimizer-200": ""},
    _NAMED,
    _OLD | _NAMED,
    _NAMED | {"weights-200.new": "half of", "latest.new": "20"},
)


def _fault(files):
    """What keeps the reader from a pair that is whole; None if nothing does."""
    step = files.get("latest")
    if step is None:
        return "there is no file 'latest'"
    if step not in _PAIRS:
        return f"'latest' holds {step!r}, which is not a step that was saved"
    names = [f"{part}-{step}" for part in ("weights", "optimizer")]
    for name in names:
        if name not in files:
            return f"'latest' says {step}, but there is no file {name!r}"
    pairs = [_PAIRS[step]] + [_EARLIER] * (step == "200")
    for place, name in enumerate(names):
        if files[name] in [pair[1 - place] for pair in pairs]:
            return f"'latest' says {step}, but {name!r} holds the {('optimizer', 'weights')[place]}"
        if files[name] not in [pair[place] for pair in pairs]:
            return f"'latest' says {step}, but the file {name!r} is not whole"
    if tuple(files[name] for name in names) not in pairs:
        return f"'latest' says {step}, but its weights and its optimizer come from two different saves"
    return None


def _pair(answer):
    """Write save_pair(disk, weights, optimizer, step), which leaves a whole pair, old or new, wherever it is stopped."""
    save = function(answer)
    for files in _DISKS:
        disk = _Disk(files)
        returned = _saved_whole(save, disk, 200)
        for crash_at in range(len(disk.done)):
            for torn in (False, True):
                _stop_at(save, files, crash_at, torn, disk.done[crash_at])
        _judge_end(disk, files, returned, 200)
        _judge_end(disk, {}, _saved_whole(save, disk, 1000), 1000)
    first = _Disk({})
    _judge_end(first, {}, _saved_whole(save, first, 200), 200)


def _saved_whole(save, disk, step):
    """Save without a crash, and raise Wrong if the reader would not find the new pair."""
    again = ", which 'latest' named already," if disk.files.get("latest") == str(step) else ""
    returned = number(save(disk, *_PAIRS[str(step)], step))
    fault = _fault(disk.files)
    if fault is None and disk.files["latest"] != str(step):
        fault = f"'latest' still says {disk.files['latest']}"
    if fault:
        raise Wrong(f"after a save of step {step}{again} without a crash {fault}.")
    return returned


def _stop_at(save, files, crash_at, torn, words):
    """Raise Wrong if no pair is whole after a crash at this operation."""
    disk = _Disk(files, crash_at, torn)
    try:
        save(disk, *_PAIRS["200"], 200)
    except Wrong:
        if not disk.crashed:
            raise
    if fault := _fault(disk.files):
        when = "in the middle of" if torn else "before"
        again = " while step 200 is saved once more" if files["latest"] == "200" else ""
        raise Wrong(f"after a crash {when} {words}{again} {fault}.")


def _judge_end(disk, before, returned, step):
    rest = set(disk.files) - {"latest", f"weights-{step}", f"optimizer-{step}"}
    if rest:
        old = {"weights-100", "optimizer-100"}
        names, origin = ", ".join(sorted(rest)), ", left by an earlier crash" if rest <= set(before) - old else ""
        raise Wrong(f"no crash leaves half a pair, but this stays on the disk{origin}: {names}. Delete it last.")
    expect(returned, step, otherwise="return the step, {right}; you return {value}.")


EXERCISES = (
    Exercise(
        "saving.interval",
        _interval,
        hint="At the best T the derivative -c/T**2 + 1/(2M) is 0. Put c and M in seconds.",
        right="about 1,859 s, half an hour. There each of the two parts costs 1.1% of the time; halving or doubling T costs a quarter more, so the exact value hardly matters.",
    ),
    Exercise(
        "saving.keep",
        _keep,
        hint="A set takes care of the best being among the newest. np.nanargmin passes over NaN, but needs at least one number.",
        right="the newest are for the run, the best is for its users: two managers, or ModelCheckpoint beside BackupAndRestore, do the same.",
    ),
    Exercise(
        "saving.pair",
        _pair,
        hint="Until the last moment 'latest' must name the old pair, whole; one atomic operation moves it to the new pair, which must be whole by then. What may be deleted, and when? And if 'latest' names this step already, which files must you leave alone?",
        right="so does TensorFlow: the data first, then a rename of the file `checkpoint`, which names them, then the old ones are deleted.",
    ),
    Exercise(
        "saving.digits",
        _digits,
        hint="Square both sides of 1.96 * sqrt(q(1 - q)/n) = 0.005 and bring n to one side; q is 0.92.",
        right="about 11,310, more than MNIST's test set has: differences of less than half a percent need more digits, or both models on the same ones.",
    ),
)
