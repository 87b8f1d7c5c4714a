"""The microscope's picture of nuclei, its split, and the stand-in."""

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from course_utils import geometry
from course_utils.data import SOURCES, DownloadError, data_folder
from course_utils.datasets import nuclei
from course_utils.datasets.nuclei import Nuclei, load_nuclei, split_nuclei, touching_pairs

FILES = [file.name for file in SOURCES["nuclei"].files]
NEARBY = Path(__file__).resolve().parents[2] / "shared" / "real" / "nuclei"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A folder of its own that holds the two files."""
    folder = tmp_path_factory.mktemp("nuclei")
    for name in FILES:
        places = [data_folder() / "nuclei" / name, NEARBY / f"stardist_{name}"]
        found = next((place for place in places if place.exists()), None)
        if found is None:
            pytest.skip("the nuclei are neither in the data folder nor in ../shared/real; 'make data' fetches them")
        shutil.copyfile(found, folder / name)
    return folder


@pytest.fixture(scope="module")
def real(files):
    return load_nuclei(files)


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_OFFLINE", "1")
        return load_nuclei(tmp_path_factory.mktemp("empty"))


def check_form(found):
    """Everything that is true of the picture, a part of it and the stand-in."""
    count = len(found.boxes)
    shape = found.image.shape
    assert found.labels.shape == found.ignore.shape == shape
    dtypes = [array.dtype.name for array in (found.image, found.labels, found.boxes, found.touching, found.ignore)]
    assert dtypes == ["uint8", "int32", "float64", "int32", "bool"]
    assert np.unique(found.labels).tolist() == list(range(count + 1))
    geometry.check_boxes(found.boxes)
    for number, (x0, y0, x1, y1) in enumerate(found.boxes.astype(int), 1):
        inside = found.labels[y0:y1, x0:x1] == number
        assert inside.sum() == (found.labels == number).sum()
        assert inside.any(axis=0)[[0, -1]].all() and inside.any(axis=1)[[0, -1]].all()
        assert ndimage.label(inside, np.ones((3, 3)))[1] == 1
    assert not (found.ignore & (found.labels > 0)).any()
    assert all(
        array.flags.writeable for array in (found.image, found.labels, found.boxes, found.touching, found.ignore)
    )


# The real picture


def test_picture_has_125_nuclei_and_24_touching_pairs(real):
    check_form(real)
    assert real.image.shape == (512, 512) and (real.image.min(), real.image.max()) == (0, 235)
    assert len(real.boxes) == 125 and not real.ignore.any()
    assert not real.is_fallback and "2018 Data Science Bowl" in real.source
    assert [len(touching_pairs(real.labels, within)) for within in (1, 1.5, 2)] == [21, 24, 27]
    np.testing.assert_array_equal(real.touching, touching_pairs(real.labels))
    bright = [real.image[real.labels > 0].mean(), real.image[real.labels == 0].mean()]
    assert np.round(bright).tolist() == [67, 23]


def test_picture_is_the_file_without_a_change(real, files):
    for name, array in zip(FILES, (real.image, real.labels), strict=True):
        values = np.frombuffer((files / name).read_bytes()[256:], "<u2").reshape(512, 512)
        pairs = np.unique(np.stack([values.ravel(), array.ravel()]), axis=1)
        if array is real.image:
            np.testing.assert_array_equal(values, array)
        assert len(pairs.T) == len(np.unique(values)) == len(np.unique(array))  # one to one


def test_split_of_the_picture_leaves_out_38_columns(real):
    left, right = split_nuclei(real)
    assert [part.image.shape for part in (left, right)] == [(512, 237), (512, 237)]
    assert [len(part.boxes) for part in (left, right)] == [63, 45]


# The split, on the stand-in and on the real picture


@pytest.fixture(params=["stand_in", "real"])
def whole(request):
    return request.getfixturevalue(request.param)


def test_no_pixel_and_no_nucleus_is_in_both_parts(whole):
    gap = int((whole.boxes[:, 2] - whole.boxes[:, 0]).max())
    for share in (0.3, 0.5, 0.7):
        left, right = split_nuclei(whole, share)
        first = left.image.shape[1] + gap
        assert first + right.image.shape[1] == 512
        owners = []
        for part, columns in ((left, slice(0, first - gap)), (right, slice(first, 512))):
            check_form(part)
            np.testing.assert_array_equal(part.image, whole.image[:, columns])
            original = whole.labels[:, columns]
            np.testing.assert_array_equal((part.labels > 0) | part.ignore, original > 0)
            owners.append(set(np.unique(original)) - {0})
            kept = [set(np.unique(original[part.labels == n])) for n in range(1, len(part.boxes) + 1)]
            assert all(len(numbers) == 1 for numbers in kept)
            for number in set().union(*kept):
                assert (original == number).sum() == (whole.labels == number).sum()  # not cut
            for number in set(np.unique(original[part.ignore])):
                assert (original == number).sum() < (whole.labels == number).sum()  # cut
        assert not owners[0] & owners[1]
        assert abs(left.image.shape[1] + gap / 2 - share * 512) <= 1


def test_split_is_the_same_each_time_and_leaves_the_picture_alone(whole):
    before = whole.image.copy(), whole.labels.copy()
    for first, second in zip(split_nuclei(whole), split_nuclei(whole), strict=True):
        for name in ("image", "labels", "boxes", "touching", "ignore"):
            np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
        first.image[:], first.labels[:] = 0, 0
    np.testing.assert_array_equal(before, (whole.image, whole.labels))


def test_split_without_a_nucleus_on_one_side_is_refused(stand_in):
    for share in (0, 0.01, 1, -3, 9, float("nan")):
        with pytest.raises(ValueError, match=rf"share={share} .*choose a share nearer to 0.5"):
            split_nuclei(stand_in, share)


# Touching


def test_neighbors_touch_and_distant_ones_do_not():
    labels = np.array([[1, 0, 2, 2], [0, 0, 0, 0], [3, 4, 0, 0], [0, 0, 5, 0]], np.uint8)
    for within, expected in [
        (1, [[3, 4]]),
        (1.5, [[3, 4], [4, 5]]),
        (2, [[1, 2], [1, 3], [3, 4], [4, 5]]),
    ]:
        for turned in (labels, labels.T, labels[::-1], labels[:, ::-1]):
            assert touching_pairs(turned, within).tolist() == expected
    assert touching_pairs(np.zeros((4, 4), int)).shape == (0, 2)
    for wrong in ({"labels": labels / 2}, {"labels": labels[0]}, {"labels": labels, "within": 0.5}):
        with pytest.raises(ValueError, match=r"expected a map .H, W. of integer labels and within=1 or more, got"):
            touching_pairs(**wrong)


# Files


def test_stand_in_has_the_same_form_and_says_so(stand_in, monkeypatch, tmp_path, capsys):
    check_form(stand_in)
    assert stand_in.is_fallback and stand_in.image.shape == (512, 512)
    assert len(stand_in.boxes) == 125 and len(stand_in.touching) > 10
    monkeypatch.setenv("COURSE_OFFLINE", "1")
    again = load_nuclei(tmp_path)
    np.testing.assert_array_equal(again.image, stand_in.image)
    np.testing.assert_array_equal(again.labels, stand_in.labels)
    said = capsys.readouterr().err
    assert said.startswith("This is not the microscope's picture but a rendered picture of nuclei; scores differ")
    assert "COURSE_OFFLINE forbids fetching 'nuclei'" in said and said.count("\n") == 1


def test_stored_files_need_no_network(files, real, monkeypatch):
    monkeypatch.setenv("COURSE_OFFLINE", "1")
    found = load_nuclei(files)
    assert not found.is_fallback and hashlib.sha256(found.image).digest() == hashlib.sha256(real.image).digest()


def test_damaged_and_other_files_are_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_OFFLINE", "1")
    for sizes, reason in [
        ((100, 524_544), "img2d.tif is damaged .expected 524,544 bytes, found 100.; delete it and run 'make data'"),
        ((524_544, 524_544), "are not the nuclei's .wrong SHA-256.; delete them and run 'make data'"),
    ]:
        for name, size in zip(FILES, sizes, strict=True):
            (tmp_path / name).write_bytes(bytes(size))
        with pytest.raises(DownloadError, match=reason):
            load_nuclei(tmp_path)


def test_picture_without_nuclei_has_empty_arrays():
    found = nuclei._nuclei(np.zeros((8, 8), np.uint8), np.zeros((8, 8), np.int32), "nothing", True)
    assert isinstance(found, Nuclei) and found.boxes.shape == (0, 4) and found.touching.shape == (0, 2)
    with pytest.raises(ValueError, match="no whole nucleus"):
        split_nuclei(found)
