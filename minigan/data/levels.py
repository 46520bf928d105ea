"""Numbers of any range become the 256 levels of a pixel."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from minigan.data.dataset import Images
from minigan.errors import InputError

Numbers = npt.NDArray[Any]
ROWS = 1000  # images that are converted at a time
DARK = 127  # numbers up to here would use less than half of the levels


class Range(NamedTuple):
    """The number that becomes black, the number that becomes white, and a note if it is needed."""

    black: float = 0
    white: float = 255
    note: str | None = None


def range_of(where: object, arrays: list[Numbers]) -> Range:
    """Return which numbers stand for black and for white in these arrays, which belong together.

    Bytes are levels already, from 0 to 255.  Numbers of other types are taken to be from 0 to 1,
    from -1 to 1, or from 0 to 255, whichever fits first.  If they fit nowhere, or lie between 0
    and 127, they are stretched: the smallest becomes black and the largest white.

    Raises InputError if the arrays do not hold real numbers, or numbers that are not finite, and
    for stretching numbers that are all equal.
    """
    for array in arrays:
        if array.dtype.kind not in "buif":
            raise InputError(f"{where}: the images are {array.dtype}, expected numbers")
    if all(array.dtype == np.uint8 for array in arrays):
        return Range()
    low = min(float(array.min()) for array in arrays)
    high = max(float(array.max()) for array in arrays)
    if not np.isfinite([low, high]).all():
        raise InputError(f"{where}: the images hold numbers that are not finite")
    if not np.isfinite(high - low):
        raise InputError(
            f"{where}: the pixels go from {low:g} to {high:g}, too far to be stretched"
        )
    if low >= 0 and high <= 1:
        return Range(0, 1, "Pixels from 0 to 1 became levels from 0 to 255.")
    if low >= -1 and high <= 1:
        return Range(-1, 1, "Pixels from -1 to 1 became levels from 0 to 255.")
    if low >= 0 and DARK < high <= 255:
        return Range()
    if low == high:
        raise InputError(f"{where}: all pixels are {low:g}, expected images")
    return Range(low, high, f"Pixels from {low:g} to {high:g} were stretched to 0 to 255.")


def levels_of(numbers: Numbers, between: Range) -> Images:
    """Return numbers as levels, uint8, of the same shape."""
    if numbers.dtype == np.uint8 and between[:2] == (0, 255):
        return numbers
    result = np.empty(numbers.shape, np.uint8)
    black, white, _ = between
    for start in range(0, len(numbers), ROWS):
        some = numbers[start : start + ROWS].astype(float)
        result[start : start + ROWS] = np.rint((some - black) / (white - black) * 255)
    return result
