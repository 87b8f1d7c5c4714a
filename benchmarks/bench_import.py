"""How long `import course_utils` takes, in a fresh interpreter, without the interpreter's own start."""

import subprocess
import sys

from benchmarks import Row, against_bar, seconds


def _start(code):
    return lambda: subprocess.run([sys.executable, "-c", code], check=True)


def run():
    empty, ours, numpy = seconds(_start(""), _start("import course_utils"), _start("import numpy"), repeats=9)
    yield against_bar("import course_utils", max(0.0, ours - empty), 0.1)
    ratio = (ours - empty) / (numpy - empty)
    yield Row(
        "import course_utils",
        f"{ours - empty:.3f} s",
        f"import numpy {numpy - empty:.3f} s",
        f"{ratio:.2f}",
        ratio <= 1,
    )
