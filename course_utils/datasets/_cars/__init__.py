"""The rendered cars behind :mod:`course_utils.datasets.carvana`: ``mesh`` builds them, ``render`` photographs them.

Lessons import ``carvana`` only.
"""

# Part of the name of the folder that keeps the pictures. Raise it when the renderer draws other pictures, so that no
# reader goes on with the old ones; `tests/test_cars.py` notices when it was forgotten.
VERSION = 1
