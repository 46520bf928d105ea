"""Make the lines of a tape: the name, the formula, the norm and the histogram of one value."""

from __future__ import annotations

import math
from typing import Any

from minigan.backend import Array
from minigan.layers import Layer
from minigan.tape.bars import bars_of
from minigan.tape.equations import equation
from minigan.tape.rows import Bars, Line


def name_of(i: int, layer: Layer) -> str:
    """Return the number and the ``repr`` of a layer, on one line."""
    return " ".join(f"{i} {layer!r}".split())


def norm_of(a: Array) -> float:
    """Return the L2 norm, from the squares of a / max |a|: those of a may be beyond float32."""
    largest = float(abs(a).max()) if a.size else 0.0
    if not 0 < largest < math.inf:
        return largest
    a = a / largest
    return largest * math.sqrt(float((a * a).sum(dtype="float64")))


def line_of(
    of: Any,
    name: str,
    shape: Any,
    size: float | None,
    flop: int = 0,
    *,
    skipped: bool = False,
    bars: Bars | None = None,
) -> Line:
    """Return a Line for ``name``, its formula from the docstring of a layer, class or function."""
    name, formula, remark = equation(type(of) if isinstance(of, Layer) else of, name)
    return Line(name, formula, remark, tuple(shape), size, flop, skipped, bars)


def gradient_line(of: Any, name: str, gradient: Array, flop: int = 0) -> Line:
    """Return a Line for a gradient, with its norm and its histogram."""
    return line_of(of, name, gradient.shape, norm_of(gradient), flop, bars=bars_of(gradient))
