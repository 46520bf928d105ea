"""Compare one array's gradient with central differences, entry by entry, and report the result.

This is the arithmetic of ``minigan.gradcheck.check``, which explains why each part of it is there.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from minigan.backend import Array, backend_of

H = 1e-5  # how far a nudge moves an entry, up or down
TOLERANCE = 1e-6  # largest error that passes: right rules have 1e-7 or less, a rule 0.1 % off 1e-3


@dataclass(frozen=True)
class ArrayCheck:
    """The worst entry of one array, which is a parameter or the input x."""

    name: str
    error: float  # |numeric - backprop| / largest |gradient| of the array
    index: tuple[int, ...] | None  # None: the error along the random direction
    numeric: float
    backprop: float
    checked: int  # number of entries that were nudged
    size: int  # number of entries in the array

    @property
    def where(self) -> str:
        """The place of the error: ``W[1, 2]``, ``W along a direction``, or ``W`` for all of it."""
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
    """The result of ``check_gradients``, true if all passed: ``assert check_gradients(net, x)``."""

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
    """Nudge ``array`` entry by entry, in place, and compare L's slope with ``gradient``."""
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
        # Along a direction d of ±1 the slope is the sum of all gradients with random signs, so its
        # natural size is |gradient|₂.  Moving all entries of W by h shifts a unit by about √n_in h,
        # and batch norm may make this ten times larger for the next layers: h is divided by both
        # factors, to stay away from kinks.
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
    if difference == 0:  # size may be 0, too
        return 0.0
    return difference / size if difference < math.inf else math.inf  # NaN must not pass


def resolution(size: float) -> float:
    """Return the smallest slope that can be measured with a relative error of TOLERANCE.

    A loss of this size is rounded by ``eps * size``, and so its central difference is rounded by
    ``eps * size / H``.
    """
    return float(np.finfo(np.float64).eps) * abs(size) / H / TOLERANCE
