"""Folders of one's own pictures: four formats, one result, and a sentence for every fault."""

import json
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from course_utils import geometry, plots
from course_utils.datasets.folder import load_folder
from course_utils.images import read_labels

REAL = Path(__file__).resolve().parents[2] / "shared" / "real"
RED, BLUE = (255, 0, 0), (0, 0, 255)
# Of each picture, 80 wide and 40 high: class and box. The third holds nothing.
TRUTH = {
    "a.png": [("cup", (8, 4, 24, 20)), ("dish", (40, 10, 80, 40))],
    "b.png": [("dish", (0, 0, 20, 12))],
    "c.png": [],
}


def paint(folder, name="a.png", objects=None, size=(80, 40)):
    """A black picture with a rectangle for each object, so that a box can be checked by its color."""
    image = Image.new("RGB", size)
    for kind, box in TRUTH[name] if objects is None else objects:
        image.paste(RED if kind == "cup" else BLUE, box)
    folder.mkdir(exist_ok=True)
    image.save(folder / name)


def write_voc(folder):
    for name, objects in TRUTH.items():
        paint(folder, name)
        rows = "".join(
            f"<object><name>{kind}</name><bndbox><xmin>{x0 + 1}</xmin><ymin>{y0 + 1}</ymin><xmax>{x1}</xmax><ymax>{y1}</ymax></bndbox></object>"
            for kind, (x0, y0, x1, y1) in objects
        )
        (folder / f"{name[0]}.xml").write_text(f"<annotation><filename>{name}</filename>{rows}</annotation>")


def coco_tables():
    images = [{"id": 7 + i, "file_name": f"train/{name}", "width": 80, "height": 40} for i, name in enumerate(TRUTH)]
    boxes = [(7 + i, kind, box) for i, objects in enumerate(TRUTH.values()) for kind, box in objects]
    annotations = [
        {"id": i, "image_id": image, "category_id": {"cup": 3, "dish": 5}[kind], "bbox": [x0, y0, x1 - x0, y1 - y0]}
        for i, (image, kind, (x0, y0, x1, y1)) in enumerate(boxes)
    ]
    return {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": 5, "name": "dish"}, {"id": 3, "name": "cup"}],
    }


def write_coco(folder, change=lambda tables: None):
    for name in TRUTH:
        paint(folder, name)
    tables = coco_tables()
    change(tables)
    (folder / "boxes.json").write_text(json.dumps(tables))


def write_yolo(folder):
    for name, objects in TRUTH.items():
        paint(folder, name)
        lines = [
            f"{['cup', 'dish'].index(kind)} {(x0 + x1) / 160:.6f} {(y0 + y1) / 80:.6f} {(x1 - x0) / 80:.6f} {(y1 - y0) / 40:.6f}"
            for kind, (x0, y0, x1, y1) in objects
        ]
        if lines:
            (folder / f"{name[0]}.txt").write_text("\n".join(lines) + "\n")
    (folder / "classes.txt").write_text("cup\ndish\n")


def write_masks(folder, end="_labels"):
    for name, objects in TRUTH.items():
        paint(folder, name)
        numbers = np.zeros((40, 80), np.uint16)
        for number, (_, (x0, y0, x1, y1)) in enumerate(objects, 1):
            numbers[y0:y1, x0:x1] = 300 * number if end == "_labels" else 255
        Image.fromarray(numbers if end == "_labels" else numbers.astype(np.uint8)).save(folder / f"{name[0]}{end}.png")


WRITERS = {"voc": write_voc, "coco": write_coco, "yolo": write_yolo, "masks": write_masks}


@pytest.mark.parametrize("format", WRITERS)
def test_each_format_gives_the_same_boxes_in_the_same_images(tmp_path, format):
    WRITERS[format](tmp_path)
    found = load_folder(tmp_path, (40, 80))
    assert found.names == ("a.png", "b.png", "c.png") and len(found) == 3 and found.faults == ()
    assert found.images.shape == (3, 40, 80, 3) and found.images.dtype == np.uint8
    for place, objects in enumerate(TRUTH.values()):
        np.testing.assert_allclose(found.boxes[place], np.reshape([box for _, box in objects], (-1, 4)), atol=1e-3)
        kinds = ["object" if format == "masks" else kind for kind, _ in objects]
        assert [found.classes[label] for label in found.labels[place]] == kinds
        dtypes = [getattr(found, name)[place].dtype.name for name in ("boxes", "labels", "difficult")]
        assert dtypes == ["float64", "int64", "bool"]
        np.testing.assert_array_equal(found.images[place], np.asarray(Image.open(tmp_path / found.names[place])))
    assert found.counts == ({"object": 3} if format == "masks" else {"cup": 1, "dish": 2})
    assert (found.label_maps is not None) == (format == "masks")


@pytest.mark.parametrize("format", WRITERS)
@pytest.mark.parametrize("size", [(60, 60), (160, 500), (20, 40), (13, 90)])
def test_boxes_go_with_the_picture_that_is_resized(tmp_path, format, size):
    WRITERS[format](tmp_path)
    found = load_folder(tmp_path, size)
    scale = min(size[0] / 40, size[1] / 80)
    for place, objects in enumerate(TRUTH.values()):
        _, _, right, low = found.inside[place].astype(int)
        assert abs(right - 80 * scale) <= 0.5 and abs(low - 40 * scale) <= 0.5 and (right == size[1] or low == size[0])
        assert not found.images[place][low:].any() and not found.images[place][:, right:].any()
        for (kind, true), box in zip(objects, found.boxes[place], strict=True):
            np.testing.assert_allclose(box, np.multiply(true, [right / 80, low / 40] * 2), atol=0.02)
            channel = found.images[place][..., 0 if kind == "cup" else 2] > 127
            rows, columns = np.nonzero(channel)
            seen = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
            np.testing.assert_allclose(box, seen, atol=1)


def test_label_maps_hold_the_place_of_each_box(tmp_path):
    write_masks(tmp_path)
    for size in ((40, 80), (30, 77)):
        found = load_folder(tmp_path, size)
        assert found.label_maps.shape == (3, *size) and found.label_maps.dtype == np.int32
        assert [numbers.max() for numbers in found.label_maps] == [2, 1, 0]
        for numbers, boxes in zip(found.label_maps, found.boxes, strict=True):
            for k, box in enumerate(boxes):
                rows, columns = np.nonzero(numbers == k + 1)
                seen = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
                np.testing.assert_allclose(box, seen, atol=0.75)


def test_connected_pieces_of_a_mask_of_two_colors_are_objects(tmp_path):
    write_masks(tmp_path, "_mask")
    found = load_folder(tmp_path, (40, 80), classes=("cell",))
    assert [len(boxes) for boxes in found.boxes] == [2, 1, 0] and found.classes == ("cell",)
    corner = np.zeros((40, 80), np.uint8)
    corner[3, 3] = corner[4, 4] = 255  # diagonal neighbors
    Image.fromarray(corner).save(tmp_path / "a_mask.png")
    assert load_folder(tmp_path, (40, 80)).boxes[0].tolist() == [[3, 3, 5, 5]]


def test_object_that_vanishes_is_told(tmp_path):
    write_masks(tmp_path)
    numbers = np.zeros((40, 80), np.uint8)
    numbers[4, 5], numbers[20:30, 20:30] = 1, 2
    Image.fromarray(numbers).save(tmp_path / "a_labels.png")
    with pytest.raises(ValueError, match=r"a.png: the object in \(5, 4, 6, 5\) is too small for size=\(10, 20\)"):
        load_folder(tmp_path, (10, 20))
    with pytest.warns(UserWarning, match="a.png: the object"):
        found = load_folder(tmp_path, (10, 20), faulty="skip")
    assert (
        found.boxes[0].tolist() == [[5, 5, 7.5, 7.5]] and found.label_maps[0].max() == 1 and len(found.labels[0]) == 1
    )


def test_pictures_may_be_gray(tmp_path):
    write_voc(tmp_path)
    found = load_folder(tmp_path, (40, 80), color=False)
    assert found.images.shape == (3, 40, 80, 1)
    assert found.images[0, 5, 10, 0] == 54  # red by its luminance


def test_picture_that_the_camera_turned_has_boxes_as_it_is_shown(tmp_path):
    paint(tmp_path, "b.png", [])
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn to the right
    lying = np.zeros((40, 80, 3), np.uint8)
    lying[30:40, 0:16] = RED  # shown upright, rows 0 to 15 and columns 0 to 9
    Image.fromarray(lying).save(tmp_path / "a.png", exif=exif)
    (tmp_path / "a.txt").write_text("0 0.125 0.1 0.25 0.2")
    found = load_folder(tmp_path, (80, 40), classes=("cup",))
    np.testing.assert_allclose(found.boxes[0], [[0, 0, 10, 16]])
    assert (found.images[0, :16, :10] == RED).all() and not found.images[0, 16:].any()


def test_layouts_with_folders_of_their_own_are_found(tmp_path):
    for format, pictures, texts in (
        ("voc", "JPEGImages", "Annotations"),
        ("yolo", "images", "labels"),
        ("coco", "images", "annotations"),
        ("masks", "images", "masks"),
    ):
        home = tmp_path / format
        WRITERS[format](home)
        for folder in (pictures, texts):
            (home / folder).mkdir()
        for file in list(home.iterdir()):
            if file.is_file():
                file.rename(home / (pictures if len(file.name) == 5 and file.suffix == ".png" else texts) / file.name)
        (home / "README.txt").write_text("Notes of the photographer")
        (home / "cover.png").write_bytes(b"not looked at")
        assert [len(boxes) for boxes in load_folder(home, (40, 80)).boxes] == [2, 1, 0]


def test_classes_can_be_given_and_ignored(tmp_path):
    for format in ("voc", "coco", "yolo"):
        WRITERS[format](tmp_path / format)
        found = load_folder(tmp_path / format, (40, 80), classes=("dish", "cup"))
        assert [labels.tolist() for labels in found.labels] == [[1, 0], [0], []]
        found = load_folder(tmp_path / format, (40, 80), ignore=("dish",))
        assert found.classes == ("cup",) and [len(boxes) for boxes in found.boxes] == [1, 0, 0]
        with pytest.raises(ValueError, match="class 'dish' is unknown; known are cup"):
            load_folder(tmp_path / format, (40, 80), classes=("cup",))
        with pytest.warns(UserWarning, match="class 'dish' is unknown"):
            found = load_folder(tmp_path / format, (40, 80), classes=("cup",), faulty="skip")
        assert found.counts == {"cup": 1} and len(found) == 3


def test_difficult_objects_and_crowds_are_marked(tmp_path):
    write_coco(tmp_path, lambda tables: tables["annotations"][1].update(iscrowd=1))
    assert load_folder(tmp_path, (40, 80)).difficult[0].tolist() == [False, True]
    write_voc(tmp_path / "voc")
    path = tmp_path / "voc" / "a.xml"
    path.write_text(path.read_text().replace("<name>cup</name>", "<name>cup</name><difficult>1</difficult>"))
    assert load_folder(tmp_path / "voc", (40, 80)).difficult[0].tolist() == [True, False]


# Faults


def _voc(old, new, file="a.xml"):
    def change(folder):
        path = folder / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    return change


def _coco(change):
    return lambda folder: write_coco(folder, change)


def _text(line):
    return lambda folder: (folder / "b.txt").write_text(line)


def _both(*changes):
    def change(folder):
        for one in changes:
            one(folder)

    return change


def _truncate(folder):
    (folder / "b.png").write_bytes((folder / "b.png").read_bytes()[:70])


def _of_another_size(folder):
    Image.new("L", (9, 9)).save(folder / "b_labels.png")


# format, what is done to the folder, words of the sentence, and what is left: pictures and objects
FAULTS = [
    ("voc", lambda folder: (folder / "b.png").unlink(), r"b.xml: its picture b.png is missing", 2, 2),
    ("voc", lambda folder: (folder / "b.xml").unlink(), r"b.png: no XML file names it", 2, 2),
    ("voc", _voc("<xmax>24<", "<xmax>99<"), r"a.xml, object 1 \(cup\): the box .* leaves the picture", 3, 2),
    ("voc", _voc("<xmax>24<", "<xmax>5<"), r"a.xml, object 1 \(cup\): .*no area", 3, 2),
    ("voc", _voc("</annotation>", ""), r"a.xml can't be read as XML", 2, 1),
    ("voc", _truncate, r"b.xml: its picture b.png can't be read", 2, 2),
    ("voc", _voc("b.png", "a.png", "b.xml"), r"a.png: it has 2 annotations", 1, 0),
    ("coco", lambda folder: (folder / "b.png").unlink(), r"boxes.json, image 8 .*: its picture b.png is missing", 2, 2),
    ("coco", lambda folder: paint(folder, "d.png", []), r"d.png: boxes.json does not list it", 3, 3),
    ("coco", _coco(lambda t: t["annotations"][2].update(image_id=99)), r"boxes.json, annotation 2: its image_id 99", 3, 2),
    ("coco", _coco(lambda t: t["annotations"][2].update(category_id=4)), r"annotation 2 \(b.png\): its category_id 4", 3, 2),
    ("coco", _coco(lambda t: t["annotations"][2].update(bbox=[70, 0, 20, 9])), r"annotation 2 \(b.png\): .*leaves", 3, 2),
    ("coco", _coco(lambda t: t["annotations"][2].update(bbox=[7, 7, 0, 9])), r"annotation 2 .* at least 2 pixels", 3, 2),
    ("coco", _coco(lambda t: t["annotations"][2].update(bbox=[7, 7, float("nan"), 9])), r"annotation 2 .* at least 2", 3, 2),
    ("coco", _coco(lambda t: t["annotations"][2].update(bbox="wide")), r"annotation 2 .* got 'wide'", 3, 2),
    ("coco", _coco(lambda t: t["images"][1].update(width=40)), r"boxes.json, image 8 .* should be 40 wide", 2, 2),
    ("coco", _coco(lambda t: t["images"][2].update(id=8)), r"image 8 \(train/b.png\): another image has the same id", 1, 2),
    ("coco", _truncate, r"b.png.* can't be read", 2, 2),
    ("yolo", lambda folder: (folder / "b.png").unlink(), r"b.txt: its picture b is missing", 2, 2),
    ("yolo", _text("1 40 20 16 8"), r"b.txt, line 1: YOLO's numbers are shares .*: are they pixels", 3, 2),
    ("yolo", _text("1 0.1 -0.1 0.1 0.1"), r"b.txt, line 1: YOLO's numbers are shares", 3, 2),
    ("yolo", _text("1 0.1 nan 0.1 0.1"), r"b.txt, line 1: YOLO's numbers are shares", 3, 2),
    ("yolo", _text("\n1 0.1 0.5 0.3 0.1"), r"b.txt, line 2: the box .* leaves the picture", 3, 2),
    ("yolo", _text("1 0.1 0.5 0.0 0.1"), r"b.txt, line 1: the box .* at least 2 pixels", 3, 2),
    ("yolo", _text("2 0.5 0.5 0.1 0.1"), r"b.txt, line 1: the class 2 is unknown; there are 2", 3, 2),
    ("yolo", _text("-1 0.5 0.5 0.1 0.1"), r"b.txt, line 1: the class -1 is unknown", 3, 2),
    ("yolo", _text("dish 0.5 0.5 0.1 0.1"), r"b.txt, line 1: expected a class's number", 3, 2),
    ("yolo", _text("1 0.5 0.5 0.1"), r"b.txt, line 1: expected a class's number", 3, 2),
    ("yolo", _text("1 0.5 0.5 0.1 0.1 0.7 0.7"), r"b.txt, line 1: expected a class's number", 3, 2),
    ("yolo", lambda folder: (folder / "b.txt").write_bytes(b"\xff\xfe1"), r"b.txt is not a text in UTF-8", 2, 2),
    ("yolo", lambda folder: (folder / "b.jpg").write_bytes(b""), r"b.jpg and b.png share the name b", 2, 2),
    ("yolo", _truncate, r"b.png.* can't be read", 2, 2),
    ("masks", lambda folder: (folder / "b.png").unlink(), r"b_labels.png: its picture b is missing", 2, 2),
    ("masks", lambda folder: (folder / "b_labels.png").unlink(), r"b.png: it has no mask", 2, 2),
    ("masks", _of_another_size, r"b_labels.png has the shape \(9, 9\), but its picture \(40, 80\)", 2, 2),
    ("masks", lambda folder: (folder / "b.bmp").write_bytes(b""), r"b.bmp and b.png share the name b", 2, 2),
    ("masks", lambda folder: Image.new("RGB", (80, 40)).save(folder / "b_labels.png"), r"b_labels.png.* mode RGB", 2, 2),
    ("masks", _truncate, r"b.png.* can't be read", 2, 2),
]  # fmt: skip


@pytest.mark.parametrize(("format", "spoil", "words", "pictures", "objects"), FAULTS)
def test_fault_is_named_by_its_file_once_or_skipped(tmp_path, format, spoil, words, pictures, objects):
    WRITERS[format](tmp_path)
    spoil(tmp_path)
    with pytest.raises(ValueError, match=words) as caught:
        load_folder(tmp_path, (40, 80))
    assert "\n" not in str(caught.value)
    with pytest.warns(UserWarning) as told:
        found = load_folder(tmp_path, (40, 80), faulty="skip")
    assert (len(found), sum(map(len, found.boxes))) == (pictures, objects)
    assert [str(warning.message) for warning in told] == [f"left out: {sentence}" for sentence in found.faults]
    assert words.startswith(r"image 8 \(") or len(found.faults) == 1
    assert told[0].filename == __file__


def test_folder_that_cannot_be_read_at_all_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        load_folder(tmp_path / "none", (40, 80))
    with pytest.raises(ValueError, match="holds no picture"):
        load_folder(tmp_path, (40, 80))
    paint(tmp_path)
    with pytest.raises(ValueError, match="holds no annotations: expected XML files"):
        load_folder(tmp_path, (40, 80))
    write_voc(tmp_path)
    with pytest.raises(ValueError, match="holds no annotations of the format yolo"):
        load_folder(tmp_path, (40, 80), format="yolo")
    write_yolo(tmp_path)
    with pytest.raises(ValueError, match=r"mixes formats: it holds a.xml \(voc\) and a.txt \(yolo\)"):
        load_folder(tmp_path, (40, 80))
    assert load_folder(tmp_path, (40, 80), format="yolo").counts == {"cup": 1, "dish": 2}


def test_folder_whose_every_picture_is_faulty_is_refused(tmp_path):
    paint(tmp_path)
    (tmp_path / "a.xml").write_text("<annotation/>")
    with pytest.warns(UserWarning, match="names no picture"), pytest.raises(ValueError, match="faults found: 1"):
        load_folder(tmp_path, (40, 80), faulty="skip")


@pytest.mark.parametrize(
    "content", ["", "[]", '{"images": []}', '{"images": [1], "annotations": [], "categories": []}', "[" * 100_000,
                '{"images": [{"id": []}], "annotations": [], "categories": []}',
                '{"images": [], "annotations": [], "categories": [{"id": 1}]}'],
)  # fmt: skip
def test_json_that_is_not_coco_is_refused(tmp_path, content):
    paint(tmp_path)
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(ValueError, match=r"a.json is not a COCO file"):
        load_folder(tmp_path, (40, 80))


def test_files_that_speak_for_the_whole_folder_are_unambiguous(tmp_path):
    write_coco(tmp_path / "coco", lambda tables: tables["categories"][0].update(name="cup"))
    with pytest.raises(ValueError, match=r"boxes.json: two of its categories share"):
        load_folder(tmp_path / "coco", (40, 80))
    (tmp_path / "coco" / "more.json").write_text("{}")
    with pytest.raises(ValueError, match=r"2 JSON files, such as boxes.json and more.json"):
        load_folder(tmp_path / "coco", (40, 80))
    write_yolo(tmp_path / "yolo")
    (tmp_path / "yolo" / "classes.txt").write_text("cup\ncup\n")
    with pytest.raises(ValueError, match=r"classes.txt: expected the classes' names, each once"):
        load_folder(tmp_path / "yolo", (40, 80))
    (tmp_path / "yolo" / "classes.txt").unlink()
    with pytest.raises(ValueError, match="expected the classes' names"):
        load_folder(tmp_path / "yolo", (40, 80))
    write_masks(tmp_path / "masks")
    with pytest.raises(ValueError, match="masks have one class"):
        load_folder(tmp_path / "masks", (40, 80), classes=("a", "b"))


def test_wrong_settings_are_refused(tmp_path):
    write_voc(tmp_path)
    for size in (40, (40,), (0, 80), (40.5, 80), "40"):
        with pytest.raises(ValueError, match="expected size"):
            load_folder(tmp_path, size)
    with pytest.raises(ValueError, match="faulty='raise' or 'skip'"):
        load_folder(tmp_path, (40, 80), faulty="ignore")
    with pytest.raises(ValueError, match="format=None or one of"):
        load_folder(tmp_path, (40, 80), format="VOC")
    for classes in ("dog", (), ("dog", "dog")):
        with pytest.raises(ValueError, match="different names"):
            load_folder(tmp_path, (40, 80), classes=classes)


# Parts and drawings


def test_split_is_by_file_and_always_the_same(tmp_path):
    for number in range(10):
        paint(tmp_path, f"{number}.png", [("cup", (number, 0, number + 5, 9))])
        (tmp_path / f"{number}.txt").write_text(f"0 {(number + 2.5) / 80} 0.1125 0.0625 0.225")
    whole = load_folder(tmp_path, (40, 80), classes=("cup",))
    seen = set()
    for seed in range(5):
        first, second = whole.split(0.7, seed)
        assert (len(first), len(second)) == (7, 3) and first.images.shape == (7, 40, 80, 3)
        assert sorted(first.names + second.names) == list(whole.names)
        assert first.names == tuple(sorted(first.names)) == whole.split(0.7, seed)[0].names
        for part in (first, second):
            assert [round(boxes[0, 0]) for boxes in part.boxes] == [int(name[0]) for name in part.names]
        seen.add(first.names)
    assert len(seen) > 1
    assert [len(part) for part in whole.split(0.01)] == [1, 9] and [len(part) for part in whole.split(0.99)] == [9, 1]
    for share in (0, 1, -1, float("nan")):
        with pytest.raises(ValueError, match="expected a share between 0 and 1"):
            whole.split(share)
    with pytest.raises(ValueError, match="at least two pictures"):
        whole.take([0]).split()


def test_drawing_shows_the_boxes_and_names(tmp_path):
    write_voc(tmp_path)
    found = load_folder(tmp_path, (40, 80))
    fig = plots.grid([found.draw(0), found.draw(2)])
    try:
        assert [len(ax.patches) for ax in fig.axes] == [2, 0]
        assert [text.get_text() for text in fig.axes[0].texts] == ["cup", "dish"]
        assert fig.axes[0].get_title() == "a.png"
    finally:
        plt.close(fig)
    gray = load_folder(tmp_path, (40, 80), color=False)
    plt.close(plots.grid([gray.draw(0)]))


# Numbers of objects in a file


def test_numbers_of_a_label_map_are_read_as_they_are_stored(tmp_path):
    numbers = np.array([[0, 1, 200], [3, 3, 0]])
    for name, dtype in (("a.png", np.uint8), ("b.png", np.uint16), ("c.tif", np.uint16), ("d.tif", np.int32)):
        Image.fromarray(numbers.astype(dtype)).save(tmp_path / name)
        found = read_labels(tmp_path / name)
        assert found.dtype == np.int64 and found.tolist() == numbers.tolist()
    palette = Image.fromarray(numbers.astype(np.uint8), "L").convert("P")
    palette.putpalette([255 - i // 3 for i in range(768)])
    palette.save(tmp_path / "p.png")
    assert read_labels(tmp_path / "p.png").tolist() == numbers.tolist()
    Image.fromarray(numbers.astype(np.uint8)).save(tmp_path / "e.jpg")
    Image.fromarray(-numbers.astype(np.int32)).save(tmp_path / "f.tif")
    Image.fromarray(numbers.astype(np.float32)).save(tmp_path / "g.tif")
    for name, words in (("e.jpg", "JPEG"), ("f.tif", "holds -200"), ("g.tif", "mode F")):
        with pytest.raises(ValueError, match=words):
            read_labels(tmp_path / name)


# Real pictures


def _real(name):
    if not (REAL / name).is_dir():
        pytest.skip(f"the pictures of ../shared/real/{name} are not on this computer")
    return REAL / name


def test_photographs_of_blood_cells_are_read_completely():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = load_folder(_real("bccd"), (120, 160))
    assert found.images.shape == (182, 120, 160, 3)
    assert found.counts == {"Platelets": 205, "RBC": 2196, "WBC": 189}
    for boxes in found.boxes:
        geometry.check_boxes(boxes)
        assert boxes[:, :2].min() >= 0 and (boxes[:, 2:] <= [160, 120]).all()


def test_real_nuclei_are_read_with_their_labels():
    with pytest.warns(UserWarning, match="stardist_.*it has no mask"):
        found = load_folder(_real("nuclei"), (256, 256), color=False, faulty="skip")
    assert found.images.shape == (12, 256, 256, 1)
    assert [len(boxes) for boxes in found.boxes] == [313, 23, 8, 289, 13, 60, 15, 22, 46, 19, 18, 49]
    assert [numbers.max() for numbers in found.label_maps] == [len(boxes) for boxes in found.boxes]
    gray, numbers = found.images[..., 0], found.label_maps > 0
    assert all(gray[i][numbers[i]].mean() > 1.5 * gray[i][~numbers[i]].mean() for i in range(12) if i != 0)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"ignore": "cup"}, r"ignore=\('name', ...\)"), ({"smallest": -1}, "smallest above 0"), ({"smallest": None}, "got .* None"),
        ({"classes": [1, 2]}, "classes with different names"), ({"classes": "cup"}, "classes with different names"), ({"classes": []}, "different names"),
        ({"size": 32}, r"size=\(height, width\)"), ({"size": (1.5, 2)}, "in pixels"), ({"size": (0, 5)}, "in pixels"), ({"format": "COCO"}, "got 'raise' and 'COCO'"),
    ],
)  # fmt: skip
def test_options_that_can_not_be_are_named(options, words, tmp_path):
    write_yolo(tmp_path)
    with pytest.raises(ValueError, match=words):
        load_folder(tmp_path, **{"size": (10, 20)} | options)


# Nothing is silent


def _twice(folder):
    text = (folder / "a.xml").read_text()
    first = text[text.index("<object>") : text.index("</object>") + len("</object>")]
    (folder / "a.xml").write_text(text.replace("</annotation>", f"{first}</annotation>"))


def test_object_that_is_listed_twice_is_told_and_left_out_once(tmp_path):
    write_voc(tmp_path)
    whole = load_folder(tmp_path, (40, 80))
    _twice(tmp_path)
    with pytest.raises(ValueError, match=r"^a.png: the object in \(\d.*\) is listed twice.$"):
        load_folder(tmp_path, (40, 80))
    with pytest.warns(UserWarning, match="listed twice"):
        found = load_folder(tmp_path, (40, 80), faulty="skip")
    assert [boxes.tolist() for boxes in found.boxes] == [boxes.tolist() for boxes in whole.boxes]


@pytest.mark.parametrize("format", ["voc", "coco", "yolo"])
def test_object_that_is_below_a_pixel_at_the_size_asked_for_is_told(tmp_path, format):
    WRITERS[format](tmp_path)
    sides = np.concatenate([boxes[:, 2:] - boxes[:, :2] for boxes in load_folder(tmp_path, (40, 80)).boxes]) / 20
    with pytest.warns(UserWarning, match=r"is too small for size=\(2, 4\)"):
        found = load_folder(tmp_path, (2, 4), faulty="skip")
    assert sum(map(len, found.boxes)) == (sides >= 1).all(axis=1).sum() < len(sides)


def test_picture_of_twelve_bits_in_sixteen_is_told(tmp_path):
    write_voc(tmp_path)
    Image.fromarray(np.full((40, 80), 4095, np.uint16)).save(tmp_path / "a.png")
    with pytest.warns(UserWarning, match=r"^a.png is almost black: its brightest value is 16 of 255. .*by 16"):
        assert len(load_folder(tmp_path, (40, 80))) == 3


def test_picture_under_another_name_is_missing_without_useless_advice(tmp_path):
    write_voc(tmp_path)
    (tmp_path / "a.png").rename(tmp_path / "A.png")
    with pytest.raises(ValueError, match=r"^a.xml: its picture a.png is missing in .*[^=]\.$"):
        load_folder(tmp_path, (40, 80))


def test_folder_says_what_it_holds(tmp_path):
    write_voc(tmp_path)
    assert repr(load_folder(tmp_path, (40, 80))) == "3 pictures, 1 of them without objects; cup 1, dish 2; faults: 0"
