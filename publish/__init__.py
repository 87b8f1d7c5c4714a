"""What leaves the project: the reading site, slides, assignments for a class, and the table of lessons in README.md.

Each is a program: ``python -m publish.site``, ``publish.slides``, ``publish.assignments``, ``publish.readme``.
"""
