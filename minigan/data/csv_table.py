"""Read a table of pixels as text: a row for each image, as Kaggle has MNIST."""

from __future__ import annotations

import io
import itertools
import math
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from minigan.data.dataset import LARGEST, SMALLEST, Dataset, Part
from minigan.data.kinds import check_unpacked, unpacked
from minigan.errors import InputError
from minigan.machine.files import open_regular

LONGEST = 100_000  # bytes of a line
LINES = 500  # that are read at a time
LABEL = ("label", "class", "target", "y")  # names of the column with the labels
Table = npt.NDArray[np.uint8]


def read_csv(file: Path) -> Dataset:
    """Return the data set in a CSV file, plain or packed with gzip.

    The columns are the pixels of a grey square, row by row, as whole numbers from 0 to 255.  There
    may be a column of labels: the one that is called ``label`` in the first line, or the first one
    if the first line has no names.

    Raises InputError, which names the line, for another number of columns, and for anything but
    whole numbers from 0 to 255.
    """
    tables: list[Table] = []
    try:
        with open_regular(file) as stored:
            size = stored.seek(0, io.SEEK_END)
            stored.seek(0)
            lines = _lines(file, size, unpacked(stored)[0])
            first = next(lines, None)
            if first is None:
                raise InputError(f"{file} is empty")
            words = [word.strip(" \"'\ufeff") for word in first[1].split(",")]
            named = any(word[:1].isalpha() for word in words)
            label = _label_column(file, words, named)
            if not named:
                lines = itertools.chain([(first[0], ",".join(words))], lines)
            while some := list(itertools.islice(lines, LINES)):
                tables.append(_table(file, some, len(words)))
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{file} cannot be read: {error}") from error
    if not tables:
        raise InputError(f"{file} holds no images")
    table = np.concatenate(tables)
    labels = None if label is None else table[:, label].copy()
    pixels = table if label is None else np.delete(table, label, axis=1)
    side = math.isqrt(pixels.shape[1])
    return Dataset(Part(pixels.reshape(-1, side, side), labels), None, f"table {file}")


def _lines(file: Path, size: int, stream: BinaryIO) -> Iterator[tuple[int, str]]:
    """Yield the lines that are not blank, and their numbers, of a file of ``size`` bytes."""
    read = 0
    for number in itertools.count(1):
        line = stream.readline(LONGEST + 1)
        if not line:
            return
        read += len(line)
        check_unpacked(file, size, read)
        if len(line) > LONGEST:
            raise InputError(f"{file}, line {number:,} has more than {LONGEST:,} bytes")
        text = line.decode("utf-8", "replace").strip()
        if text:
            yield number, text


def _label_column(file: Path, words: list[str], named: bool) -> int | None:
    """Return which column has the labels, or None; InputError if the others make no square."""
    n = len(words)
    labels = [i for i, word in enumerate(words) if named and word.lower() in LABEL]
    label = labels[0] if labels else None
    if not named and not _square(n) and _square(n - 1):
        label = 0
    if not _square(n - (label is not None)):
        least, most = SMALLEST**2, LARGEST**2
        raise InputError(
            f"{file} has {n:,} columns, expected the pixels of a square, from {least} to {most:,}, "
            "and perhaps a label: 785 for MNIST"
        )
    return label


def _square(n: int) -> bool:
    return SMALLEST**2 <= n <= LARGEST**2 and math.isqrt(n) ** 2 == n


def _table(file: Path, lines: list[tuple[int, str]], columns: int) -> Table:
    """Return the numbers in these lines, a row each.  Raises InputError at the first wrong one."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # older NumPy makes 0 of 0.5, with a warning
            table = np.loadtxt(
                [text for _, text in lines], np.int64, comments=None, delimiter=",", ndmin=2
            )
        if table.shape[1] == columns and table.min() >= 0 and table.max() <= 255:
            return table.astype(np.uint8)
    except (ValueError, OverflowError, DeprecationWarning):
        pass
    for number, text in lines:  # find the line that is wrong
        words = text.split(",")
        if len(words) != columns:
            raise InputError(
                f"{file}, line {number:,} has {len(words):,} columns, expected {columns:,}"
            )
        for column, word in enumerate(words, 1):
            word = word.strip()
            if not (word.isascii() and word.isdigit() and len(word) < 20 and int(word) <= 255):
                raise InputError(
                    f"{file}, line {number:,}, column {column:,} is {word[:20]!r}, expected a "
                    "whole number from 0 to 255"
                )
    raise InputError(f"{file} cannot be read as a table of whole numbers from 0 to 255")
