"""A student's own server, started by the hub as the student: ``python -m deploy.hub.student_server``.

It lays out the student's folder, then starts JupyterLab for the hub with the lessons' Python. Root does nothing in a
folder that belongs to a student.
"""

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# What lessons link to, and what a student may want to read.
SHOWN = ("README.md", "benchmarks", "course_utils", "deploy", "notebooks", "publish")


def lay_out(home, root=ROOT):
    """Make `my/` with a copy of every lesson that isn't there yet, and beside it links to what the lessons lead to.

    Parameters
    ----------
    home : path
        The student's folder.
    root : path
        The project's folder, which need not be writable.
    """
    home, root = Path(home), Path(root)
    shutil.rmtree(home / ".tmp", ignore_errors=True)  # left by a server that was killed
    for folder in ("my", ".tmp"):
        (home / folder).mkdir(exist_ok=True)
    for name in SHOWN:
        link = home / name
        if link.is_symlink():
            link.unlink()  # the project may have moved
        if not link.exists():
            link.symlink_to(root / name)
    for lesson in sorted((root / "notebooks").glob("*.ipynb")):
        if not (home / "my" / lesson.name).exists():
            shutil.copyfile(lesson, home / "my" / lesson.name)


def main():
    """Lay out the home folder, and start the server."""
    lay_out(Path.home())
    # The hub's packages come after the lessons' own, so a kernel finds what the lessons were tested with.
    sys.path += map(str, (ROOT / "build" / "hub").glob("lib/python*/site-packages"))
    from jupyterhub.singleuser import main as serve

    # The usual handler shows no picture that a link leads to.
    sys.argv.append("--ContentsManager.files_handler_class=jupyter_server.files.handlers.FilesHandler")
    serve()


if __name__ == "__main__":
    main()
