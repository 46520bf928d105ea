"""The images that measures of pixels take: how many, and in which range."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from minigan.backend import Array
from minigan.errors import InputError

NUMBERS = 60_000 * 784  # of all images that are measured at most; they take 188 MB as float32


def most_images(n: int) -> int:
    """Return how many images of n numbers are measured at most: as many numbers as MNIST has."""
    return max(1, NUMBERS // n)


def unit_rows(images: npt.NDArray[np.uint8]) -> Array:
    """Return images, uint8 (N, h, w) or (N, h, w, 3), as rows in [0, 1], float32 (N, n).

    If there are more than ``most_images``, as many are taken at equal distances.
    """
    rows = images.reshape(len(images), -1)
    most = most_images(rows.shape[1])
    if len(rows) > most:
        rows = rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)]
    result: Array = rows / np.float32(255)
    return result


def as_points(name: str, points: Array, n: int | None = None) -> Array:
    """Return points, (N, n), as floats.

    Raises InputError unless they are (N, n), not empty, and finite.
    """
    points = np.asarray(points)
    if points.ndim != 2 or points.size == 0 or n not in (None, points.shape[1]):
        expected = "(N, n), a point a row" if n is None else f"(N, {n})"
        raise InputError(f"{name} have shape {points.shape}, expected {expected}")
    if points.dtype.kind not in "buif":
        raise InputError(f"{name} are {points.dtype}, expected numbers")
    if not np.isfinite(points).all():
        raise InputError(f"{name} hold numbers that are not finite")
    return points if points.dtype in (np.float32, np.float64) else points.astype(np.float64)


def check_pixels(name: str, images: Array, n: int | None = None) -> None:
    """Raise InputError unless images are (N, n), not empty, with pixels in [0, 1] and no nan.

    A tanh output y is given as (y + 1) / 2.  If ``n`` is None, rows of any length will do.
    """
    if images.ndim != 2 or images.size == 0 or n not in (None, images.shape[1]):
        expected = "(N, n), an image a row" if n is None else f"(N, {n})"
        raise InputError(f"{name} have shape {images.shape}, expected {expected}")
    low, high = images.min(), images.max()
    if not (low >= 0 and high <= 1):
        raise InputError(f"pixels of {name} reach from {low:.3g} to {high:.3g}, expected 0 to 1")
