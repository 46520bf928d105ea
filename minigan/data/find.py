"""Find out what a folder or a file holds, and read it: all that ``--data`` may name."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

from minigan.data import arrays, csv_table, idx_sets
from minigan.data.dataset import (
    HELD_OUT,
    LARGEST,
    SMALLEST,
    Dataset,
    Part,
    check_part,
    left_aside,
    with_held_out,
)
from minigan.data.kinds import PICTURES, beginning_of, check_unpacked, kind_of
from minigan.data.mnist import MNIST, load_mnist
from minigan.data.pictures import find_pictures, read_pictures
from minigan.data.resizing import resized
from minigan.errors import InputError, check_whole, to_float

ARRAYS = "(arrays)"  # stands for images that were given to a Trainer, where a folder may be named
READERS = {  # of files that hold a whole data set, by their kinds
    "npy": arrays.read_npy,
    "npz": arrays.read_npz,
    "text": csv_table.read_csv,
    "IDX": idx_sets.read_file,
}
READ = "a folder of PNG or JPEG files, IDX files, or a file .npz, .npy or .csv"


def load_images(
    source: str | Path = MNIST, *, resize: int | None = None, hold_out: float = HELD_OUT
) -> Dataset:
    """Return the images in a folder or a file, and labels if it has some.

    Parameters
    ----------
    source : str or path
        ``"mnist"`` for the MNIST that comes with the package.  Else a folder of PNG or JPEG files,
        whose sub-folders are classes; a folder of IDX files, or one of these; a file ``.npy``,
        ``.npz`` or ``.csv``.  What it is, is told by its content.
    resize : int, optional
        Make each image a square of so many pixels on each side, from 8 to 64: the middle is cut
        out and scaled.
    hold_out : float
        The share of the images that becomes test images if there are none.

    Returns
    -------
    Dataset
        ``train.images``, uint8 (N, h, w), or (N, h, w, 3) if they are in colour, and
        ``train.labels``, uint8 (N,) or None; ``test`` with the same, or None; and what was found,
        in words.

    Raises
    ------
    InputError
        If the source cannot be read, or its images do not all have one size from 8 x 8 to 64 x 64.
        The message names the file and what was found in it.
    """
    check_resize(resize)
    if not str(source):
        raise InputError("`data` is empty, expected the name of a folder or of a file")
    return _finished(_found(str(source), resize), source, resize, hold_out)


def dataset_of(
    images: Any, labels: Any = None, *, resize: int | None = None, hold_out: float = HELD_OUT
) -> Dataset:
    """Return the data set of arrays: images (N, h, w) or (N, h, w, 3), and labels (N,) or None.

    Bytes stand for levels from 0 to 255; other numbers may have any range.  Raises InputError for
    arrays that are no images.
    """
    check_resize(resize)
    return _finished(arrays.from_arrays(images, labels), "images", resize, hold_out)


def check_resize(resize: int | None) -> None:
    """Raise InputError unless images can be made of this size."""
    if resize is not None:
        check_whole("resize", resize, SMALLEST, LARGEST)


def _finished(data: Dataset, where: object, resize: int | None, hold_out: float) -> Dataset:
    """Return a data set that was checked, with images of the size that is asked for."""
    if not 0 <= to_float(hold_out) < 1:
        raise InputError(f"`hold_out` is {hold_out!r}, expected a number from 0 to below 1")
    parts = [part for part in (data.train, data.test) if part is not None]
    for part in parts:
        if len(part.images) == 0:
            raise InputError(f"{where} holds no images")
    if resize is not None:
        file = Path(str(where))
        if file.is_file():  # which may be packed, of images that become larger
            pixels = sum(len(part.images) for part in parts) * resize**2
            size = pixels * math.prod(parts[0].images.shape[3:])
            check_unpacked(f"{where}, resized,", file.stat().st_size, size)
        parts = [Part(resized(where, part.images, resize), part.labels) for part in parts]
    for part in parts:
        check_part(where, part, parts[0].images.shape[1:])
    digits = data.digits and parts[0].images.shape[1:] == (28, 28)
    test = parts[1] if len(parts) > 1 else None
    data = data._replace(train=parts[0], test=test, digits=digits)
    return with_held_out(data, hold_out)


def _found(source: str, resize: int | None) -> Dataset:
    if source == MNIST:
        return _shipped()
    path = Path(source)
    if not os.path.lexists(path):
        if source == ARRAYS:
            raise InputError(
                "the run was trained on arrays that were given from Python: save them with "
                "np.savez, and name the file with `data`"
            )
        raise InputError(f"data folder {path} does not exist")
    return _of_folder(path, resize) if path.is_dir() else _of_file(path)


def _shipped() -> Dataset:
    notes: tuple[str, ...] = ()
    if Path(MNIST).is_dir():
        notes = ("The folder mnist, which stands here too, is not it: its name would be ./mnist.",)
    source = "the MNIST that comes with minigan"
    train, test = Part(*load_mnist("train")), Part(*load_mnist("test"))
    return Dataset(train, test, source, (), notes, digits=True)


def _of_folder(folder: Path, resize: int | None) -> Dataset:
    """Return the data set in a folder: IDX files, else pictures, else the only other file."""
    if sets := idx_sets.find_sets(folder):
        return idx_sets.read_folder(folder, sets)
    pictures, others = find_pictures(folder)
    if pictures:
        return read_pictures(folder, pictures, resize, others)
    tables = [file for file in others if kind_of(file) in READERS and not _is_prose(file)]
    if len(tables) == 1:
        data = _of_file(tables[0])
        rest = [str(file.relative_to(folder)) for file in others if file not in tables]
        return data._replace(notes=(*data.notes, *left_aside(folder, "other file", rest)))
    if tables:
        names = ", ".join(file.name for file in tables[:5]) + ", …" * (len(tables) > 5)
        raise InputError(f"data folder {folder} holds several data sets, name one of them: {names}")
    found = "it is empty"
    if others:
        found = f"its first file, {others[0].name}, {beginning_of(others[0])}"
    raise InputError(
        f"data folder {folder} holds nothing that can be read, expected {READ}: {found}"
    )


def _is_prose(file: Path) -> bool:
    """Return whether a text in a folder is no table: a README, a licence."""
    return kind_of(file) == "text" and file.suffix.lower() not in (".csv", ".gz")


def _of_file(file: Path) -> Dataset:
    kind = kind_of(file)
    if kind in PICTURES:
        raise InputError(f"{file} is a single picture, expected a folder of pictures")
    if kind is None or kind not in READERS:
        found = f"is a {kind} file" if kind not in (None, "empty") else beginning_of(file)
        raise InputError(f"{file} {found}, expected {READ}")
    return READERS[kind](file)
