"""What the lessons share. Each lesson's own idea stands in its notebook; this package holds the rest.

Modules, from left to right; none imports one that stands to the right of it:

=============  ==================================================================================
quiet          a silent start of TensorFlow
boxes          geometry of boxes: overlap, offsets, non-maximum suppression
registry       what can be fetched, from where, with which checksum (data only)
progress       which exercises were answered right, kept on this computer
checker        the engine behind ``check``, ``hint`` and ``solution``; knows no topic
download       ``fetch(name)``: sources in order, verified, written whole or not at all
metrics        the referees: confusion, IoU, Dice, average precision, Fréchet distance
images         sample pictures, reading your own, checks of pictures and histograms
plots          one style, one meaning for each colour, ``show(fig, alt=...)``
datasets       ``load_*`` functions that return arrays
explore        sliders over a drawing function
serving        a teaching model server that answers like TensorFlow Serving
exercises      one module a lesson: statement, check, hint, solution, wrong answers
lesson         ``start(seed)``, the size of a run, an earlier lesson's functions, the catalogue, the environment check
=============  ==================================================================================

Importing ``course_utils`` imports nothing else.
"""
