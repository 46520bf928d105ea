"""CUDA source of one kernel for a whole element-wise formula, written by running the formula.

On a GPU, ``dy * (1 - y * y)`` is three kernels that carry arrays to and fro.  As one kernel each
element is loaded once and goes through the formula in registers.  The formula need not be written
a second time for that: called with symbols instead of arrays, it writes down its own operations.

    >>> lines, result = trace(lambda dy, y: dy * (1 - y * y), ["dy[i]", "y[i]"], "float32")
    >>> print(*lines, result, sep="\\n")
    const T v0 = dy[i];
    const T v1 = y[i];
    const T v2 = v1 * v1;
    const T v3 = T(1.0) - v2;
    const T v4 = v0 * v3;
    v4
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

# How C++ writes what NumPy's functions do with one element.
IN_CUDA = {
    np.add: "{} + {}",
    np.subtract: "{} - {}",
    np.multiply: "{} * {}",
    np.divide: "{} / {}",
    np.negative: "-{}",
    np.greater: "T({} > {})",  # true is 1, false is 0
    np.less: "T({} < {})",
    np.maximum: "maximum({}, {})",
    np.minimum: "minimum({}, {})",
    np.logaddexp: "logaddexp({}, {})",
    np.exp: "exp({})",
    np.log: "log({})",
    np.log1p: "log1p({})",
    np.sqrt: "sqrt({})",
    np.tanh: "tanh({})",
}

# The functions among them that C++ lacks, or has otherwise: NumPy's maximum of NaN is NaN.
PREAMBLE = """\
typedef {type} T;
__device__ T maximum(T a, T b) {{ return a >= b || a != a ? a : b; }}
__device__ T minimum(T a, T b) {{ return a <= b || a != a ? a : b; }}
__device__ T logaddexp(T a, T b) {{
    return a == b ? a + log(T(2)) : maximum(a, b) + log1p(exp(-fabs(a - b)));
}}
"""

KERNEL = """\
extern "C" __global__ void {name}({parameters}, const long long n)
{{
    const long long step = (long long)gridDim.x * blockDim.x;
    for (long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += step) {{
        {body}
    }}
}}
"""


class Source(NamedTuple):
    """A kernel's name and text, and which of its outputs make up the formula's result."""

    name: str
    text: str
    outputs: int  # arrays that it writes
    result: int | tuple[int, ...]


def formula_source(formula: Callable[..., Any], args: Sequence[Any], dtype: Any) -> Source:
    """The kernel ``name(arrays…, outputs…, n)`` of a formula, whose argument None is an array."""
    inputs = [f"a{k}" for k in range(sum(arg is None for arg in args))]
    elements = iter(inputs)
    given = [f"{next(elements)}[i]" if arg is None else arg for arg in args]
    lines, result = trace(formula, given, dtype)
    values = list(dict.fromkeys([result] if isinstance(result, str) else result))
    stores = {f"out{k}": value for k, value in enumerate(values)}
    return Source(
        name := _c_name(formula),
        _kernel(name, [*inputs, *stores], lines, stores, dtype),
        len(values),
        0 if isinstance(result, str) else tuple(map(values.index, result)),
    )


def update_source(update: Callable[..., Any], scalars: int, dtype: Any) -> Source:
    """The kernel ``name(p, g, m, v, s, n)`` that moves p, m and v in place; s holds the scalars."""
    elements = ["p[i]", "g[i]", "m[i]", "v[i]", [f"s[{k}]" for k in range(scalars)]]
    lines, result = trace(update, elements, dtype)
    stores = dict(zip(("p", "m", "v"), result, strict=True))
    name = _c_name(update)
    return Source(name, _kernel(name, ["p", "g", "m", "v", "s"], lines, stores, dtype), 3, ())


class Symbol(np.lib.mixins.NDArrayOperatorsMixin):
    """Stands for one element, and writes down what is done with it."""

    def __init__(self, lines: list[str], dtype: np.dtype[Any], text: str) -> None:
        self.lines, self.dtype, self.name = lines, dtype, f"v{len(lines)}"
        lines.append(f"const T {self.name} = {text};")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Symbol:
        if ufunc not in IN_CUDA or method != "__call__" or options:
            raise TypeError(f"{ufunc.__name__} cannot be part of a kernel: not in IN_CUDA")
        operands = [a.name if isinstance(a, Symbol) else f"T({float(a)!r})" for a in inputs]
        return Symbol(self.lines, self.dtype, IN_CUDA[ufunc].format(*operands))


def trace(
    formula: Callable[..., Any], args: Sequence[Any], dtype: Any
) -> tuple[list[str], str | tuple[str, ...]]:
    """The formula's operations, and the name of its result, or names of its results.

    A string among the arguments is an element to load, a list of strings a tuple of such; anything
    else is handed on as it is, a constant.
    """
    lines: list[str] = []

    def load(arg: Any) -> Any:
        if isinstance(arg, str):
            return Symbol(lines, np.dtype(dtype), arg)
        return tuple(map(load, arg)) if isinstance(arg, list) else arg

    result = formula(*map(load, args))
    return lines, tuple(r.name for r in result) if isinstance(result, tuple) else result.name


def _kernel(
    name: str, pointers: Sequence[str], lines: Sequence[str], stores: dict[str, str], dtype: Any
) -> str:
    """``lines`` for each element, then ``pointer[i] = value`` for each store."""
    parameters = ", ".join(f"{'' if p in stores else 'const '}T* {p}" for p in pointers)
    body = [*lines, *(f"{pointer}[i] = {value};" for pointer, value in stores.items())]
    c_type = {"float32": "float", "float64": "double"}[np.dtype(dtype).name]
    return PREAMBLE.format(type=c_type) + KERNEL.format(
        name=name, parameters=parameters, body="\n        ".join(body)
    )


def _c_name(formula: Callable[..., Any]) -> str:
    return re.sub(r"\W+", "_", formula.__qualname__)
