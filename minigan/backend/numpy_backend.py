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

    def elementwise(self, formula: Callable[..., Any], *args: Any) -> Any:
        """``formula(*args)``, where arrays have one shape and all else are constants.

        The formula gives one array of that shape, or a tuple of such.
        """
        return formula(*args)

    def write(self, array: Array, values: Any) -> None:
        """Put values from main memory into an array of this backend."""
        array[...] = values

    def each_step(self, work: Callable[[], None]) -> None:
        """Do what the host has to do in every step; a compiled step does it in each call, too."""
        work()

    def compile(self, step: Callable[..., Any]) -> Callable[..., Any]:
        """``step``, or on a GPU what does the same faster: see ``minigan.backend.cuda_graph``."""
        return step

    def adam(self, update: Callable[..., Any], vectors: Sequence[Array], scalars: Array) -> None:
        """``p, m, v = update(p, g, m, v, tuple(scalars))``, element by element, in place.

        In one compiled loop, if Numba is installed (``pip install 'minigan[fast]'``).  NumPy
        passes over its arguments once an operation, so it goes block by block: a block of each
        vector (128 KB in float32) stays in the cache through all passes.  Both give the same bits.
        """
        p, g, m, v = vectors
        numbers = tuple(scalars)
        loop = one_loop(update) if p.size > BLOCK else None  # a small network need not wait for it
        if loop is not None:
            loop(p, g, m, v, numbers)
            return
        for start in range(0, p.size, BLOCK):
            i = slice(start, start + BLOCK)
            p[i], m[i], v[i] = update(p[i], g[i], m[i], v[i], numbers)

    def synchronize(self) -> None:
        """Wait until all work that was handed to the device is done."""

    def __reduce__(self) -> tuple[Any, ...]:
        from minigan.backend import get_backend

        return get_backend, (self.name,)  # copies and pickles of a network share its backend

    def __repr__(self) -> str:
        return f"<backend {self.name}>"
