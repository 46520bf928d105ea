"""Hold backprop's gradients against the slopes of L, array by array and entry by entry.

This is the arithmetic of ``minigan.gradcheck.check``, which explains why each part of it is there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from minigan.backend import Array, backend_of
from minigan.gradcheck.extrapolation import Slope, slope
from minigan.gradcheck.problem import POISON, Problem, natural_sizes
from minigan.gradcheck.rounding import Rounding
from minigan.gradcheck.verdict import FAIL, PASS, UNRESOLVED, ArrayCheck

STEP = 2.0**-12  # the first nudge, as a part of an entry's natural size


@dataclass(frozen=True)
class Pair:
    """Two numbers that should be equal, and what is known about them."""

    index: tuple[int, ...] | None
    numeric: Slope
    backprop: float
    backprop_error: float
    scale: float  # the natural size of such numbers: their difference is measured by it
    own: float  # the size of these two numbers themselves

    def verdict(self, tolerance: float, blank: ArrayCheck) -> ArrayCheck:
        """Fill in ``blank``."""
        difference = abs(self.numeric.value - self.backprop)
        error = self.numeric.error + self.backprop_error
        check = replace(
            blank,
            index=self.index,
            numeric=self.numeric.value,
            backprop=self.backprop,
            error=_ratio(difference, self.scale),
            uncertainty=_ratio(error, self.scale),
        )
        known = math.isfinite(self.numeric.error)
        if not math.isfinite(self.numeric.value) or not (known or math.isfinite(self.backprop)):
            return replace(check, verdict=UNRESOLVED, reason=OVERFLOW)
        if not math.isfinite(self.backprop):
            return replace(check, verdict=FAIL, error=math.inf, reason=NOT_FINITE)
        if math.isnan(error + self.scale) and math.isfinite(self.backprop):
            return replace(check, verdict=UNRESOLVED, reason=UNDERFLOW)
        if not difference <= tolerance * self.own + error:  # NaN must not pass
            written = abs(self.backprop) < POISON / 2
            return replace(check, verdict=FAIL, reason="" if written else UNWRITTEN)
        if not error <= tolerance * self.scale or self.scale == 0:
            return replace(check, verdict=UNRESOLVED, reason=self._reason())
        return replace(check, verdict=PASS)

    def _reason(self) -> str:
        if self.scale == 0:
            return ZERO
        if self.numeric.kink > self.numeric.error / 2:
            return KINK
        return CANCELS if self.backprop_error > self.numeric.error else DROWNS


def compare_array(
    name: str,
    problem: Problem,
    gradient: Array,
    rounding: Rounding,
    rng: np.random.Generator,
    *,
    first: tuple[int, ...] | None,
    max_entries: int,
    tolerance: float,
) -> ArrayCheck:
    """Return the verdict on one array; ``first`` is an entry that is nudged in any case."""
    array = problem.arrays[name]
    if getattr(gradient, "shape", None) != array.shape:
        got = f"has shape {gradient.shape}" if hasattr(gradient, "shape") else f"is {gradient!r}"
        return ArrayCheck(name, FAIL, f"its gradient {got}, expected shape {array.shape}")
    backend, number, size = backend_of(array), array.dtype.type, array.size
    start, sizes = np.array(backend.to_numpy(array)), natural_sizes(name, array)
    b = backend.to_numpy(gradient)
    others = [backend.to_numpy(other[name]) - b for other in rounding.gradients]
    moved = max(float(np.abs(other[np.isfinite(other)]).max(initial=0.0)) for other in others)
    b_error = max(4 * moved, rounding.floor / float(sizes.max()))
    largest = float(np.abs(b[np.isfinite(b)]).max(initial=0.0))

    def L_from(where: Any, step: Any) -> Any:
        return problem.L_where(array, where, start[where], step)

    def all_moved(least: float, most: float) -> Any:  # ± so many times the size of each entry
        times = rng.uniform(least, most, array.shape) * rng.choice([-1.0, 1.0], array.shape)
        return (times * sizes).astype(array.dtype)

    d = all_moved(1, 1)
    along = Pair(
        None, NOTHING, float((b * d).sum()),
        4 * max(abs(float((other * d).sum())) for other in others), _norm(b * d), _norm(b * d),
    )  # fmt: skip

    if 0 < largest <= 4 * b_error:
        # Zero but for rounding.  It is zero indeed if L does not depend on the array at all.
        L0, eps = problem.L(), float(np.finfo(array.dtype).eps)
        # No entry is moved by a whole number of sizes, which may be periods of L.
        changes = [abs(float(L_from(..., all_moved(2, 4)) - L0)) for _ in range(4)]
        n = Slope(float(L_from(..., d) - L_from(..., -d)) / 2, 4 * rounding.L)
        if max(changes) <= 4 * n.error:
            terms = b_error / 4 / eps * _norm(d)  # the size of the numbers that cancel
            zero = replace(along, numeric=n, scale=terms, own=terms)
            return zero.verdict(tolerance, ArrayCheck(name, "", checked=size, size=size))

    slopes = {
        i: slope(partial(L_from, i), number(STEP * sizes[i]), rounding.L, tolerance / 100 * largest)
        for i in _chosen(array.shape, max_entries, first, rng)
    }
    largest = max([largest, *(abs(n.value) for n in slopes.values() if math.isfinite(n.value))])
    pairs = [
        Pair(i, n, float(b[i]), b_error, largest, max(abs(n.value), abs(float(b[i]))))
        for i, n in slopes.items()
    ]
    if size > max_entries:
        n = slope(
            lambda t: L_from(..., t * d), number(STEP), rounding.L, tolerance / 100 * along.scale
        )
        pairs.append(replace(along, numeric=n))
    blank = ArrayCheck(name, "", checked=len(slopes), size=size)
    return max((pair.verdict(tolerance, blank) for pair in pairs), key=lambda one: one.badness)


def _chosen(
    shape: tuple[int, ...], most: int, first: tuple[int, ...] | None, rng: np.random.Generator
) -> list[tuple[int, ...]]:
    """Return the indices of all entries, or of as many random ones as ``most`` allows."""
    size = math.prod(shape)
    flat = range(size) if size <= most else rng.choice(size, most, replace=False)
    chosen = {tuple(int(n) for n in np.unravel_index(k, shape)) for k in flat}
    return sorted(chosen | {first} if first is not None else chosen)


def _norm(a: Array) -> float:
    return math.sqrt(float(np.square(a).sum()))


NOTHING = Slope(math.nan, math.inf)
OVERFLOW = "L is not a finite number when this entry is nudged: scale the input down"
NOT_FINITE = "backward gives a number that is not finite, where the slope is"
UNWRITTEN = "backward did not write this gradient, or only added to it: it has to overwrite it"
UNDERFLOW = "the numbers are too small to be squared: scale the input up"
ZERO = (
    "its gradients are 0 to all digits: perhaps the input is 0, or all units are dead or "
    "saturated; scale the input, or take another seed"
)
KINK = "the input lies at a kink: take another seed, or another input"
CANCELS = (
    "the gradient is a small rest of large numbers, and rounding spoils it: centre the columns of "
    "the input, scale them to about 1, or give it more rows"
)
DROWNS = (
    "rounding hides what a nudge does to L: scale the columns of the input to about 1, take fewer "
    "of them, or take a loss that is not so large"
)


def _ratio(a: float, b: float) -> float:
    if a == 0 or math.isnan(a):
        return 0.0 if a == 0 else math.inf
    return a / b if b else math.inf
