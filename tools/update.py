"""Bring the newest version of the collection, and keep what a student has written: ``make update``.

Or ``python -m tools.update`` in the project's folder. A lesson that both the student and the update changed is copied
to my/ first, under a name that says so. Everything else of the student stays where it is. This module needs nothing
but Python and git, because it may run before anything is installed.
"""

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from tools.copy_lesson import copy

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("pyproject.toml", "constraints.txt")
LESSONS = ("notebooks/", "course_utils/")  # what an open notebook and its kernel hold


class GitError(Exception):
    """Git refused; the message is the first line of what it said."""


def update(root, say=print):
    """Update a clone to the newest state of the branch that it follows.

    Parameters
    ----------
    root : path
        The clone.
    say : callable
        Called with each line for the student.

    Returns
    -------
    list of str
        The files that the update changed.

    Raises
    ------
    SystemExit
        With one sentence, if there is no way to update that keeps everything; then nothing was changed.
    """
    root = Path(root).resolve()
    _check_clone(root)
    upstream = _fetched(root)
    incoming = _names(root, "diff", "--name-only", "--no-renames", "HEAD", upstream)
    if _is_ancestor(root, upstream, "HEAD"):
        say("The collection is up to date.")
        return []
    if not _is_ancestor(root, "HEAD", upstream):
        sys.exit("You have commits of your own, so the update needs a decision: try git pull --rebase.")
    _make_way(root, incoming, upstream, say)
    try:
        _git(root, "merge", "--ff-only", "--quiet", upstream)
    except GitError as error:
        sys.exit(f"Git could not update the files ({error}); what you wrote is kept.")
    say(f"Updated: {len(incoming)} {'file has' if len(incoming) == 1 else 'files have'} changed.")
    if any(name.startswith(LESSONS) for name in incoming):
        say(
            "A lesson that is open in JupyterLab is still the old one: File > Reload Notebook from Disk, then restart its kernel."
        )
    return incoming


def _git(root, *words):
    """Run git, and return what it printed."""
    environment = {**os.environ, "LC_ALL": "C"}
    done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, env=environment)
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or [f"git {words[0]} failed"]
        named = [line.strip() for line in lines[1:] if line.startswith("\t")]  # the files that the first line announces
        raise GitError(f"{lines[0]} {', '.join(named)}".strip())
    return done.stdout


def _names(root, *words):
    return [os.fsdecode(name) for name in _git(root, *words, "-z").split(b"\0") if name]


def _is_ancestor(root, older, newer):
    try:
        _git(root, "merge-base", "--is-ancestor", older, newer)
    except GitError:
        return False
    return True


def _check_clone(root):
    if shutil.which("git") is None:
        sys.exit("Updating needs git, and git is not installed.")
    try:
        top = _git(root, "rev-parse", "--show-toplevel")
    except GitError as error:
        if "not a git repository" not in str(error):
            sys.exit(f"Git can't use this folder: {error}.")
        top = b""
    if not top or Path(os.fsdecode(top.rstrip(b"\n"))).resolve() != root:
        sys.exit(
            "This folder was not made by git clone, so it can't be updated: clone the collection, and copy my/ over."
        )


def _fetched(root):
    """Ask the remote for its newest state, and return the name of the branch that this one follows."""
    try:
        upstream = _git(root, "rev-parse", "--abbrev-ref", "--symbolic-full-name", "@{upstream}").decode().strip()
    except GitError as error:
        sys.exit(
            f"Git doesn't know where updates come from ({error}): go back to the branch that you cloned, with git switch main."
        )
    try:
        _git(root, "fetch", "--quiet")
        _git(root, "rev-parse", "--verify", "--quiet", upstream)
    except GitError as error:
        sys.exit(f"No update could be fetched ({error}); nothing was changed. Are you online?")
    return upstream


def _make_way(root, incoming, upstream, say):
    """Copy to my/ what the student wrote where the update will write, and put the old state back."""
    changed = set(_names(root, "diff", "--name-only", "--no-renames", "HEAD"))
    added = _names(root, "diff", "--name-only", "--no-renames", "--diff-filter=A", "HEAD", upstream)
    untracked = {name for name in added if (root / name).exists()}
    in_the_way = [name for name in incoming if name in changed | untracked]
    others = [name for name in in_the_way if not name.endswith(".ipynb")]
    if others:
        known = [name for name in others if name not in untracked]
        undo = f", then undo it with git checkout HEAD -- {shlex.join(known)}" if known else ""
        sys.exit(f"You changed {' and '.join(others)}, and so does the update: move your version elsewhere{undo}.")
    for name in in_the_way:
        path = root / name
        if path.exists() and (name in untracked or _holds_work(root, name)):
            kept = copy(path, root / "my", f"{path.stem}_before_update")
            say(f"Your changes in {name} are kept in {kept.relative_to(root).as_posix()}.")
        if name in untracked:
            path.unlink()
            _git(root, "rm", "--cached", "--quiet", "--ignore-unmatch", "--", name)
        else:
            _git(root, "checkout", "--quiet", "HEAD", "--", name)


def _holds_work(root, name):
    """Whether a notebook's cells or outputs are others than in the last commit; its metadata change by being opened."""
    try:
        return _content((root / name).read_bytes()) != _content(_git(root, "show", f"HEAD:{name}"))
    except (GitError, ValueError, KeyError, TypeError, AttributeError):
        return True


def _content(data):
    def told(cell):
        outputs = [{**output, "execution_count": None} for output in cell.get("outputs", [])]
        return cell["cell_type"], "".join(cell["source"]), cell.get("attachments"), outputs

    return [told(cell) for cell in json.loads(data)["cells"]]


def main(root=ROOT):
    """Update, and say what is left to do where make doesn't do it."""
    try:
        changed = update(root)
    except OSError as error:
        sys.exit(f"{error.filename or root} can't be written ({error.strerror}); git status shows what was done.")
    except GitError as error:
        sys.exit(f"Git stopped the update: {error}.")
    if set(changed) & set(PACKAGES) and "MAKELEVEL" not in os.environ:
        print('The list of packages changed: install it with python -m pip install -c constraints.txt -e ".[dev]".')


if __name__ == "__main__":
    argparse.ArgumentParser(prog="python -m tools.update", description=__doc__).parse_args()
    main()
