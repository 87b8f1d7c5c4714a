"""Exercises of lesson 12, saving and restoring."""

import numpy as np

from course_utils.checker import Exercise, Wrong, array, describe, function, number

_SHARE, _HALF, _Z = 0.92, 0.005, 1.96


def _digits(answer):
    """Give the number of test digits that makes the interval of 0.92 as narrow as 0.005 to each side."""
    value = number(answer)
    spread = _SHARE * (1 - _SHARE)
    messages = {
        round(
            _Z**2 * spread / (2 * _HALF) ** 2
        ): "this makes the whole interval 0.01 + 0.01 wide: 0.005 is wanted to each side.",
        round(spread / _HALF**2): "you left out the 1.96: this is the sample where one standard deviation is 0.005.",
        round(_Z**2 / 4 / _HALF**2): "this is for q = 0.5, the worst case; here q is 0.92.",
        round(_Z * np.sqrt(spread) / _HALF): "this is the root of it: n stands under a root, so square.",
    }
    wanted = _Z**2 * spread / _HALF**2
    if abs(value - wanted) > 10:
        near = [text for known, text in messages.items() if abs(value - known) <= 2]
        raise Wrong(
            near[0] if near else f"with {value:g} digits it is not 0.005: solve 1.96 * sqrt(q(1 - q)/n) = 0.005 for n."
        )


def _histories():
    """Steps, losses, and how many of the newest to keep."""
    nan = float("nan")
    yield [100, 200, 300, 400, 500], [0.5, 0.3, 0.4, 0.45, 0.6], 2
    yield [100, 200, 300, 400], [0.5, 0.4, 0.35, 0.3], 2
    yield [100, 200, 300, 400, 500], [0.5, nan, 0.3, 0.7, 0.9], 1
    yield [100, 200, 300], [0.5, 0.6, 0.7], 5
    yield [100, 200, 300], [nan, nan, nan], 2
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
            raise Wrong(f"a sorted list of steps is wanted, and this is {describe(result)}: a set has no order.")
        found = array(result, kinds="iuf").ravel().tolist()
        last = set(steps[-newest:])
        best = set() if np.isnan(losses).all() else {steps[int(np.nanargmin(losses))]}
        case = f"of the steps {steps} with the losses {losses} and newest={newest} you keep {found}"
        unknown, missing, extra = set(found) - set(steps), (last | best) - set(found), set(found) - last - best
        nan_kept = [step for step, loss in zip(steps, losses, strict=True) if np.isnan(loss) and step in extra]
        if unknown:
            raise Wrong(f"{case}, and {sorted(unknown)} are none of these steps.")
        if nan_kept and not best:
            raise Wrong(f"{case}: all losses are NaN, so there is no best, and only the newest stay.")
        if nan_kept:
            raise Wrong(f"{case}: a loss of NaN is not the lowest.")
        if missing & last:
            raise Wrong(f"{case}, and step {max(missing & last)} is missing, one of the {newest} newest.")
        if missing:
            raise Wrong(f"{case}, and step {best.pop()}, the one with the lowest loss, is gone.")
        if extra:
            raise Wrong(f"{case}: step {max(extra)} is neither among the newest nor the best.")
        if len(found) != len(set(found)):
            raise Wrong(f"{case}: a step is named twice, since the best may be among the newest.")
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


_OLD = {"latest": "100", "weights-100": "old weights", "optimizer-100": "old optimizer"}
_PAIRS = {"100": ("old weights", "old optimizer"), "200": ("new weights", "new optimizer")}


def _fault(files):
    """What keeps the reader from a pair that is whole; None if nothing does."""
    step = files.get("latest")
    if step is None:
        return "there is no file 'latest'"
    if step not in _PAIRS:
        return f"'latest' holds {step!r}, which is no step that was saved"
    for part, wanted in zip(("weights", "optimizer"), _PAIRS[step], strict=True):
        name = f"{part}-{step}"
        if name not in files:
            return f"'latest' says {step}, and there is no file {name!r}"
        if files[name] != wanted:
            return f"'latest' says {step}, and the file {name!r} is not whole"
    return None


def _pair(answer):
    """Write save_pair(disk, weights, optimizer, step), which leaves a whole pair, old or new, wherever it is stopped."""
    save = function(answer)
    for stray in ({}, {"weights-150": "half of", "latest.new": "1"}):
        disk = _Disk(_OLD | stray)
        returned = number(save(disk, *_PAIRS["200"], 200))
        if fault := _fault(disk.files):
            raise Wrong(f"after a save without a crash {fault}.")
        if disk.files["latest"] != "200":
            raise Wrong("after a save without a crash 'latest' still says 100.")
        for crash_at in range(len(disk.done)):
            for torn in (False, True):
                _stop_at(save, _OLD | stray, crash_at, torn, disk.done[crash_at])
        rest = sorted(set(disk.files) - {"latest", "weights-200", "optimizer-200"})
        if rest:
            origin = " by an earlier crash" if set(rest) <= set(stray) else ""
            raise Wrong(
                f"no crash leaves half a pair, and this stays on the disk, left{origin}: {', '.join(rest)}. Delete it, last."
            )
        if returned != 200:
            raise Wrong(f"return the step, 200; you return {returned:g}.")


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
        raise Wrong(f"after a crash {when} {words} {fault}.")


_SOLUTION = (
    "def save_pair(disk, weights, optimizer, step):\n"
    '    disk.write(f"weights-{step}", weights)\n'
    '    disk.write(f"optimizer-{step}", optimizer)\n'
    '    disk.write("latest.new", str(step))\n'
    '    disk.replace("latest.new", "latest")\n'
    "    for name in disk.names():\n"
    '        if name not in ("latest", f"weights-{step}", f"optimizer-{step}"):\n'
    "            disk.delete(name)\n"
    "    return step"
)

EXERCISES = (
    Exercise(
        "saving.digits",
        _digits,
        hint="Square both sides of 1.96 * sqrt(q(1 - q)/n) = 0.005 and bring n to one side; q is 0.92.",
        right="about 11,310, more than MNIST's test set has: differences of less than half a percent need more digits, or both models on the same ones.",
    ),
    Exercise(
        "saving.keep",
        _keep,
        hint="A set takes care of the best being among the newest. np.nanargmin passes over NaN, and wants one number that is none.",
        right="the newest are for the run, the best is for its users: two managers, or ModelCheckpoint beside BackupAndRestore, do the same.",
    ),
    Exercise(
        "saving.pair",
        _pair,
        hint="Until the last moment 'latest' must name the old pair, whole; one atomic operation moves it to the new pair, which must be whole by then. What may be deleted, and when?",
        right="so does TensorFlow: the data first, then a rename of the file `checkpoint`, which names them, then the old ones are deleted.",
    ),
)
