"""The checks of the exercises proven by mutation: one small error in a right answer, and the check tells.

A mutant that is judged right must be listed in `surviving/<slug>.toml` with a reason: it is equivalent, or it tunes a design
that the exercise leaves open.
"""

import tomllib
from pathlib import Path

import pytest

from course_utils import checker, exercises
from course_utils.checker import RIGHT, judge
from publish.answering import ALL, TASKS, run
from tests.mutants import mutants

LISTED = {
    f"{path.stem}.{exercise}": changes
    for path in (Path(__file__).parent / "surviving").glob("*.toml")
    for exercise, changes in tomllib.loads(path.read_text(encoding="utf-8")).items()
}
SECONDS = 1  # for one call of a mutant, because some loop forever


def _mutants_of(name):
    """The mutants of the solution by what was changed, and those of each other right answer with its note behind.

    Of a design, the solution's alone: another design has other numbers that may be tuned.
    """
    found, is_design = {}, "Design:" in TASKS[name].statement[0].source
    for answer in exercises.answers(name):
        if answer.kind == "solution" or (answer.kind == "right" and not is_design):
            behind = f" [{answer.note}]" if answer.note else ""
            found |= {f"{change}{behind}": source for change, source in mutants(answer.code).items()}
    return found


MUTANTS = {name: _mutants_of(name) for name in ALL}


@pytest.fixture(autouse=True)
def short_calls(monkeypatch):
    real = checker.run_with_limit
    monkeypatch.setattr(
        checker, "run_with_limit", lambda work, arguments, seconds: real(work, arguments, min(seconds, SECONDS))
    )


def is_right(name, source):
    try:
        answer = run(name, source)
    except Exception:
        return False
    return judge(ALL[name], answer).status == RIGHT


@pytest.mark.parametrize("name", ALL)
@pytest.mark.filterwarnings("ignore")
def test_no_mutant_of_the_solution_is_right_unless_it_is_listed(name):
    survivors = [change for change, source in MUTANTS[name].items() if is_right(name, source)]
    assert [change for change in survivors if change not in LISTED.get(name, {})] == []


def test_listed_mutants_exist_and_have_a_reason():
    for name, changes in LISTED.items():
        for change, reason in changes.items():
            assert change in MUTANTS[name], f"{name} has no mutant {change!r} any more"
            assert reason.partition(":")[0] in ("equivalent", "open design") and len(reason) > 20, (name, change)


def test_there_are_many_mutants_and_few_of_them_are_listed():
    number = sum(map(len, MUTANTS.values()))
    assert number >= 1500
    assert sum(map(len, LISTED.values())) < 0.1 * number


def test_mutants_differ_from_the_code_by_one_change_each():
    found = mutants("def f(a, b):\n    return max(a[1:], key=b) + 2 if a < b and b else -a")
    assert found["a < b -> a <= b"].endswith("if a <= b and b else -a")
    assert {"a < b and b -> a < b or b", "2 -> 3", "2 -> 1", "1: -> :", "-a -> a", "max -> min"} <= set(found)
    assert {"max(a[1:], key=b) -> a[1:]", "max(a[1:], key=b) -> max(a[1:])"} <= set(found)
    assert any(source.endswith("return b") for source in found.values())
    assert len(set(found.values())) == len(found)
