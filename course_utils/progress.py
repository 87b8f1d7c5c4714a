"""Which exercises were answered right, and when: a small file in the user's own folder, which never leaves the computer.

``COURSE_PROGRESS`` names another file; with ``COURSE_PROGRESS=0`` nothing is read or written.
"""

import contextlib
import datetime
import json
import os
from pathlib import Path

import platformdirs


def file():
    """Return where progress is kept; data folders may be shared by a class, so it is not there.

    Returns
    -------
    pathlib.Path or None
        None where nothing should be kept. The file need not exist.
    """
    named = os.environ.get("COURSE_PROGRESS", "")
    path = Path(named) if named else platformdirs.user_state_path("course-utils") / "progress.json"
    with contextlib.suppress(OSError, RuntimeError):  # no such user, no such folder, links in a circle
        path = path.expanduser().resolve()  # a link stays one
        # A device such as /dev/null must not be replaced by a file.
        return None if named == "0" or (path.exists() and not path.is_file()) else path
    return None


def read():
    """Read which exercises were answered right.

    Returns
    -------
    dict of str to str
        The date, as in ``"2025-11-27"``, of the first right answer to each exercise. Empty where there is no file, or
        none that can be read.
    """
    path = file()
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig")) if path else {}
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def record(name):
    """Write down that an exercise was answered right today, where it was not before.

    Parameters
    ----------
    name : str
        The exercise, as ``"thresholding.cost"``.

    Returns
    -------
    dict of str to str
        As :func:`read` returns it from now on; where the file can't be written, what it said before.
    """
    from filelock import FileLock

    path, known = file(), read()
    if path is None or name in known:
        return known
    part = path.with_name(f"{path.name}.part")  # so that a kernel that ends meanwhile leaves no half file
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name(f"{path.name}.lock"), timeout=5):  # another kernel may be writing
            now = {name: datetime.date.today().isoformat()} | read()
            part.write_text(json.dumps(now, indent=1), encoding="utf-8")
            part.replace(path)
    except OSError:  # a folder that is read-only is no reason to disturb a learner
        return known
    return now
