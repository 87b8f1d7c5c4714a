"""The pictures that make explorers move on the reading site belong to the cells as they are stored."""

import io
import json

import nbformat
import numpy as np
import pytest
from PIL import Image

from course_utils import notebooks, plots
from publish import frames, recorder
from tools import refresh

EXPLORERS = [
    (lesson.name, number, cell)
    for lesson in notebooks.lessons()
    for number, cell in enumerate(frames.explorers(lesson.cells))
]
IDS = [f"{name[:2]}_{number}" for name, number, _ in EXPLORERS]


def told(folder):
    return json.loads((folder / "frames.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("name", "number", "cell"), EXPLORERS, ids=IDS)
def test_frames_belong_to_the_cell_and_its_picture_as_they_are_stored(name, number, cell):
    folder = frames.folder_of(name, number)
    words = told(folder)
    assert words["source"] == frames.digest_of(cell.source), f"python -m publish.frames {name[:2]}"
    assert words["still"] == frames.digest_of(frames.still_of(cell)), f"python -m publish.frames {name[:2]}"
    count = np.prod([len(slider["values"]) for slider in words["sliders"]])
    assert 5 <= count == len(words["alts"]) == len(set(words["alts"])) <= 125
    assert (
        np.ravel_multi_index(
            [slider["start"] for slider in words["sliders"]], [len(slider["values"]) for slider in words["sliders"]]
        )
        == (words["start"])
    )
    size = Image.open(io.BytesIO(frames.still_of(cell))).size
    names = {path.name: path for path in folder.glob("*.webp")}
    assert set(names) == {f"{k}.webp" for k in range(count) if k != words["start"]}
    assert {Image.open(io.BytesIO(path.read_bytes())).size for path in names.values()} == {size}


def test_there_are_no_frames_of_other_explorers_and_all_are_small():
    assert {folder.name for folder in frames.FRAMES.iterdir()} == set(IDS)
    assert sum(path.stat().st_size for path in frames.FRAMES.rglob("*")) < 3e6


def test_plans_name_drawings_that_there_are():
    sources = {lesson.number: "".join(cell.source for cell in lesson.cells) for lesson in notebooks.lessons()}
    for plan in frames.PLANS:
        number, name = plan.split(" ")
        assert f"def {name}(" in sources[number] or (name == "<lambda>" and "lambda" in sources[number])


@pytest.mark.parametrize("start", [0, 3, 36, 235])
def test_a_slider_is_thinned_out_and_keeps_its_start(start):
    kept = recorder.positions(list(range(236)), start, 25)
    assert start in kept and kept == sorted(set(kept)) and 20 <= len(kept) <= 25
    assert recorder.positions([1, 2, 3], 2, 25) == [1, 2, 3]


def test_a_grid_of_sliders_stays_below_its_limit():
    sliders = [(list(range(51)), 10), (list(range(31)), 6), (list(range(3)), 0)]
    kept = recorder.grid(sliders, 60)
    assert 30 <= np.prod(list(map(len, kept))) <= 60 and all(
        start in line for line, (_, start) in zip(kept, sliders, strict=True)
    )


def picture(*gray):
    stream = io.BytesIO()
    Image.fromarray(np.kron(np.array([gray], np.uint8), np.ones((16, 16), np.uint8))).save(stream, "PNG")
    return stream.getvalue()


def test_overlay_on_the_start_gives_the_frame_and_is_clear_elsewhere():
    start, frame = picture(0, 100, 250), picture(0, 100, 50)
    over = Image.open(io.BytesIO(frames.overlay(frame, start)))
    assert np.asarray(over)[:, :28, 3].max() == 0
    base = Image.open(io.BytesIO(start)).convert("RGBA")
    whole = np.asarray(Image.alpha_composite(base, over.convert("RGBA")).convert("L"), int)
    assert np.abs(whole - np.asarray(Image.open(io.BytesIO(frame)))).max() <= 3
    large = Image.open(io.BytesIO(frames.overlay(picture(0, 100, 50, 9), start)))
    assert large.size == (48, 16)


def test_overlays_are_the_same_to_the_eye_or_not():
    start = picture(0, 100, 250)
    one, near, far = (frames.overlay(picture(0, 100, gray), start) for gray in (50, 55, 100))
    assert frames.looks_the_same(one, near) and not frames.looks_the_same(one, far)


SOURCE = """import numpy as np
from course_utils import plots
from course_utils.explore import explore, explore_table"""
SLIDER = """def draw(level=2):
    print(np.random.rand())
    return plots.grid([plots.picture(np.full((4, 4), 20 * level), f"gray {20 * level}", vmin=0, vmax=100)], width=2)


explore(draw, level=(0, 4, 1), alt="Dark gray.")"""
TABLE = 'explore_table(lambda table: draw(int(table[0, 0])), [[1, 2]], alt="A table.")'


def test_a_run_records_its_explorers_and_leaves_the_lesson_as_it_is(tmp_path, monkeypatch):
    monkeypatch.setitem(frames.PLANS, "01 <lambda>", {"label": "table", "presets": {"three": [[3, 4]]}})

    def run(options):
        cells = [
            SOURCE,
            "np.random.seed(0)",
            SLIDER,
            TABLE,
            "print(np.random.rand(), sorted(set(dir()) & {'sys', 'publish'}))",
        ]
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
        refresh.execute(notebook, tmp_path, options)
        return notebook.cells

    def outputs(cells):
        return [cell.outputs[-1].get("text") for cell in cells if cell.outputs], [
            cell.execution_count for cell in cells
        ]

    cells = run(frames.options("01_try", tmp_path / "recorded"))
    assert outputs(cells) == outputs(run(()))
    assert frames.seconds(tmp_path / "recorded") > 0 == frames.seconds(tmp_path)
    frames.store("01_try", cells, tmp_path / "recorded", tmp_path / "frames")
    first, second = (told(tmp_path / "frames" / name) for name in ("01_0", "01_1"))
    assert first["sliders"] == [{"label": "level", "start": 2, "values": [0, 1, 2, 3, 4]}]
    assert first["alts"] == [
        "level 0: gray 0",
        "level 1: gray 20",
        "Dark gray.",
        "level 3: gray 60",
        "level 4: gray 80",
    ]
    assert second["sliders"] == [{"label": "table", "start": 0, "values": ["as it opens", "three"]}]
    assert second["alts"] == ["A table.", "table three: gray 60"]
    assert first["still"] == frames.digest_of(plots.compact((tmp_path / "recorded/0/2.png").read_bytes()))

    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "frames").rglob("*.webp")}
    frames.store("01_try", cells, tmp_path / "recorded", tmp_path / "frames")
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "frames").rglob("*.webp")}
    with pytest.raises(ValueError, match="2 were recorded"):
        frames.store("01_try", cells[:3], tmp_path / "recorded", tmp_path / "frames")
    cells[2].source += "\n"
    cells[3].source += "  # changed"
    with pytest.raises(ValueError, match="explorer 1 was recorded from another cell"):
        frames.store("01_try", cells, tmp_path / "recorded", tmp_path / "frames")
