"""Arrays in main memory, computed by NumPy: the default, and the base of the other backends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from minigan.backend.one_loop import one_loop

BLOCK = 32_768  # elements

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

    def adam(
        self, update: Callable[..., Any], vectors: Sequence[Array], scalars: tuple[Any, ...]
    ) -> None:
        """``p, m, v = update(p, g, m, v, scalars)``, element by element, in place.

        In one compiled loop, if Numba is installed (``pip install 'minigan[fast]'``).  NumPy
        passes over its arguments once an operation, so it goes block by block: a block of each
        vector (128 KB in float32) stays in the cache through all passes.  Both give the same bits.
        """
        p, g, m, v = vectors
        loop = one_loop(update) if p.size > BLOCK else None  # a small network need not wait for it
        if loop is not None:
            loop(p, g, m, v, scalars)
            return
        for start in range(0, p.size, BLOCK):
            i = slice(start, start + BLOCK)
            p[i], m[i], v[i] = update(p[i], g[i], m[i], v[i], scalars)

    def synchronize(self) -> None:
        """Wait until all work that was handed to the device is done."""

    def __repr__(self) -> str:
        return f"<backend {self.name}>"
