"""Measure every part and write the report: python -m benchmarks [a part of a module's name ...].

Each part runs in a process of its own: a part that fails, runs out of memory or never ends costs no other its place in the report.
"""

import contextlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from benchmarks import Growth, Row, report

FOLDER = Path(__file__).resolve().parent
SECONDS = 2400  # for one part; the race of five detectors takes half an hour
_MARK = "measured: "


def measure(path):
    """Run one part in this process, and print each result as a line that :func:`run_part` reads."""
    specification = importlib.util.spec_from_file_location(f"benchmarks.{path.stem}", path)
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    specification.loader.exec_module(module)
    for item in module.run():
        kind = type(item).__name__
        print(_MARK + json.dumps([kind, list(item)], default=_plain), flush=True)


def _plain(value):
    """NumPy's numbers and ranges as JSON has them."""
    return value.item() if hasattr(value, "item") else list(value)


def run_part(path, limit=SECONDS, say=print):
    """Run one part in a process of its own.

    Parameters
    ----------
    path : pathlib.Path
        Its module.
    limit : float
        Seconds that it may take.
    say : callable
        Takes a line for a person who waits.

    Returns
    -------
    dict
        What `benchmarks.report.part` returns.
    """
    where, begin, items, trouble = report.setting(), time.perf_counter(), [], []
    command = [sys.executable, "-m", "benchmarks", "--measure", str(path)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "encoding": "utf-8"}
    with subprocess.Popen(command, cwd=FOLDER.parent, start_new_session=True, **pipes) as process:
        late = threading.Timer(limit, _stop, [process])
        reader = threading.Thread(target=lambda: trouble.extend(process.stderr))
        late.daemon = reader.daemon = True
        try:
            late.start()
            reader.start()
            for line in process.stdout:
                if line.startswith(_MARK):
                    items.append(_item(*json.loads(line.removeprefix(_MARK))))
                    say(f"  {items[-1].what}: {getattr(items[-1], 'measured', 'growth')}")
            reader.join()
            process.wait()
            in_time = late.is_alive()
        finally:
            late.cancel()
            _stop(process)
    error = None
    if process.returncode:
        last = next(
            (line.strip() for line in reversed(trouble) if line.strip()), f"it ended with the code {process.returncode}"
        )
        error = last if in_time else f"it took longer than {limit:g} s"
    return report.part(items, error, time.perf_counter() - begin, where)


def _stop(process):
    """End a part and the processes that it began."""
    with contextlib.suppress(OSError):  # it has ended by itself
        os.killpg(process.pid, signal.SIGKILL) if hasattr(os, "killpg") else process.kill()


def _item(kind, values):
    return {"Row": Row, "Growth": Growth}[kind](*values)


def main(wanted=(), folder=FOLDER, limit=SECONDS):
    """Measure the parts whose names contain one of `wanted` (all, where it is empty), and write the report after each.

    Returns
    -------
    int
        0 where every part ran to its end and every bar is met.
    """
    modules = {path.stem.removeprefix("bench_"): path for path in sorted(folder.glob("bench_*.py"))}
    chosen = [name for name in modules if not wanted or any(word.removeprefix("bench_") in name for word in wanted)]
    if not chosen:
        sys.exit(f"No part's name contains {', '.join(wanted)}; there are: {', '.join(modules)}.")
    for name in chosen:
        print(name, file=sys.stderr)
        result = run_part(modules[name], limit, say=lambda line: print(line, file=sys.stderr))
        if result["error"]:
            print(f"  ended early: {result['error']}", file=sys.stderr)
        results = report.load(folder / "results.json") | {name: result}
        results = {each: results[each] for each in sorted(results) if each in modules}
        (folder / "results.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        report.write(results, folder)
    _print_table({name: results[name] for name in chosen})
    print(f"The report is in {(folder / 'RESULTS.md').relative_to(folder.parent)}.")
    return (
        0 if all(not results[name]["error"] and all(row[4] for row in results[name]["rows"]) for name in chosen) else 1
    )


def _print_table(results):
    """Print the rows of some parts."""
    rows = [("what", "measured", "compared with", "ratio", "met")]
    rows += [(*row[:4], "yes" if row[4] else "NO") for each in results.values() for row in each["rows"]]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rows.insert(1, tuple("-" * width for width in widths))
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(Path(sys.argv[2]))
    else:
        sys.exit(main(sys.argv[1:]))
