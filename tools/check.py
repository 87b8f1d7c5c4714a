"""Check one lesson in a minute: ``make check NOTEBOOK=02``.

Style and form, the unit tests of the lesson and of its exercises with their mutants, and the notebook's stored outputs. What
it leaves out are the tests of the package and of the other lessons: ``make test`` runs all.
"""

import subprocess
import sys
from pathlib import Path

from course_utils import notebooks

ROOT = Path(__file__).resolve().parent.parent


def commands(lesson):
    """List what is run for a lesson.

    Parameters
    ----------
    lesson : course_utils.notebooks.Lesson

    Returns
    -------
    list of list of str
        Arguments for Python.
    """
    own = ROOT / "tests" / f"test_{lesson.slug}.py"
    files = ["tests/test_form.py", "tests/test_exercises.py", "tests/test_mutants.py", "tests/test_links.py"]
    files += [f"tests/{own.name}"] if own.is_file() else []
    pytest = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "2", "--dist", "worksteal"]
    notebook = str(lesson.path.relative_to(ROOT))
    return [
        ["-m", "ruff", "check", "--quiet", "."],
        ["-m", "ruff", "format", "--check", "--quiet", "."],
        [*pytest, *files, "-k", f"{lesson.slug} or {lesson.name}"],
        ["-m", "pytest", "-q", "--nbval", "--nbval-current-env", "-p", "tools.notebook_table", notebook],
    ]


def main(wanted):
    """Run the checks of the one lesson whose name begins with `wanted`, and stop at the first that fails."""
    found = notebooks.lessons(wanted=wanted) if len(wanted) == 1 and wanted[0] else []
    if len(found) != 1:
        known = ", ".join(lesson.number for lesson in notebooks.lessons())
        sys.exit(
            f"Expected the number of one lesson, as in make check NOTEBOOK=02 or python -m tools.check 02, got {' '.join(wanted) or 'none'}; there are {known}."
        )
    for command in commands(found[0]):
        done = subprocess.run([sys.executable, *command], cwd=ROOT)
        if done.returncode:
            sys.exit(f"{found[0].path.name}: python {' '.join(command[:3])} ... found something, see above.")
    print(f"{found[0].path.name} is in order.")


if __name__ == "__main__":
    main(sys.argv[1:])
