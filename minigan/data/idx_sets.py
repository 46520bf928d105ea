"""Find the IDX files that belong together, under the names that are found in the wild.

    train-images-idx3-ubyte.gz      MNIST, Fashion-MNIST, KMNIST; t10k-… are the test images
    train-images.idx3-ubyte         the same, unpacked by another program
    train-images-idx3-ubyte/train-images-idx3-ubyte     or into a folder of this name
    emnist-letters-train-images-idx3-ubyte.gz           EMNIST, which lies on its side
    qmnist-test-labels-idx2-int.gz  QMNIST, with eight numbers for each image

The names say only which file is for what.  Whether a file is packed, and what it holds, is told by
its content.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from minigan.data.dataset import Dataset, Images, Labels, Part, left_aside
from minigan.data.idx import read_any_idx
from minigan.data.labels import check_labels
from minigan.errors import InputError

NAME = re.compile(
    r"(?P<set>.*?)(?P<split>train|t10k|test)[-_. ]?(?P<what>images|labels)"
    r"([-_.]idx\d)?([-_.](ubyte|int))?(?P<packed>\.gz)?",
    re.IGNORECASE,
)
SPLITS = {"train": ("train",), "test": ("t10k", "test")}
Files = dict[tuple[str, str], Path]  # split and what, as ("train", "images")


def find_sets(folder: Path) -> dict[str, Files]:
    """Return the sets of IDX files in a folder, by what their names begin with; "" for MNIST's.

    The folder itself, ``raw`` and ``gzip`` in it, and ``raw`` in its sub-folders are looked at, in
    this order, until there are images.  Raises InputError if there are several such sub-folders.
    """
    for where in (folder, folder / "raw", folder / "gzip"):
        if found := _sets_in(where):
            return found
    below = [(where, sets) for where in sorted(folder.glob("*/raw")) if (sets := _sets_in(where))]
    if len(below) > 1:
        names = ", ".join(str(where) for where, _ in below)
        raise InputError(f"data folder {folder} holds several data sets, name one of them: {names}")
    return below[0][1] if below else {}


def _sets_in(folder: Path) -> dict[str, Files]:
    """Return the sets in this one folder that have images."""
    sets: dict[str, Files] = {}
    if not folder.is_dir():
        return sets
    named = [(found, path) for path in folder.iterdir() if (found := NAME.fullmatch(path.name))]
    # plain files come before packed ones, and both before folders
    for found, path in sorted(
        named, key=lambda one: (one[1].is_dir(), one[0]["packed"] is not None, one[1].name)
    ):
        file = _file(path)
        if file is not None:
            role = found["split"].lower(), found["what"].lower()
            sets.setdefault(found["set"], {}).setdefault(role, file)
    return {name: files for name, files in sets.items() if any(w == "images" for _, w in files)}


def _file(path: Path) -> Path | None:
    """Return the file, or the only file in a folder."""
    if not path.is_dir():
        return path
    inside = [file for file in path.iterdir() if not file.name.startswith(".")]
    return inside[0] if len(inside) == 1 and inside[0].is_file() else None


def read_folder(folder: Path, sets: dict[str, Files]) -> Dataset:
    """Return the data set of a folder; InputError if it holds several."""
    if len(sets) > 1:
        some = [str(min(files.values())) for _, files in sorted(sets.items())]
        raise InputError(
            f"data folder {folder} holds several data sets, name a file of one of them: "
            + ", ".join(some)
        )
    ((name, files),) = sets.items()
    data, used = _read_set(folder, name, files), _used(files)
    rest = [str(path.relative_to(folder)) for path in _others(folder, used)]
    return data._replace(notes=(*data.notes, *left_aside(folder, "other file", rest)))


def read_file(file: Path) -> Dataset:
    """Return the data set that an IDX file belongs to, by its name; else the images in it alone."""
    found = NAME.fullmatch(file.name)
    if found is not None:
        sets = _sets_in(file.parent)
        if file in sets.get(found["set"], {}).values():
            return _read_set(file, found["set"], sets[found["set"]])
    return _read_set(file, "", {("train", "images"): file})


def _read_set(where: Path, name: str, files: Files) -> Dataset:
    """Return the data set in these files; only images to train with are needed."""
    emnist = "emnist" in name.lower()
    parts = []
    for file, labels in _used(files):
        images = _images(file, emnist)
        parts.append(Part(images, None if labels is None else _labels(file, images, labels)))
    notes = ("The images of EMNIST, which lie on their side, were turned.",) if emnist else ()
    train, *test = parts
    return Dataset(train, test[0] if test else None, f"IDX files in {where}", (), notes)


def _used(files: Files) -> list[tuple[Path, Path | None]]:
    """Return the files with images, to train with and to test with, each with that of its labels.

    Images to test with stand alone if there are no others.
    """
    splits = [[one for one in names if (one, "images") in files] for names in SPLITS.values()]
    return [(files[one[0], "images"], files.get((one[0], "labels"))) for one in splits if one]


def _others(folder: Path, used: list[tuple[Path, Path | None]]) -> Iterator[Path]:
    """Yield what else is in a folder, and in the folders in it that hold a file that is used."""
    files = [file for pair in used for file in pair if file is not None]
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path in files:
            continue
        if any(path in file.parents for file in files):
            yield from _others(path, used)
        else:
            yield path


def _images(file: Path, emnist: bool) -> Images:
    array = read_any_idx(file)
    if array.dtype != np.uint8 or not (
        array.ndim == 3 or (array.ndim == 4 and array.shape[3] in (1, 3))
    ):
        raise InputError(
            f"{file} holds {array.dtype.newbyteorder('=')} numbers of shape {array.shape}, "
            "expected images: bytes, (N, h, w) or (N, h, w, 3)"
        )
    if array.ndim == 4 and array.shape[3] == 1:
        array = array[..., 0]
    return np.ascontiguousarray(array.swapaxes(1, 2)) if emnist else array


def _labels(images_file: Path, images: Images, file: Path) -> Labels:
    array = read_any_idx(file)
    if array.ndim == 2:
        array = array[:, 0]  # QMNIST: the class comes first
    if array.ndim != 1:
        raise InputError(f"{file} holds numbers of shape {array.shape}, expected labels, (N,)")
    if len(array) != len(images):
        raise InputError(
            f"{images_file} holds {len(images):,} images, {file} {len(array):,} labels: expected "
            "as many"
        )
    return check_labels(file, array)
