"""Are the gradients right?  Compare every backward rule with the definition of the derivative.

A backward rule claims to know dL/dθ for each entry θ of each array.  The definition gives the same
number, more slowly but for any function:

    dL/dθ  =  lim  (L(θ + h) - L(θ - h)) / (2h)            (the central difference, for h → 0)

So we nudge one entry at a time, that is, move it up and down by a small h, and compare.  Both
numbers are off by a little, so the check estimates how much, and gives one of three verdicts:

- **PASS**: they agree, and both are known to a millionth of the largest gradient of the array.
- **FAIL**: they differ by more than their errors explain.
- **NOT RESOLVED**: their errors are so large that agreement would mean nothing.  The report says
  why, and what to do.

Ten things make such a check worth trusting:

- **Steps of the right size.**  A nudge follows the natural size of the entry: for an input, the
  spread of its column.  Each entry is nudged by h, h/4, h/16, …, and the slope for h → 0 is worked
  out from these.  How well they agree is its error (``minigan.gradcheck.extrapolation``).
- **Enough digits.**  The difference of two nearly equal losses keeps few digits.  The check works
  on copies of the network: in float64, and where that is not enough, once more in the extended
  precision of the processor (``numpy.longdouble``), if it has one.
- **The rounding of backprop itself.**  All numbers are moved by their last digit, a few times.
  What this does to L and to the gradients is what rounding may have done to them.
- **A random upstream gradient.**  The loss is L = Σ dy · y with a random dy.  With dy = 1, a rule
  that forgets dy or transposes it would pass.
- **Poisoned gradients.**  All gradient arrays are filled with 1e30 before backward runs.  An array
  that backward does not write, or only adds to, then cannot pass by luck.
- **No kinks.**  ReLU has no derivative at 0, and a nudge across 0 measures the slope of neither
  side.  Inputs that bring a unit too close to a kink are moved a little.
- **No special values.**  Where γ is 1, a rule that forgets γ is right by chance.  Parameters that
  are all 0, 1 or -1, or all alike, are moved (``minigan.gradcheck.precision``).
- **A fair measure.**  The error of an entry is |numeric - backprop| divided by the largest
  |gradient| in the same array.  If it were divided by the entry's own gradient, entries near zero
  would only show rounding.  Where a whole array is zero but for rounding, like the b of a
  ``Linear`` before a ``BatchNorm1d``, the error is divided by the size of the terms that cancel.
- **Nothing behind the scenes.**  A layer that changes its arguments, puts a new array in the place
  of a gradient, keeps in itself what backward needs, or returns something else at the second call
  is reported by name (``minigan.gradcheck.faults``).
- **It must be able to fail.**  ``tests/gradcheck`` plants gradients that are 0.1 % off, transposed,
  without 1/N, without the bias, and more, and demands that each is rejected.

If an array has more than ``max_entries`` entries, only a random sample of them is nudged.  Then the
array is also moved as a whole, along one random direction d of ± the entries' sizes, which tests
every entry at once: dL/dθ · d must equal the slope of L along d.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np

from minigan.backend import Array, Backend, backend_of, check_array
from minigan.backend.flat import check_holds_no_layers
from minigan.errors import check_whole, to_float
from minigan.gradcheck.compare import compare_array
from minigan.gradcheck.faults import find_faults
from minigan.gradcheck.kinks import away_from_kinks
from minigan.gradcheck.precision import (
    EXTENDED,
    copy_in,
    has_more_digits,
    layers_of,
    named_parameters,
)
from minigan.gradcheck.problem import POISON, Problem
from minigan.gradcheck.rounding import imitate_rounding
from minigan.gradcheck.verdict import PASS, TOLERANCE, ArrayCheck, GradientReport
from minigan.layers import Layer
from minigan.network import Sequential

Loss = Callable[[Array], tuple[Any, Array]]


def check_gradients(
    net: Layer | Sequential,
    x: Array,
    *,
    loss: Loss | None = None,
    training: bool = True,
    max_entries: int = 1000,
    tolerance: float = TOLERANCE,
    seed: int = 0,
) -> GradientReport:
    """Compare backprop with central differences at the input and at every parameter.

    Parameters
    ----------
    net : Layer or Sequential
        The check works on copies; ``net`` and its gradients stay as they are.  Parameters that are
        all 0, 1 or -1, or all alike, have other values in the copies.
    x : (N, n_in) array
        The input to check at.  It is cast to float64, and rows that bring a unit close to a kink
        are moved a little.
    loss : function of y, optional
        It returns ``(loss, dL/dy)``, for instance ``lambda y: bce(y, 1.0)``.  Without it, the loss
        is L = Σ dy · y with a random upstream gradient dy.
    training : bool
        True checks ``forward``, False checks ``evaluate`` (the two differ for ``BatchNorm1d``).
    max_entries : int
        Arrays with more entries are checked at that many random ones, and along one random
        direction.
    tolerance : float
        The largest error that passes.
    seed : int
        The seed for the upstream gradient, the samples and the direction.

    Returns
    -------
    GradientReport
        True if every array passed.  ``report.verdict`` is ``"PASS"``, ``"FAIL"`` or
        ``"NOT RESOLVED"``; ``report.worst`` names the worst entry, its index, both values and the
        reason; ``report.arrays`` has one such record for each array, or for each fault of a layer.

    Raises
    ------
    TypeError
        If ``net`` is not a Layer or a Sequential, or if x is not an array of floats.
    ValueError
        If x is empty or does not fit, if a single layer has no parameters yet, or holds layers, or
        if ``max_entries`` is below 1 or ``tolerance`` not between 0 and 1.
    RuntimeError
        If an array of ``net`` is no longer a view into its vectors.
    """
    if not isinstance(net, (Layer, Sequential)):
        raise TypeError(f"net is a {type(net).__name__}, expected a Layer or a Sequential")
    check_array("x", x)
    check_whole("max_entries", max_entries, 1)
    if not 0 < to_float(tolerance) < 1:
        raise ValueError(f"tolerance is {tolerance!r}, expected a number between 0 and 1")
    if x.size == 0:
        raise ValueError(f"x has shape {x.shape}: there is nothing to check")
    if isinstance(net, Sequential):
        net.check_views()
    else:
        check_holds_no_layers(repr(net), net)
    backend, rng = backend_of(x), own_stream(seed)
    twin = copy_in(net, "float64")
    with np.errstate(all="ignore"):  # what is not finite gets a verdict, not a warning
        start = away_from_kinks([twin], x.astype("float64"), rng, training)
        faults = find_faults(copy_in(net, "float64"), start.copy(), training, rng)
    if faults:
        return GradientReport(tuple(faults), tolerance)

    def problem(dtype: str) -> Problem:
        twin, x = copy_in(net, dtype), start.astype(dtype)
        run = twin.forward if training else twin.evaluate
        y0 = run(x)[0].copy()  # it may be a view of x, which the nudges change
        draws = own_stream(seed).standard_normal(y0.shape)
        dy = backend.asarray(draws.astype(dtype))
        parameters = named_parameters(twin)

        def L() -> Any:
            y = run(x)[0]
            if loss is not None:
                return as_number(loss(y)[0], backend)
            return as_number(((y - y0) * dy).sum(), backend)  # y0, a constant, saves digits

        def backprop() -> dict[str, Array]:
            y, cache = run(x)
            for _, _, gradient in parameters:
                gradient[...] = POISON
            dx = twin.backward(dy if loss is None else loss(y)[1], cache)
            return {**{name: gradient.copy() for name, _, gradient in parameters}, "x": dx}

        size = abs(float(L())) if loss is not None else float(abs(y0 * dy).sum())
        arrays = {**{name: parameter for name, parameter, _ in parameters}, "x": x}
        return Problem(arrays, L, backprop, size, (dy,), layers_of(twin))

    checks = check_problem(problem, backend, max_entries, tolerance, seed)
    return GradientReport(tuple(checks), tolerance)


def check_loss(
    loss: Callable[[Array, Array], tuple[Any, Array]], y: Array, target: Array
) -> GradientReport:
    """Check the gradient of a loss function.  y, target: float64 arrays of the same shape."""
    backend = backend_of(y)

    def problem(dtype: str) -> Problem:
        at, t = y.astype(dtype), target.astype(dtype)  # copies
        value = as_number(loss(at, t)[0], backend)
        return Problem(
            {"y": at},
            lambda: as_number(loss(at, t)[0], backend),
            lambda: {"y": loss(at, t)[1]},
            abs(float(value)),
        )

    return GradientReport(tuple(check_problem(problem, backend)))


def check_problem(
    problem_in: Callable[[str], Problem],
    backend: Backend,
    max_entries: int = 1000,
    tolerance: float = TOLERANCE,
    seed: int = 0,
) -> list[ArrayCheck]:
    """Check ``problem_in("float64")``, and what does not pass there once more with more digits."""

    def check_in(dtype: str, before: dict[str, ArrayCheck]) -> dict[str, ArrayCheck]:
        with np.errstate(all="ignore"):
            problem, rng = problem_in(dtype), own_stream(seed)
            gradients, rounding = problem.backprop(), imitate_rounding(problem, rng)
            most = max_entries if dtype == "float64" else min(max_entries, affordable(problem))
            checks = {}
            for name in problem.arrays:
                earlier = before.get(name)
                if earlier is None or earlier.verdict != PASS:
                    checks[name] = compare_array(
                        name, problem, gradients[name], rounding, rng,
                        first=earlier.index or None if earlier else None,  # its worst entry
                        max_entries=most, tolerance=tolerance,
                    )  # fmt: skip
            return checks

    checks = check_in("float64", {})
    if has_more_digits(backend) and any(check.verdict != PASS for check in checks.values()):
        # A layer of the user's own may refuse such arrays.  The first verdict then stands.
        with contextlib.suppress(TypeError, ValueError):
            checks |= check_in(EXTENDED, checks)
    return list(checks.values())


def affordable(problem: Problem) -> int:
    """Return how many entries of each array can be nudged in extended precision in half a minute.

    It has no fast matrix product: a hundred million multiplications take about a second.
    """
    rows = len(problem.arrays["x"]) if "x" in problem.arrays else 8
    weights = sum(array.size for array in problem.arrays.values())
    return max(1, 300_000_000 // (weights * rows * len(problem.arrays)))


def as_number(value: Any, backend: Backend) -> Any:
    """Return a 0-d array or a number as a number in main memory, in its own precision."""
    return value if isinstance(value, (float, np.generic)) else backend.to_numpy(value)[()]


def own_stream(seed: int) -> np.random.Generator:
    """Return a generator whose random numbers differ from those that x may have been drawn from.

    If dy were equal to x, xᵀ dy would be symmetric, and a transposed dW would pass.
    """
    return np.random.default_rng([seed, 19])
