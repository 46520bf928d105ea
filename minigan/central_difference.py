"""One array's gradient against central differences, entry by entry, and the report of it.

The arithmetic of ``minigan.gradcheck``, which says why each part of it is there.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from minigan.backend import Array, backend_of

H = 1e-5  # the nudge
TOLERANCE = 1e-6  # of the error; right rules reach 1e-7 or better, a rule 0.1 % off has 1e-3


@dataclass(frozen=True)
class ArrayCheck:
    """The worst entry of one array: a parameter, or the input x."""

    name: str
    error: float  # |numeric - backprop| / largest |gradient| of the array
    index: tuple[int, ...] | None  # None: along the random direction
    numeric: float
    backprop: float
    checked: int  # entries that were nudged, of
    size: int

    @property
    def where(self) -> str:
        """``W[1, 2]``, ``W along a direction``, or ``W`` if the array as a whole is wrong."""
        if self.index is None:
            return f"{self.name} along a direction"
        return self.name + (str(list(self.index)) if self.index else "")

    def __str__(self) -> str:
        return (
            f"{self.where}: numeric {self.numeric:.9g}, "
            f"backprop {self.backprop:.9g}, error {self.error:.1e} "
            f"({self.checked:,} of {self.size:,} entries)"
        )


@dataclass(frozen=True)
class GradientReport:
    """What ``check_gradients`` found; true if all is well: ``assert check_gradients(net, x)``."""

    arrays: tuple[ArrayCheck, ...]
    tolerance: float = TOLERANCE

    @property
    def worst(self) -> ArrayCheck:
        return max(self.arrays, key=lambda array: array.error)

    @property
    def passed(self) -> bool:
        return self.worst.error <= self.tolerance

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        return f"{'PASS' if self.passed else 'FAIL'}  worst entry {self.worst}"


def compare(
    name: str,
    array: Array,
    gradient: Array,
    L: Callable[[], float],
    resolution: float,
    rng: np.random.Generator,
    max_entries: int = 1000,
) -> ArrayCheck:
    """Nudge ``array`` entry by entry, in place, and hold L's slope against ``gradient``."""
    if gradient.shape != array.shape:
        problem = f"gradient of shape {gradient.shape} for shape {array.shape}"
        return ArrayCheck(f"{name}, {problem}", math.inf, (), math.nan, math.nan, 0, array.size)
    host = backend_of(gradient).to_numpy(gradient)
    flat = np.arange(array.size)
    if array.size > max_entries:
        flat = rng.choice(array.size, max_entries, replace=False)

    results = []
    for k in flat:
        index = tuple(int(i) for i in np.unravel_index(k, array.shape))
        before = float(array[index])
        array[index] = before + H
        plus = L()
        array[index] = before - H
        minus = L()
        array[index] = before
        results.append((index, (plus - minus) / (2 * H), float(host[index])))

    finite = np.abs(host[np.isfinite(host)])
    slopes = [abs(numeric) for _, numeric, _ in results]
    largest = max([resolution, float(finite.max(initial=0.0)), *slopes])
    checks: list[tuple[float, tuple[int, ...] | None, float, float]] = [
        (_error(numeric, backprop, largest), index, numeric, backprop)
        for index, numeric, backprop in results
    ]
    if array.size > max_entries:
        # Along d of ±1 the slope is a sum of as many random signs: its natural size is |gradient|₂.
        # Moving all entries of W shifts a unit by about √n_in h, and batch norm may take ten times
        # as much of it to the next layers: so h is divided by both, to stay away from kinks.
        d = rng.choice([-1.0, 1.0], array.shape)
        h = H / 10 / (math.sqrt(len(array)) if array.ndim > 1 else 1)
        step = backend_of(array).asarray(h * d)
        before_all = array.copy()
        array += step
        plus = L()
        array[...] = before_all - step
        minus = L()
        array[...] = before_all
        numeric, backprop = (plus - minus) / (2 * h), float((host * d).sum())
        size = max(resolution * H / h, float(np.sqrt((host * host).sum())))
        checks.append((_error(numeric, backprop, size), None, numeric, backprop))
    error, index_of_worst, numeric, backprop = max(checks, key=lambda check: check[0])
    return ArrayCheck(name, error, index_of_worst, numeric, backprop, len(flat), array.size)


def _error(numeric: float, backprop: float, size: float) -> float:
    difference = abs(numeric - backprop)
    if difference == 0:  # where all is zero, so is the size
        return 0.0
    return difference / size if difference < math.inf else math.inf  # NaN must not pass either


def resolution(size: float) -> float:
    """The smallest slope that can be told to one part in 1 / TOLERANCE: a loss of this size is
    rounded by ``eps * size``, so its central difference by ``eps * size / H``."""
    return float(np.finfo(np.float64).eps) * abs(size) / H / TOLERANCE
