"""Read a folder of PNG and JPEG files, whose sub-folders are classes."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from minigan.data.dataset import (
    Dataset,
    Images,
    Labels,
    Part,
    check_sizes,
    left_aside,
)
from minigan.data.kinds import PICTURES, beginning_of, kind_of
from minigan.data.labels import MOST_CLASSES
from minigan.data.picture_file import read_picture
from minigan.errors import InputError, counted

TRAIN, TEST = ("train", "training"), ("test", "testing", "val", "valid", "validation")
NAMES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff")  # of pictures
OTHERS = ("GIF", "TIFF", "WebP", "BMP")  # kinds of pictures that are not read


def find_pictures(folder: Path) -> tuple[list[Path], list[Path]]:
    """Return the PNG and JPEG files in a folder and below it, and all other files, both sorted.

    Hidden files are not looked at.  Raises InputError for a picture of another kind, and for a file
    that is named as a picture but holds something else.
    """
    pictures, others = [], []
    for file in sorted(_files(folder)):
        if file.is_dir():  # a link to a folder that was seen already
            others.append(file)
            continue
        kind, named = kind_of(file), file.suffix.lower() in NAMES
        if kind in PICTURES:
            pictures.append(file)
        elif kind in OTHERS:
            raise InputError(f"{file} is a {kind} file: only PNG and JPEG files are read")
        elif named:
            raise InputError(f"{file} {beginning_of(file)}, expected a PNG or JPEG file")
        else:
            others.append(file)
    return pictures, others


def _files(folder: Path) -> Iterator[Path]:
    """Yield all files in a folder and below it, apart from hidden ones; links are followed.

    A second way to the same folder is not followed, but yielded itself.  Raises InputError if a
    folder cannot be read.
    """

    def refuse(error: OSError) -> None:
        raise InputError(f"{error.filename} cannot be read: {error.strerror}") from error

    seen = set()
    for where, folders, files in os.walk(folder, onerror=refuse, followlinks=True):
        found = os.stat(where)
        if (found.st_dev, found.st_ino) in seen:  # by a link, which may lead back
            folders.clear()
            yield Path(where)
            continue
        seen.add((found.st_dev, found.st_ino))
        folders[:] = [name for name in folders if not name.startswith((".", "__MACOSX"))]
        folders.sort(key=lambda name: (Path(where, name).is_symlink(), name))
        yield from (Path(where, name) for name in files if not name.startswith("."))


def read_pictures(
    folder: Path, files: list[Path], resize: int | None = None, others: Sequence[Path] = ()
) -> Dataset:
    """Return the data set in these files of a folder, all of one size.

    The sub-folders of the folder are the classes, if there are two or more of them and no pictures
    beside them.  Sub-folders ``train`` and ``test`` are such folders each.  ``others`` are files
    that are left aside.  All images are grey if each of them is, and else all have colours.
    ``resize`` makes squares of so many pixels on each side.

    Raises InputError for a file that cannot be read, and for images of several sizes.
    """
    parts = _parts(folder, files)
    unused = {_class(file, folder) for file in files}
    files = [file for _, part in parts for file in part]
    unused -= {_class(file, folder) for file in files}
    notes, read, alpha = [], [], 0
    sizes, first = Counter[tuple[int, ...]](), dict[tuple[int, ...], Path]()
    for file in files:
        size, image, transparent = read_picture(file, resize)
        sizes[size] += 1
        first.setdefault(size, file)
        alpha += transparent
        if image is not None and len(sizes) == 1:
            read.append(image)
    rare = min(sizes, key=lambda size: sizes[size])
    check_sizes(folder, sizes, f" ({rare[1]} x {rare[0]} is {first[rare]})")
    images = _joined(read)
    read.clear()
    if alpha:
        what = f"{counted(alpha, 'picture')} {'is' if alpha == 1 else 'are'}"
        notes.append(f"{what} transparent in places, and shown on white.")
    notes += left_aside(folder, "other folder", unused)
    notes += left_aside(folder, "other file", [str(file.relative_to(folder)) for file in others])
    names = sorted({_class(file, root) for root, part in parts for file in part})
    if "" in names or not 1 < len(names) <= MOST_CLASSES:
        if len(names) > MOST_CLASSES:
            notes.append(f"{len(names):,} folders are too many to be classes.")
        names = []
    numbers, names = _numbered(names)
    where = {file: i for i, file in enumerate(files)}

    def made(root: Path, part: list[Path]) -> Part:
        labels: Labels | None = None
        if numbers:
            labels = np.array([numbers[_class(file, root)] for file in part], np.uint8)
        whole = len(part) == len(files)
        return Part(images if whole else images[[where[file] for file in part]], labels)

    train, *test = [made(root, part) for root, part in parts]
    what = counted(len(files), "picture")
    source = f"{what} in {folder}"
    return Dataset(train, test[0] if test else None, source, tuple(names), tuple(notes))


def _parts(folder: Path, files: list[Path]) -> list[tuple[Path, list[Path]]]:
    """Return the files to train with, and those to test with if they have folders of their own."""
    below: dict[str, list[Path]] = {}
    for file in files:
        below.setdefault(_class(file, folder), []).append(file)
    names = {name.lower(): name for name in below}
    train = [names[name] for name in TRAIN if name in names]
    test = [names[name] for name in TEST if name in names]
    if len(train) != 1 or not test or not names.keys() <= {*TRAIN, *TEST}:
        return [(folder, files)]
    return [(folder / name, below[name]) for name in (train[0], test[0])]


def _class(file: Path, root: Path) -> str:
    """Return the name of the sub-folder of ``root`` that a file is in, or below; "" if in none."""
    first, *more = file.relative_to(root).parts
    return first if more else ""


def _numbered(names: list[str]) -> tuple[dict[str, int], list[str]]:
    """Return the label of each class, and the names of the labels 0, 1, 2, …

    Names that are whole numbers, as 0 to 9, are the labels themselves and need no other names.
    """
    if all(name.isascii() and name.isdigit() and int(name) < 256 for name in names):
        numbers = {name: int(name) for name in names}
        if len(set(numbers.values())) == len(names):
            return numbers, []
    return {name: i for i, name in enumerate(names)}, names


def _joined(images: list[Images]) -> Images:
    """Return the images as one array: in colour if one of them is."""
    colour = any(image.ndim == 3 for image in images)
    shape = images[0].shape[:2]
    result = np.empty((len(images), *shape, *((3,) if colour else ())), np.uint8)
    for i, image in enumerate(images):
        result[i] = image[..., None] if colour and image.ndim == 2 else image
    return result
