"""Loaders of data sets: each returns arrays and says their shapes, dtype, range and split.

`mnist`    handwritten digits, or a stand-in where no source answers
`scenes`   digits on textures, with class, box and pixels known
"""
