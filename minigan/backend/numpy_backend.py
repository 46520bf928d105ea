"""Arrays in main memory, computed by NumPy: the default backend."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from minigan.backend.base import Array, Backend
from minigan.backend.numba_loop import Loops, how_adam_runs
from minigan.machine.blas import blas_kernels
from minigan.machine.memory import keep_freed_memory

BLOCK = 32_768  # elements

keep_memory_from_now_on = functools.cache(keep_freed_memory)  # once is enough


class NumpyBackend(Backend):
    """NumPy, except for Adam and formulas: NumPy goes over its arrays once for each operation."""

    name = "numpy"

    def __init__(self) -> None:
        self.loops = Loops()

    @property
    def xp(self) -> ModuleType:
        return np

    def asarray(self, a: Any, dtype: Any = None) -> Array:
        return np.asarray(a, dtype)

    def to_numpy(self, a: Array) -> Array:
        return np.asarray(a)

    def write(self, array: Array, values: Any) -> None:
        array[...] = values

    def matmul(self, a: Array, b: Array, out: Array | None = None) -> Array:
        return np.matmul(a, b, out=out)

    def elementwise(self, formula: Callable[..., Any], *args: Any) -> Any:
        arrays = [a for a in args if isinstance(a, np.ndarray)]
        loop = self.loops.of_formula(formula, args, arrays)
        return formula(*args) if loop is None else loop(arrays)

    def adam(
        self,
        update: Callable[..., Any],
        vectors: Sequence[Array],
        next_step: Callable[[], tuple[float, ...]],
        numbers: Array,
    ) -> None:
        """Update in one compiled loop, if Numba is installed (``pip install 'minigan[fast]'``).

        Without Numba, NumPy goes block by block: one block of each vector (128 KB in float32) stays
        in the CPU's cache during all passes.  Both ways give the same bits.
        """
        keep_memory_from_now_on()  # more steps will follow
        theta, g, m, v = vectors
        numbers[:] = next_step()
        scalars = tuple(numbers)
        loop = self.loops.of_adam(update) if theta.size > BLOCK else None
        if loop is not None:
            loop(theta, g, m, v, scalars)
            return
        for start in range(0, theta.size, BLOCK):
            i = slice(start, start + BLOCK)
            theta[i], m[i], v[i] = update(theta[i], g[i], m[i], v[i], *scalars)

    def compile(self, step: Callable[..., Any]) -> Callable[..., Any]:
        return step

    def decide(self, question: Callable[[], bool]) -> bool:
        return question()

    def take_device(self, number: int) -> None:
        """Do nothing: there is no device to choose."""

    def synchronize(self) -> None:
        """Return at once: NumPy has finished its work whenever one of its functions returns."""

    def describe(self) -> dict[str, str]:
        return {"blas": blas_kernels(), "adam": how_adam_runs()}
