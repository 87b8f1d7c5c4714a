"""Tools of the maintainers: execute and store notebooks, and the table at the end of ``make test``."""
