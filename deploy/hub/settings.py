"""What the hub is told by environment variables, and whether it may start so."""

import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

from deploy.hub import class_list

ROOT = Path(__file__).resolve().parents[2]
THIS_COMPUTER = ("127.0.0.1", "::1", "localhost")


def address(environ):
    """Choose where the hub listens: on this computer, unless COURSE_HUB_ADDRESS and a certificate say otherwise.

    Parameters
    ----------
    environ : mapping
        The environment variables.

    Returns
    -------
    str

    Raises
    ------
    SystemExit
        If passwords would cross a network unencrypted.
    """
    chosen = environ.get("COURSE_HUB_ADDRESS", "http://127.0.0.1:8000")
    parts = urlsplit(chosen)
    try:
        usable = parts.scheme in ("http", "https") and parts.port
    except ValueError:
        usable = False
    if not usable:
        sys.exit(f"COURSE_HUB_ADDRESS should look like http://127.0.0.1:8000, not like {chosen!r}.")
    has_certificate = all(environ.get(name) for name in ("COURSE_HUB_CERTIFICATE", "COURSE_HUB_KEY"))
    if parts.scheme == "https" and not has_certificate:
        sys.exit("https needs COURSE_HUB_CERTIFICATE and COURSE_HUB_KEY, the files of a certificate and its key.")
    if parts.scheme == "http" and parts.hostname not in THIS_COMPUTER:
        sys.exit(
            f"On {chosen} passwords would cross the network unencrypted. Stay on 127.0.0.1 behind a web server that speaks "
            "TLS, or give an https address with COURSE_HUB_CERTIFICATE and COURSE_HUB_KEY."
        )
    return chosen


def amount(environ, name, default, kind=float):
    """Read a number above 0 from an environment variable; a sentence ends the program where it is none."""
    try:
        value = kind(environ.get(name, default))
    except ValueError:
        value = 0
    if not 0 < value < float("inf"):
        sys.exit(f"{name} should be a number above 0, not {environ[name]!r}.")
    return value


def closed(paths):
    """Find what keeps other users from reading any of some paths.

    Parameters
    ----------
    paths : iterable of path
        Files, which others should be able to read, and folders, which they should be able to open.

    Returns
    -------
    pathlib.Path or None
        The first file or folder without the right for others.
    """
    for path in map(Path, paths):
        for place in (path, path.resolve()):
            for part in reversed((place, *place.parents)):
                if part.exists() and not part.stat().st_mode & (0o001 if part.is_dir() else 0o004):
                    return part
    return None


def check(folder, python, data, *, is_root, trusts):
    """End with a sentence where the hub can't keep students apart, or students can't reach the lessons.

    Parameters
    ----------
    folder : path
        The class's folder, with the list.
    python, data : path
        The lessons' Python, and the data folder.
    is_root : bool
        Whether root runs the hub.
    trusts : bool
        Whether COURSE_HUB_TRUST says that students may see each other's files.

    Raises
    ------
    SystemExit
    """
    try:
        students = class_list.read(Path(folder) / "list")
    except class_list.ClassListError as error:
        sys.exit(str(error))
    if not students:
        sys.exit(f"The class list {Path(folder) / 'list'} is empty.")
    if not Path(python).exists():
        sys.exit(f"There is no {python}: run make setup, or name the lessons' Python in COURSE_PYTHON.")
    if not is_root and not trusts:
        sys.exit(
            "Only root can run each student's server under a number of its own. As you are not root, every student "
            "could read and change the others' files, and the class list. If that is fine, set COURSE_HUB_TRUST=1."
        )
    if is_root and (place := closed([ROOT / "course_utils", ROOT / "notebooks", python, data])):
        sys.exit(
            f"Students can't get past {place}, which is closed to other users. Put the project into a folder that is open, "
            "such as /srv/course, with a Python that is not in a home folder; or open it (chmod o+rx)."
        )


def make_folders(folder):
    """Make the class's folder, which students can pass through, and the hub's own, which they can't open."""
    for name, mode in ((".", 0o711), ("students", 0o711), ("hub", 0o700)):
        (Path(folder) / name).mkdir(parents=True, exist_ok=True)
        (Path(folder) / name).chmod(mode)


def python(environ):
    """The lessons' Python: `.venv`'s, or what COURSE_PYTHON names."""
    return Path(environ.get("COURSE_PYTHON") or ROOT / ".venv" / "bin" / "python")


def data(environ):
    """The data folder, as `course_utils.data` finds it."""
    return ROOT / environ.get("COURSE_DATA", "data")


def is_root():
    """Whether root runs the hub."""
    return getattr(os, "geteuid", lambda: 1)() == 0


def has_systemd():
    """Whether systemd runs this computer."""
    return Path("/run/systemd/system").is_dir()
