"""MNIST as it is shipped, other folders of IDX files, torchvision's view of the same data."""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pytest
from helpers.idx_files import write_idx

import minigan as mg
from minigan.data import SHIPPED
from minigan.errors import InputError

FILES = SHIPPED / "mnist"


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
    data = gzip.decompress((FILES / f"{name}.gz").read_bytes())
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
    split: Any = "valid"
    with pytest.raises(InputError, match="split is 'valid', expected 'train' or 'test'"):
        mg.load_mnist(split)


@pytest.mark.parametrize("layout", ["", "raw", "FashionMNIST/raw", "MNIST/raw"])
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_layouts(layout: str, suffix: str, tmp_path: Path, mnist: npt.NDArray[np.uint8]) -> None:
    folder = tmp_path / layout
    folder.mkdir(parents=True, exist_ok=True)
    for prefix in ("train", "t10k"):
        write_idx(folder / f"{prefix}-images-idx3-ubyte{suffix}", mnist[:7])
        write_idx(folder / f"{prefix}-labels-idx1-ubyte{suffix}", np.arange(7, dtype=np.uint8))
    splits: tuple[Literal["train", "test"], ...] = ("train", "test")
    for split in splits:
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
        *(
            (SimpleNamespace(data=np.zeros((2, 28, 28), "uint8"), targets=labels), message)
            for labels, message in (
                ([0.5, 3.0], "labels are float64, expected whole numbers"),
                ([math.nan, 3.0], "labels are float64, expected whole numbers"),
                (["seven", "3"], "labels are <U5, expected whole numbers"),
                ([True, False], "labels are bool, expected whole numbers"),
                ([None, 3], "labels are object, expected whole numbers"),
            )
        ),
    ],
)
def test_from_torchvision_of_something_else(dataset: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        mg.from_torchvision(dataset)


@pytest.mark.torch
@needs_torchvision
def test_torchvision_reads_the_same_images(tmp_path: Path, mnist: npt.NDArray[np.uint8]) -> None:
    from torchvision.datasets import MNIST as TorchvisionMNIST

    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name in SHA256:
        (raw / name).write_bytes(gzip.decompress((FILES / f"{name}.gz").read_bytes()))
    dataset = TorchvisionMNIST(tmp_path, train=True)
    for images, labels in (mg.from_torchvision(dataset), mg.load_mnist(path=tmp_path)):
        np.testing.assert_array_equal(images, mnist)
        np.testing.assert_array_equal(labels, mg.load_mnist()[1])
