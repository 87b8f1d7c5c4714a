"""Run every benchmark and print one table: python -m benchmarks [part of a module's name]."""

import importlib
import sys
from pathlib import Path


def main(wanted=""):
    rows = [("what", "measured", "compared with", "ratio", "met")]
    for path in sorted(Path(__file__).parent.glob("bench_*.py")):
        if wanted in path.stem:
            for row in importlib.import_module(f"benchmarks.{path.stem}").run():
                rows.append((*row[:4], "yes" if row.met else "NO"))
                print(f"  {row.what}: {row.measured}", file=sys.stderr)  # so that a person sees it go on
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rows.insert(1, tuple("-" * width for width in widths))
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
    return 0 if all(row[-1] != "NO" for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
