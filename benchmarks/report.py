"""What was measured, kept by part in `results.json`, and written as `RESULTS.md` with a picture of how cost grows."""

import datetime
import importlib.metadata
import json
import math
import os
import platform
from pathlib import Path

from benchmarks import Growth, Row

PACKAGES = ("numpy", "scipy", "scikit-image", "scikit-learn", "opencv-python-headless", "tensorflow", "keras")
INTRODUCTION = """# Measured speed

Written by `make bench`; `.venv/bin/python -m benchmarks otsu` measures the parts again whose names contain that word and leaves the others as they stand. What is compared
is measured in the same run, in turns. *Met* says whether the figure keeps its bar; a bar is a promise of the collection, and the ratio is that of the two figures
beside it.
"""


def setting():
    """Name the machine and the versions that a part is measured with.

    Returns
    -------
    dict
        Of texts; `load` is how many processes wanted a processor when it began.
    """
    versions = []
    for name in PACKAGES:
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return {
        "machine": f"{_processor()}, {os.cpu_count()} logical processors{_memory()}, {platform.system()} {platform.machine()}",
        "versions": f"Python {platform.python_version()}, {', '.join(versions)}",
        "load": f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "not known",
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }


def _processor():
    """The processor's name, as Linux or Python know it."""
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return " ".join(line.partition(":")[2].split())
    return platform.processor() or "a processor without a name"


def _memory():
    """The memory in words, where the system tells."""
    try:
        return f", {os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB of memory"
    except (AttributeError, ValueError, OSError):
        return ""


def load(path):
    """Read what was measured before.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    dict
        For each part its `rows`, `growth`, `error`, `seconds` and `setting`; empty where nothing was measured, or the file is damaged.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}


def part(items, error, seconds, where):
    """Collect a part's result.

    Parameters
    ----------
    items : list of Row or Growth
    error : str or None
        Why it ended early.
    seconds : float
        How long it took.
    where : dict
        What :func:`setting` returned.

    Returns
    -------
    dict
        What JSON can hold.
    """
    return {
        "rows": [list(item) for item in items if isinstance(item, Row)],
        "growth": [item._asdict() for item in items if isinstance(item, Growth)],
        "error": error,
        "seconds": round(seconds, 1),
        "setting": where,
    }


def exponent(sizes, values):
    """Say how cost grows between the first and the last size measured: the power p in size**p.

    Parameters
    ----------
    sizes, values : sequence of float
        A value may be None where nothing was measured.

    Returns
    -------
    float or None
    """
    known = [(size, value) for size, value in zip(sizes, values, strict=True) if value]
    if len(known) < 2:
        return None
    (first, begin), (last, end) = known[0], known[-1]
    return math.log(end / begin) / math.log(last / first)


def _cell(text):
    return str(text).replace("|", r"\|")


def _table(header, rows, right=()):
    """A table in Markdown; columns whose numbers are in `right` are set to the right."""
    marks = ["--:" if number in right else ":--" for number in range(len(header))]
    return "\n".join(f"| {' | '.join(map(_cell, row))} |" for row in [header, marks, *rows])


def _duration(value):
    return "-" if value is None else f"{value:.3g} s" if value >= 0.1 else f"{1000 * value:.3g} ms"


def _growth_table(growth):
    sizes, lines = growth["sizes"], growth["lines"]
    rows = [[size, *(_duration(values[i]) for values in lines.values())] for i, size in enumerate(sizes)]
    powers = [exponent(sizes, values) for values in lines.values()]
    rows.append(["grows like size to the power of", *("-" if power is None else f"{power:.2f}" for power in powers)])
    return _table([growth["unit"], *lines], rows, right=range(1, len(lines) + 1))


def write(results, folder):
    """Write ``RESULTS.md``, and ``results.png`` where growth was measured.

    Parameters
    ----------
    results : dict
        What :func:`load` returns.
    folder : pathlib.Path
    """
    wheres = [each["setting"] for each in results.values()]
    newest = max(wheres, key=lambda where: where["date"])
    others = [name for name, each in results.items() if each["setting"]["machine"] != newest["machine"]]
    took = sum(each["seconds"] for each in results.values())
    text = [INTRODUCTION, f"- Machine: {newest['machine']}.", f"- Versions: {newest['versions']}."]
    text.append(f"- All parts together took {took / 60:.1f} minutes. The newest was measured on {newest['date']}.")
    text += [f"- On another machine: {name}, {results[name]['setting']['machine']}." for name in others]
    broken = {name: each["error"] for name, each in results.items() if each["error"]}
    text += [f"- **{name} ended early**: {_cell(error)}" for name, error in broken.items()]
    rows = [[name, *row[:4], "yes" if row[4] else "**no**"] for name, each in results.items() for row in each["rows"]]
    text += ["\n## Side by side\n", _table(["part", "what", "measured", "compared with", "ratio", "met"], rows)]
    growths = [growth for each in results.values() for growth in each["growth"]]
    if growths:
        (folder / "results.png").write_bytes(_picture(growths))
        text += ["\n## How cost grows\n", f"![{_alt(growths)}](results.png)"]
        text += [f"\n{growth['what'][0].upper()}{growth['what'][1:]}:\n\n{_growth_table(growth)}" for growth in growths]
    parts = [
        [name, f"{each['seconds']:.0f} s", each["setting"]["date"], each["setting"]["load"]]
        for name, each in results.items()
    ]
    text += ["\n## Parts\n", _table(["part", "took", "measured on", "load at its start"], parts, right=(1, 3))]
    (folder / "RESULTS.md").write_text("\n".join(text) + "\n", encoding="utf-8")


def _alt(growths):
    """The picture in words."""
    said = []
    for growth in growths:
        powers = {name: exponent(growth["sizes"], values) for name, values in growth["lines"].items()}
        told = ", ".join(f"{name} {power:.1f}" for name, power in powers.items() if power is not None)
        said.append(f"{growth['what']} against {growth['unit']} ({told})")
    return f"Seconds against size on two logarithmic axes, with the slope of each line: {'; '.join(said)}."


def _picture(growths):
    """One panel for each growth, both axes logarithmic, as PNG."""
    from matplotlib.figure import Figure

    from course_utils import plots

    plots.use_style()
    columns = min(3, len(growths))
    height = math.ceil(len(growths) / columns)
    fig = Figure(figsize=(4.2 * columns, 3.8 * height))
    for number, growth in enumerate(growths):
        ax = fig.add_subplot(height, columns, number + 1)
        for (name, values), color in zip(
            growth["lines"].items(), (plots.TRUTH, plots.PREDICTION, plots.OTHER), strict=False
        ):
            known = [(size, value) for size, value in zip(growth["sizes"], values, strict=True) if value]
            if known:
                ax.plot(*zip(*known, strict=True), marker="o", color=color, label=name)
        ax.set(xscale="log", yscale="log", xlabel=growth["unit"], ylabel="seconds", title=growth["what"])
        ax.set_xticks(growth["sizes"], [f"{size:g}" for size in growth["sizes"]])
        ax.minorticks_off()
        ax.margins(x=0.08, y=0.25)
        ax.legend(fontsize=10, loc="upper left")
    return plots.png(fig)
