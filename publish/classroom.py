"""What the course folder's ``nbgrader_config.py`` sets: nbgrader keeps the books, and :mod:`publish.grading` judges."""

import csv
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook
from nbgrader.converters.autograde import Autograde
from nbgrader.plugins import CsvExportPlugin
from nbgrader.preprocessors import DeduplicateIds, Execute, NbGraderPreprocessor, OverwriteCells

from course_utils import notebooks
from course_utils.checker import RIGHT
from publish import grading

AS_PUBLISHED = "as_published"  # in a graded cell's metadata, and the column of grades.csv


class KeepTeachersCells(NbGraderPreprocessor):
    """Let a submission bring nothing but code: which cell is what, and what it is worth, stands in the gradebook.

    nbgrader believes the marks in a submission, and stops at some that a copied, a deleted or a forged cell leaves behind. Here of
    several cells with one mark the last counts, unknown marks are dropped, and a cell that gives points and is missing comes back.
    """

    def preprocess(self, nb, resources):
        """Replace the marks of all cells by those that the assignment gave them."""
        about = resources["nbgrader"]
        with Gradebook(about["db_url"]) as gradebook:
            known = _marks_of(gradebook.find_notebook(about["notebook"], about["assignment"]))
        seen = set()
        for cell in reversed(nb.cells):
            marks = cell.metadata.pop("nbgrader", None)
            name = marks.get("grade_id") if isinstance(marks, dict) else None
            if isinstance(name, str) and name in known and name not in seen:
                seen.add(name)
                cell.metadata["nbgrader"] = known[name][0]
        for name, (marks, source) in known.items():
            if marks["grade"] and name not in seen:
                nb.cells.append(nbformat.v4.new_code_cell(source, metadata={"nbgrader": marks}))
        return nb, resources


def _marks_of(notebook):
    """The marks and the source of each of an assignment's cells, by its name, from the gradebook."""
    points = {cell.name: cell.max_score for cell in notebook.grade_cells}
    answers = {cell.name for cell in notebook.solution_cells}
    found = {}
    for cell in notebook.source_cells:
        name = cell.name
        marks = {"grade": name in points, "grade_id": name, "locked": cell.locked, "schema_version": 3}
        marks |= {"solution": name in answers, "task": False, "cell_type": cell.cell_type, "checksum": cell.checksum}
        if name in points:
            marks["points"] = points[name]
        found[name] = nbformat.from_dict(marks), cell.source
    return found


class Judge(NbGraderPreprocessor):
    """Run no cell: let each answer be judged, and leave in the cell that gives the points what nbgrader reads there."""

    def preprocess(self, nb, resources):
        """Write each verdict below its cell, as an error where it is not right."""
        for number, answer in grading.answers_of(nb.cells).items():
            result = grading.grade(answer)
            cell, said = nb.cells[number], repr(result.verdict)
            if result.verdict.status == RIGHT:
                cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=said)]
            else:
                cell.outputs = [nbformat.v4.new_output("error", ename="AssertionError", evalue=said, traceback=[said])]
            if result.published:
                cell.metadata[AS_PUBLISHED] = answer.exercise
        return nb, resources


class Export(CsvExportPlugin):
    """nbgrader's table of grades with one column more: the answers that equal published ones."""

    def export(self, gradebook):
        """Write the table."""
        super().export(gradebook)
        path = Path(self.to or "grades.csv")
        with path.open(encoding="utf-8", newline="") as file:
            heads, *rows = csv.reader(file)
        place = [heads.index(name) for name in ("assignment", "student_id")]
        with path.open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file)
            table.writerow([*heads, AS_PUBLISHED])
            table.writerows([*row, " ".join(self._as_published(*(row[at] for at in place)))] for row in rows)

    def _as_published(self, assignment, student):
        folder = self.parent.coursedir
        graded = Path(folder.format_path(folder.autograded_directory, student, assignment))
        for path in sorted(graded.glob("*.ipynb")):
            for cell in notebooks.read(path).cells:
                if AS_PUBLISHED in cell.metadata:
                    yield cell.metadata[AS_PUBLISHED]


def configure(settings):
    """Put these in the place of nbgrader's own steps.

    Parameters
    ----------
    settings : traitlets.config.Config
        What ``get_config()`` returns in nbgrader_config.py.
    """
    places = {DeduplicateIds: KeepTeachersCells, Execute: Judge}
    for name in ("sanitize_preprocessors", "autograde_preprocessors"):
        steps = getattr(Autograde, name).default()
        settings.Autograde[name] = [places.get(step, step) for step in steps]
    settings.ExportApp.plugin_class = Export
    assert OverwriteCells in settings.Autograde.sanitize_preprocessors
