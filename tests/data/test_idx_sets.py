"""IDX files under the names that are found in the wild."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.idx_files import write_idx
from helpers.pictures import grey, save

from minigan.data import load_images
from minigan.errors import InputError

IMAGES = np.stack([grey(i, 10, 12) for i in range(8)])
TEST = IMAGES[:3]
LABELS = np.array([3, 1, 4, 1, 5, 9, 2, 6], np.uint8)


def read(path: Path) -> Any:
    return load_images(path, hold_out=0)


def fill(folder: Path, names: str, **more: Any) -> None:
    """Write the four files; ``names`` has a place for the split, the kind and the dimensions."""
    folder.mkdir(parents=True, exist_ok=True)
    for split, images, labels in (("train", IMAGES, LABELS), ("t10k", TEST, LABELS[:3])):
        name = more.get(split, split)
        write_idx(folder / names.format(split=name, kind="images", n=3), images)
        write_idx(folder / names.format(split=name, kind="labels", n=1), labels)


def assert_read(path: Path) -> Any:
    data = read(path)
    np.testing.assert_array_equal(data.train.images, IMAGES)
    np.testing.assert_array_equal(data.test.images, TEST)
    assert data.train.labels.tolist() == LABELS.tolist()
    assert data.test.labels.tolist() == LABELS[:3].tolist()
    return data


@pytest.mark.parametrize(
    "names",
    [
        "{split}-{kind}-idx{n}-ubyte",
        "{split}-{kind}-idx{n}-ubyte.gz",
        "{split}-{kind}.idx{n}-ubyte",
        "{split}-{kind}.idx{n}-ubyte.gz",
        "{split}_{kind}.idx{n}-ubyte",
        "k49-{split}-{kind}-idx{n}-ubyte",
        "{split}-{kind}",
    ],
)
@pytest.mark.parametrize("below", ["", "raw", "gzip", "Name/raw"])
def test_names(names: str, below: str, tmp_path: Path) -> None:
    fill(tmp_path / below, names)
    assert_read(tmp_path)


def test_capital_letters(tmp_path: Path) -> None:
    fill(tmp_path, "{split}-{kind}-idx{n}-ubyte.gz")
    for file in sorted(tmp_path.iterdir()):
        file.rename(tmp_path / file.name.upper())
    assert_read(tmp_path)


def test_packed_or_not_is_told_by_the_content(tmp_path: Path) -> None:
    fill(tmp_path, "{split}-{kind}-idx{n}-ubyte")
    plain, packed = tmp_path / "train-images-idx3-ubyte", tmp_path / "t10k-images-idx3-ubyte"
    plain.rename(f"{plain}.gz")
    packed.write_bytes(gzip.compress(packed.read_bytes()))
    assert_read(tmp_path)


def test_a_folder_of_the_name_with_the_file_inside(tmp_path: Path) -> None:
    fill(tmp_path / "unpacked", "{split}-{kind}-idx{n}-ubyte")
    for file in sorted((tmp_path / "unpacked").iterdir()):
        (tmp_path / "all" / file.name).mkdir(parents=True)
        file.rename(tmp_path / "all" / file.name / file.name)
    assert_read(tmp_path / "all")


def test_emnist_is_turned_upright(tmp_path: Path) -> None:
    """Its images are transposed, and its letters have labels from 1 to 26."""
    for split, images in (("train", IMAGES), ("test", TEST)):
        stem = f"emnist-letters-{split}"
        write_idx(tmp_path / f"{stem}-images-idx3-ubyte.gz", images.swapaxes(1, 2).copy())
        labels = np.arange(26, 26 - len(images), -1).astype(np.uint8)
        write_idx(tmp_path / f"{stem}-labels-idx1-ubyte.gz", labels)
    data = read(tmp_path)
    np.testing.assert_array_equal(data.train.images, IMAGES)
    np.testing.assert_array_equal(data.test.images, TEST)
    assert data.train.labels.tolist() == list(range(26, 18, -1))
    assert data.notes == ("The images of EMNIST, which lie on their side, were turned.",)


def write_int_idx(file: Path, array: Any) -> None:
    header = struct.pack(f">4B{array.ndim}I", 0, 0, 12, array.ndim, *array.shape)
    file.write_bytes(gzip.compress(header + array.astype(">i4").tobytes()))


def test_qmnist(tmp_path: Path) -> None:
    """Of the eight numbers that belong to each image, the first is the digit."""
    for split, images in (("train", IMAGES), ("test", TEST)):
        write_idx(tmp_path / f"qmnist-{split}-images-idx3-ubyte.gz", images)
        table = np.arange(len(images) * 8).reshape(-1, 8) + 1000
        table[:, 0] = LABELS[: len(images)]
        write_int_idx(tmp_path / f"qmnist-{split}-labels-idx2-int.gz", table)
    assert_read(tmp_path)
    write_int_idx(tmp_path / "qmnist-train-labels-idx2-int.gz", table[:, :, None])
    with pytest.raises(InputError, match=r"numbers of shape \(3, 8, 1\), expected labels"):
        read(tmp_path)


def test_images_without_labels(tmp_path: Path) -> None:
    write_idx(tmp_path / "train-images-idx3-ubyte", IMAGES)
    data = read(tmp_path)
    assert (data.train.labels, data.test) == (None, None)


def test_what_is_not_used_is_named(tmp_path: Path) -> None:
    fill(tmp_path, "{split}-{kind}-idx{n}-ubyte")
    assert read(tmp_path).notes == ()
    save(tmp_path / "picture.png", grey(0))
    write_idx(tmp_path / "test-images-idx3-ubyte", TEST)  # beside t10k
    write_idx(tmp_path / "train-images-idx3-ubyte.gz", IMAGES[:2])  # beside the plain one
    (tmp_path / "extra").mkdir()
    assert_read(tmp_path)
    assert read(tmp_path).notes == (
        f"4 other files in {tmp_path} were left aside: extra, picture.png, "
        "test-images-idx3-ubyte, ….",
    )


def test_labels_without_images_are_named(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    write_idx(tmp_path / "raw" / "train-images-idx3-ubyte", IMAGES)
    write_idx(tmp_path / "raw" / "t10k-labels-idx1-ubyte", LABELS)
    labels = Path("raw", "t10k-labels-idx1-ubyte")
    assert read(tmp_path).notes == (f"1 other file in {tmp_path} was left aside: {labels}.",)


def test_images_in_colour(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (4, 9, 8, 3), dtype=np.uint8)
    write_idx(tmp_path / "train-images-idx4-ubyte", images)
    np.testing.assert_array_equal(read(tmp_path).train.images, images)


def test_several_sets_are_named_by_a_file(tmp_path: Path) -> None:
    fill(tmp_path, "emnist-mnist-{split}-{kind}-idx{n}-ubyte", t10k="test")
    fill(tmp_path, "k49-{split}-{kind}-idx{n}-ubyte", t10k="test")
    with pytest.raises(InputError, match="holds several data sets, name a file of one of them: "):
        read(tmp_path)
    assert_read(tmp_path / "k49-train-images-idx3-ubyte")
    assert_read(tmp_path / "k49-test-labels-idx1-ubyte")


def test_a_file_of_another_name_stands_alone(tmp_path: Path) -> None:
    write_idx(tmp_path / "faces.bin", IMAGES)
    for path in (tmp_path, tmp_path / "faces.bin"):
        data = read(path)
        np.testing.assert_array_equal(data.train.images, IMAGES)
        assert data.train.labels is None


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("train-labels-idx1-ubyte", LABELS[:5], "holds 8 images, .* 5 labels: expected as many"),
        ("train-images-idx3-ubyte", LABELS, r"uint8 numbers of shape \(8,\), expected images"),
        ("train-images-idx3-ubyte", IMAGES[:0], "holds 0 images, .* 8 labels"),
        ("t10k-images-idx3-ubyte", TEST[:, :9], "the test images are 12 x 9, grey, the training"),
        ("train-images-idx3-ubyte", IMAGES[:, :5], "the images are 12 x 5, expected at least 8"),
    ],
)
def test_what_does_not_fit(name: str, array: Any, message: str, tmp_path: Path) -> None:
    fill(tmp_path, "{split}-{kind}-idx{n}-ubyte")
    write_idx(tmp_path / name, array)
    with pytest.raises(InputError, match=message):
        read(tmp_path)


def test_integers_are_no_images(tmp_path: Path) -> None:
    write_int_idx(tmp_path / "train-images-idx3-ubyte", IMAGES)
    with pytest.raises(InputError, match=r"holds int32 numbers of shape \(8, 10, 12\), expected"):
        read(tmp_path)
