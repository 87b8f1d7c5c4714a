"""Pictures, masks and boxes as other programs and people write them: the right thing, or one sentence."""

import io
import warnings

import numpy as np
import pytest
import tifffile
from PIL import Image

from course_utils import geometry, images, metrics
from course_utils.datasets.annotations import read_voc

RAMP = np.tile(np.arange(256, dtype=np.uint8), (6, 1))
COLORS = np.stack([RAMP, RAMP[:, ::-1], np.roll(RAMP, 64, axis=1)], axis=2)
GRAY_OF_COLORS = images.to_gray(COLORS)


def save(path, array, mode=None, **options):
    Image.fromarray(array, mode).save(path, **options)
    return path


def tiff(path, array, **options):
    tifffile.imwrite(path, array, **options)
    return path


# What the EXIF orientations 1 to 8 ask for, on arrays.
TURNS = [
    lambda a: a, lambda a: a[:, ::-1], lambda a: a[::-1, ::-1], lambda a: a[::-1], lambda a: np.swapaxes(a, 0, 1),
    lambda a: np.rot90(a, -1), lambda a: np.swapaxes(a[::-1, ::-1], 0, 1), lambda a: np.rot90(a, 1),
]  # fmt: skip


def exif(orientation):
    found = Image.Exif()
    found[0x0112] = orientation
    return found


def palette(path):
    picture = Image.fromarray(COLORS).quantize(256)
    picture.save(path)
    return np.asarray(picture.convert("RGB"))


# What can be read: a writer, and the gray values that should come out


def one_bit(path):
    save(path, RAMP > 127)
    return np.where(RAMP > 127, 255, 0)


def inverted_one_bit(path):
    tiff(path, RAMP > 127, photometric="miniswhite")
    return np.where(RAMP > 127, 0, 255)


PLANES = {"photometric": "rgb", "planarconfig": "separate"}


def planes(array):
    return np.ascontiguousarray(np.moveaxis(array, 2, 0))


def maps(text, dtype, values):
    def write(path):
        path.write_bytes(text + values.astype(dtype).tobytes())
        return RAMP

    return write


READABLE = {
    "8 bit PNG": ("a.png", lambda p: save(p, RAMP) and RAMP),
    "16 bit PNG": ("a.png", lambda p: save(p, RAMP.astype(np.uint16) * 257) and RAMP),
    "1 bit PNG": ("a.png", one_bit),
    "color PNG": ("a.png", lambda p: save(p, COLORS) and GRAY_OF_COLORS),
    "palette PNG": ("a.png", lambda p: images.to_gray(palette(p))),
    "palette GIF": ("a.gif", lambda p: images.to_gray(palette(p))),
    "BMP": ("a.bmp", lambda p: save(p, RAMP) and RAMP),
    "big-endian 16 bit TIFF": ("a.tif", lambda p: tiff(p, RAMP.astype(">u2") * 257, byteorder=">") and RAMP),
    "little-endian 16 bit TIFF": ("a.tif", lambda p: tiff(p, RAMP.astype("<u2") * 257, byteorder="<") and RAMP),
    "float TIFF": ("a.tif", lambda p: tiff(p, (RAMP / 255).astype(np.float32)) and RAMP),
    "big-endian float TIFF": ("a.tif", lambda p: tiff(p, (RAMP / 255).astype(">f4"), byteorder=">") and RAMP),
    "inverted 8 bit TIFF": ("a.tif", lambda p: tiff(p, 255 - RAMP, photometric="miniswhite") and RAMP),
    "inverted 16 bit TIFF": (
        "a.tif",
        lambda p: tiff(p, (255 - RAMP.astype(np.uint16)) * 257, photometric="miniswhite") and RAMP,
    ),
    "inverted 1 bit TIFF": ("a.tif", inverted_one_bit),
    "color TIFF": ("a.tif", lambda p: tiff(p, COLORS, photometric="rgb") and GRAY_OF_COLORS),
    "deflated TIFF": ("a.tif", lambda p: save(p, RAMP, compression="tiff_adobe_deflate") and RAMP),
    "LZW TIFF": ("a.tif", lambda p: save(p, RAMP, compression="tiff_lzw") and RAMP),
    "float64 TIFF": ("a.tif", lambda p: tiff(p, RAMP / 255) and RAMP),
    "float16 TIFF": ("a.tif", lambda p: tiff(p, (RAMP / 255).astype(np.float16)) and RAMP),
    "deflated big-endian float TIFF": (
        "a.tif",
        lambda p: tiff(p, (RAMP / 255).astype(">f4"), byteorder=">", compression="zlib") and RAMP,
    ),
    "deflated big-endian 16 bit TIFF": (
        "a.tif",
        lambda p: tiff(p, RAMP.astype(">u2") * 257, byteorder=">", compression="zlib") and RAMP,
    ),
    "two pages": ("a.tif", lambda p: tiff(p, np.stack([RAMP, 255 - RAMP]), photometric="minisblack") and RAMP),
    "tiled TIFF": ("a.tif", lambda p: tiff(p, RAMP, tile=(16, 16)) and RAMP),
    "BigTIFF": ("a.tif", lambda p: tiff(p, RAMP, bigtiff=True) and RAMP),
    "planes of color": ("a.tif", lambda p: tiff(p, planes(COLORS), **PLANES) and GRAY_OF_COLORS),
    "16 bit color TIFF": ("a.tif", lambda p: tiff(p, COLORS.astype(np.uint16) * 257) and GRAY_OF_COLORS),
    "JPEG 2000": ("a.jp2", lambda p: save(p, RAMP) and RAMP),
    "TGA": ("a.tga", lambda p: save(p, RAMP) and RAMP),
    "WebP": ("a.webp", lambda p: save(p, COLORS, lossless=True) and GRAY_OF_COLORS),
    "animated GIF": (
        "a.gif",
        lambda p: save(p, RAMP, save_all=True, append_images=[Image.new("L", (256, 6))]) and RAMP,
    ),
    "big-endian float map": ("a.pfm", maps(b"Pf 256 6 1.0\n", ">f4", RAMP[::-1] / 255)),
    "little-endian float map": ("a.pfm", maps(b"Pf 256 6 -1.0\n", "<f4", RAMP[::-1] / 255)),
    "8 bit PGM": ("a.pgm", maps(b"P5 256 6 255\n", ">u1", RAMP)),
    "16 bit PGM": ("a.pgm", maps(b"P5 256 6 65535\n", ">u2", RAMP.astype(np.uint16) * 257)),
    "12 bit PGM": ("a.pgm", maps(b"P5 256 6 4095\n", ">u2", np.rint(RAMP / 255 * 4095))),
    "PPM": ("a.ppm", lambda p: save(p, COLORS) and GRAY_OF_COLORS),
}


@pytest.mark.parametrize("kind", READABLE)
def test_picture_of_any_depth_and_byte_order_is_right(kind, tmp_path):
    name, write = READABLE[kind]
    expected = write(tmp_path / name)
    found = images.read_gray(tmp_path / name)
    assert (found.dtype, found.shape) == (np.uint8, RAMP.shape)
    assert np.abs(found.astype(int) - expected).max() <= 1
    assert np.abs(images.read_color(tmp_path / name).astype(int).mean(axis=2) - expected).max() <= (
        1 if name.startswith("a.") and np.ptp(expected - RAMP) == 0 else 255
    )


def test_color_is_kept(tmp_path):
    assert np.array_equal(images.read_color(save(tmp_path / "a.png", COLORS)), COLORS)
    assert np.array_equal(images.read_color(tmp_path / "a.png").shape, COLORS.shape)
    cmyk = Image.fromarray(COLORS).convert("CMYK")
    cmyk.save(tmp_path / "a.tif")
    assert np.array_equal(images.read_color(tmp_path / "a.tif"), np.asarray(cmyk.convert("RGB")))
    cmyk.save(tmp_path / "a.jpg", quality=100, subsampling=0)
    assert np.abs(images.read_color(tmp_path / "a.jpg").astype(int) - COLORS).mean() < 3


@pytest.mark.parametrize("mode", ["LA", "RGBA", "P"])
def test_what_is_transparent_turns_white(mode, tmp_path):
    picture = Image.fromarray(np.dstack([COLORS, np.where(RAMP > 127, 255, 0).astype(np.uint8)]))
    if mode == "P":
        picture = Image.fromarray(np.zeros((6, 256), np.uint8), "P")
        picture.putpalette([9, 9, 9])
        picture.save(tmp_path / "a.png", transparency=0)
    else:
        picture.convert(mode).save(tmp_path / "a.png")
    assert (images.read_gray(tmp_path / "a.png")[:, :128] == 255).all()
    assert (images.read_color(tmp_path / "a.png")[:, :128] == 255).all()


def test_value_that_stands_for_transparent_turns_white(tmp_path):
    for array, clear in ((RAMP, 0), (RAMP.astype(np.uint16) * 257, 0), (COLORS, (0, 255, 192))):
        path = save(tmp_path / "a.png", array, transparency=clear)
        assert (images.read_gray(path)[:, 0] == 255).all()
        assert (images.read_color(path)[:, 0] == 255).all()
        assert np.array_equal(images.read_gray(path)[:, 1:], (GRAY_OF_COLORS if array is COLORS else RAMP)[:, 1:])


def test_one_frame_for_pictures_masks_and_sizes(tmp_path):
    for orientation in range(1, 9):
        shape = (256, 6) if orientation >= 5 else (6, 256)
        turn = TURNS[orientation - 1]
        for name, options in (("a.jpg", {}), ("a.png", {}), ("a.tif", {}), ("a.tif", {"compression": "tiff_lzw"})):
            path = save(tmp_path / name, COLORS, exif=exif(orientation), **options)
            assert images.frame(path) == images.read_gray(path).shape == shape
            assert name == "a.jpg" or np.array_equal(images.read_color(path), turn(COLORS))
        path = save(tmp_path / "b.tif", RAMP.astype(np.uint16) * 257, exif=exif(orientation))
        assert np.array_equal(images.read_gray(path), turn(RAMP))
        path = save(tmp_path / "a.png", np.where(RAMP > 127, 255, 0).astype(np.uint8), exif=exif(orientation))
        assert images.read_mask(path).shape == shape


def test_turned_tiff_of_any_kind_is_right(tmp_path):
    """Pillow alone takes the rows of some of them for columns, or doesn't invert them."""
    for orientation, turn in enumerate(TURNS, 1):
        tag = {"extratags": [(0x0112, "H", 1, orientation, True)]}
        for kind, array, options in (
            ("inverted 8 bit", 255 - RAMP, {"photometric": "miniswhite"}),
            ("inverted 16 bit", (255 - RAMP.astype(np.uint16)) * 257, {"photometric": "miniswhite"}),
            ("float", (RAMP / 255).astype(np.float32), {}),
            ("float64", RAMP / 255, {}),
            ("big-endian float", (RAMP / 255).astype(">f4"), {"byteorder": ">"}),
            ("big-endian 16 bit", RAMP.astype(">u2") * 257, {"byteorder": ">"}),
        ):
            assert np.array_equal(images.read_gray(tiff(tmp_path / "a.tif", array, **options, **tag)), turn(RAMP)), kind
        inverted = tiff(tmp_path / "a.tif", RAMP > 127, photometric="miniswhite", **tag)
        assert np.array_equal(images.read_gray(inverted), turn(np.where(RAMP > 127, 0, 255)))
        assert np.array_equal(images.read_mask(inverted), turn(RAMP <= 127))
        for array, options in ((planes(COLORS), PLANES), (COLORS.astype(np.uint16) * 257, {})):
            assert np.array_equal(images.read_color(tiff(tmp_path / "a.tif", array, **options, **tag)), turn(COLORS))


@pytest.mark.parametrize("dtype", ["u1", "<u2", ">u2", "<u4", ">u4", "i1", "<i2", ">i2", "<i4", ">i4", "<u8"])
def test_numbers_of_objects_are_read_in_any_byte_order(dtype, tmp_path):
    truth = np.arange(24).reshape(4, 6) * (5 if "1" in dtype else 300)
    for compression in (None, "zlib"):
        order = {"byteorder": dtype[0] if dtype[0] in "<>" else "<", "compression": compression}
        assert np.array_equal(images.read_labels(tiff(tmp_path / "a.tif", truth.astype(dtype), **order)), truth)


REFUSED = {
    "signed 8 bit": ("a.tif", lambda p: tiff(p, RAMP.astype(np.int8)), "signed whole numbers from -128 to 127"),
    "64 bit": ("a.tif", lambda p: tiff(p, RAMP.astype(np.uint64)), "64-bit whole numbers from 0 to 255"),
    "large 64 bit": ("a.tif", lambda p: tiff(p, np.full((6, 9), 2**40)), r"int64 numbers of shape \(6, 9\)"),
    "complex": ("a.tif", lambda p: tiff(p, RAMP.astype(np.complex64)), "complex64 numbers"),
    "float color": ("a.tif", lambda p: tiff(p, COLORS / 255, photometric="rgb"), r"float64 numbers of shape \(6, 256, 3\)"),
    "five channels": ("a.tif", lambda p: tiff(p, np.dstack([RAMP] * 5), photometric="minisblack", planarconfig="contig"), "store it as 8 or 16 bit"),
    "PDF": ("a.pdf", lambda p: save(p, RAMP), "can't be read as a picture"),
    "float TIFF above 1": ("a.tif", lambda p: tiff(p, RAMP.astype(np.float32)), "decimal numbers from 0 to 255"),
    "float TIFF below 0": ("a.tif", lambda p: tiff(p, RAMP.astype(np.float32) / -255), "decimal numbers from -1 to 0"),
    "float TIFF with NaN": ("a.tif", lambda p: tiff(p, np.where(RAMP > 9, np.nan, 0.5).astype(np.float32)), "NaN"),
    "signed 16 bit": ("a.tif", lambda p: tiff(p, RAMP.astype(np.int16) - 100), "signed whole numbers from -100 to 155"),
    "32 bit": ("a.tif", lambda p: tiff(p, RAMP.astype(np.uint32)), "32-bit whole numbers from 0 to 255"),
    "signed 32 bit": ("a.tif", lambda p: tiff(p, RAMP.astype(np.int32)), "signed whole numbers"),
    "64 bit float": ("a.tif", lambda p: tiff(p, RAMP.astype(np.float64)), "decimal numbers from 0 to 255"),
    "text": ("a.png", lambda p: p.write_text("hello"), "is it whole, and a PNG, JPEG, or TIFF"),
    "empty file": ("a.png", lambda p: p.write_bytes(b""), "can't be read as a picture"),
    "HTML": ("a.jpg", lambda p: p.write_text("<html>Log in</html>"), "can't be read as a picture"),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_picture_with_unknown_white_is_refused_in_one_sentence(kind, tmp_path):
    name, write, words = REFUSED[kind]
    write(tmp_path / name)
    for read in (images.read_gray, images.read_color, images.read_mask):
        with pytest.raises(ValueError, match=words) as caught:
            read(tmp_path / name)
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF", "GIF", "BMP", "WEBP", "PPM"])
def test_truncated_file_is_refused_at_any_length(form, tmp_path):
    stream = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)).save(stream, form)
    data = stream.getvalue()
    for share in (0.1, 0.5, 0.9):
        (tmp_path / "a").write_bytes(data[: int(share * len(data))])
        with pytest.raises(ValueError, match="can't be read as a picture"):
            images.read_gray(tmp_path / "a")


# Masks


def masks(tmp_path, truth):
    values = truth.astype(np.uint8)
    yield "0 and 255", save(tmp_path / "a.png", values * 255)
    yield "0 and 1", save(tmp_path / "b.png", values)
    yield "one bit", save(tmp_path / "c.png", truth)
    yield "color", save(tmp_path / "d.png", np.where(truth[..., None], (0, 255, 0), (60, 0, 0)).astype(np.uint8))
    for name, order in (("e.gif", 1), ("f.gif", -1)):
        picture = Image.fromarray(values if order == 1 else 1 - values, "P")
        picture.putpalette([0, 0, 0, 255, 255, 255] if order == 1 else [255, 255, 255, 0, 0, 0])
        picture.save(tmp_path / name)
        yield f"palette {order}", tmp_path / name
    Image.fromarray(np.repeat(values[..., None] * 255, 3, axis=2)).save(tmp_path / "g.gif")
    yield "RGB saved as GIF", tmp_path / "g.gif"
    alpha = np.dstack([np.full((*truth.shape, 3), 255, np.uint8), values * 255])
    yield "transparent", save(tmp_path / "h.png", alpha)
    yield "16 bit", save(tmp_path / "i.png", values.astype(np.uint16) * 65535)
    yield "0 and 1 of 16 bit", save(tmp_path / "j.png", values.astype(np.uint16))
    for kind in (">u2", "<i4", ">i4"):
        tifffile.imwrite(tmp_path / "k.tif", values.astype(kind))
        yield f"0 and 1 of {kind}", tmp_path / "k.tif"


@pytest.mark.parametrize("seed", range(3))
def test_mask_is_read_by_color(seed, tmp_path):
    truth = np.random.default_rng(seed).random((9, 12)) < 0.3
    for kind, path in masks(tmp_path, truth):
        assert np.array_equal(images.read_mask(path), truth), kind


def test_mask_without_an_object_and_mask_that_is_all_object(tmp_path):
    assert not images.read_mask(save(tmp_path / "a.png", np.zeros((4, 4), np.uint8))).any()
    assert images.read_mask(save(tmp_path / "a.png", np.full((4, 4), 255, np.uint8))).all()


def test_mask_with_soft_edges_is_named(tmp_path):
    truth = np.zeros((32, 32), np.uint8)
    truth[8:20, 8:20] = 255
    for path in (
        save(tmp_path / "a.jpg", truth, quality=60),
        save(tmp_path / "b.png", np.minimum(truth, RAMP[:1, :32] * 8)),
    ):
        with pytest.raises(ValueError, match=r"expected a mask of two colors, got .* gray values .*Save it as a PNG"):
            images.read_mask(path)


# Boxes


def voc(folder, objects, encoding="utf-8", head=True, name="dog", size=(40, 60)):
    """An annotation as LabelImg writes it, with its picture."""
    save(folder / "one.png", np.zeros(size, np.uint8))
    body = "".join(
        f"<object><name>{name}</name><difficult>{hard}</difficult><bndbox><xmin>{a}</xmin><ymin>{b}</ymin><xmax>{c}</xmax><ymax>{d}</ymax></bndbox></object>"
        for (a, b, c, d), hard in objects
    )
    text = f"<annotation><filename>one.png</filename><size><width>{size[1]}</width><height>{size[0]}</height></size>{body}</annotation>"
    declaration = f'<?xml version="1.0" encoding="{encoding}"?>\n' if head else ""
    (folder / "one.xml").write_bytes((declaration + text).encode(encoding))
    return folder / "one.xml"


@pytest.mark.parametrize(
    ("first_pixel", "stated", "box"),
    [
        (1, (1, 1, 60, 40), (0, 0, 60, 40)), (0, (0, 0, 59, 39), (0, 0, 60, 40)), ("edges", (0, 0, 60, 40), (0, 0, 60, 40)),
        (1, (3, 5, 12, 14), (2, 4, 12, 14)), (0, (3, 5, 12, 14), (3, 5, 13, 15)), ("edges", (3, 5, 12, 14), (3, 5, 12, 14)),
        ("edges", ("3.5", "4.25", "12.75", "14"), (3.5, 4.25, 12.75, 14)), (1, ("3.0", "5.0", "12.0", "14.0"), (2, 4, 12, 14)),
    ],
)  # fmt: skip
def test_box_counts_from_first_pixel_or_edges(first_pixel, stated, box, tmp_path):
    found = read_voc(voc(tmp_path, [(stated, 0)]), ["dog"], first_pixel=first_pixel)
    assert found.boxes.tolist() == [list(box)]


def test_wrong_convention_gets_advice(tmp_path):
    with pytest.raises(ValueError, match=r"number pixels from 0\? Then give first_pixel=0"):
        read_voc(voc(tmp_path, [((0, 0, 59, 39), 0)]), ["dog"])
    for first_pixel in (0, 1):
        with pytest.raises(ValueError, match=r"give edges\? Then give first_pixel='edges'"):
            read_voc(voc(tmp_path, [((0, 0, 60, 40), 0)]), ["dog"], first_pixel=first_pixel)
    with pytest.raises(ValueError, match=r"expected first_pixel=0, 1, or 'edges'.*got 2"):
        read_voc(tmp_path / "one.xml", ["dog"], first_pixel=2)


FAULTS = {
    "inverted": (12, 5, 3, 14), "empty": (5, 5, 5, 5), "outside": (5, 5, 70, 20), "negative": (-4, 5, 10, 20),
    "no number": ("a", 5, 10, 20), "NaN": ("nan", 5, 10, 20), "missing": ("", 5, 10, 20),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_faulty_object_is_named_or_skipped_with_a_warning(fault, tmp_path):
    path = voc(tmp_path, [((3, 5, 12, 14), 0), (FAULTS[fault], 0), ((20, 5, 30, 14), 1)])
    with pytest.raises(ValueError, match=r"one\.xml, object 2 \(dog\)"):
        read_voc(path, ["dog"])
    with pytest.warns(UserWarning, match=r"left out: one\.xml, object 2 \(dog\)"):
        found = read_voc(path, ["dog"], faulty="skip")
    assert found.boxes.tolist() == [[2, 4, 12, 14], [19, 4, 30, 14]]
    assert (found.labels.tolist(), found.difficult.tolist()) == ([0, 0], [False, True])


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "windows-1252", "gb2312", "shift_jis"]
)
def test_annotation_in_any_encoding(encoding, tmp_path):
    name = {"gb2312": "狗", "shift_jis": "犬"}.get(encoding, "Köter")
    head = encoding not in ("utf-8-sig",)
    found = read_voc(voc(tmp_path, [((3, 5, 12, 14), 0)], encoding, head, name), [name])
    assert found.labels.tolist() == [0]


def test_annotation_that_names_no_encoding_and_is_not_utf_8_is_refused(tmp_path):
    path = voc(tmp_path, [((3, 5, 12, 14), 0)], "iso-8859-1", head=False, name="Köter")
    with pytest.raises(ValueError, match="in UTF-8 or in the encoding that its first line names"):
        read_voc(path, ["Köter"])
    path.write_bytes(b'<?xml version="1.0" encoding="klingon"?><annotation/>')
    with pytest.raises(ValueError, match=r"one\.xml can't be read: unknown encoding: klingon"):
        read_voc(path, ["dog"])


def test_truncated_picture_is_told_when_the_annotation_is_read(tmp_path):
    path = voc(tmp_path, [((3, 5, 12, 14), 0)])
    noise = np.random.default_rng(0).integers(0, 255, (40, 60), np.uint8)
    data = save(tmp_path / "one.png", noise).read_bytes()
    (tmp_path / "one.png").write_bytes(data[:-200])
    with pytest.raises(ValueError, match=r"one\.xml: its picture one\.png can't be read"):
        read_voc(path, ["dog"])


def test_turned_picture_has_its_boxes_in_the_frame_that_is_shown(tmp_path):
    path = voc(tmp_path, [((3, 5, 12, 30), 0)], size=(60, 40))
    save(tmp_path / "one.png", np.zeros((40, 60), np.uint8), exif=exif(6))
    assert read_voc(path, ["dog"]).size == (60, 40)
    path = voc(tmp_path, [((3, 5, 12, 30), 0)])
    save(tmp_path / "one.png", np.zeros((40, 60), np.uint8), exif=exif(6))
    with pytest.raises(ValueError, match="was it resized or turned after it was annotated"):
        read_voc(path, ["dog"])


# Metrics

BOX, FOUND = ([[0, 0, 10, 10]], [0]), ([[0, 0, 10, 10]], [0], [0.9])


@pytest.mark.parametrize(
    ("truth", "found", "options", "words"),
    [
        (([[0, 0, 10, 10]], [1]), FOUND, {}, "labels from 1 to 1, but 1 classes are 0 to 0"),
        (BOX, ([[0, 0, 10, 10]], [2], [0.9]), {}, "labels from 2 to 2"),
        (([[0, 0, 10, 10]], [-1]), FOUND, {}, "labels from -1"),
        (([[0, 0, 10, 10]], [0.5]), FOUND, {}, "labels from 0.5"),
        (FOUND, BOX, {}, "were the two swapped"),
        (([[0, 0, 10, 10]], [0, 0]), FOUND, {}, "1 boxes, 2 labels"),
        (BOX, ([[0, 0, 10, 10]], [0], [0.9, 0.8]), {}, "1 boxes, 1 labels and 2 scores"),
        (BOX, ([[0, 0, 10, 10]], [0], [np.nan]), {}, "a score is not a finite number"),
        (BOX, ([[10, 0, 0, 10]], [0], [0.9]), {}, "picture 0: the boxes of the detections"),
        (BOX, FOUND, {"thresholds": 0}, "thresholds above 0 and at most 1, got 0"),
        (BOX, FOUND, {"thresholds": 50}, "got 50"),
        (BOX, FOUND, {"thresholds": [0.5, np.nan]}, "thresholds above 0"),
        (BOX, FOUND, {"difficult": []}, "flags of difficult boxes for 1 pictures, got 0"),
        (BOX, FOUND, {"difficult": [[True, False]]}, "1 boxes, 1 labels and 2 flags"),
        (BOX, FOUND, {"difficult": [["False"]]}, "flags of True or False each, got"),
        (BOX, FOUND, {"difficult": [[2]]}, "flags of True or False each, got"),
        (BOX, FOUND, {"thresholds": []}, r"got \[\]"),
        (BOX, FOUND, {"thresholds": "half"}, "got half"),
        (BOX, FOUND, {"thresholds": None}, "got None"),
        (BOX, FOUND, {"classes": ["dog"]}, r"a number of classes of at least 1, got \['dog'\]"),
        (BOX, FOUND, {"classes": 1.5}, "got 1.5"),
        (BOX, FOUND, {"classes": None}, "got None"),
        (BOX, ([[0, 0, 10, 10]], ["dog"], [0.9]), {}, "labels from dog to dog"),
        (BOX, ([[0, 0, 10, 10]], [2**70], [0.9]), {}, "labels from 1180591620717411303424"),
        (BOX, ([[0, 0, 10, 10]], [0.9], [0]), {}, "labels from 0.9"),
        (BOX, ([[0, 0, 10, 10]], [0], ["high"]), {}, r"scores of a number each, got \['high'\]"),
        (BOX, ([[0, 0, 10, 10]], [0], [None]), {}, "scores of a number each"),
        ({"boxes": [], "labels": []}, FOUND, {}, "got dict and 3 parts"),
        (BOX, ([["a"] * 4], [0], [0.9]), {}, "four numbers in each row"),
        (([0, 0, 10, 10], [0]), FOUND, {}, r"the shape \(N, 4\)"),
    ],
)
def test_average_precision_names_what_does_not_fit(truth, found, options, words):
    with pytest.raises(ValueError, match=words):
        metrics.average_precision([truth], [found], **{"classes": 1} | options)


def test_difficult_box_is_neither_right_nor_wrong():
    truth = ([[0, 0, 10, 10], [20, 0, 30, 10]], [0, 0])
    found = ([[20, 0, 30, 10], [0, 0, 10, 10], [50, 0, 60, 10]], [0, 0, 0], [0.9, 0.8, 0.7])
    assert metrics.average_precision([truth], [found], 1).tolist() == [1.0]
    for flags, expected in (([False, True], 1.0), ([True, False], 1.0), ([False, False], 1.0)):
        assert metrics.average_precision([truth], [found], 1, difficult=[flags]).tolist() == [expected]
    missed = ([[50, 0, 60, 10], [0, 0, 10, 10]], [0, 0], [0.9, 0.8])
    assert metrics.average_precision([truth], [missed], 1).tolist() == [0.25]
    assert metrics.average_precision([truth], [missed], 1, difficult=[[False, True]]).tolist() == [0.5]
    assert np.isnan(metrics.average_precision([truth], [found], 1, difficult=[[True, True]])).all()


@pytest.mark.parametrize(
    ("truth", "prediction", "classes", "words"),
    [
        ([0, 1], [0, 1, 1], 2, "should agree"), ([0, 1], [0, 2], 2, "prediction holds values from 0 to 2"),
        ([0, 1], [0, -1], 2, "from -1"), ([0, 1], [0.2, 0.8], 2, "take the argmax"), ([0, 0], [0, 0], 0, "at least 1, got 0"),
        ([0, 0], [0, 0], 2.5, "number of classes"), ([0, 0], [0, 0], None, "got None"), ([0, 0], [0, 0], "2", "got '2'"),
        ([0, 0], [0, 0], True, "got True"), (["a"], ["b"], 2, "whole numbers"), ([0, 1], 2, [0, 1], r"got \[0, 1\]"),
        ([0, 255], [0, 255], 2, "from 0 to 255"),
    ],
)  # fmt: skip
def test_confusion_names_what_does_not_fit(truth, prediction, classes, words):
    with warnings.catch_warnings(), pytest.raises(ValueError, match=words):
        metrics.confusion(truth, prediction, classes)


@pytest.mark.parametrize(
    "counts", [[[-1, 0], [0, 1]], [[np.nan, 0], [0, 1]], [[np.inf, 0], [0, 1]], [["a", "b"], ["c", "d"]]]
)
def test_what_can_not_be_counts_is_named(counts):
    for score in (metrics.iou, metrics.dice):
        with pytest.raises(ValueError, match="expected counts in the confusion matrix"):
            score(counts)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: geometry.iou([["a"] * 4], BOX[0]), "four numbers in each row"),
        (lambda: geometry.iou([[0, 0, 1, 1], [0]], BOX[0]), "four numbers in each row"),
        (lambda: geometry.iou({}, BOX[0]), "four numbers in each row"),
        (lambda: geometry.iou([[50, 50, 10, 10]], BOX[0]), "is it x, y, width, height"),
        (lambda: geometry.decode([[np.nan, 0, 0, 0]], BOX[0]), "row 0 of the offsets .* did the training diverge"),
        (lambda: geometry.decode([[np.inf, 0, 0, 0]], BOX[0]), "row 0 of the offsets"),
        (lambda: geometry.clip(BOX[0], -5, 5), "height and width in pixels, got -5 and 5"),
        (lambda: geometry.clip(BOX[0], np.nan, 5), "got nan and 5"),
        (lambda: geometry.clip(BOX[0], (20, 30), 5), r"got \(20, 30\) and 5"),
        (lambda: geometry.non_maximum_suppression(BOX[0], [np.nan]), "numbers as scores"),
        (lambda: geometry.non_maximum_suppression(BOX[0], [0.9], 50), "threshold from 0 to 1, got .* and 50"),
        (lambda: geometry.non_maximum_suppression(BOX[0], [0.9], np.nan), "threshold from 0 to 1"),
    ],
)
def test_boxes_that_can_not_be_are_named(call, words):
    with pytest.raises(ValueError, match=words) as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"smallest": -100}, "smallest above 0"), ({"smallest": np.nan}, "smallest above 0"), ({"smallest": None}, "got .* None"),
        ({"ignore": "dog"}, r"ignore=\('name', ...\)"), ({"classes": None}, "different names"), ({"classes": [1, 2]}, "different names"),
        ({"classes": "dog"}, "different names"),
    ],
)  # fmt: skip
def test_annotation_is_not_read_with_options_that_can_not_be(options, words, tmp_path):
    with pytest.raises(ValueError, match=words):
        read_voc(voc(tmp_path, [((12, 14, 3, 5), 0)]), **{"classes": ["dog"]} | options)


def test_size_that_a_tool_states_as_0_is_the_pictures(tmp_path):
    path = voc(tmp_path, [((3, 5, 12, 14), 0)])
    path.write_text(path.read_text().replace(">60<", ">0<").replace(">40<", ">0<"))
    assert read_voc(path, ["dog"]).size == (40, 60)
