"""Hold backprop's gradients against the slopes of L, array by array and entry by entry.

This is the arithmetic of ``minigan.gradcheck.check``, which explains why each part of it is there.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from minigan.backend import Array, backend_of
from minigan.gradcheck.extrapolation import Slope, slope
from minigan.gradcheck.verdict import FAIL, PASS, UNRESOLVED, ArrayCheck
from minigan.layers import Layer

STEP = 2.0**-12  # the first nudge, as a part of an entry's natural size


@dataclass(frozen=True)
class Problem:
    """What is checked: L is a function of some arrays, and backprop returns its gradients."""

    arrays: dict[str, Array]  # they are nudged in place
    L: Callable[[], Any]  # returns a NumPy or Python float
    backprop: Callable[[], dict[str, Array]]  # for each name of ``arrays``, an array made anew
    size: float  # sum of the absolute values of the numbers whose sum L is
    others: tuple[Array, ...] = ()  # further arrays that are rounded, but not checked
    layers: tuple[Layer, ...] = ()  # whose results are rounded

    def __post_init__(self) -> None:
        self.L()  # raises here, and not in a nudge, if the arrays do not fit

    def L_where(self, array: Array, where: Any, start: Any, step: Any) -> Any:
        """Return L with a part of the array at ``start + step``, and put ``start`` back."""
        asarray = backend_of(array).asarray
        array[where] = asarray(start + step, array.dtype)
        try:
            return self.L()
        except ValueError:  # the nudge left the range of the loss
            return math.nan
        finally:
            array[where] = asarray(start, array.dtype)


@dataclass(frozen=True)
class Rounding:
    """What the rounding of all arrays does to L and to its gradients."""

    L: float  # how far a value of L may be off
    gradients: list[dict[str, Array]]  # what backprop returns when its input is rounded otherwise
    floor: float  # what rounding does at least: gradient times natural size of an array


def imitate_rounding(problem: Problem, rng: np.random.Generator) -> Rounding:
    """Move every number by its last digit, up or down at random, a few times.

    This goes for the arrays, and for all that the layers hand on, forward and backward: what a
    layer computes is rounded even where its input is not.
    """

    def shaken(array: Array) -> Array:
        signs = rng.choice([-1.0, 1.0], array.shape).astype(array.dtype)
        return array * backend_of(array).asarray(1 + np.finfo(array.dtype).eps * signs)

    L0, arrays = problem.L(), (*problem.arrays.values(), *problem.others)
    kept = [array.copy() for array in arrays]
    moved, gradients = [0.0], []
    with _results_through(shaken, problem.layers):
        # The largest of many entries is found in a few draws.
        for _ in range(8 if sum(array.size for array in arrays) < 100_000 else 2):
            for array in arrays:
                array[...] = shaken(array)
            moved.append(abs(float(problem.L() - L0)))
            gradients.append(problem.backprop())
            for array, before in zip(arrays, kept, strict=True):
                array[...] = before
    effects = [0.0]  # on L, of moving an entry by its natural size
    for name, array in problem.arrays.items():
        if getattr(gradients[0][name], "shape", None) == array.shape:
            b = backend_of(array).to_numpy(gradients[0][name])
            effects.append(float(np.abs(b * natural_sizes(name, array)).max()))
    eps = float(np.finfo(kept[0].dtype).eps)
    last_digit = float(np.finfo(np.result_type(L0)).eps) * problem.size
    floor = 20 * eps * min(max(effects), problem.size)
    return Rounding(4 * max(moved) + last_digit, gradients, floor)


@contextlib.contextmanager
def _results_through(change: Callable[[Array], Array], layers: tuple[Layer, ...]) -> Iterator[None]:
    """Let each layer's y and dx go through a function until the ``with`` block ends."""

    def changed(method: Callable[..., Any], *args: Any) -> Any:
        result = method(*args)
        if isinstance(result, tuple):
            return change(result[0]), *result[1:]
        return change(result) if hasattr(result, "shape") else result  # perhaps a return is missing

    before = [dict(vars(layer)) for layer in layers]
    for layer in layers:  # an attribute of the layer itself goes before the method of its class
        for name in ("forward", "evaluate", "input_grad"):
            setattr(layer, name, partial(changed, getattr(layer, name)))
    try:
        yield
    finally:
        for layer, attributes in zip(layers, before, strict=True):
            vars(layer).clear()
            vars(layer).update(attributes)


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
        if not math.isfinite(self.numeric.value):
            return replace(check, verdict=UNRESOLVED, reason=OVERFLOW)
        if math.isnan(error + self.scale) and math.isfinite(self.backprop):
            return replace(check, verdict=UNRESOLVED, reason=UNDERFLOW)
        if not difference <= tolerance * self.own + error:  # NaN must not pass
            return replace(check, verdict=FAIL)
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

    def all_moved(times: int) -> Any:  # ± so many times the size of each entry
        return (times * sizes * rng.choice([-1.0, 1.0], array.shape)).astype(array.dtype)

    d = all_moved(1)
    along = Pair(
        None, NOTHING, float((b * d).sum()),
        4 * max(abs(float((other * d).sum())) for other in others), _norm(b * d), _norm(b * d),
    )  # fmt: skip

    if 0 < largest <= 4 * b_error:
        # Zero but for rounding.  It is zero indeed if L does not depend on the array at all.
        L0, eps = problem.L(), float(np.finfo(array.dtype).eps)
        changes = [abs(float(L_from(..., all_moved(4)) - L0)) for _ in range(4)]
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


def natural_sizes(name: str, array: Array) -> Any:
    """Return how far each entry may be moved before its effect is sure to bend: powers of two.

    For the input this is the spread of the entry's column over the rows, for a parameter it is the
    root mean square of all entries.  A step that is a power of two is added without rounding.
    """
    host = backend_of(array).to_numpy(array)
    most = float(np.abs(host).max()) or 1.0  # divided by it, no square overflows
    sizes = np.full(host.shape[1:], math.sqrt(float(np.square(host / most).mean())) or 1.0)
    if name in ("x", "y"):
        spread, largest = (host / most).std(axis=0), np.abs(host / most).max(axis=0)
        sizes = np.where(largest > 0, largest, sizes)
        sizes = np.where(spread > 1e-12 * largest, spread, sizes).astype("float64")
    exponents = np.floor(np.log2(sizes) + math.log2(most))
    return np.broadcast_to(2.0 ** np.maximum(exponents, -1000), host.shape)
