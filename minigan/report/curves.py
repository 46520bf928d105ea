"""The history of a run as curves: columns of numbers, thinned to what a screen can show."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from minigan.backend import Array

POINTS = 1000  # of a curve at most


def curves_of(
    x: Sequence[float] | Array,
    means: Mapping[str, Sequence[float] | Array],
    measured: Mapping[str, Sequence[float] | Array],
) -> dict[str, Any]:
    """Return curves as lists of numbers, with their x, such as epochs.

    ``means`` are figures of every row: of a long history, each point is the mean of several rows.
    ``measured`` are figures that were measured now and then, and are nan elsewhere: their points
    are kept as they are, or, if there are too many, every second, third, … of them.
    """
    x = np.asarray(x, float)
    group = math.ceil(len(x) / POINTS) or 1
    starts = np.arange(0, len(x), group)
    curves: dict[str, Any] = {"x": _short(x[np.minimum(starts + group, len(x)) - 1])}
    for name, values in means.items():
        sums = np.add.reduceat(np.asarray(values, float), starts) if len(x) else np.zeros(0)
        curves[name] = _short(sums / np.diff([*starts, len(x)]))
    for name, values in measured.items():
        column = np.asarray(values, float)
        (where,) = np.nonzero(np.isfinite(column))
        where = where[:: math.ceil(len(where) / POINTS) or 1]
        curves[name] = {"x": _short(x[where]), "y": _short(column[where])}
    return curves


def _short(values: Array) -> list[float | None]:
    """Return numbers with six digits, as history.csv has them; None for what is not finite."""
    return [float(f"{v:.6g}") if math.isfinite(v) else None for v in values.tolist()]
