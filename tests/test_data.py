"""MNIST as shipped, other IDX folders, torchvision's view of the same data, damaged files."""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from conftest import write_idx

import minigan as mg
from minigan.data import MNIST, batches, pixel_values
from minigan.errors import InputError

# Of the uncompressed files, as LeCun and Cortes published them.
SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
needs_torchvision = pytest.mark.skipif(
    importlib.util.find_spec("torchvision") is None, reason="torchvision is not installed"
)


@pytest.mark.parametrize("name", SHA256)
def test_shipped_files_are_the_canonical_ones(name: str) -> None:
    data = gzip.decompress((MNIST / f"{name}.gz").read_bytes())
    assert hashlib.sha256(data).hexdigest() == SHA256[name]


@pytest.mark.parametrize(("split", "n"), [("train", 60_000), ("test", 10_000)])
def test_load_mnist(split: Any, n: int) -> None:
    images, labels = mg.load_mnist(split)
    assert images.shape == (n, 28, 28)
    assert labels.shape == (n,)
    assert images.dtype == labels.dtype == np.uint8
    assert sorted(set(labels.tolist())) == list(range(10))
    assert list(labels[:5]) == ([5, 0, 4, 1, 9] if split == "train" else [7, 2, 1, 0, 4])
    images[0] = 0  # the array is the caller's


def test_unknown_split() -> None:
    with pytest.raises(InputError, match="split is 'valid', expected 'train' or 'test'"):
        mg.load_mnist("valid")


# ---------------------------------------------------------------- other folders


@pytest.mark.parametrize("layout", ["", "raw", "FashionMNIST/raw", "MNIST/raw"])
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_layouts(layout: str, suffix: str, tmp_path: Path, mnist: npt.NDArray[np.uint8]) -> None:
    folder = tmp_path / layout
    folder.mkdir(parents=True, exist_ok=True)
    for prefix in ("train", "t10k"):
        write_idx(folder / f"{prefix}-images-idx3-ubyte{suffix}", mnist[:7])
        write_idx(folder / f"{prefix}-labels-idx1-ubyte{suffix}", np.arange(7, dtype=np.uint8))
    for split in ("train", "test"):
        images, labels = mg.load_mnist(split, path=tmp_path)
        np.testing.assert_array_equal(images, mnist[:7])
        np.testing.assert_array_equal(labels, np.arange(7))


def test_plain_comes_before_gz(tmp_path: Path, mnist: npt.NDArray[np.uint8]) -> None:
    for suffix, first in (("", 0), (".gz", 5)):
        write_idx(tmp_path / f"train-images-idx3-ubyte{suffix}", mnist[first : first + 5])
        write_idx(tmp_path / f"train-labels-idx1-ubyte{suffix}", np.zeros(5, np.uint8))
    np.testing.assert_array_equal(mg.load_mnist(path=tmp_path)[0], mnist[:5])


def test_from_torchvision_object(mnist: npt.NDArray[np.uint8]) -> None:
    dataset = SimpleNamespace(data=mnist[:9], targets=list(range(9)))
    images, labels = mg.from_torchvision(dataset)
    np.testing.assert_array_equal(images, mnist[:9])
    assert labels.dtype == np.uint8
    assert list(labels) == list(range(9))


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        (SimpleNamespace(), "has no data and targets"),
        (SimpleNamespace(data=np.zeros((5, 32, 32, 3), "uint8"), targets=[0] * 5), "32 x 32 x 3"),
        (SimpleNamespace(data=np.zeros((5, 28, 28)), targets=[0] * 5), "images are float64"),
        (
            SimpleNamespace(data=np.zeros((5, 28, 28), "uint8"), targets=[0] * 4),
            "labels have shape",
        ),
        (
            SimpleNamespace(data=np.zeros((5, 28, 28), "uint8"), targets=[[0]] * 5),
            "labels have shape",
        ),
        (
            SimpleNamespace(data=np.zeros((2, 28, 28), "uint8"), targets=[0, 256]),
            "labels are not all from 0 to 255",
        ),
        (SimpleNamespace(data=np.zeros((0, 28, 28), "uint8"), targets=[]), "holds no images"),
    ],
)
def test_from_torchvision_of_something_else(dataset: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        mg.from_torchvision(dataset)


# ---------------------------------------------------------------- damaged and mislabelled files

Damage = Callable[[Path], Any]
IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


def cut(path: Path, to: int) -> None:
    path.write_bytes(path.read_bytes()[:to])


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 0x40
    path.write_bytes(data)


def compress(folder: Path) -> Path:
    file = folder / f"{IMAGES}.gz"
    file.write_bytes(gzip.compress((folder / IMAGES).read_bytes()))
    (folder / IMAGES).unlink()
    return file


DAMAGES: dict[str, tuple[Damage, str]] = {
    "no folder": (lambda d: shutil.rmtree(d), "data folder .* does not exist"),
    "empty folder": (
        lambda d: [f.unlink() for f in d.iterdir()],
        "holds no train-images-idx3-ubyte",
    ),
    "a file for a folder": (lambda d: [shutil.rmtree(d), d.write_text("x")], "is a file"),
    "no labels": (lambda d: (d / LABELS).unlink(), f"{LABELS} does not exist, plain or .gz"),
    "truncated": (
        lambda d: cut(d / IMAGES, 5000),
        "is truncated: its header promises 15,680 bytes",
    ),
    "ends in the header": (lambda d: cut(d / IMAGES, 9), "it ends within its header"),
    "empty file": (lambda d: cut(d / IMAGES, 0), "begins with 0x, expected 0x00000803"),
    "too long": (
        lambda d: (d / IMAGES).write_bytes((d / IMAGES).read_bytes() + b"x"),
        "is too long: its header promises 15,680 bytes",
    ),
    "labels for images": (
        lambda d: shutil.copy(d / LABELS, d / IMAGES),
        "begins with 0x00000801, expected 0x00000803",
    ),
    "images for labels": (
        lambda d: shutil.copy(d / IMAGES, d / LABELS),
        "begins with 0x00000803, expected 0x00000801",
    ),
    "not IDX": (lambda d: (d / IMAGES).write_text("hello"), "begins with 0x68656c6c"),
    "not gzip": (
        lambda d: [(d / IMAGES).rename(d / f"{IMAGES}.gz")],
        "cannot be read: Not a gzipped file",
    ),
    "truncated gzip": (lambda d: cut(compress(d), 900), "cannot be read: Compressed file ended"),
    "flipped bit in gzip": (lambda d: flip(compress(d), 700), "cannot be read: "),
    "flipped bit in gzip's CRC": (lambda d: flip(compress(d), -7), "cannot be read: CRC check"),
    "counts differ": (
        lambda d: write_idx(d / LABELS, np.zeros(19, np.uint8)),
        "holds 20 images, .* 19 labels",
    ),
    "other size": (
        lambda d: write_idx(d / IMAGES, np.zeros((20, 32, 32), np.uint8)),
        "the images are 32 x 32, expected 28 x 28",
    ),
    "no images": (
        lambda d: write_idx(d / IMAGES, np.zeros((0, 28, 28), np.uint8)),
        "holds no images",
    ),
    "a header that promises 4 EB": (
        lambda d: (d / IMAGES).write_bytes(struct.pack(">4B3I", 0, 0, 8, 3, *[2**32 - 1] * 3)),
        "is truncated",
    ),
    "several data sets": (
        lambda d: (
            [shutil.copytree(d, d.parent / f"all/{name}/raw") for name in ("A", "B")]
            and [shutil.rmtree(d), (d.parent / "all").rename(d)]
        ),
        "holds several data sets, name one of them: .*A/raw.*B/raw",
    ),
}


@pytest.fixture
def folder(tmp_path: Path, mnist: npt.NDArray[np.uint8]) -> Path:
    path = tmp_path / "data"
    path.mkdir()
    write_idx(path / IMAGES, mnist[:20])
    write_idx(path / LABELS, np.arange(20, dtype=np.uint8))
    return path


@pytest.mark.parametrize("name", DAMAGES)
def test_damages(name: str, folder: Path) -> None:
    mg.load_mnist(path=folder)
    damage, message = DAMAGES[name]
    damage(folder)
    with pytest.raises(InputError, match=message):
        mg.load_mnist(path=folder)


# ---------------------------------------------------------------- scaling and minibatches


def test_pixel_values() -> None:
    values = pixel_values()
    assert values.dtype == np.float32
    assert (values[0], values[255]) == (-1, 1)
    assert (np.diff(values) > 0).all()
    np.testing.assert_allclose(pixel_values("float64"), np.arange(256) / 127.5 - 1, atol=1e-15)


@pytest.mark.torch
@needs_torchvision
def test_scaling_equals_torchvision_bit_for_bit(mnist: npt.NDArray[np.uint8]) -> None:
    from PIL import Image
    from torchvision import transforms

    transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))])
    every_level = np.arange(784, dtype=np.uint8).reshape(28, 28)
    for image in (every_level, *mnist[:100]):
        theirs = transform(Image.fromarray(image)).numpy()[0]
        ours = pixel_values()[image]
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.torch
@needs_torchvision
def test_torchvision_reads_the_same_images(tmp_path: Path, mnist: npt.NDArray[np.uint8]) -> None:
    from torchvision.datasets import MNIST as TorchvisionMNIST

    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name in SHA256:
        (raw / name).write_bytes(gzip.decompress((MNIST / f"{name}.gz").read_bytes()))
    dataset = TorchvisionMNIST(tmp_path, train=True)
    for images, labels in (mg.from_torchvision(dataset), mg.load_mnist(path=tmp_path)):
        np.testing.assert_array_equal(images, mnist)
        np.testing.assert_array_equal(labels, mg.load_mnist()[1])


def test_an_epoch_has_every_image_once_in_random_order() -> None:
    rng = np.random.default_rng(0)
    epochs = [list(batches(10, 4, rng)) for _ in range(2)]
    for epoch in epochs:
        assert [len(batch) for batch in epoch] == [4, 4, 2]
        assert sorted(np.concatenate(epoch)) == list(range(10))
    assert (np.concatenate(epochs[0]) != np.concatenate(epochs[1])).any()
    assert [len(batch) for batch in batches(8, 4, rng)] == [4, 4]
