"""Run element-wise formulas as compiled loops, if Numba is installed.

NumPy computes ``beta1 * m + rest1 * g`` in three passes over memory, and Adam's whole formula in
sixteen.  In a compiled loop each element is loaded once, goes through the formula in registers and
is stored once, which takes about as long as a copy.  The loops run on one thread: a second thread
would have to share its core with OpenBLAS's, which waits there in a busy loop between two products.
(LeakyReLU's backward rule takes a fifth of NumPy's time on an array of 128 x 1024.)

Each loop is compiled in the process that uses it, in a tenth of a second (the first one in half a
second).  It is not stored on disk, where it would go on being used after the formula is edited.
"""

from __future__ import annotations

import functools
import mmap
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigan.backend.base import Array
from minigan.backend.transcript import EXACT, Transcript, readable, transcript_of
from minigan.machine.terminal import say_once

LARGE = 4096  # elements; NumPy's passes over fewer take no longer than the call of a loop
OFTEN = 15  # calls on large arrays, after which a formula is compiled: a few steps never wait
MANY = 256  # formulas with other constants, after which their calls are counted anew

ROOM = 256 << 20  # bytes of addresses that have to be free for the compiler, which uses 100 MB
DTYPES = (np.float32, np.float64)
MISSING = "not installed"

Loop = Callable[[Sequence[Array]], Any]  # of a formula's arrays; it returns the formula's result


class Loops:
    """The loops of all formulas that have run often enough to be worth their compilation."""

    def __init__(self) -> None:
        self.calls: Counter[Any] = Counter()
        self.loops: dict[Any, Any] = {}  # None for a formula that has to be left to NumPy

    def of_adam(self, update: Callable[..., Any]) -> Callable[..., None] | None:
        """Return a function of (p, g, m, v, scalars) that updates p, m and v; None: use NumPy."""
        return self._often((update,), lambda: adam_loop(update))  # type: ignore[no-any-return]

    def of_formula(
        self, formula: Callable[..., Any], args: Sequence[Any], arrays: Sequence[Array]
    ) -> Loop | None:
        """Return the loop for these arguments, among which are the arrays; None: use NumPy."""
        first = arrays[0]
        if (
            first.size < LARGE
            or first.dtype not in DTYPES
            or not all(
                a.flags.c_contiguous and a.shape == first.shape and a.dtype == first.dtype
                for a in arrays
            )
        ):
            return None
        constants = [None if isinstance(a, np.ndarray) else a for a in args]
        key = formula, first.dtype, *map(readable, constants)
        return self._often(key, lambda: formula_loop(formula, constants, first.dtype))  # type: ignore[no-any-return]

    def _often(self, key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        try:
            if key in self.loops:
                return self.loops[key]
        except TypeError:  # a list among the constants, which may change
            return None
        self.calls[key] += 1
        if self.calls[key] >= OFTEN:
            self.loops[key] = make()
        if len(self.calls) > MANY:
            self.calls.clear()
        return None


def adam_loop(update: Callable[..., Any]) -> Callable[..., None] | None:
    """Return Adam's formula as a function of (p, g, m, v, scalars); None without Numba."""
    compiled = _compiler()
    if compiled is None:
        return None
    one = compiled(update)

    def loop(p: Any, g: Any, m: Any, v: Any, scalars: Any) -> None:
        for i in range(p.size):
            p[i], m[i], v[i] = one(p[i], g[i], m[i], v[i], *scalars)

    return compiled(loop)  # type: ignore[no-any-return]


def formula_loop(formula: Callable[..., Any], constants: Sequence[Any], dtype: Any) -> Loop | None:
    """Return the formula as a compiled function of its arrays; None if NumPy has to compute it.

    None stands for an array among the constants.  The function gives NumPy's numbers, because only
    operations that have one right result are compiled: not ``exp``, for which NumPy has code of its
    own.  Unlike NumPy it never warns.
    """
    compiled = _compiler()
    if compiled is None or not all(map(_shows_all, constants)):
        return None
    try:
        text = transcript_of(formula, constants, dtype, EXACT)
    except Exception:  # whatever comes of symbols in a formula that is more than operations
        return None
    names = {"T": np.dtype(dtype).type, "sqrt": np.sqrt}
    names |= {"maximum": compiled(_maximum), "minimum": compiled(_minimum)}
    exec(_source(text), names)
    loop = compiled(names["loop"])

    def run(arrays: Sequence[Array]) -> Any:
        outputs = [np.empty(arrays[0].shape, dtype) for _ in text.stores]
        loop(*(a.reshape(-1) for a in (*arrays, *outputs)))
        return text.picked(outputs)

    return run


def _source(text: Transcript) -> str:
    arrays = [*text.inputs, *text.stores]
    lines = [*text.lines, *(f"{array}[i] = {value}" for array, value in text.stores.items())]
    head = f"def loop({', '.join(arrays)}):\n    for i in range({arrays[0]}.size):"
    return "\n        ".join([head, *lines])


def _maximum(a: Any, b: Any) -> Any:
    return a if a > b or a != a else b  # NumPy's maximum of NaN is NaN, that of -0 and 0 is 0


def _minimum(a: Any, b: Any) -> Any:
    return a if a < b or a != a else b


def _shows_all(constant: Any) -> bool:
    """Return whether ``readable`` shows all that a formula could read from this argument."""
    known = readable(constant)  # a layer's class and attributes, or the argument itself
    return known is constant or len(known) == 1 + len(vars(constant).keys() - {"ranks"})


def _compiler() -> Any:
    """Return what compiles a function; None if Numba is missing, or cannot be used: a line says so.

    It is None, too, where the system refuses to give more memory: the compiler would end the
    process.  As in NumPy, division by zero raises nothing; without fast-math the bits are NumPy's.
    """
    try:
        mmap.mmap(-1, ROOM).close()
    except (MemoryError, OSError):
        return None
    numba, reason = _numba()
    if numba is None:
        if reason != MISSING:
            say_once(f"Warning: Numba cannot be used ({reason}), so NumPy computes the formulas.")
        return None
    return numba.njit(error_model="numpy")


@functools.cache
def _numba() -> tuple[Any, str]:
    """Return Numba, or None and the reason.  Its warnings, about its environment, become lines."""
    try:
        with warnings.catch_warnings(record=True) as caught:
            import numba

            numba.njit(_maximum)(1.0, 2.0)  # imports more, and takes 0.04 s longer than without
    except Exception as error:  # such as ValueError, where NUMBA_NUM_THREADS is 0
        missing = isinstance(error, ImportError) and error.name == "numba"
        said = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        return None, MISSING if missing else said
    for warning in caught:
        say_once(f"Warning: Numba: {str(warning.message).splitlines()[0]}")
    if getattr(numba.config, "DISABLE_JIT", 0):  # its loops would be Python's
        return None, "NUMBA_DISABLE_JIT is set"
    return numba, ""


def how_adam_runs() -> str:
    """Return in one line how the NumPy backend runs Adam's formula in this process."""
    numba, reason = _numba()
    if reason == MISSING:
        return f"in blocks, 16 passes; in one with Numba, pip install 'minigan[fast]' ({reason})"
    if numba is None:
        return f"in blocks, 16 passes: Numba cannot be used ({reason})"
    return f"in one loop, compiled by Numba {numba.__version__}"
