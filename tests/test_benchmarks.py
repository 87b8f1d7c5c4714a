"""The benchmark report: parts fail alone, can be measured again alone, and stand side by side with how cost grows."""

import io
import json
import math
import re
import time

import numpy as np
import pytest
from PIL import Image

from benchmarks import Growth, Row, __main__, grow, report
from course_utils import exercises
from course_utils.notebooks import FOLDER, lessons
from publish.answering import ALL
from tests.test_mutants import LISTED, MUTANTS
from tools.notebook_table import count_cells

FAKE = """
from benchmarks import Growth, Row

def run():
    print("a library says something")
    yield Row("sums | of numbers", "{figure}", "NumPy 0.5 s", "0.5", True)
    yield Growth("sums", "numbers", range(1, 5), {{"ours": [1.0, 2.0, 3.0, 4.0], "library": [0.01, 0.04, None, 0.16]}})
"""
BROKEN = """
from benchmarks import Row

def run():
    yield Row("before", "1 s", "-", "-", True)
    raise ValueError("the third picture is missing")
"""
ENDLESS = """
import subprocess, sys

def run():
    subprocess.run([sys.executable, "-c", "import time; time.sleep(60)"])
    yield
"""
DYING = "import os\n\ndef run():\n    os._exit(9)\n    yield\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "bench_fake.py").write_text(FAKE.format(figure="0.25 s"))
    return tmp_path


def _report(folder):
    return (folder / "RESULTS.md").read_text(encoding="utf-8")


def test_report_has_machine_versions_rows_growth_and_picture(folder, capsys):
    assert __main__.main(folder=folder) == 0
    text = _report(folder)
    assert re.search(r"- Machine: .+ logical processors", text)
    assert re.search(r"- Versions: Python 3\.\d+\.\d+, numpy \d", text)
    assert r"| fake | sums \| of numbers | 0.25 s | NumPy 0.5 s | 0.5 | yes |" in text
    assert "| 1 | 1 s | 10 ms |" in text
    assert "| 3 | 3 s | - |" in text
    assert "| grows like size to the power of | 1.00 | 2.00 |" in text
    alt = re.search(r"!\[(.+)\]\(results\.png\)", text)[1]
    assert "ours 1.0, library 2.0" in alt
    pixels = np.asarray(Image.open(io.BytesIO((folder / "results.png").read_bytes())).convert("RGB"))
    assert (pixels != pixels[0, 0]).any()
    assert "sums | of numbers" in capsys.readouterr().out


def test_part_that_fails_is_named_with_its_reason_and_the_others_go_on(folder):
    (folder / "bench_a_broken.py").write_text(BROKEN)
    (folder / "bench_b_dying.py").write_text(DYING)
    assert __main__.main(folder=folder) == 1
    text = _report(folder)
    assert "- **a_broken ended early**: ValueError: the third picture is missing" in text
    assert "- **b_dying ended early**: it ended with the code 9" in text
    assert "| a_broken | before | 1 s | - | - | yes |" in text
    assert "| fake | sums" in text


def test_part_that_does_not_end_is_stopped_with_what_it_began(folder):
    (folder / "bench_endless.py").write_text(ENDLESS)
    begin = time.perf_counter()
    assert __main__.main(["endless"], folder=folder, limit=2) == 1
    assert time.perf_counter() - begin < 30
    assert "- **endless ended early**: it took longer than 2 s" in _report(folder)


def test_one_part_is_measured_again_and_the_others_stay(folder):
    (folder / "bench_other.py").write_text(FAKE.format(figure="7 s"))
    __main__.main(folder=folder)
    (folder / "bench_other.py").write_text(FAKE.format(figure="8 s"))
    (folder / "bench_fake.py").write_text(FAKE.format(figure="9 s"))
    __main__.main(["other"], folder=folder)
    rows = re.findall(r"^\| (fake|other) \| sums .*? \| (\S+ s) \|", _report(folder), re.M)
    assert rows == [("fake", "0.25 s"), ("other", "8 s")]


def test_part_that_is_gone_leaves_the_report(folder):
    (folder / "bench_other.py").write_text(FAKE.format(figure="7 s"))
    __main__.main(folder=folder)
    (folder / "bench_other.py").unlink()
    __main__.main(["fake"], folder=folder)
    assert "| other |" not in _report(folder)


def test_bar_that_is_missed_shows_and_fails(folder):
    (folder / "bench_fake.py").write_text(FAKE.format(figure="1 s").replace("True", "False"))
    assert __main__.main(folder=folder) == 1
    assert "| 0.5 | **no** |" in _report(folder)


def test_unknown_part_is_named_with_those_there_are(folder):
    with pytest.raises(SystemExit, match="No part's name contains nothing; there are: fake"):
        __main__.main(["nothing"], folder=folder)
    assert not (folder / "RESULTS.md").exists()


def test_damaged_store_is_begun_anew(folder):
    (folder / "results.json").write_text("{")
    assert __main__.main(folder=folder) == 0
    assert set(json.loads((folder / "results.json").read_text())) == {"fake"}


def test_part_of_another_machine_is_said(folder):
    (folder / "bench_other.py").write_text(FAKE.format(figure="7 s"))
    __main__.main(folder=folder)
    results = report.load(folder / "results.json")
    results["other"]["setting"] |= {"machine": "an abacus", "date": "1900-01-01"}
    report.write(results, folder)
    assert "- On another machine: other, an abacus." in _report(folder)


@pytest.mark.parametrize("power", [0, 1, 2.5])
def test_exponent_is_the_power_of_the_size(power):
    sizes = (1, 4, 16)
    assert math.isclose(report.exponent(sizes, [3 * size**power for size in sizes]), power, abs_tol=1e-9)
    assert math.isclose(report.exponent(sizes, [None, 4**power, 16**power]), power, abs_tol=1e-9)
    assert report.exponent(sizes, [None, 1.0, None]) is None


def test_growth_measures_each_method_and_size_but_what_is_too_much():
    calls = []

    def method(size):
        return (lambda: calls.append(size)) if size < 3 else None

    found = grow("work", "things", range(1, 4), {"one": method, "none": lambda size: None}, budget=0.001)
    assert isinstance(found, Growth)
    assert found.sizes == (1, 2, 3)
    assert [value is None for value in found.lines["one"]] == [False, False, True]
    assert found.lines["none"] == [None, None, None]
    assert set(calls) == {1, 2}


def test_slow_call_is_made_once():
    calls = []

    def slow(size):
        return lambda: (calls.append(size), time.sleep(0.02))

    found = grow("work", "things", (1,), {"slow": slow}, budget=0.01)
    assert calls == [1]
    assert found.lines["slow"][0] >= 0.02


def test_every_part_has_a_run_and_says_what_it_measures():
    for path in sorted(__main__.FOLDER.glob("bench_*.py")):
        text = path.read_text(encoding="utf-8")
        assert re.search(r"^def run\(\):", text, re.M), path.name
        assert text.startswith('"""'), path.name


def test_row_and_growth_survive_the_way_through_a_process():
    row = Row("what", "1 s", "-", "-", np.bool_(True))
    kind, values = json.loads(json.dumps(["Row", list(row)], default=__main__._plain))
    assert __main__._item(kind, values) == row


def _numbers(text):
    return [float(number.replace(",", "")) for number in re.findall(r"\d[\d,]*(?:\.\d+)?", text)]


def _range(values, form):
    low, high = f"{min(values):{form}}", f"{max(values):{form}}"
    return low if low == high else f"{low} to {high}"


def test_promises_give_the_figures_that_were_measured():
    promises = (__main__.FOLDER / "PROMISES.md").read_text(encoding="utf-8")
    results = report.load(__main__.FOLDER / "results.json")
    rows = {row[0]: row for part in results.values() for row in part["rows"]}
    cells = np.sum([count_cells(path) for path in FOLDER.glob("*.ipynb")], axis=0)
    runs = [lesson.card.run_seconds for lesson in lessons()]
    kinds = [answer.kind for name in ALL for answer in exercises.answers(name)]
    cars = [_numbers(rows[f"U-Net, unseen cars, seed {seed}"][1]) for seed in range(3)]
    chapter = rows["CPU seconds to a validation loss of 0.06"]
    detector, speed = rows["Faster R-CNN, AP at 0.5, 200 unseen scenes"], rows["Faster R-CNN, a picture"]
    drawn, slowest = rows["conditional GAN, FID"], rows["conditional GAN, slowest training, CPU seconds"]
    quicker = next(row for name, row in rows.items() if "CPU seconds to the chapter's FID" in name)
    for words in (
        f"{len(runs)} notebooks in {sum(runs)} s one after the other, the longest {max(runs)} s",
        f"{cells[0]} cells compared, {cells[1]} ignored",
        f"{len(ALL)} exercises",
        f"{len(kinds) - kinds.count('wrong')} right answers, {kinds.count('wrong')} wrong ones, and {sum(map(len, MUTANTS.values())):,} mutants",
        f"of which {sum(map(len, LISTED.values()))} are accepted",
        f"Dice {_range([car[0] for car in cars], '.3f')} after {_range([car[2] for car in cars], '.0f')} CPU s",
        f"{_numbers(chapter[3])[0]:.0f} times fewer CPU seconds",
        f"average precision {min(_numbers(detector[1])):.2f} at an IoU of 0.5",
        f"after {_range(_numbers(rows['Faster R-CNN, training, CPU s'][1]), '.0f')} CPU s",
        f"{_numbers(speed[3])[0]:.0f} times faster per picture",
        f"FID {_range(_numbers(drawn[1]), '.1f')} after at most {math.ceil(_numbers(slowest[1])[0])} CPU s",
        f"the asked one in {_range(_numbers(rows['conditional GAN, asked digit'][1]), '.0f')}%",
        f"is reached {_numbers(quicker[3])[0]:.0f} times faster",
    ):
        assert words in promises, words
