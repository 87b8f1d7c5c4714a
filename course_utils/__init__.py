"""What the lessons share. Each lesson's own idea stands in its notebook; this package holds the rest.

Modules, from left to right; none imports one that stands to the right of it:

================  ===========================================================================
Importing ``course_utils`` imports nothing else.
"""
