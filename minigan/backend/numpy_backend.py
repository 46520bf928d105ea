"""Arrays in main memory, computed by NumPy: the default, and the base of the other backends."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

# A NumPy array, or an array of another library that answers to NumPy's functions (CuPy's does).
Array = npt.NDArray[np.floating[Any]]


class NumpyBackend:
    """What a backend must answer for.  The formulas are not here: see ``minigan.layers``."""

    name = "numpy"

    @property
    def xp(self) -> ModuleType:
        """The array module (``numpy`` or ``cupy``)."""
        return np

    def asarray(self, a: Any, dtype: Any = None) -> Array:
        """``a`` as an array of this backend, copied only if it must be."""
        return np.asarray(a, dtype)

    def to_numpy(self, a: Array) -> Array:
        """``a`` as an array in main memory."""
        return np.asarray(a)

    def matmul(self, a: Array, b: Array, out: Array | None = None) -> Array:
        """The matrix product a b, into ``out`` if given."""
        return np.matmul(a, b, out=out)

    def adam(self, update: Callable[..., None], *vectors: Array) -> None:
        """Run Adam's element-wise ``update(p, g, m, v)`` over the whole vectors.

        Here block by block: a block of each vector (4 x 128 KB in float32) stays in the cache
        through all passes of the formula, which takes a third off the time.
        """
        block = 32_768
        for start in range(0, len(vectors[0]), block):
            update(*(vector[start : start + block] for vector in vectors))

    def synchronize(self) -> None:
        """Wait until all work that was handed to the device is done."""

    def __repr__(self) -> str:
        return f"<backend {self.name}>"
