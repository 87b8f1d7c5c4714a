"""Loading MNIST, the stand-in, and the banner that announces it."""

import hashlib
import io
import os
import struct
import subprocess
import sys
from pathlib import Path

import nbclient
import nbformat
import numpy as np
import pytest
from PIL import Image

from course_utils import data as table
from course_utils.data import SOURCES, Dataset, DownloadError, File, read, state
from course_utils.datasets import mnist
from course_utils.datasets.mnist import load_mnist, parse_idx, show_banner

ROOT = Path(__file__).resolve().parents[1]
NAMES = tuple(file.name for file in SOURCES["mnist"].files)


def idx(array, kind=8):
    """Write an array as an IDX file."""
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, kind, array.ndim, *array.shape) + array.tobytes()


@pytest.fixture
def offline(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_OFFLINE", "1")
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))


@pytest.fixture
def small(monkeypatch, offline, tmp_path):
    """Let the table of sources ask for a small MNIST of five and two digits, and put it into the data folder."""
    arrays = [np.arange(5 * 28 * 28).reshape(5, 28, 28), np.arange(5), np.ones((2, 28, 28)), np.array([9, 3])]
    contents = {name: idx(array.astype(np.uint8)) for name, array in zip(NAMES, arrays, strict=True)}
    files = tuple(File(name, hashlib.sha256(data).hexdigest(), len(data)) for name, data in contents.items())
    monkeypatch.setitem(SOURCES, "mnist", Dataset(files, (), "a stand-in", "nobody", "none"))
    (tmp_path / "mnist").mkdir()
    for name, data in contents.items():
        (tmp_path / "mnist" / name).write_bytes(data)
    return tmp_path / "mnist"


@pytest.fixture(scope="module")
def real():
    try:
        contents = read("mnist")
    except FileNotFoundError:
        pytest.skip("MNIST is not in the data folder; 'make data' fetches it")
    assert len(contents) == 4
    return load_mnist()


# The real files


def test_real_mnist_has_the_shapes_types_and_range_that_are_promised(real):
    assert real.train_images.shape == (60000, 28, 28)
    assert real.train_labels.shape == (60000,)
    assert real.test_images.shape == (10000, 28, 28)
    assert real.test_labels.shape == (10000,)
    assert {real.train_images.dtype, real.test_images.dtype} == {np.dtype(np.uint8)}
    assert {real.train_labels.dtype, real.test_labels.dtype} == {np.dtype(np.int64)}
    assert (real.train_images.min(), real.train_images.max()) == (0, 255)
    assert (real.source, real.is_fallback) == ("MNIST", False)


def test_the_real_mnist_has_the_known_mean_deviation_and_first_labels(real):
    assert round(real.train_images.mean() / 255, 4) == 0.1307
    assert round(real.train_images.std() / 255, 4) == 0.3081
    assert real.train_labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert real.test_labels[:5].tolist() == [7, 2, 1, 0, 4]
    assert np.bincount(real.test_labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


# Reading files


def test_each_file_becomes_its_array(small):
    digits = load_mnist()
    assert digits.train_images.shape == (5, 28, 28)
    assert digits.train_images.ravel()[:300].tolist() == [number % 256 for number in range(300)]
    assert digits.train_labels.tolist() == [0, 1, 2, 3, 4]
    assert digits.test_images.sum() == 2 * 28 * 28
    assert digits.test_labels.tolist() == [9, 3]
    assert not digits.is_fallback


def test_a_folder_of_ones_own_is_read(small, tmp_path):
    small.rename(tmp_path / "Meine Ziffern")
    assert load_mnist(tmp_path / "Meine Ziffern").test_labels.tolist() == [9, 3]


def test_arrays_can_be_changed_without_changing_the_next_load(small):
    digits = load_mnist()
    for array in (digits.train_images, digits.train_labels, digits.test_images, digits.test_labels):
        array[:] = 1
    assert load_mnist().test_labels.tolist() == [9, 3]


@pytest.mark.parametrize("name", NAMES)
def test_a_damaged_file_is_an_error_and_never_the_stand_in(name, small, capsys):
    (small / name).write_bytes((small / name).read_bytes()[:-1])
    with pytest.raises(DownloadError, match=rf"{name} is damaged .*; delete it and run 'make data'"):
        load_mnist()
    assert capsys.readouterr().err == ""


def test_a_damaged_file_is_an_error_even_where_another_is_missing(small):
    (small / NAMES[0]).unlink()
    (small / NAMES[3]).write_bytes(b"")
    with pytest.raises(DownloadError, match=NAMES[3]):
        load_mnist()


def _replace_all(folder, digits=2, first_label=7):
    """Other pictures and labels in the same four files, of the same sizes."""
    shapes = [(5, 28, 28), (5,), (2, 28, 28), (2,)]
    for name, shape in zip(NAMES, shapes, strict=True):
        values = np.full(shape, first_label if "labels" in name else digits, np.uint8)
        (folder / name).write_bytes(idx(values))


def test_another_data_set_in_the_place_of_all_files_is_read_and_announced(small, capsys):
    _replace_all(small)
    found = load_mnist()
    assert found.train_images.shape == (5, 28, 28) and (found.train_images == 2).all()
    assert found.test_labels.tolist() == [7, 7]
    assert found.is_fallback and found.source == "other files in MNIST's place"
    assert "These are not MNIST but other files in MNIST's place" in capsys.readouterr().err
    assert state("mnist") == "ready"


def test_one_file_of_another_data_set_among_the_right_ones_is_damaged(small):
    kept = (small / NAMES[3]).read_bytes()
    _replace_all(small)
    (small / NAMES[3]).write_bytes(kept)
    with pytest.raises(DownloadError, match=rf"{NAMES[0]} is damaged .wrong SHA-256."):
        load_mnist()


def test_files_that_are_not_pictures_with_ten_classes_are_refused(small):
    _replace_all(small, first_label=10)
    with pytest.raises(DownloadError, match=rf"{NAMES[1]} can't stand in MNIST's place: it has a label 10"):
        load_mnist()
    _replace_all(small)
    (small / NAMES[0]).write_bytes(idx(np.ones((10, 14, 28), np.uint8)))
    with pytest.raises(DownloadError, match=rf"{NAMES[0]} can't stand .* shape .10, 14, 28."):
        load_mnist()


def test_missing_files_are_fetched(small, monkeypatch, tmp_path):
    def fetch(name, folder, retry_after):
        assert (name, folder, retry_after) == ("mnist", tmp_path / "new", 600)
        small.rename(folder)
        return folder

    monkeypatch.setattr(table, "fetch", fetch)
    assert load_mnist(tmp_path / "new").test_labels.tolist() == [9, 3]


@pytest.mark.parametrize("shape", [(7,), (2, 3), (2, 28, 28)])
def test_idx_gives_back_what_was_written(shape):
    array = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    np.testing.assert_array_equal(parse_idx(idx(array)), array)


GOOD = idx(np.zeros((2, 3), np.uint8))


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "not an IDX header"),
        (GOOD[:3], "not an IDX header"),
        (b"\x1f\x8b" + GOOD[2:], "not an IDX header"),
        (idx(np.zeros((2, 3), np.uint8), kind=13), "not an IDX header of unsigned bytes"),  # 13: float32
        (b"\0\0\x08\0", "not an IDX header"),
        (GOOD[:11], "ends within its IDX header of 12 bytes"),
        (GOOD[:-1], "has 17 bytes, but its IDX header says 18"),  # 4 + 2 * 4 + 2 * 3 = 18
        (GOOD + b"x", "has 19 bytes, but its IDX header says 18"),
        (struct.pack(">4B3I", 0, 0, 8, 3, 2**32 - 1, 2**32 - 1, 2**32 - 1), "has 16 bytes, but"),
    ],
)
def test_idx_with_another_header_or_length_is_refused(data, complaint):
    with pytest.raises(ValueError, match=f"digits.bin .*{complaint}"):
        parse_idx(data, "digits.bin")


# The stand-in


def test_the_stand_in_has_all_digits_in_both_parts_in_the_shape_of_mnist(offline):
    digits = load_mnist()
    assert digits.is_fallback
    assert digits.source == "scikit-learn's 8 x 8 digits, enlarged to 28 x 28"
    assert digits.train_images.shape == (1437, 28, 28)
    assert digits.test_images.shape == (360, 28, 28)
    assert digits.train_images.dtype == digits.test_images.dtype == np.uint8
    assert digits.train_labels.dtype == digits.test_labels.dtype == np.int64
    assert digits.train_images.max() == digits.test_images.max() == 255
    # Each class has about a tenth of the part: 144 and 36.
    assert np.bincount(digits.train_labels).min() > 130
    assert np.bincount(digits.test_labels).min() > 30


def test_the_stand_in_is_the_enlarged_digit_with_a_margin_of_four(offline):
    from sklearn.datasets import load_digits

    original, enlarged = load_digits().images[0], load_mnist().train_images[0].astype(float)
    assert enlarged[4:24, 4:24].sum() == enlarged.sum() > 0
    # Averaged back over pairs of blocks (20 / 4 = 5 pixels for 8 / 4 = 2), it is the original but for the smoothing.
    back = enlarged[4:24, 4:24].reshape(4, 5, 4, 5).mean(axis=(1, 3))
    coarse = original.reshape(4, 2, 4, 2).mean(axis=(1, 3)) * 255 / 16
    assert np.abs(back - coarse).max() < 12


def test_the_stand_in_is_the_same_each_time(offline):
    np.testing.assert_array_equal(load_mnist().train_images, load_mnist().train_images)


def test_a_neighbor_classifier_learns_the_stand_in(offline):
    from sklearn.neighbors import KNeighborsClassifier

    digits = load_mnist()
    classifier = KNeighborsClassifier(3).fit(digits.train_images.reshape(-1, 784), digits.train_labels)
    assert classifier.score(digits.test_images.reshape(-1, 784), digits.test_labels) > 0.93


def test_outside_of_a_notebook_the_banner_is_a_sentence_on_stderr(offline, capsys, tmp_path):
    load_mnist()
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("These are not MNIST but scikit-learn's 8 x 8 digits, enlarged to 28 x 28")
    assert "run 'make data'" in said.err
    assert str(tmp_path / "mnist") in said.err


def test_read_only_folder_leads_to_the_stand_in_and_says_why(small, monkeypatch, tmp_path, capsys):
    def refuse(path, *arguments, **options):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.delenv("COURSE_OFFLINE")
    monkeypatch.setattr(Path, "mkdir", refuse)
    assert load_mnist(tmp_path / "locked").is_fallback
    assert "Permission denied" in capsys.readouterr().err


# The banner


def test_in_a_notebook_the_banner_is_a_png_alone_with_alt_text(tmp_path):
    code = "from course_utils.datasets.mnist import load_mnist\nassert load_mnist().is_fallback"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    settings = {"COURSE_OFFLINE": "1", "COURSE_DATA": str(tmp_path), "PYTHONPATH": str(ROOT)}
    client = nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3")
    client.execute(env={**os.environ, **settings})
    (output,) = notebook.cells[0].outputs
    assert output.output_type == "display_data"
    assert list(output.data) == ["image/png"]
    assert output.metadata["image/png"]["alt"].startswith("These are not MNIST but scikit-learn's 8 x 8 digits")


def test_the_drawn_banner_keeps_its_text_within_its_width():
    png, width = mnist._draw_banner("WWWW mmmm " * 40 + "/a/very/long/path" * 20)
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("L"))
    assert pixels.shape[1] // 2 == width
    assert pixels.min() < 50  # there is ink
    assert (pixels[:, -10:] > 230).all()  # and none of it is cut off at the right
    assert (pixels[-10:, 20:] > 230).all()  # or below


def test_without_ipython_the_banner_does_not_import_it():
    call = "import sys; from course_utils.datasets.mnist import show_banner; show_banner('x')"
    code = f"{call}; print('IPython' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    said = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert (said.stdout.strip(), said.stderr.strip()) == ("False", "x")


def test_in_ipython_in_a_terminal_the_banner_is_text(capsys):
    from IPython.core.interactiveshell import InteractiveShell

    InteractiveShell.instance()  # a shell without a kernel, which shows no pictures
    try:
        show_banner("Look here.")
    finally:
        InteractiveShell.clear_instance()
    assert capsys.readouterr().err == "Look here.\n"
