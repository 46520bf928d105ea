"""The arithmetic of the check: natural sizes, imitated rounding, and the verdict on two numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import minigan as mg
from minigan.backend import Array
from minigan.gradcheck import compare
from minigan.gradcheck.compare import Pair, compare_array
from minigan.gradcheck.extrapolation import Slope
from minigan.gradcheck.problem import Problem, natural_sizes
from minigan.gradcheck.rounding import Rounding, imitate_rounding
from minigan.gradcheck.verdict import ArrayCheck

EPS = float(np.finfo("float64").eps)


# ---------------------------------------------------------------- natural sizes


def test_the_size_of_a_parameter_is_its_root_mean_square() -> None:
    sizes = natural_sizes("0.W", np.array([[3.0, 4.0], [0.0, 0.0]]))  # 2.5
    np.testing.assert_array_equal(sizes, np.full((2, 2), 2.0))


@pytest.mark.parametrize("name", ["x", "y"])
def test_the_size_of_an_input_is_the_spread_of_its_column(name: str) -> None:
    x = np.array([[1.0, 1000.0, 7.0, 0.0], [5.0, 1020.0, 7.0, 0.0]])  # spread 2, 10, 0, 0
    sizes = natural_sizes(name, x)
    # A constant column has its value instead, and a column of zeros the root mean square of all.
    mean = math.sqrt(float(np.square(x).mean()))
    np.testing.assert_array_equal(sizes, [[2.0, 8.0, 4.0, 2.0 ** math.floor(math.log2(mean))]] * 2)


def test_sizes_are_powers_of_two_and_stay_within_the_range_of_the_numbers() -> None:
    for value, size in (
        (0.0, 1.0),
        (1.0, 1.0),
        (0.75, 0.5),
        (1e300, 2.0**996),
        (5e-324, 2.0**-1000),
    ):
        sizes = natural_sizes("0.b", np.full(3, value))
        np.testing.assert_array_equal(sizes, np.full(3, size))
    spread = natural_sizes("x", np.array([[1.0], [1.0 + 1e-13]]))  # its spread is rounding
    np.testing.assert_array_equal(spread, np.full((2, 1), 1.0))


# ---------------------------------------------------------------- two numbers


def verdict(
    numeric: float = 1.0,
    error: float = 0.0,
    kink: float = 0.0,
    backprop: float = 1.0,
    backprop_error: float = 0.0,
    scale: float = 1.0,
    own: float = 1.0,
) -> ArrayCheck:
    pair = Pair((2,), Slope(numeric, error, kink), backprop, backprop_error, scale, own)
    return pair.verdict(2.0**-20, ArrayCheck("0.W", ""))


TOLERANCE = 2.0**-20


def test_numbers_that_agree_pass() -> None:
    check = verdict(error=TOLERANCE / 4, backprop=1 + TOLERANCE / 2, scale=2.0)
    assert check.verdict == "PASS"
    assert (check.index, check.numeric, check.backprop) == ((2,), 1.0, 1 + TOLERANCE / 2)
    assert check.error == TOLERANCE / 4  # the difference, beside the scale
    assert check.uncertainty == TOLERANCE / 8


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ({"backprop": 1 + TOLERANCE}, "PASS"),
        ({"backprop": 1 + 1.01 * TOLERANCE}, "FAIL"),
        ({"backprop": 1 - 1.01 * TOLERANCE}, "FAIL"),
        # Errors on either side explain a difference,
        ({"backprop": 1 + 1.7 * TOLERANCE, "error": 0.8 * TOLERANCE}, "PASS"),
        ({"backprop": 1 + 1.7 * TOLERANCE, "backprop_error": 0.8 * TOLERANCE}, "PASS"),
        ({"backprop": 1 + 1.9 * TOLERANCE, "error": 0.8 * TOLERANCE}, "FAIL"),
        # but with large ones nothing is known.
        ({"error": TOLERANCE}, "PASS"),
        ({"error": 1.01 * TOLERANCE}, "NOT RESOLVED"),
        ({"error": 0.6 * TOLERANCE, "backprop_error": 0.6 * TOLERANCE}, "NOT RESOLVED"),
        ({"error": 0.9 * TOLERANCE, "backprop_error": 0.9 * TOLERANCE, "scale": 2.0}, "PASS"),
        # A small number beside large ones is measured by its own size.
        ({"numeric": 1e-3, "backprop": 2e-3, "scale": 1e9, "own": 2e-3}, "FAIL"),
        ({"backprop": math.nan}, "FAIL"),
        ({"backprop": math.inf}, "FAIL"),
    ],
)
def test_verdicts(numbers: dict[str, Any], expected: str) -> None:
    assert verdict(**numbers).verdict == expected


@pytest.mark.parametrize(
    ("numbers", "reason"),
    [
        ({"numeric": math.nan}, compare.OVERFLOW),
        ({"numeric": math.inf}, compare.OVERFLOW),
        ({"scale": math.nan}, compare.UNDERFLOW),
        ({"error": math.nan}, compare.UNDERFLOW),
        ({"numeric": 0.0, "backprop": 0.0, "scale": 0.0, "own": 0.0}, compare.ZERO),
        ({"error": 1.0, "kink": 0.6}, compare.KINK),
        ({"error": 1.0, "kink": 0.4}, compare.DROWNS),
        ({"error": 1.0, "kink": 0.5}, compare.DROWNS),
        ({"error": 1.0, "backprop_error": 1.1}, compare.CANCELS),
        ({"error": 1.0, "backprop_error": 1.0}, compare.DROWNS),
        ({"error": 1.0, "backprop_error": 0.9}, compare.DROWNS),
    ],
)
def test_reasons(numbers: dict[str, Any], reason: str) -> None:
    check = verdict(**numbers)
    assert (check.verdict, check.reason) == ("NOT RESOLVED", reason)


def test_differences_beside_nothing() -> None:
    same, other = verdict(scale=0.0, own=0.0), verdict(backprop=2.0, scale=0.0, own=0.0)
    assert (same.error, other.error) == (0.0, math.inf)
    assert verdict(backprop=math.nan).error == math.inf


# ---------------------------------------------------------------- rounding


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


def test_a_step_that_leaves_the_range_of_the_loss_gives_nan_and_is_taken_back() -> None:
    p = np.array([0.5, 0.25])

    def loss() -> float:
        if p.max() > 1:
            raise ValueError("p is not a probability")
        return float(p.sum())

    problem = Problem({"x": p}, loss, dict, 1.0)
    assert problem.L_where(p, (0,), p[0].copy(), 0.25) == 1.0
    assert math.isnan(problem.L_where(p, (0,), p[0].copy(), 1.0))
    np.testing.assert_array_equal(p, [0.5, 0.25])


# ---------------------------------------------------------------- one array


def quadratic(n: int, wrong: dict[int, float]) -> tuple[Problem, Array, Rounding]:
    """L = Σ aᵢ²/2, whose gradient is a; ``wrong`` is added to it."""
    a = 1 + np.random.default_rng(3).random(n)
    gradient = a.copy()
    for i, error in wrong.items():
        gradient[i] += error
    problem = Problem({"W": a}, lambda: np.square(a).sum() / 2, lambda: {"W": gradient}, float(n))
    return problem, gradient, Rounding(EPS * n, [{"W": gradient}], 20 * EPS)


def check(problem: Problem, gradient: Array, rounding: Rounding, **options: Any) -> ArrayCheck:
    settings: dict[str, Any] = {"first": None, "max_entries": 100, "tolerance": 1e-6} | options
    rng = np.random.default_rng(settings.pop("seed", 0))
    return compare_array("W", problem, gradient, rounding, rng, **settings)


def test_every_entry_is_compared() -> None:
    found = check(*quadratic(6, {}))
    assert (found.verdict, found.checked, found.size) == ("PASS", 6, 6)
    for i in range(6):
        wrong = check(*quadratic(6, {i: 1e-5}))
        assert (wrong.verdict, wrong.index) == ("FAIL", (i,))
        assert wrong.numeric == pytest.approx(wrong.backprop - 1e-5, rel=1e-9)


def test_of_many_entries_a_few_are_compared_and_one_direction() -> None:
    found = check(*quadratic(50, {}), max_entries=3, first=(7,))
    assert found.verdict == "PASS"
    assert found.checked in (3, 4)  # the first may be among the three
    assert check(*quadratic(50, {7: 1e-4}), max_entries=3, first=(7,)).index == (7,)
    # Two errors that cancel in the sum of all entries: the direction has random signs.
    seen = [check(*quadratic(50, {8: 0.1, 30: -0.1}), max_entries=1, seed=i) for i in range(12)]
    assert 3 <= sum(one.verdict == "FAIL" and one.index is None for one in seen) <= 11


def test_a_gradient_of_the_wrong_shape_says_both_shapes() -> None:
    problem, gradient, rounding = quadratic(4, {})
    found = check(problem, gradient[:3], rounding)
    assert (found.verdict, found.reason) == (
        "FAIL",
        "its gradient has shape (3,), expected shape (4,)",
    )
    missing: Any = None
    assert check(problem, missing, rounding).reason == "its gradient is None, expected shape (4,)"
