"""Load MNIST, which comes with the package, or another data set in the same IDX format."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from minigan.data.idx import read_idx
from minigan.errors import InputError, counted

Images = npt.NDArray[np.uint8]
MNIST = "mnist"  # names the shipped data set where a folder may be given, too
SHIPPED = Path(__file__).parent / "shipped"  # the files that come with the package
PREFIX = {"train": "train", "test": "t10k"}


def load_mnist(
    split: Literal["train", "test"] = "train", *, path: str | Path | None = None
) -> tuple[Images, Images]:
    """Return images, uint8 (N, 28, 28) from 0 (background) to 255 (ink), and labels, uint8 (N,).

    Parameters
    ----------
    split : {"train", "test"}
        60,000 or 10,000 images of MNIST.
    path : folder, optional
        Another data set in the same format, such as Fashion-MNIST or KMNIST: a folder with the four
        IDX files, plain or ``.gz``, or a folder of torchvision, which has them in ``MNIST/raw``.
        Without ``path``, the MNIST files that come with the package are read (LeCun and Cortes,
        CC BY-SA 3.0).

    Raises
    ------
    InputError
        If files are missing or damaged, hold something else than their names promise, hold images
        of another size than 28 x 28, or differ in length.  (InputError is a ValueError.)
    """
    if split not in PREFIX:
        raise InputError(f"split is {split!r}, expected 'train' or 'test'")
    folder = SHIPPED / "mnist" if path is None else _find_folder(Path(path), PREFIX[split])
    images_file = _find_file(folder, f"{PREFIX[split]}-images", 3)
    labels_file = _find_file(folder, f"{PREFIX[split]}-labels", 1)
    images, labels = read_idx(images_file, (28, 28)), read_idx(labels_file)
    if len(images) == 0:
        raise InputError(f"{images_file} holds no images")
    if len(images) != len(labels):
        raise InputError(
            f"{images_file} holds {counted(len(images), 'image')}, {labels_file} "
            f"{counted(len(labels), 'label')}: expected as many"
        )
    return images, labels


def load_data(data: str, split: Literal["train", "test"] = "train") -> tuple[Images, Images]:
    """Return the data set that an option names: ``mnist`` for the shipped one, else a folder.

    Raises InputError as ``load_mnist`` does.
    """
    return load_mnist(split, path=None if data == MNIST else data)


def from_torchvision(dataset: Any) -> tuple[Images, Images]:
    """Return images (N, 28, 28) and labels (N,), both uint8, of a torchvision data set like MNIST.

    The raw ``data`` and ``targets`` of the data set are taken, so transforms do not apply.  PyTorch
    is not imported.  Raises InputError if the object does not have both, or if they are not uint8
    images of 28 x 28 with a whole number from 0 to 255 as a label for each.
    """
    name = type(dataset).__name__
    try:
        images, labels = np.asarray(dataset.data), np.asarray(dataset.targets)
    except AttributeError as error:
        raise InputError(
            f"{name} has no data and targets, expected a torchvision data set "
            "such as torchvision.datasets.MNIST"
        ) from error
    if images.dtype != np.uint8:
        raise InputError(f"the images are {images.dtype}, expected uint8")
    if images.ndim != 3 or images.shape[1:] != (28, 28):
        size = " x ".join(str(n) for n in images.shape[1:])
        raise InputError(f"{name}: the images are {size}, expected 28 x 28 (the networks' size)")
    if len(images) == 0:
        raise InputError(f"{name} holds no images")
    if labels.shape != (len(images),):
        raise InputError(f"the labels have shape {labels.shape}, expected ({len(images)},)")
    if labels.dtype.kind not in "iu":
        raise InputError(f"the labels are {labels.dtype}, expected whole numbers")
    if labels.min() < 0 or labels.max() > 255:
        raise InputError("the labels are not all from 0 to 255")
    return images, labels.astype(np.uint8)


def _find_folder(path: Path, prefix: str) -> Path:
    """Return the folder of the IDX files: ``path``, or ``raw`` below it, as in torchvision."""
    if not path.is_dir():
        raise InputError(f"data folder {path} {'is a file' if path.exists() else 'does not exist'}")
    candidates = [path, path / "raw", *sorted(path.glob("*/raw"))]
    found = [folder for folder in candidates if any(folder.glob(f"{prefix}-images*"))]
    if not found:
        raise InputError(
            f"data folder {path} holds no {prefix}-images-idx3-ubyte(.gz), "
            "nor does a folder named raw below it"
        )
    if len(found) > 1:
        names = ", ".join(str(folder) for folder in found)
        raise InputError(f"data folder {path} holds several data sets, name one of them: {names}")
    return found[0]


def _find_file(folder: Path, stem: str, ndim: int) -> Path:
    plain = folder / f"{stem}-idx{ndim}-ubyte"
    zipped = plain.with_name(plain.name + ".gz")
    if not plain.is_file() and not zipped.is_file():
        raise InputError(f"{plain} does not exist, plain or .gz")
    return plain if plain.is_file() else zipped
