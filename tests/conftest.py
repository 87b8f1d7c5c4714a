"""Settings of all tests."""

from hypothesis import settings

# A busy machine is no error. In CI hypothesis itself draws the same examples at each run.
settings.register_profile("course", settings.default, deadline=None)
settings.load_profile("course")
