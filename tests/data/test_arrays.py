"""Images in arrays of NumPy, in memory and in files: ranges, shapes, roles, and what is refused."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.pictures import colour, grey

from minigan.data import dataset_of, load_images
from minigan.errors import InputError

IMAGES = np.stack([grey(i) for i in range(6)])
COLOUR = np.stack([colour(i) for i in range(6)])
LABELS = np.array([3, 1, 4, 1, 5, 9])


def strange_text(n: int, dtype: str) -> Any:
    """Texts that NumPy takes, and Python does not."""
    width = int(dtype[2:])
    return np.full(n * width, 0x7FFFFFFF, f"{dtype[0]}u4").view(dtype)


def of(images: Any, labels: Any = None) -> Any:
    return dataset_of(images, labels, hold_out=0)


def read(file: Path) -> Any:
    return load_images(file, hold_out=0)


# ---------------------------------------------------------------- ranges


@pytest.mark.parametrize(
    ("numbers", "dtype"),
    [
        (IMAGES, "uint8"),
        (IMAGES, "int64"),
        (IMAGES, "float32"),
        (IMAGES / 255, "float32"),
        (IMAGES / 127.5 - 1, "float32"),
        (IMAGES.astype("uint16") * 257, "uint16"),  # stretched: 0 and 255 are among them
    ],
)
def test_ranges_that_are_known_give_the_levels_back(numbers: Any, dtype: str) -> None:
    assert (IMAGES.min(), IMAGES.max()) == (0, 255)
    np.testing.assert_array_equal(of(numbers.astype(dtype)).train.images, IMAGES)


def test_truth_values_are_black_and_white() -> None:
    np.testing.assert_array_equal(of(IMAGES > 99).train.images, (IMAGES > 99) * np.uint8(255))


def test_a_small_range_is_stretched_and_bytes_are_not() -> None:
    small = IMAGES // 16  # 0 to 15, as scikit-learn's digits have 0 to 16
    data = of(small.astype(float))
    np.testing.assert_array_equal(data.train.images, small * 17)
    assert data.notes == ("Pixels from 0 to 15 were stretched to 0 to 255.",)
    np.testing.assert_array_equal(of(small).train.images, small)


def test_test_images_have_the_range_of_the_others(tmp_path: Path) -> None:
    file = tmp_path / "a.npz"
    np.savez(file, x_train=IMAGES[:5] / 8, x_test=IMAGES[5:] / 16)
    data = read(file)  # from 0 to 31.875
    np.testing.assert_allclose(data.test.images, IMAGES[5:] / 2, atol=0.51)


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        (np.full((3, 9, 9), np.nan), "the images hold numbers that are not finite"),
        (np.full((3, 9, 9), -np.inf), "the images hold numbers that are not finite"),
        (np.full((3, 9, 9), 300), "all pixels are 300, expected images"),
        (np.zeros((3, 9, 9), complex), "the images are complex128, expected numbers"),
        (np.full((3, 9, 9), "a"), "the images are <U1, expected numbers"),
        (np.full((3, 9, 9), None), "the images are object, expected numbers"),
        (np.zeros((0, 9, 9)), "holds no images"),
        (np.zeros((0, 784)), r"holds no images: its shape is \(0, 784\)"),
        (np.zeros((300, 0)), r"holds no images: its shape is \(300, 0\)"),
        (np.array([[[-1.7e308, 1.7e308]]]), "from -1.7e.308 to 1.7e.308, too far to be stretched"),
        (np.zeros((3, 0, 9)), "holds no images"),
        (np.zeros((3, 9, 9, 4), "uint8"), r"shape \(3, 9, 9, 4\), expected images \(N, h, w\)"),
        (np.zeros((3, 80), "uint8"), r"shape \(3, 80\), expected images"),
        (np.zeros(3, "uint8"), r"shape \(3,\), expected images"),
        (7, r"shape \(\), expected images"),
    ],
)
def test_arrays_that_are_no_images(numbers: Any, message: str) -> None:
    with pytest.raises(InputError, match=f"^images.*{message}|^images holds no images$"):
        of(numbers)


# ---------------------------------------------------------------- shapes and labels


@pytest.mark.parametrize(
    "images", [IMAGES, IMAGES[..., None], IMAGES[:, None], IMAGES.reshape(6, -1)]
)
def test_shapes_of_grey_images(images: Any) -> None:
    np.testing.assert_array_equal(of(images).train.images, IMAGES)


@pytest.mark.parametrize("images", [COLOUR, np.moveaxis(COLOUR, 3, 1)])
def test_shapes_of_coloured_images(images: Any) -> None:
    np.testing.assert_array_equal(of(images).train.images, COLOUR)


def test_labels() -> None:
    assert of(IMAGES).train.labels is None
    for labels in (LABELS, LABELS[:, None], LABELS.tolist(), LABELS.astype("uint8")):
        assert of(IMAGES, labels).train.labels.tolist() == LABELS.tolist()
    data = of(IMAGES, ["cat", "dog", "cat", "owl", "owl", "cat"])
    assert (data.train.labels.tolist(), data.names) == ([0, 1, 0, 2, 2, 0], ("cat", "dog", "owl"))
    data = of(IMAGES, np.array([b"cat", b"dog", b"cat", b"owl", b"owl", b"cat"]))
    assert (data.train.labels.tolist(), data.names) == ([0, 1, 0, 2, 2, 0], ("cat", "dog", "owl"))
    assert of(IMAGES, LABELS.astype("float32")).train.labels.tolist() == LABELS.tolist()
    assert of(IMAGES, LABELS > 3).train.labels.tolist() == (LABELS > 3).tolist()


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (LABELS[:5], r"6 images and labels of shape \(5,\), expected a label for each"),
        (LABELS + 250, "the labels are not all from 0 to 255"),
        (-LABELS, "the labels are not all from 0 to 255"),
        (LABELS / 2, "the labels are float64, expected whole numbers"),
        (LABELS / [1, 1, 1, 1, 1, np.nan], "the labels are float64, expected whole numbers"),
        ([1, 2, 3, 4, 5, float("inf")], "the labels are not all from 0 to 255"),
        (np.eye(6), r"6 images and labels of shape \(6, 6\), expected a label for each"),
        (strange_text(6, ">U1"), "texts with the character 0x7fffffff, expected up to 0x10ffff"),
        (strange_text(6, "<U2"), "texts with the character 0x7fffffff, expected up to 0x10ffff"),
        ([None] * 6, "the labels are object, expected whole numbers"),
    ],
)
def test_labels_that_are_none(labels: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        of(IMAGES, labels)


def test_too_many_names_and_labels_of_two_kinds(tmp_path: Path) -> None:
    many = np.zeros((300, 8, 8), np.uint8)
    with pytest.raises(InputError, match="there are 300 different labels, expected up to 256"):
        of(many, [f"k{i}" for i in range(300)])
    file = tmp_path / "a.npz"
    for one, two in ((LABELS, LABELS.astype(str)), (LABELS.astype(str), LABELS)):
        np.savez(file, x=IMAGES, y=one, x_test=IMAGES, y_test=two)
        with pytest.raises(InputError, match=f"the labels are {one.dtype} and {two.dtype}, expec"):
            read(file)


def test_lone_surrogates_are_names() -> None:
    data = of(IMAGES, np.array(["a", "\ud800"] * 3))
    assert (data.names, data.train.labels.tolist()) == (("a", "\ud800"), [0, 1] * 3)


def test_arguments_stay_as_they_are() -> None:
    images, labels = IMAGES.copy(), LABELS.copy()
    dataset_of(images, labels, resize=10)
    dataset_of(images.astype(float), labels)
    np.testing.assert_array_equal(images, IMAGES)
    np.testing.assert_array_equal(labels, LABELS)


# ---------------------------------------------------------------- files


@pytest.mark.parametrize("images", [IMAGES, COLOUR, np.asfortranarray(IMAGES), IMAGES / 255])
def test_npy(images: Any, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", images)
    (tmp_path / "a.npy").rename(tmp_path / "a.txt")  # the content counts
    want = images if images.dtype == np.uint8 else IMAGES
    np.testing.assert_array_equal(read(tmp_path / "a.txt").train.images, want)


NAMES: dict[str, dict[str, Any]] = {
    "Keras": {"x_train": IMAGES, "y_train": LABELS, "x_test": IMAGES[:2], "y_test": LABELS[:2]},
    "MedMNIST": {
        "train_images": IMAGES,
        "val_images": IMAGES[:3],
        "test_images": IMAGES[:2],
        "train_labels": LABELS[:, None],
        "val_labels": LABELS[:3, None],
        "test_labels": LABELS[:2, None],
    },
    "scikit-learn": {"data": IMAGES.reshape(6, -1), "images": IMAGES, "target": LABELS},
    "no names": {"arr_0": IMAGES, "arr_1": LABELS},
    "other arrays": {"images": IMAGES, "labels": LABELS, "weights": np.ones(6), "mean": IMAGES[0]},
}


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("name", NAMES)
def test_npz(name: str, save: Any, tmp_path: Path) -> None:
    save(tmp_path / "a.npz", **NAMES[name])
    data = read(tmp_path / "a.npz")
    np.testing.assert_array_equal(data.train.images, IMAGES)
    assert data.train.labels.tolist() == LABELS.tolist()
    if name in ("Keras", "MedMNIST"):
        np.testing.assert_array_equal(data.test.images, IMAGES[:2])
        assert data.test.labels.tolist() == LABELS[:2].tolist()
    else:
        assert data.test is None


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("images_test", "test"),
        ("xtest", "test"),
        ("testImages", "test"),
        ("imagesTest", "test"),
        ("T10K", "test"),
        ("x_val", "spare"),
        ("xVal", "spare"),
        ("validation images", "spare"),
        ("latest", "train"),
        ("interval_images", "train"),
        ("values", "train"),
        ("x_value", "train"),
    ],
)
def test_what_a_name_says(name: str, role: str, tmp_path: Path) -> None:
    """Beside images that are named ``images``, and alone."""
    file, named = tmp_path / "a.npz", dict[str, Any]({name: IMAGES[:4]})
    np.savez(file, **named)
    np.testing.assert_array_equal(read(file).train.images, IMAGES[:4])
    np.savez(file, images=IMAGES, **named)
    if role == "train":
        if "images" in name or name == "x_value":
            with pytest.raises(InputError, match=f"holds 2 arrays of images: images, {name}"):
                read(file)
            return
        data = read(file)
        assert data.notes == (f"1 array in {file} was left aside: {name}.",)
    else:
        data = read(file)
        assert (data.test is not None) == (role == "test")
        aside = (f"1 array in {file} was left aside: {name}.",)
        assert data.notes == (aside if role == "spare" else ())
    np.testing.assert_array_equal(data.train.images, IMAGES)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"y": LABELS[:5]}, r"y is int64 \(5,\), expected a label for each image of x, \(6,\)"),
        ({"labels": np.eye(6)}, r"labels is float64 \(6, 6\), expected a label for each image of"),
        ({"target": LABELS / 2}, "the labels are float64, expected whole numbers"),
        ({"y": LABELS, "x_test": IMAGES[:2], "y_test": LABELS[:1]}, r"y_test is int64 \(1,\), exp"),
        ({"label": LABELS + 0j, "ids": LABELS}, r"label is complex128 \(6,\), expected a label"),
    ],
)
def test_labels_that_do_not_fit(arrays: Any, message: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=IMAGES, **arrays)
    with pytest.raises(InputError, match=message):
        read(tmp_path / "a.npz")


@pytest.mark.parametrize(
    "labels",
    [LABELS.astype(float), LABELS[:, None], LABELS.astype("S1"), LABELS.astype("U2")],
    ids=lambda labels: str(labels.dtype),
)
def test_labels_of_other_types(labels: Any, tmp_path: Path) -> None:
    names = np.array(["nought", "one"])
    np.savez(tmp_path / "a.npz", x=IMAGES, interval_labels=labels, label_names=names)
    data = read(tmp_path / "a.npz")
    want = LABELS.tolist()
    assert [int(data.names[i]) if data.names else i for i in data.train.labels] == want
    assert data.notes == (f"1 array in {tmp_path / 'a.npz'} was left aside: label_names.",)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"a": IMAGES, "b": IMAGES}, "holds 2 arrays of images: a, b"),
        ({"a": IMAGES, "b": LABELS, "c": LABELS}, "holds 2 arrays of labels: b, c"),
        ({"a": np.ones(3)}, r"holds no images, .*: it has a float64 \(3,\)"),
        ({}, "holds no images, .*: it has no arrays .pictures in a zip"),
    ],
)
def test_npz_that_leaves_a_choice(arrays: Any, message: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.ones(1), **arrays) if arrays else zipped(tmp_path / "a.npz")
    with pytest.raises(InputError, match=message.replace("it has a", "it has .*a")):
        read(tmp_path / "a.npz")


def zipped(file: Path, **entries: bytes) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README", "words")
        for name, content in entries.items():
            archive.writestr(f"{name}.npy", content)


def npy(array: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


class Evil:
    """Unpickling it makes a folder."""

    def __reduce__(self) -> Any:
        import os

        return os.mkdir, ("unpickled",)


@pytest.mark.parametrize("suffix", ["npy", "npz"])
def test_nothing_is_unpickled(suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file, array = tmp_path / f"a.{suffix}", np.array([Evil()] * 3, dtype=object)
    if suffix == "npy":
        np.save(file, array, allow_pickle=True)
    else:
        with file.open("wb") as stream:
            np.savez(stream, allow_pickle=True, images=IMAGES, labels=array)
    with pytest.raises(InputError, match="holds pickled objects, which are never read"):
        read(file)
    assert not (tmp_path / "unpickled").exists()


def cut(content: bytes) -> bytes:
    return content[:-100]


def promising(content: bytes) -> bytes:
    """The header promises more than the file has."""
    return content.replace(b"(6, 12, 12)", b"(9, 12, 12)")


@pytest.mark.parametrize("damage", [cut, promising, lambda c: c[:9], lambda c: c + b"more"])
def test_damaged_npy(damage: Any, tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(damage(npy(IMAGES)))
    with pytest.raises(InputError, match="a.npy holds no array of numbers") as caught:
        read(tmp_path / "a.npy")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("major", "minor"), [(9, 0), (32, 106)])
def test_another_version_of_the_format_is_named(major: int, minor: int, tmp_path: Path) -> None:
    content = npy(IMAGES)
    (tmp_path / "a.npy").write_bytes(content[:6] + bytes([major, minor]) + content[8:])
    with pytest.raises(InputError, match=rf"version {major}\.{minor} of NumPy's format, expected"):
        read(tmp_path / "a.npy")


def test_damaged_npz(tmp_path: Path) -> None:
    file = tmp_path / "a.npz"
    np.savez_compressed(file, images=IMAGES, labels=LABELS)
    whole = file.read_bytes()
    for at in range(0, len(whole), 7):
        damaged = bytearray(whole)
        damaged[at] ^= 0x10
        file.write_bytes(damaged)
        try:
            data = read(file)
        except InputError as error:
            assert str(file) in str(error)
            continue
        np.testing.assert_array_equal(data.train.images, IMAGES)
    for end in range(0, len(whole), 50):
        file.write_bytes(whole[:end])
        with pytest.raises(InputError, match="a.npz"):
            read(file)


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    """80 MB of zeros take 80 KB in the file."""
    zipped(tmp_path / "a.npz", images=npy(np.zeros((20_000, 64, 64), np.uint8)))
    assert (tmp_path / "a.npz").stat().st_size < 100_000
    tracemalloc.start()
    with pytest.raises(InputError, match="would be unpacked from 79,[0-9]* to 81,920,128 bytes"):
        read(tmp_path / "a.npz")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000


def test_a_bomb_that_lies_about_its_size(tmp_path: Path) -> None:
    content = npy(np.zeros((20_000, 64, 64), np.uint8))  # 82 MB
    zipped(tmp_path / "a.npz", images=content)
    whole = (tmp_path / "a.npz").read_bytes()
    size = struct.pack("<I", len(content))
    (tmp_path / "a.npz").write_bytes(whole.replace(size, struct.pack("<I", 5000)))
    tracemalloc.start()
    with pytest.raises(InputError, match="a.npz is a damaged archive"):
        read(tmp_path / "a.npz")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16_000_000  # 4 KB of the file at a time, unpacked
