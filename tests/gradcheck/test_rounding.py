"""Rounding is imitated: every number is moved by its last digit, and then put back."""

from __future__ import annotations

import numpy as np
import pytest

import minigan as mg
from minigan.backend import Array
from minigan.gradcheck import check_loss
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


def of(a: Array, gradient: Array, size: float) -> tuple[Problem, list[Array]]:
    """L = Σ gradient · a, and a list of the values of ``a`` at which L was computed."""
    seen: list[Array] = []

    def L() -> float:
        seen.append(a.copy())
        return float((gradient * a).sum())

    return Problem({"W": a}, L, lambda: {"W": gradient}, size), seen


def test_every_number_is_moved_by_its_last_digit_up_or_down() -> None:
    problem, seen = of(np.ones(20), np.ones(20), 20.0)
    imitate_rounding(problem, np.random.default_rng(0))
    moved = [a for a in seen if (a != 1).any()]
    assert len(moved) == 8
    for a in moved:
        assert set(a.tolist()) == {1 - EPS, 1 + EPS}


def test_the_floor_is_the_gradient_times_the_size_of_the_entry() -> None:
    """A gradient of 0.001 at an entry of size 512 moves L by half: this is rounded, at least."""
    problem, _ = of(np.full(3, 1000.0), np.full(3, 0.001), size=1e6)
    rounding = imitate_rounding(problem, np.random.default_rng(0))
    assert rounding.floor / EPS == pytest.approx(20 * 0.512, rel=0.1)


def test_an_array_of_many_entries_is_moved_fewer_times() -> None:
    """The largest of many effects is found in a few draws."""
    n = 100_001
    problem, _ = of(np.ones(n), np.ones(n), float(n))
    assert 1 <= len(imitate_rounding(problem, np.random.default_rng(0)).gradients) < 8


def test_numbers_that_are_not_finite_leave_no_negative_error() -> None:
    a, nan = np.ones(3), np.full(3, np.nan)
    problem = Problem({"W": a}, lambda: float(nan.sum()), lambda: {"W": nan}, 3.0)
    rounding = imitate_rounding(problem, np.random.default_rng(0))
    assert rounding.L >= 0
    assert rounding.floor >= 0


def test_a_number_at_the_end_of_the_loss_range_gets_a_verdict() -> None:
    """Rounding a probability of 1 upwards would leave the range of bce; it is rounded down."""
    target = np.array([[1.0, 0.3]])
    for p in (1.0, 0.0):  # at 0 and 1 no slope can be measured
        assert check_loss(mg.bce, np.array([[p, 0.5]]), target).verdict == "NOT RESOLVED"
    x = np.array([[50.0, 1.0], [2.0, 3.0]])  # σ(50) is 1 in float64
    assert mg.Sigmoid()(x)[0, 0] == 1.0
    report = mg.check_gradients(mg.Sigmoid(), x, loss=lambda p: mg.bce(p, 1.0))
    assert report.verdict != "FAIL"


def test_an_error_that_rounding_does_not_cause_is_raised() -> None:
    def refuse(p: Array) -> tuple[float, Array]:
        calls.append(p)
        if len(calls) > 4:
            raise ValueError("refused")
        return mg.bce(p, 1.0)

    calls: list[Array] = []
    with pytest.raises(ValueError, match="refused"):
        mg.check_gradients(mg.Sigmoid(), np.ones((2, 2)), loss=refuse)
