"""Write down what an element-wise formula does with one element, by running the formula.

NumPy and CuPy compute ``dy * (1 - y * y)`` in three passes, each of which reads and writes whole
arrays.  In one loop, each element is loaded once and goes through the formula in registers.  The
formula need not be written a second time for this: it is called with symbols instead of arrays, and
the symbols write down its operations.  The lines are C++ and Python alike.  On a GPU they become a
kernel (``kernel_source``), on a CPU with Numba a loop (``numba_loop``).

    >>> lines, result = transcribe(lambda dy, y: dy * (1 - y * y), ["dy[i]", "y[i]"], "float32")
    >>> print(*lines, result, sep="\\n")
    v0 = dy[i]
    v1 = y[i]
    v2 = v1 * v1
    v3 = T(1.0) - v2
    v4 = v0 * v3
    v4
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

# What NumPy's functions do with one element.  T is the arrays' type: float or double.
EXACT = {  # rounded to the nearest number wherever they are computed
    np.add: "{} + {}",
    np.subtract: "{} - {}",
    np.multiply: "{} * {}",
    np.divide: "{} / {}",
    np.negative: "-{}",
    np.greater: "T({} > {})",  # true is 1, false is 0: see ``Symbol.truth``
    np.less: "T({} < {})",
    np.maximum: "maximum({}, {})",
    np.minimum: "minimum({}, {})",
    np.sqrt: "sqrt({})",
}
OPERATIONS = EXACT | {  # libraries differ in their last bits
    np.logaddexp: "logaddexp({}, {})",
    np.exp: "exp({})",
    np.log: "log({})",
    np.log1p: "log1p({})",
    np.tanh: "tanh({})",
}


class Transcript(NamedTuple):
    """The body of a loop over i: it loads from arrays, computes, and stores into arrays."""

    inputs: list[str]  # names of the arrays that are read
    lines: list[str]
    stores: dict[str, str]  # names of the arrays that are written, and of the values for them
    result: int | tuple[int, ...]  # which of these the formula returns, alone or as a tuple

    def picked(self, outputs: Sequence[Any]) -> Any:
        """Return of the arrays that were written what the formula returns."""
        if isinstance(self.result, int):
            return outputs[self.result]
        return tuple(outputs[k] for k in self.result)


def transcript_of(
    formula: Callable[..., Any],
    args: Sequence[Any],
    dtype: Any,
    operations: Mapping[np.ufunc, str] = OPERATIONS,
) -> Transcript:
    """Return what the formula does with these arguments; None stands for an array.

    Raises TypeError if it calls a function that is not among the operations, or has a constant that
    is not finite, or is of a type that would not leave the arrays theirs.
    """
    inputs = [f"a{k}" for k in range(sum(arg is None for arg in args))]
    elements = iter(inputs)
    given = [f"{next(elements)}[i]" if arg is None else arg for arg in args]
    lines, result = transcribe(formula, given, dtype, operations)
    values = list(dict.fromkeys([result] if isinstance(result, str) else result))
    stores = {f"out{k}": value for k, value in enumerate(values)}
    picks = 0 if isinstance(result, str) else tuple(map(values.index, result))
    return Transcript(inputs, lines, stores, picks)


def transcribe(
    formula: Callable[..., Any],
    args: Sequence[Any],
    dtype: Any,
    operations: Mapping[np.ufunc, str] = OPERATIONS,
) -> tuple[list[str], str | tuple[str, ...]]:
    """Return the formula's operations as lines, and the name (or names) of its result.

    A string among the arguments is an element to load; any other argument is a constant, and the
    formula gets it as it is.
    """
    lines: list[str] = []
    symbols = [
        Symbol(lines, np.dtype(dtype), a, operations) if isinstance(a, str) else a for a in args
    ]
    result = formula(*symbols)
    for one in result if isinstance(result, tuple) else [result]:
        if one.truth:
            raise TypeError("the result of a loop is a number, not a truth value")
    return lines, tuple(r.name for r in result) if isinstance(result, tuple) else result.name


class Symbol(np.lib.mixins.NDArrayOperatorsMixin):
    """A symbol for one element; it writes down, as a line, each operation on it.

    ``truth`` says that it is the result of a comparison.  Beside a number of the arrays' type it is
    1 or 0; all else that may be done with a truth value has rules of its own, and is left to NumPy.
    """

    truth = False

    def __init__(
        self, lines: list[str], dtype: np.dtype[Any], text: str, operations: Mapping[np.ufunc, str]
    ) -> None:
        self.lines, self.dtype, self.operations = lines, dtype, operations
        self.name = f"v{len(lines)}"
        lines.append(f"{self.name} = {text}")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Symbol:
        if ufunc not in self.operations or method != "__call__" or options:
            raise TypeError(f"{ufunc.__name__} cannot be part of a loop: not in OPERATIONS")
        truths = [isinstance(a, Symbol) and a.truth for a in inputs]
        typed = [getattr(a, "dtype", None) == self.dtype for a in inputs]
        # True + True would be True, and True / 2 a float64
        if any(truths) and truths == typed:
            raise TypeError(f"a truth value can be part of a loop only beside a {self.dtype}")
        text = self.operations[ufunc].format(*map(self._operand, inputs))
        result = Symbol(self.lines, self.dtype, text, self.operations)
        result.truth = ufunc in (np.greater, np.less)
        return result

    def _operand(self, a: Any) -> str:
        if isinstance(a, Symbol):
            return a.name
        if not math.isfinite(a):
            raise TypeError(f"{a} cannot be part of a loop: expected finite numbers")
        if isinstance(a, np.generic) and np.result_type(a, self.dtype) != self.dtype:
            raise TypeError(f"{a!r} would make {self.dtype} another type: expected Python numbers")
        return f"T({float(a)!r})"


def readable(constant: Any) -> Any:
    """Return what a formula can read from a constant argument: itself, or a layer's attributes.

    A formula is transcribed anew for other values of these.
    """
    attributes = getattr(constant, "__dict__", None)
    if attributes is None:
        return constant
    kinds = (int, float, str, tuple, np.generic)
    return type(constant), *((k, v) for k, v in attributes.items() if isinstance(v, kinds))
