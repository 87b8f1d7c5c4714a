"""A pytest plugin: the table at the end of ``make test``, with seconds and cells for each notebook.

Use it as ``pytest --nbval --nbval-current-env -p tools.notebook_table notebooks``.
"""

from collections import defaultdict
from pathlib import Path

from course_utils import notebooks

_seconds = defaultdict(float)
_failed = defaultdict(int)


def pytest_runtest_logreport(report):
    """Add up the time of a notebook's cells, the start of its kernel included."""
    name = report.nodeid.split("::")[0]
    if name.endswith(".ipynb"):
        _seconds[name] += report.duration
        _failed[name] += report.failed


def count_cells(path):
    """Count the code cells whose output nbval compares, and those that it ignores.

    Parameters
    ----------
    path : str or pathlib.Path

    Returns
    -------
    tuple of (int, int)
        Compared and ignored.
    """
    cells = notebooks.Lesson(path).code_cells
    ignored = sum(map(notebooks.is_ignored, cells))
    return len(cells) - ignored, ignored


def pytest_terminal_summary(terminalreporter, config):
    """Print the table."""
    if not _seconds:
        return
    terminalreporter.section("notebooks")
    width = max(len(Path(name).name) for name in _seconds)
    terminalreporter.line(f"{'notebook':<{width}}  seconds  compared  ignored  failed")
    for name in sorted(_seconds):
        compared, ignored = count_cells(config.rootpath / name)
        terminalreporter.line(
            f"{Path(name).name:<{width}}  {_seconds[name]:7.1f}  {compared:8d}  {ignored:7d}  {_failed[name]:6d}"
        )
    terminalreporter.line(f"{'all':<{width}}  {sum(_seconds.values()):7.1f}")
