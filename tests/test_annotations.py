"""Annotations of one's own: what VOC's numbers mean, files that are wrong in one clear sentence, boxes from masks."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image
from skimage.measure import regionprops

from course_utils.datasets.annotations import boxes_of_mask, read_voc
from course_utils.datasets.scenes import load_scenes

CLASSES = ("cat", "dog")
DOG = ("dog", 49, 21, 60, 40)  # name, xmin, ymin, xmax, ymax: numbered from 1, the last pixel included


def _object(name, xmin, ymin, xmax, ymax, more=""):
    corners = f"<xmin>{xmin}</xmin><ymin>{ymin}</ymin><xmax>{xmax}</xmax><ymax>{ymax}</ymax>"
    return f"<object><name>{name}</name>{more}<bndbox>{corners}</bndbox></object>"


def _write(folder, objects, filename="one.png", size=(100, 80), stated=(100, 80), before=""):
    """A picture of `size` (width, height) and its XML, which states `stated`."""
    Image.new("L", size).save(folder / "one.png")
    text = f"<size><width>{stated[0]}</width><height>{stated[1]}</height><depth>1</depth></size>" if stated else ""
    path = folder / "one.xml"
    path.write_text(
        f"{before}<annotation><filename>{filename}</filename>{text}{''.join(objects)}</annotation>", encoding="utf-8"
    )
    return path


def test_numbers_from_one_with_the_last_pixel_become_edges_from_zero(tmp_path):
    # columns 49 to 60, numbered from 1, are the 12 columns 48 to 59, numbered from 0: edges 48 and 60
    found = read_voc(_write(tmp_path, [_object(*DOG)]), CLASSES)
    assert found.boxes.tolist() == [[48, 20, 60, 40]]
    assert found.boxes.dtype == np.float64
    assert found.labels.tolist() == [1]
    assert found.labels.dtype == np.int64
    assert found.difficult.tolist() == [False]
    assert found.size == (80, 100)
    assert found.picture == tmp_path / "one.png"


def test_whole_picture_is_the_largest_box(tmp_path):
    assert read_voc(_write(tmp_path, [_object("cat", 1, 1, 100, 80)]), CLASSES).boxes.tolist() == [[0, 0, 100, 80]]


def test_numbers_from_zero_can_be_asked_for(tmp_path):
    path = _write(tmp_path, [_object("cat", 0, 0, 99, 79)])
    assert read_voc(path, CLASSES, first_pixel=0).boxes.tolist() == [[0, 0, 100, 80]]
    with pytest.raises(ValueError, match=r"one.xml, object 1 \(cat\).*xmin 0.*leaves the picture.*first_pixel=0"):
        read_voc(path, CLASSES)


def test_difficult_objects_are_marked_and_parts_are_not_objects(tmp_path):
    part = "<part><name>head</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></part>"
    objects = [
        _object(*DOG, more=part + "<difficult>1</difficult>"),
        _object("cat", 2, 2, 5, 5, "<difficult>0</difficult>"),
    ]
    found = read_voc(_write(tmp_path, objects), CLASSES)
    assert found.difficult.tolist() == [True, False]
    assert found.boxes.tolist() == [[48, 20, 60, 40], [1, 1, 5, 5]]


def test_file_without_objects_has_no_boxes(tmp_path):
    found = read_voc(_write(tmp_path, []), CLASSES)
    assert found.boxes.shape == (0, 4)
    assert found.labels.shape == found.difficult.shape == (0,)


def test_size_that_is_not_stated_is_the_pictures(tmp_path):
    assert read_voc(_write(tmp_path, [_object(*DOG)], stated=None), CLASSES).size == (80, 100)


def test_picture_is_found_in_vocs_folders_or_in_the_named_one(tmp_path):
    (tmp_path / "Annotations").mkdir()
    (tmp_path / "JPEGImages").mkdir()
    path = _write(tmp_path / "Annotations", [_object(*DOG)])
    picture = (tmp_path / "Annotations" / "one.png").rename(tmp_path / "JPEGImages" / "one.png")
    assert read_voc(path, CLASSES).picture == picture
    assert read_voc(path, CLASSES, pictures=tmp_path / "JPEGImages").picture == picture


@pytest.mark.parametrize("asked", ["../../secret.png", "/etc/one.png", "C:\\pictures\\one.png"])
def test_only_the_name_of_the_picture_is_used(tmp_path, asked):
    (tmp_path / "a" / "b").mkdir(parents=True)
    Image.new("L", (100, 80)).save(tmp_path / "secret.png")
    path = _write(tmp_path / "a" / "b", [_object(*DOG)], filename=asked)
    if "secret" in asked:
        with pytest.raises(FileNotFoundError, match=r"one.xml: its picture secret.png is missing"):
            read_voc(path, CLASSES)
    else:
        assert read_voc(path, CLASSES).picture == path.parent / "one.png"


@pytest.mark.parametrize(
    ("objects", "words"),
    [
        ([_object("cow", 1, 1, 9, 9)], r"one.xml, object 1 \(cow\): this class is unknown; known are cat, dog"),
        ([_object(*DOG), _object("", 1, 1, 9, 9)], r"object 2 \(without a name\): this class is unknown"),
        (
            [_object("cat", 30, 5, 30, 9)],
            r"object 1 \(cat\): the box with xmin 30, ymin 5, .* is 1 wide and 5 high: it has hardly any area",
        ),
        ([_object("cat", 30, 5, 29, 9)], "is 0 wide and 5 high: it has no area"),
        ([_object("cat", 30, 9, 40, 5)], "is 11 wide and 0 high"),  # upside down
        ([_object("cat", 1, 1, 101, 80)], "leaves the picture, which is 100 wide and 80 high.$"),
        ([_object("cat", 1, 1, 100, 81)], "leaves the picture"),
        ([_object("cat", -20, 1, 100, 80)], "xmin -20.*leaves the picture"),
        ([_object("cat", 500, 500, 600, 600)], "leaves the picture"),
        ([_object("cat", "left", 1, 100, 80)], r"object 1 \(cat\): expected a number in <xmin>, got 'left'"),
        ([_object("cat", "nan", 1, 100, 80)], "expected a number in <xmin>, got 'nan'"),
        ([_object("cat", "", 1, 100, 80)], "got ''"),
        (["<object><name>cat</name></object>"], r"object 1 \(cat\): it has no <bndbox>"),
        (["<object/>"], "without a name"),
        ([_object("cat", 1, 1, 9, 9, "<difficult>yes</difficult>")], "expected 0 or 1 in <difficult>, got 'yes'"),
    ],
)
def test_object_that_is_wrong_gets_one_sentence_with_its_file(tmp_path, objects, words):
    with pytest.raises(ValueError, match=words) as caught:
        read_voc(_write(tmp_path, objects), CLASSES)
    assert "one.xml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_one_pixel_wide_box_can_be_asked_for(tmp_path):
    path = _write(tmp_path, [_object("cat", 30, 5, 30, 9)])
    assert read_voc(path, CLASSES, smallest=1).boxes.tolist() == [[29, 4, 30, 9]]


def test_classes_that_are_ignored_are_left_out(tmp_path):
    found = read_voc(_write(tmp_path, [_object("cow", 1, 1, 9, 9), _object(*DOG)]), CLASSES, ignore=("cow",))
    assert found.labels.tolist() == [1]


@pytest.mark.parametrize("classes", ["dog", (), ("dog", "dog")])
def test_classes_are_different_names(tmp_path, classes):
    with pytest.raises(ValueError, match="different names"):
        read_voc(_write(tmp_path, []), classes)


def test_missing_files_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no annotation file.*none.xml"):
        read_voc(tmp_path / "none.xml", CLASSES)
    with pytest.raises(FileNotFoundError, match=r"one.xml: its picture other.png is missing in"):
        read_voc(_write(tmp_path, [], filename="other.png"), CLASSES)
    with pytest.raises(ValueError, match="names no picture"):
        read_voc(_write(tmp_path, [], filename=" "), CLASSES)


def test_picture_of_another_size_or_without_pixels_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"one.png is 100 wide and 80 high, but it is 80 wide and 100 high"):
        read_voc(_write(tmp_path, [], size=(80, 100)), CLASSES)
    path = _write(tmp_path, [])
    (tmp_path / "one.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"one.xml: its picture one.png can't be read"):
        read_voc(path, CLASSES)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "can't be read as XML"),
        (b"<annotation><object>", "can't be read as XML"),
        (b"<annotation>&undefined;</annotation>", "can't be read as XML"),
        (b"\xff\xd8\xff\xe0 a picture", "can't be read as XML"),
        (b'<?xml version="1.0" encoding="none-such"?><annotation/>', "one.xml"),
        (b"<kml/>", "begins with <kml>"),
    ],
)
def test_file_that_is_no_annotation_is_named(tmp_path, content, words):
    path = tmp_path / "one.xml"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=words):
        read_voc(path, CLASSES)


LAUGHS = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 30))


@pytest.mark.parametrize(
    "doctype",
    [
        f'<!DOCTYPE annotation [<!ENTITY l0 "ha">{LAUGHS}]>',  # 10**29 times "ha", were it expanded
        '<!DOCTYPE annotation [<!ENTITY file SYSTEM "file:///etc/hostname">]>',
        '<!DOCTYPE annotation SYSTEM "http://localhost/voc.dtd">',
        "<!DOCTYPE annotation>",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_document_type_declaration_is_refused_at_once(tmp_path, doctype, encoding):
    path = tmp_path / "one.xml"
    text = f'<?xml version="1.0" encoding="{encoding}"?>{doctype}<annotation>&l29;</annotation>'
    path.write_bytes(text.encode(encoding))
    start = time.perf_counter()
    with pytest.raises(ValueError, match=r"one.xml can't be read: it has a document type declaration"):
        read_voc(path, CLASSES)
    assert time.perf_counter() - start < 1


def test_scenes_written_as_voc_come_back_as_they_were(tmp_path):
    scenes = load_scenes(12, seed=3)
    names = tuple(f"digit {digit}" for digit in scenes.classes)
    for image, boxes, labels in zip(scenes.images, scenes.boxes, scenes.labels, strict=True):
        rows = boxes.astype(int) + np.array(
            [1, 1, 0, 0]
        )  # first pixel from 1; the last one, from 1, is the edge from 0
        objects = [_object(names[label], *row) for label, row in zip(labels, rows, strict=True)]
        path = _write(tmp_path, objects, stated=(128, 128), size=(128, 128))
        Image.fromarray(image).save(tmp_path / "one.png")
        found = read_voc(path, names)
        np.testing.assert_array_equal(found.boxes, boxes)
        np.testing.assert_array_equal(found.labels, labels)
        np.testing.assert_array_equal(np.asarray(Image.open(found.picture)), image)


def test_mask_of_a_scene_with_one_digit_has_the_scenes_box():
    scenes = load_scenes(30, seed=4, digits=(1, 1))
    for class_map, boxes in zip(scenes.class_maps, scenes.boxes, strict=True):
        np.testing.assert_array_equal(boxes_of_mask(class_map > 0), boxes)


@given(hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=8), elements=st.integers(0, 3)))
def test_boxes_of_an_instance_map_are_those_of_scikit_image(mask):
    wanted = [[r.bbox[1], r.bbox[0], r.bbox[3], r.bbox[2]] for r in regionprops(mask)]
    assert boxes_of_mask(mask).tolist() == wanted


def test_numbers_of_objects_may_be_large_and_have_gaps():
    assert boxes_of_mask(np.array([[0, 2**40], [5, 0]])).tolist() == [[0, 1, 1, 2], [1, 0, 2, 1]]


def test_mask_without_an_object_has_no_box():
    assert boxes_of_mask(np.zeros((4, 5), bool)).shape == (0, 4)
    assert boxes_of_mask(np.zeros((0, 5), int)).shape == (0, 4)


def test_numbers_that_are_no_objects_are_left_out():
    assert boxes_of_mask([[255, 255, 0], [1, 255, 0]], ignore=(255,)).tolist() == [[0, 1, 1, 2]]
    assert boxes_of_mask([[255, 255, 0], [0, 255, 0]]).tolist() == [[0, 0, 2, 2]]


@pytest.mark.parametrize("wrong", [np.zeros((2, 2)), np.zeros((2, 2, 3), np.uint8), np.zeros(3, bool)])
def test_array_that_is_no_mask_is_refused(wrong):
    with pytest.raises(ValueError, match=r"expected a mask \(H, W\) of bool or integers"):
        boxes_of_mask(wrong)


def test_negative_numbers_are_no_objects():
    with pytest.raises(ValueError, match="holds -1"):
        boxes_of_mask([[0, -1]])
