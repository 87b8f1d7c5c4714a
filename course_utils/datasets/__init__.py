"""Loaders of data sets: each returns arrays and says their shapes, dtype, range and split.

`mnist`    handwritten digits, or a stand-in where no source answers
`scenes`   digits on textures, with class, box and pixels known
`nuclei`   a microscope picture of 125 nuclei with a label each, many of them touching
`carvana`  cars in a studio with masks: photographs where a reader has put them, otherwise rendered
`annotations`  boxes of your own pictures, from Pascal VOC XML or from masks
`photographs`  photographs that ship with the libraries, with outlines, and scenes of real coins that touch
`folder`   a folder of your own pictures, with VOC, COCO, YOLO or masks beside them, as one set of arrays
"""
