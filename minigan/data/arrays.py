"""Images from arrays: in memory, in a file of NumPy's format ``.npy``, or in several in ``.npz``.

Nothing is ever unpickled.  The headers are read first, so that no more is read than images and
their labels, and no file makes more memory be taken than its size allows.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import ZipFile

import numpy as np

from minigan.data.archive import array_of, read_header
from minigan.data.dataset import Dataset, Part, left_aside
from minigan.data.kinds import check_unpacked
from minigan.data.labels import as_text, check_labels, different_texts
from minigan.data.levels import Numbers, levels_of, range_of
from minigan.errors import InputError, counted
from minigan.machine.files import open_regular

IMAGES, LABELS = re.compile("image|img|^x|data", re.I), re.compile("label|target|class|^y", re.I)
NAMES = re.compile("name", re.I)  # of classes: no labels
# where a word begins, as in x_test, xtest and imagesTest: not as in latest and interval
WORD = "(?:^[xyXY]?|[^a-zA-Z]|(?<=[a-z])(?=[TV]))"
TEST, SPARE = re.compile(f"{WORD}(?i:test|t10k)"), re.compile(f"{WORD}(?i:val(?!ue))")


def from_arrays(
    images: Any,
    labels: Any = None,
    test_images: Any = None,
    test_labels: Any = None,
    where: object = "images",
) -> Dataset:
    """Return the data set in arrays of numbers.

    Images are (N, h, w), (N, h, w, 1) or (N, h, w, 3); channels may stand before h, too, as PyTorch
    has them; rows (N, n) are grey squares.  Their numbers may be bytes, or of any range: see
    ``range_of``.  Labels are whole numbers from 0 to 255, or texts, (N,).  ``where`` names the
    arrays in messages.

    Raises InputError for arrays that are something else.
    """
    given = [images] if test_images is None else [images, test_images]
    if any(isinstance(one, np.ma.MaskedArray) for one in (*given, labels, test_labels)):
        raise InputError(f"{where}: an array is masked, expected one without a mask")
    try:
        arrays = [_as_images(where, np.asarray(array)) for array in given]
    except ValueError as error:  # of lists of several lengths
        if isinstance(error, InputError):
            raise
        raise InputError(f"{where}: the images make no array ({_reason(error)})") from error
    between = range_of(where, arrays)
    parts, names = [], ()
    texts = different_texts(where, [labels, test_labels])
    for array, given_labels in zip(arrays, [labels, test_labels], strict=False):
        values: Any = None
        if given_labels is not None:
            values = np.asarray(given_labels)
            if values.ndim == 2 and values.shape[1] == 1:
                values = values[:, 0]
            if texts is not None:
                values, names = np.searchsorted(texts, as_text(values)), tuple(texts.tolist())
            values = check_labels(where, values)
        parts.append(Part(levels_of(array, between), values))
    notes = () if between.note is None else (between.note,)
    source = f"{arrays[0].dtype} arrays" if where == "images" else str(where)
    return Dataset(parts[0], parts[1] if len(parts) > 1 else None, source, names, notes)


def _as_images(where: object, array: Numbers) -> Numbers:
    """Return an array of images as (N, h, w) or (N, h, w, 3); InputError for other shapes."""
    shape = array.shape
    if array.size == 0:
        raise InputError(f"{where} holds no images: its shape is {shape}")
    if array.ndim == 2 and math.isqrt(shape[1]) ** 2 == shape[1]:
        return array.reshape(len(array), math.isqrt(shape[1]), -1)
    if array.ndim == 4 and shape[1] in (1, 3) and shape[3] not in (1, 3):
        array = np.moveaxis(array, 1, 3)
    if array.ndim == 4 and array.shape[3] == 1:
        array = array[..., 0]
    if array.ndim == 3 or (array.ndim == 4 and array.shape[3] == 3):
        return array
    raise InputError(
        f"{where}: an array of shape {shape}, expected images (N, h, w), (N, h, w, 3) or (N, n) "
        "with a square number n"
    )


def read_npy(file: Path) -> Dataset:
    """Return the data set in a file of one array.  Raises InputError if it is none."""
    try:
        with open_regular(file) as stream:
            array = array_of(stream.read())
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, SyntaxError, TypeError, RecursionError) as error:
        raise InputError(f"{file} holds no array of numbers ({_reason(error)})") from error
    return from_arrays(array, where=file)


class Entry(NamedTuple):
    """An array in an archive: its name without ``.npy``, and what its header says."""

    name: str
    shape: tuple[int, ...]
    dtype: Any

    @property
    def images(self) -> bool:
        """Whether it may hold images."""
        square = len(self.shape) == 2 and math.isqrt(self.shape[1]) ** 2 == self.shape[1] > 1
        return self.dtype.kind in "buif" and (len(self.shape) in (3, 4) or square)

    def labels_of(self, n: int, kinds: str) -> bool:
        """Whether it may hold the labels of n images; ``kinds`` are those of NumPy's dtypes."""
        return self.shape in ((n,), (n, 1)) and self.dtype.kind in kinds


def read_npz(file: Path) -> Dataset:
    """Return the data set in an archive of arrays.

    Which array is what is told by shapes, and by names where that leaves a choice.  Arrays with
    ``test`` in their names are the images to test with, and those with ``val`` are left aside.  A
    note names what was left aside.

    Raises InputError if it holds no images, or several sets of them, and if an array is named as
    labels and does not have a label for each image.
    """
    try:
        with open_regular(file) as stream, ZipFile(stream) as archive:
            entries = _entries(file, archive)
            wanted = _wanted(file, [one for one in entries if isinstance(one, Entry)])
            images, labels, test_images, test_labels = (
                None if name is None else _unpacked(file, archive, name) for name in wanted
            )
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}") from error
    except MemoryError:
        raise
    except Exception as error:  # a flipped bit can make any of these lines fail
        raise InputError(f"{file} is a damaged archive ({_reason(error)})") from error
    data = from_arrays(images, labels, test_images, test_labels, file)
    rest = [one if isinstance(one, str) else one.name for one in entries]
    return data._replace(
        notes=(*data.notes, *left_aside(file, "array", [n for n in rest if n not in wanted]))
    )


def _entries(file: Path, archive: ZipFile) -> list[Entry | str]:
    """Return what the headers of the arrays say; only its name for an entry that is no array."""
    found: list[Entry | str] = []
    for info in archive.infolist():
        with archive.open(info) as stream:
            magic = stream.peek(6)[:6] if hasattr(stream, "peek") else b""
            if magic != np.lib.format.MAGIC_PREFIX:
                found.append(info.filename)
                continue
            shape, _, dtype = read_header(stream)
        if dtype.hasobject:
            raise InputError(f"{file}: {info.filename} holds pickled objects, which are never read")
        found.append(Entry(info.filename.removesuffix(".npy"), shape, dtype))
    return found


def _wanted(file: Path, entries: list[Entry]) -> list[str | None]:
    """Return the names of the arrays with images, labels, test images and test labels."""
    images = [one for one in entries if one.images]
    images = [one for one in images if not SPARE.search(one.name)] or images
    images = [one for one in images if len(one.shape) > 2] or images  # not the same in rows
    tests = [one for one in images if TEST.search(one.name)]
    trains = [one for one in images if not TEST.search(one.name)] or tests
    wanted: list[str | None] = []
    for sets in (trains, tests if trains is not tests else []):
        one = _only(file, "images", sets, IMAGES)
        label = None
        if one is not None:
            label = _only(file, "labels", _labels_of(file, one, entries), LABELS)
        elif sets is trains:
            found = (
                ", ".join(f"{e.name} {e.dtype} {e.shape}" for e in entries)
                or "no arrays (pictures in a zip file must be unpacked first)"
            )
            raise InputError(f"{file} holds no images, (N, h, w) or (N, h, w, 3): it has {found}")
        wanted += [one and one.name, label and label.name]
    return wanted


def _labels_of(file: Path, images: Entry, entries: list[Entry]) -> list[Entry]:
    """Return what may be the labels of these images: what is named so, else what looks so."""
    n = images.shape[0]
    others = [
        one
        for one in entries
        if all(bool(of.search(one.name)) == bool(of.search(images.name)) for of in (TEST, SPARE))
    ]
    named = [
        one
        for one in others
        if LABELS.search(one.name) and not NAMES.search(one.name) and not one.images
    ]
    if not named:
        return [one for one in others if one.labels_of(n, "iuU")]
    fitting = [one for one in named if one.labels_of(n, "biufUS")]
    if not fitting:
        raise InputError(
            f"{file}: {named[0].name} is {named[0].dtype} {named[0].shape}, expected a label for "
            f"each image of {images.name}, ({n},)"
        )
    return fitting


def _only(file: Path, what: str, entries: list[Entry], names: re.Pattern[str]) -> Entry | None:
    """Return the one entry that there is, or whose name fits; None if there is none."""
    if len(entries) > 1:
        entries = [one for one in entries if names.search(one.name)] or entries
    if len(entries) > 1:
        found = ", ".join(one.name for one in entries)
        raise InputError(f"{file} holds {counted(len(entries), 'array')} of {what}: {found}")
    return entries[0] if entries else None


def _unpacked(file: Path, archive: ZipFile, name: str) -> Numbers:
    """Return one array of the archive.  Raises InputError if it would be unpacked to too much."""
    info = next(i for i in archive.infolist() if i.filename.removesuffix(".npy") == name)
    packed = min(info.compress_size, file.stat().st_size)
    check_unpacked(f"{file}: {info.filename}", packed, info.file_size)
    with archive.open(info) as stream:  # read with a limit: it may hold more than it claims
        return array_of(stream.read(info.file_size))  # the last byte brings the check of the CRC


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
