"""Settings of all tests."""

import os

from hypothesis import settings

os.environ["COURSE_PROGRESS"] = "0"  # what tests solve is nobody's progress

# A busy machine is no error. In CI hypothesis itself draws the same examples at each run.
settings.register_profile("course", settings.default, deadline=None)
settings.load_profile("course")
