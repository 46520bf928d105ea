"""The check of the images that are given to measures of pixels."""

from __future__ import annotations

from minigan.backend import Array
from minigan.errors import InputError


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
