"""MNIST, shipped with the package, and any other data set in its IDX format; minibatches."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast

import numpy as np
import numpy.typing as npt

from minigan.backend import Array
from minigan.errors import InputError

Images = npt.NDArray[np.uint8]
MNIST = Path(__file__).parent / "mnist"
PREFIX = {"train": "train", "test": "t10k"}


def load_mnist(
    split: Literal["train", "test"] = "train", *, path: str | Path | None = None
) -> tuple[Images, Images]:
    """Images, uint8 (N, 28, 28) with 0 as background and 255 as ink, and labels, uint8 (N,).

    Parameters
    ----------
    split : {"train", "test"}
        60,000 or 10,000 images of MNIST.
    path : folder, optional
        Another data set in the same format, such as Fashion-MNIST or KMNIST: a folder of the four
        IDX files, plain or ``.gz``, or one laid out as torchvision does (``MNIST/raw`` below it).
        Without it, the MNIST files that come with the package (LeCun and Cortes, CC BY-SA 3.0).

    Raises
    ------
    InputError
        (a ValueError) for files that are missing, damaged, not what their name says, of another
        image size than 28 x 28, or of different lengths.
    """
    if split not in PREFIX:
        raise InputError(f"split is {split!r}, expected 'train' or 'test'")
    folder = MNIST if path is None else _find_folder(Path(path), PREFIX[split])
    images_file = _find_file(folder, f"{PREFIX[split]}-images", 3)
    labels_file = _find_file(folder, f"{PREFIX[split]}-labels", 1)
    images, labels = read_idx(images_file, 3), read_idx(labels_file, 1)
    _check_images(images, str(images_file))
    if len(images) != len(labels):
        raise InputError(
            f"{images_file} holds {len(images)} images, {labels_file} {len(labels)} labels: "
            "expected as many"
        )
    return images, labels


def from_torchvision(dataset: Any) -> tuple[Images, Images]:
    """Images (N, 28, 28) and labels (N,), uint8, of a torchvision MNIST-like data set object.

    Takes its raw ``data`` and ``targets`` (transforms do not apply); PyTorch is not imported.
    Raises InputError if the object has none, or if they are not uint8 images of 28 x 28.
    """
    try:
        images, labels = np.asarray(dataset.data), np.asarray(dataset.targets)
    except AttributeError as error:
        raise InputError(
            f"{type(dataset).__name__} has no data and targets, expected a torchvision data set "
            "such as torchvision.datasets.MNIST"
        ) from error
    if images.dtype != np.uint8:
        raise InputError(f"the images are {images.dtype}, expected uint8")
    _check_images(images, type(dataset).__name__)
    if labels.shape != (len(images),):
        raise InputError(f"the labels have shape {labels.shape}, expected ({len(images)},)")
    if labels.min() < 0 or labels.max() > 255:
        raise InputError("the labels are not all from 0 to 255")
    return images, labels.astype(np.uint8)


def read_idx(file: Path, ndim: int) -> npt.NDArray[np.uint8]:
    """The uint8 array in an IDX file, plain or ``.gz``, that must have ``ndim`` dimensions.

    The format: two zero bytes, the type (8: uint8), the number of dimensions; each dimension as a
    big-endian 32-bit integer; the data, row by row.

    Raises InputError if the file is missing, truncated, too long, corrupt, or of another type.
    """
    try:
        with _open(file) as stream:
            magic = stream.read(4)
            if magic != bytes([0, 0, 8, ndim]):
                raise InputError(
                    f"{file} begins with 0x{magic.hex()}, expected 0x000008{ndim:02x} "
                    f"(an IDX file of uint8 in {ndim} dimension{'s' * (ndim > 1)})"
                )
            header = stream.read(4 * ndim)
            if len(header) < 4 * ndim:
                raise InputError(f"{file} is truncated: it ends within its header")
            shape = struct.unpack(f">{ndim}I", header)
            size = math.prod(shape)
            data = bytearray()  # grown as it is read: a corrupt header must not claim all memory
            while chunk := stream.read(min(size + 1 - len(data), 1 << 20)):
                data += chunk
    except FileNotFoundError as error:
        raise InputError(f"{file} does not exist") from error
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{file} cannot be read: {error}") from error
    if len(data) != size:
        what = "is truncated" if len(data) < size else "is too long"
        have = f"{len(data):,}" if len(data) < size else "more"
        raise InputError(f"{file} {what}: its header promises {size:,} bytes, it has {have}")
    return np.frombuffer(data, np.uint8).reshape(shape)


def _open(file: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(file)) if file.suffix == ".gz" else file.open("rb")


def _find_folder(path: Path, prefix: str) -> Path:
    """The folder with the IDX files: ``path`` itself, or ``…/raw`` below it (torchvision)."""
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


def _check_images(images: npt.NDArray[Any], source: str) -> None:
    if images.ndim != 3 or images.shape[1:] != (28, 28):
        size = " x ".join(str(n) for n in images.shape[1:])
        raise InputError(f"{source}: the images are {size}, expected 28 x 28 (the networks' size)")
    if len(images) == 0:
        raise InputError(f"{source} holds no images")


def pixel_values(dtype: Any = "float32") -> Array:
    """The value in [-1, 1] of each of the 256 grey levels, (256,): ``pixel_values()[images]``.

    The operations of torchvision's ``ToTensor`` and ``Normalize((0.5,), (0.5,))`` in their order,
    so that float32 values are equal to theirs bit for bit.
    """
    x = np.arange(256, dtype=dtype) / 255
    return (x - 0.5) / 0.5


def batches(n: int, batch_size: int, rng: np.random.Generator) -> Iterator[npt.NDArray[np.int64]]:
    """One epoch: the indices 0 … n-1 in random order, ``batch_size`` at a time.

    The last batch is smaller where ``batch_size`` does not divide n, as in the tutorial.
    """
    order = rng.permutation(n)
    for start in range(0, n, batch_size):
        yield order[start : start + batch_size]
