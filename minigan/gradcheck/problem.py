"""What is checked: a function of some arrays, and how far their entries may be moved."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigan.backend import Array, backend_of
from minigan.layers import Layer

POISON = 1e30  # fills the gradient arrays before backward writes them


@dataclass(frozen=True)
class Problem:
    """What is checked: L is a function of some arrays, and backprop returns its gradients."""

    arrays: dict[str, Array]  # they are nudged in place
    L: Callable[[], Any]  # returns a NumPy or Python float
    backprop: Callable[[], dict[str, Array]]  # for each name of ``arrays``, an array made anew
    size: float  # sum of the absolute values of the numbers whose sum L is
    others: tuple[Array, ...] = ()  # further arrays that are rounded, but not checked
    layers: tuple[Layer, ...] = ()  # whose results are rounded

    def __post_init__(self) -> None:
        self.L()  # raises here, and not in a nudge, if the arrays do not fit

    def L_where(self, array: Array, where: Any, start: Any, step: Any) -> Any:
        """Return L with a part of the array at ``start + step``, and put ``start`` back."""
        asarray = backend_of(array).asarray
        array[where] = asarray(start + step, array.dtype)
        try:
            return self.L()
        except ValueError:  # the nudge left the range of the loss
            return math.nan
        finally:
            array[where] = asarray(start, array.dtype)


def natural_sizes(name: str, array: Array) -> Any:
    """Return how far each entry may be moved before its effect is sure to bend: powers of two.

    For the input this is the spread of the entry's column over the rows, for a parameter it is the
    root mean square of all entries.  A step that is a power of two is added without rounding.
    """
    host = backend_of(array).to_numpy(array)
    most = float(np.abs(host).max()) or 1.0  # divided by it, no square overflows
    sizes = np.full(host.shape[1:], math.sqrt(float(np.square(host / most).mean())) or 1.0)
    if name in ("x", "y"):
        spread, largest = (host / most).std(axis=0), np.abs(host / most).max(axis=0)
        sizes = np.where(largest > 0, largest, sizes)
        sizes = np.where(spread > 1e-12 * largest, spread, sizes).astype("float64")
    exponents = np.floor(np.log2(sizes) + math.log2(most))
    return np.broadcast_to(2.0 ** np.maximum(exponents, -1000), host.shape)
