"""Progress is kept when an answer is right, where it can be kept, and nowhere else."""

import datetime
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from course_utils import exercises, lesson, progress
from course_utils.exercises import check

ROOT = Path(__file__).parent.parent
RIGHT = {"start_here.pixels": 303 * 384, "start_here.negative": lambda gray: 255 - gray}


@pytest.fixture
def kept(tmp_path, monkeypatch):
    path = tmp_path / "new" / "progress.json"
    monkeypatch.setenv("COURSE_PROGRESS", str(path))
    return path


def test_only_right_answers_are_kept_with_their_date(kept):
    check("start_here.pixels", 5)
    check("start_here.pixels", ...)
    check("start_here.nothing", 5)
    assert not kept.exists()
    check("start_here.pixels", RIGHT["start_here.pixels"])
    assert json.loads(kept.read_text()) == {"start_here.pixels": datetime.date.today().isoformat()}
    assert {path.name for path in kept.parent.iterdir()} <= {kept.name, f"{kept.name}.lock"}


def test_first_date_stays_also_after_a_wrong_answer(kept):
    kept.parent.mkdir()
    kept.write_text('{"start_here.pixels": "2024-02-29", "gone.exercise": "2023-01-01"}')
    for answer in (RIGHT["start_here.pixels"], 5):
        check("start_here.pixels", answer)
        assert progress.read() == {"start_here.pixels": "2024-02-29", "gone.exercise": "2023-01-01"}


def test_check_counts_the_lessons_right_answers(kept, capsys):
    printed = []
    for name, answer in RIGHT.items():
        check(name, answer)
        printed.append(capsys.readouterr().out)
    assert printed[0] == "Right. 1 of 2 exercises of this lesson solved.\n"
    assert printed[1].endswith(" 2 of 2 exercises of this lesson solved.\n")
    check("start_here.negative", ...)
    assert "solved" not in capsys.readouterr().out


@pytest.mark.parametrize("content", ["", "{", "[]", "3", '{"start_here.pixels":', b"\xff\xfe".decode("latin-1")])
def test_damaged_file_counts_as_none_and_is_replaced(content, kept):
    kept.parent.mkdir()
    kept.write_text(content, encoding="latin-1")
    assert progress.read() == {}
    check("start_here.pixels", RIGHT["start_here.pixels"])
    assert list(progress.read()) == ["start_here.pixels"]


def test_byte_order_mark_of_an_editor_loses_nothing(kept):
    kept.parent.mkdir()
    kept.write_text('{"gone.exercise": "2023-01-01"}', encoding="utf-8-sig")
    check("start_here.pixels", RIGHT["start_here.pixels"])
    assert sorted(progress.read()) == ["gone.exercise", "start_here.pixels"]


def test_where_it_can_not_be_written_nothing_is_said(kept, capsys, monkeypatch):
    kept.parent.write_text("a file where the folder should be")
    for path in (kept, kept.parent.parent, "~nobody-of-this-name/progress.json"):
        monkeypatch.setenv("COURSE_PROGRESS", str(path))
        before = sorted(kept.parent.parent.iterdir())
        check("start_here.pixels", RIGHT["start_here.pixels"])
        assert capsys.readouterr() == ("Right.\n", "")
        assert sorted(kept.parent.parent.iterdir()) == before


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no files of this kind")
def test_a_device_such_as_dev_null_is_not_replaced(kept, monkeypatch):
    kept.parent.mkdir()
    os.mkfifo(kept)  # reading or writing it would wait forever
    check("start_here.pixels", RIGHT["start_here.pixels"])
    assert not kept.is_file()
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]


def test_a_link_stays_a_link(kept):
    kept.parent.mkdir()
    target = kept.parent.parent / "elsewhere.json"
    try:
        kept.symlink_to(target)
    except OSError:
        pytest.skip("links can't be made here")
    check("start_here.pixels", RIGHT["start_here.pixels"])
    assert kept.is_symlink()
    assert list(json.loads(target.read_text())) == ["start_here.pixels"]


def test_two_kernels_at_once_lose_nothing(kept):
    code = "import sys; from course_utils import progress; [progress.record(f'{sys.argv[1]}.{i}') for i in range(40)]"
    both = [subprocess.Popen([sys.executable, "-c", code, name], cwd=ROOT) for name in ("one", "two")]
    assert [kernel.wait() for kernel in both] == [0, 0]
    assert len(progress.read()) == 80


def test_nothing_is_kept_or_read_where_it_is_switched_off(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(progress.platformdirs, "user_state_path", lambda name: tmp_path / name)
    monkeypatch.setenv("COURSE_PROGRESS", "0")
    check("start_here.pixels", RIGHT["start_here.pixels"])
    assert capsys.readouterr().out == "Right.\n"
    assert list(tmp_path.iterdir()) == []
    monkeypatch.delenv("COURSE_PROGRESS")
    check("start_here.pixels", RIGHT["start_here.pixels"])
    assert list(progress.read()) == ["start_here.pixels"]
    assert (tmp_path / "course-utils" / "progress.json").exists()
    monkeypatch.setenv("COURSE_PROGRESS", "0")
    assert progress.read() == {}


def test_table_lists_every_lesson_with_exercises_in_order(kept, capsys):
    check("start_here.pixels", RIGHT["start_here.pixels"])
    capsys.readouterr()
    lesson.progress()
    head, *rows, total = capsys.readouterr().out.splitlines()
    assert head.split() == ["lesson", "solved"]
    names = [row.split()[0] for row in rows]
    assert names == sorted(names)
    assert len(names) == len(exercises.topics())
    assert rows[0].split() == ["00_start_here", "1", "of", "2"]
    assert all(row.split()[1] == "0" for row in rows[1:])
    count = sum(len(exercises.of_topic(topic)) for topic in exercises.topics())
    assert total.split() == ["all", "1", "of", str(count)]


def test_progress_in_one_lesson_names_what_is_left(kept, capsys):
    for wanted in (
        "0 of 2 exercises solved. Left: start_here.pixels, start_here.negative.\n",
        "1 of 2 exercises solved. Left: start_here.negative.\n",
        "2 of 2 exercises solved.\n",
    ):
        lesson.progress("start_here")
        assert capsys.readouterr().out == wanted
        name = next((name for name in RIGHT if name not in progress.read()), "start_here.pixels")
        check(name, RIGHT[name])
        capsys.readouterr()


@pytest.mark.parametrize("topic", ["nowhere", "", 3])
def test_unknown_topic_is_named_with_those_there_are(topic, kept):
    with pytest.raises(ValueError, match=r"no exercises of .*; there are those of .*faster_rcnn, .*watershed"):
        lesson.progress(topic)
