"""Open JupyterLab on the first lesson: ``make lab``, or ``python -m tools.lab`` in the project's folder.

A plain ``jupyter lab`` refuses to start as root, starts a text browser where there is no display, and fails without a
home folder to write to; here it opens in all three places. ``tools/jupyter`` holds its settings: no question about
news, and nothing that changes from computer to computer is saved with a notebook. Options go through to JupyterLab:
``python -m tools.lab --port 8890``.
"""

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).resolve().parent.parent
FIRST_LESSON = "notebooks/00_start_here.ipynb"
SETTINGS = ROOT / "tools" / "jupyter"
NOT_STORED = ("language_info", "widgets")  # the first holds the version of Python, the second the state of every widget
THIS_COMPUTER = ("127.0.0.1", "::1", "localhost")
SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")  # editors that forward ports set BROWSER to open pages elsewhere


def before_saving(model, **_):
    """Drop from a notebook what JupyterLab adds to its metadata, so that saving an unchanged lesson changes no byte.

    Parameters
    ----------
    model : dict
        What Jupyter is about to save; a notebook's metadata are changed in place.
    """
    if model.get("type") == "notebook":
        for key in NOT_STORED:
            model["content"]["metadata"].pop(key, None)


def options(given, environ, *, root=None, platform=sys.platform):
    """Choose JupyterLab's command line.

    Parameters
    ----------
    given : list of str
        Options of the user, which come last so that they win. A notebook's path among them is opened in place of the
        first lesson.
    environ : mapping
        The environment variables.
    root : bool, optional
        Whether the user is root; found out by default.
    platform : str
        As `sys.platform`.

    Returns
    -------
    list of str

    Raises
    ------
    SystemExit
        If root asks for an address that other computers reach, without saying ``--allow-root``.
    """
    if root is None:
        root = getattr(os, "geteuid", lambda: 1)() == 0
    chosen = _for_root(given) if root else []
    if platform.startswith("linux") and not any(environ.get(name) for name in SCREENS):
        chosen.append("--no-browser")
    given = list(given)
    opened = next((word for word in given if not word.startswith("-") and (ROOT / word).is_file()), FIRST_LESSON)
    if opened in given:
        given.remove(opened)
    # Given a notebook's path, JupyterLab itself would serve that notebook's folder alone, and print no address of it.
    page = quote((ROOT / opened).resolve().relative_to(ROOT).as_posix())
    return [*chosen, f"--ServerApp.root_dir={ROOT}", f"--LabApp.default_url=/lab/tree/{page}", *given]


def _for_root(given):
    """Root may run any code, so nobody else may come in unless root says so."""
    names = [word.partition("=")[0] for word in given]
    if "--allow-root" in names or "--ServerApp.allow_root" in names:
        return []
    for place, name in enumerate(names):
        if name in ("--ip", "--ServerApp.ip"):
            address = given[place].partition("=")[2] or "".join(given[place + 1 : place + 2])
            if address not in THIS_COMPUTER:
                sys.exit(
                    f"You are root, so JupyterLab listens on this computer only, not on {address or 'another address'}. "
                    "Start it as another user, or add --allow-root if others may use it."
                )
            return ["--allow-root"]
    return ["--allow-root", "--ServerApp.ip=127.0.0.1"]


def variables(environ):
    """Choose what to add to the environment of JupyterLab and its kernels.

    Parameters
    ----------
    environ : mapping
        The environment variables.

    Returns
    -------
    dict
        Names and values. Where the home folder can't be written to, they lead to a temporary folder.
    """
    added = {
        "JUPYTER_CONFIG_PATH": _before(SETTINGS, environ.get("JUPYTER_CONFIG_PATH")),
        # Kernels find course_utils also after the project's folder was moved.
        "PYTHONPATH": _before(ROOT, environ.get("PYTHONPATH")),
    }
    from jupyter_core.paths import jupyter_config_dir, jupyter_data_dir, jupyter_runtime_dir

    if not all(_can_be_written(Path(find())) for find in (jupyter_config_dir, jupyter_data_dir, jupyter_runtime_dir)):
        folder = tempfile.mkdtemp(prefix="jupyter-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "MPLCONFIGDIR"):
            added[name] = str(Path(folder) / name.lower())
    return added


def _before(folder, others):
    return f"{folder}{os.pathsep}{others}" if others else str(folder)


def _can_be_written(folder):
    """Tried, since root may write by its rights where the system still refuses, as in /proc."""
    # Not path.exists(), which raises where the home is another user's and closed.
    there = next(path for path in (folder, *folder.parents) if os.access(path, os.F_OK))
    try:
        with tempfile.TemporaryDirectory(dir=there):
            return True
    except OSError:
        return False


def main(given=None):
    """Start JupyterLab, and return when it ends.

    Parameters
    ----------
    given : list of str, optional
        JupyterLab's options; the command line by default.
    """
    arguments = options(sys.argv[1:] if given is None else given, os.environ)
    os.environ.update(variables(os.environ))
    os.chdir(ROOT)
    from jupyterlab.labapp import LabApp

    LabApp.launch_instance(arguments)


if __name__ == "__main__":
    main()
