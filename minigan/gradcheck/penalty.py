"""Check R1, the gradient of a gradient: it is the slope of a penalty, which is made of slopes."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigan.backend import Array, backend_of
from minigan.gradcheck.check import as_number, check_problem, own_stream
from minigan.gradcheck.kinks import away_from_kinks
from minigan.gradcheck.precision import copy_in, named_parameters
from minigan.gradcheck.problem import POISON, Problem
from minigan.gradcheck.verdict import GradientReport
from minigan.network import Sequential
from minigan.penalty import check_penalised, r1


def check_r1(
    net: Sequential,
    x: Array,
    gamma: float = 1.0,
    *,
    of: Array | None = None,
    max_entries: int = 1000,
) -> GradientReport:
    """Check what ``r1`` leaves in ``net.grads``, and so each layer's ``double_backward``.

    Added to the gradient of Σ dy · D(x) with a random dy, it must be the slope of L = Σ dy · D(x) +
    R, where R = γ/2 · mean |∇ₓ D|² and ∇ₓ D is the dx of the network's own ``backward``, which
    ``check_gradients`` checks.  (R alone would not do, because the biases may have no part in it.)
    The check works on copies of ``net``, and moves rows of x that bring a unit close to a kink,
    where ∇ₓ D jumps.  x: (N, n_in), and ``of`` is handed on to ``r1``.  Raises TypeError or
    ValueError as ``r1`` does.
    """
    check_penalised(net, several=of is not None)
    backend = backend_of(x)
    start = away_from_kinks([copy_in(net, "float64")], x.astype("float64"), own_stream(0))

    def problem(dtype: str) -> Problem:
        twin, at = copy_in(net, dtype), start.astype(dtype)
        parameters = named_parameters(twin)
        picks = None if of is None else of.astype(dtype)
        y0 = twin.forward(at)[0]
        dy = backend.asarray(own_stream(1).standard_normal(y0.shape).astype(dtype))

        def L() -> Any:
            score = ((twin.forward(at)[0] - y0) * dy).sum()  # y0, a constant, saves digits
            return as_number(score + penalty_of(twin, at, gamma, picks), backend)

        def backprop() -> dict[str, Array]:
            twin.grads[...] = POISON
            r1(twin, at, gamma, picks)
            penalty = twin.grads.copy()
            twin.grads[...] = POISON
            twin.backward(dy, twin.forward(at)[1], input_grad=False)
            twin.grads[...] += penalty
            return {name: gradient.copy() for name, _, gradient in parameters}

        size = float(penalty_of(twin, at, gamma, picks)) + float(abs(y0 * dy).sum())
        arrays = {name: parameter for name, parameter, _ in parameters}
        return Problem(arrays, L, backprop, size, (at, dy), twin.layers)

    return GradientReport(tuple(check_problem(problem, backend, max_entries)))


def penalty_of(net: Sequential, x: Array, gamma: float, of: Array | None = None) -> Any:
    """Return R by its definition, from plain backprop; ``net.grads`` stays as it is."""
    logits, cache = net.forward(x)
    dy = np.zeros_like(logits) + 1 if of is None else of
    g = net.backward(dy, cache, param_grads=False)
    return gamma / 2 * (g * g).sum() / len(x)
