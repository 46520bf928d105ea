"""Numbers as the pictures show them: few digits, in columns."""

from __future__ import annotations

from typing import Any

import numpy as np


def number(value: float, decimals: int) -> str:
    """Return a number with a minus sign of its own width, and no minus before zero.

    It is rounded twice: where the last digit of a float differs from one computer to another, the
    text does not.
    """
    value = round(value, 9)
    text = f"{value:.{decimals}f}" if value else "0"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", "−")


def exact(value: float) -> str | None:
    """Return a number of at most four decimals without zeros at its end, None if it has more."""
    text = f"{value:.4f}".rstrip("0").rstrip(".")
    return text if abs(float(text) - value) < 1e-7 else None


def rows_of(values: Any) -> list[str]:
    """Return an array of one or two dimensions as lines of numbers in columns.

    They are exact where four decimals are enough for all, else three are shown.
    """
    array = np.atleast_2d(np.asarray(values, float))
    whole = all(exact(value) is not None for value in array.flat)
    cells = [
        [
            number(value, len((exact(value) or "").partition(".")[2]) if whole else 3)
            for value in row
        ]
        for row in array
    ]
    wide = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [" ".join(cell.rjust(w) for cell, w in zip(row, wide, strict=True)) for row in cells]


def shape_of(values: Any) -> str:
    """Return the shape as the pages write it: (3, 2), or nothing for a single number."""
    shape = np.asarray(values).shape
    return str(tuple(shape)) if shape else ""
