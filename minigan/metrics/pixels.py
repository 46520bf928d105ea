"""What the measures that look at pixels demand of them."""

from __future__ import annotations

from minigan.backend import Array
from minigan.errors import InputError


def check_pixels(name: str, images: Array, n: int | None = None) -> None:
    """Raises InputError unless images are (N, n), not empty, with pixels in [0, 1], not nan.

    A tanh output y is there as (y + 1) / 2.  Any n will do if none is given.
    """
    if images.ndim != 2 or images.size == 0 or n not in (None, images.shape[1]):
        expected = "(N, n), an image a row" if n is None else f"(N, {n})"
        raise InputError(f"{name} have shape {images.shape}, expected {expected}")
    low, high = images.min(), images.max()
    if not (low >= 0 and high <= 1):
        raise InputError(f"pixels of {name} reach from {low:.3g} to {high:.3g}, expected 0 to 1")
