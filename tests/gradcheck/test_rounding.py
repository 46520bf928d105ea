"""Rounding is imitated: every number is moved by its last digit, and then put back."""

from __future__ import annotations

import numpy as np
import pytest

import minigan as mg
from minigan.backend import Array
from minigan.gradcheck.problem import Problem, natural_sizes
from minigan.gradcheck.rounding import imitate_rounding

EPS = float(np.finfo("float64").eps)


def linear(rows: int, columns: int) -> tuple[mg.Linear, Array, Problem]:
    layer = mg.Linear(columns, 1, seed=0, dtype="float64")
    x = 1 + np.random.default_rng(0).random((rows, columns))

    def backprop() -> dict[str, Array]:
        y, cache = layer.forward(x)
        dx = layer.backward(np.ones_like(y), cache)
        return {"x": dx, "W": layer.dW.copy()}

    arrays = {"x": x, "W": layer.W}
    size = float(abs(layer(x)).sum())
    return layer, x, Problem(arrays, lambda: layer(x).sum(), backprop, size, layers=(layer,))


def test_rounding_is_imitated_and_leaves_no_trace() -> None:
    layer, x, problem = linear(4, 3)
    before, W, attributes = x.copy(), layer.W.copy(), dict(vars(layer))
    rounding = imitate_rounding(problem, np.random.default_rng(0))
    np.testing.assert_array_equal(x, before)
    np.testing.assert_array_equal(layer.W, W)
    assert dict(vars(layer)).keys() == attributes.keys()
    assert len(rounding.gradients) == 8
    assert {name for gradients in rounding.gradients for name in gradients} == {"x", "W"}
    # Three roundings a term: x, W and y, each by up to eps, and four times the largest effect
    assert EPS * problem.size < rounding.L < (1 + 4 * 3) * EPS * 4 * problem.size
    # The arrays' own effect is the gradient times the natural size, and the floor is 20 eps of it.
    gradient = problem.backprop()["W"]
    effect = float(np.abs(gradient * natural_sizes("W", W)).max())
    assert rounding.floor == pytest.approx(20 * EPS * min(effect, problem.size), rel=1e-6)
