"""Write the CUDA source of one kernel for a whole element-wise formula, by running the formula.

On a GPU, CuPy runs ``dy * (1 - y * y)`` as three kernels, each of which reads and writes whole
arrays.  In one kernel, each element is loaded once and goes through the formula in registers.  The
formula need not be written a second time for this: it is called with symbols instead of arrays, and
the symbols write down its operations.

    >>> lines, result = transcribe(lambda dy, y: dy * (1 - y * y), ["dy[i]", "y[i]"], "float32")
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

# What NumPy's functions do with one element, written in C++.
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

# Functions that C++ lacks, or defines in another way: NumPy's maximum of NaN is NaN.
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
    """A kernel's name and text, and which of its outputs the formula returns."""

    name: str
    text: str
    outputs: int  # number of arrays that it writes
    result: int | tuple[int, ...]


def formula_source(formula: Callable[..., Any], args: Sequence[Any], dtype: Any) -> Source:
    """Return the kernel ``name(arrays…, outputs…, n)`` of a formula.

    An argument None stands for an array; any other argument is a constant.
    """
    inputs = [f"a{k}" for k in range(sum(arg is None for arg in args))]
    elements = iter(inputs)
    given = [f"{next(elements)}[i]" if arg is None else arg for arg in args]
    lines, result = transcribe(formula, given, dtype)
    values = list(dict.fromkeys([result] if isinstance(result, str) else result))
    stores = {f"out{k}": value for k, value in enumerate(values)}
    return Source(
        name := _c_name(formula),
        _kernel(name, [*inputs, *stores], lines, stores, dtype),
        len(values),
        0 if isinstance(result, str) else tuple(map(values.index, result)),
    )


def update_source(update: Callable[..., Any], scalars: int, dtype: Any) -> Source:
    """Return the kernel ``name(p, g, m, v, s, n)``, which updates p, m and v; s holds scalars."""
    elements = ["p[i]", "g[i]", "m[i]", "v[i]", *(f"s[{k}]" for k in range(scalars))]
    lines, result = transcribe(update, elements, dtype)
    stores = dict(zip(("p", "m", "v"), result, strict=True))
    name = _c_name(update)
    return Source(name, _kernel(name, ["p", "g", "m", "v", "s"], lines, stores, dtype), 3, ())


class Symbol(np.lib.mixins.NDArrayOperatorsMixin):
    """A symbol for one element; it writes down, as a line of C++, each operation on it."""

    def __init__(self, lines: list[str], dtype: np.dtype[Any], text: str) -> None:
        self.lines, self.dtype, self.name = lines, dtype, f"v{len(lines)}"
        lines.append(f"const T {self.name} = {text};")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Symbol:
        if ufunc not in IN_CUDA or method != "__call__" or options:
            raise TypeError(f"{ufunc.__name__} cannot be part of a kernel: not in IN_CUDA")
        operands = [a.name if isinstance(a, Symbol) else f"T({float(a)!r})" for a in inputs]
        return Symbol(self.lines, self.dtype, IN_CUDA[ufunc].format(*operands))


def transcribe(
    formula: Callable[..., Any], args: Sequence[Any], dtype: Any
) -> tuple[list[str], str | tuple[str, ...]]:
    """Return the formula's operations as lines of C++, and the name (or names) of its result.

    A string among the arguments is an element to load; any other argument is a constant, and the
    formula gets it as it is.
    """
    lines: list[str] = []
    symbols = [Symbol(lines, np.dtype(dtype), a) if isinstance(a, str) else a for a in args]
    result = formula(*symbols)
    return lines, tuple(r.name for r in result) if isinstance(result, tuple) else result.name


def _kernel(
    name: str, pointers: Sequence[str], lines: Sequence[str], stores: dict[str, str], dtype: Any
) -> str:
    """Return a kernel that runs ``lines``, then ``pointer[i] = value`` for each store."""
    parameters = ", ".join(f"{'' if p in stores else 'const '}T* {p}" for p in pointers)
    body = [*lines, *(f"{pointer}[i] = {value};" for pointer, value in stores.items())]
    c_type = {"float32": "float", "float64": "double"}[np.dtype(dtype).name]
    return PREAMBLE.format(type=c_type) + KERNEL.format(
        name=name, parameters=parameters, body="\n        ".join(body)
    )


def _c_name(formula: Callable[..., Any]) -> str:
    return re.sub(r"\W+", "_", formula.__qualname__)
