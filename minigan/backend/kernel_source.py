"""Write the CUDA source of one kernel for a whole element-wise formula, from its transcript."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from minigan.backend.transcript import Transcript, transcribe, transcript_of

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
    """A kernel's name and text, and the transcript of its formula."""

    name: str
    text: str
    transcript: Transcript


def formula_source(formula: Callable[..., Any], args: Sequence[Any], dtype: Any) -> Source:
    """Return the kernel ``name(arrays…, outputs…, n)`` of a formula.

    An argument None stands for an array; any other argument is a constant.
    """
    return _source(formula, transcript_of(formula, args, dtype), dtype)


def update_source(update: Callable[..., Any], scalars: int, dtype: Any) -> Source:
    """Return the kernel ``name(p, g, m, v, s, n)``, which updates p, m and v; s holds scalars."""
    elements = ["p[i]", "g[i]", "m[i]", "v[i]", *(f"s[{k}]" for k in range(scalars))]
    lines, result = transcribe(update, elements, dtype)
    stores = dict(zip(("p", "m", "v"), result, strict=True))
    return _source(update, Transcript(["p", "g", "m", "v", "s"], lines, stores, (0, 1, 2)), dtype)


def _source(formula: Callable[..., Any], loop: Transcript, dtype: Any) -> Source:
    pointers = dict.fromkeys([*loop.inputs, *loop.stores])
    parameters = ", ".join(f"{'' if p in loop.stores else 'const '}T* {p}" for p in pointers)
    body = [f"const T {line};" for line in loop.lines]
    body += [f"{pointer}[i] = {value};" for pointer, value in loop.stores.items()]
    c_type = {"float32": "float", "float64": "double"}[np.dtype(dtype).name]
    name = re.sub(r"\W+", "_", formula.__qualname__)
    text = PREAMBLE.format(type=c_type) + KERNEL.format(
        name=name, parameters=parameters, body="\n        ".join(body)
    )
    return Source(name, text, loop)
