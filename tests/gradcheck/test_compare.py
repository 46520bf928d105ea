"""The verdict on two numbers, and on the gradient of one array, held against the slopes of L."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from minigan.backend import Array
from minigan.gradcheck import compare
from minigan.gradcheck.compare import Pair, compare_array
from minigan.gradcheck.extrapolation import Slope
from minigan.gradcheck.problem import Problem, natural_sizes
from minigan.gradcheck.rounding import Rounding
from minigan.gradcheck.verdict import ArrayCheck

EPS = float(np.finfo("float64").eps)


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
        ({"numeric": 0.0, "backprop": 0.0, "scale": 0.0, "error": math.inf}, compare.ZERO),
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


# ---------------------------------------------------------------- how far an array is moved


def moves_of(a: Array, max_entries: int) -> list[Array]:
    """How far the entries are moved each time that L is computed, as parts of their sizes."""
    start, sizes, seen = a.copy(), natural_sizes("x", a), []

    def L() -> float:
        seen.append((a - start) / sizes)
        return float(np.sin(a / sizes).sum())

    gradient = np.cos(a / sizes) / sizes
    problem = Problem({"x": a}, L, lambda: {"x": gradient}, float(a.size))
    rounding = Rounding(EPS, [{"x": gradient}], EPS)
    rng = np.random.default_rng(0)
    found = compare_array(
        "x", problem, gradient, rounding, rng, first=None, max_entries=max_entries, tolerance=1e-6
    )
    assert found.verdict == "PASS", found
    return [move for move in seen if move.any()]


def columns(rows: int) -> Array:
    """Three columns, the numbers of which differ in size."""
    x = np.random.default_rng(1).standard_normal((rows, 3))
    return np.asarray(x * [0.01, 1.0, 1000.0])


def test_a_nudge_moves_one_entry_by_a_small_power_of_two_of_its_size() -> None:
    a = columns(2)
    moves = moves_of(a, max_entries=a.size)
    assert moves
    for move in moves:
        (part,) = np.abs(move[move != 0])
        assert part < 1e-3
        assert math.frexp(part)[0] == 0.5  # a power of two, which is added without rounding
    first = np.abs(moves).max(axis=0)
    assert (first == first[0, 0]).all()
    assert first[0, 0] > 1e-4


def test_a_direction_moves_each_entry_by_the_same_part_of_its_size() -> None:
    together = [move for move in moves_of(columns(20), max_entries=1) if (move != 0).sum() > 1]
    assert together
    for move in together:
        part = float(np.abs(move).max())
        assert part < 1e-3
        np.testing.assert_allclose(np.abs(move), part, rtol=1e-6)
        assert (move > 0).any()
        assert (move < 0).any()


def test_a_direction_along_which_L_bends_gets_smaller_steps() -> None:
    """After two steps, the slope of this wave is known to 1e-5 of itself, which is not enough."""
    a, k, size = 1 + np.random.default_rng(3).random(50), 50, 1e-6
    gradient = size * k * np.cos(k * a)
    problem = Problem({"W": a}, lambda: size * np.sin(k * a).sum(), dict, size * 50)
    found = check(problem, gradient, Rounding(size * EPS, [{"W": gradient}], 0.0), max_entries=1)
    assert found.verdict == "PASS", found


# ---------------------------------------------------------------- how a direction is measured


@pytest.mark.parametrize(("off", "expected"), [(0.5e-6, "PASS"), (2e-6, "FAIL")])
def test_a_direction_is_measured_by_the_gradient_times_the_sizes(off: float, expected: str) -> None:
    """Only the entry that is not nudged by itself is wrong, so the direction has to show it."""
    a, c = np.full(2, 1000.0), np.array([0.001, 0.003])  # an entry of 1000 has the size 512
    gradient = c * [1, 1 + off]
    problem = Problem({"W": a}, lambda: (c * a).sum(), dict, 4.0)
    rounding = Rounding(1e-14, [{"W": gradient}], 0.0)
    seen = [check(problem, gradient, rounding, max_entries=1, seed=seed) for seed in range(8)]
    along = [one for one in seen if one.index is None]
    assert along
    for one in along:
        assert one.verdict == expected
        assert one.error == pytest.approx(off * 0.003 / math.hypot(0.001, 0.003), rel=1e-3)


def test_the_rounding_of_backprop_counts_along_a_direction() -> None:
    a, c, rounded = np.full(2, 1000.0), np.array([1.0, 3.0]), 1e-8
    gradient = c * [1, 1.001]
    problem = Problem({"W": a}, lambda: (c * a).sum(), dict, 4000.0)
    rounding = Rounding(1e-13, [{"W": gradient + np.array([0, rounded])}], 0.0)
    seen = [check(problem, gradient, rounding, max_entries=1, seed=seed) for seed in range(8)]
    along = [one for one in seen if one.index is None]
    assert along
    for one in along:  # four times what rounding does, beside the size of the numbers
        assert one.uncertainty == pytest.approx(4 * rounded / math.hypot(*gradient), rel=0.01)


def test_the_least_rounding_is_that_of_the_gradient_times_the_size() -> None:
    """An entry of 1000 has the size 512: what moves L by the floor changes the gradient less."""
    a = np.full(3, 1000.0)
    gradient = np.ones(3)
    problem = Problem({"W": a}, lambda: a.sum(), dict, 3000.0)
    found = check(problem, gradient, Rounding(1e-13, [{"W": gradient}], 512 * 1e-8))
    assert found.verdict == "PASS"
    assert found.uncertainty == pytest.approx(1e-8, rel=0.01)


# ---------------------------------------------------------------- gradients that are zero


def test_a_gradient_of_rounding_alone_is_measured_by_the_terms_that_cancel() -> None:
    """Numbers whose last digits move the gradient by 8 eps are about 8 in size."""
    a, gradient = np.ones(4), np.array([3e-15, 0, 0, 0])
    moved = gradient + np.array([8 * EPS, 0, 0, 0])
    problem = Problem({"W": a}, lambda: 5.0, dict, 0.0)
    found = check(problem, gradient, Rounding(0.0, [{"W": moved}], 0.0))
    assert (found.verdict, found.index) == ("PASS", None)
    assert (found.checked, found.size) == (4, 4)
    terms = 8 * 2  # of which the direction, four steps of 1, is 2 long
    assert found.error == pytest.approx(3e-15 / terms, rel=1e-6, abs=0)


def test_where_all_is_rounding_the_slope_is_that_along_the_direction() -> None:
    a, c = np.ones(4), np.array([0.001, 0.002, 0.004, 0.008])
    problem = Problem({"W": a}, lambda: (c * a).sum(), dict, 1.0)
    found = check(problem, c, Rounding(1.0, [{"W": 2 * c}], 0.0))
    assert found.index is None
    assert abs(found.numeric) >= 0.001
    assert found.numeric == pytest.approx(found.backprop, rel=1e-9)


def test_a_gradient_that_drowns_in_rounding_is_not_zero_if_L_depends_on_the_array() -> None:
    a, c = np.ones(4), np.array([0.001, 0.002, 0.004, 0.008])
    problem = Problem({"W": a}, lambda: (c * a).sum(), dict, 0.015)
    found = check(problem, c, Rounding(0.015 * EPS, [{"W": 2 * c}], 0.0))
    assert (found.verdict, found.reason) == ("NOT RESOLVED", compare.CANCELS)


def test_a_gradient_where_L_does_not_depend_on_the_array_is_wrong() -> None:
    a, gradient = np.ones(4), np.array([0.0, 0.0, 1.0, 0.0])
    problem = Problem({"W": a}, lambda: 5.0, dict, 5.0)
    found = check(problem, gradient, Rounding(EPS, [{"W": gradient}], EPS))
    assert (found.verdict, found.index) == ("FAIL", (2,))
    assert found.error == 1.0


def test_a_gradient_of_zeros_shows_nothing_even_if_it_is_right() -> None:
    a, gradient = np.ones(4), np.zeros(4)
    problem = Problem({"W": a}, lambda: 5.0, dict, 5.0)
    found = check(problem, gradient, Rounding(EPS, [{"W": gradient}], 20 * EPS))
    assert (found.verdict, found.reason) == ("NOT RESOLVED", compare.ZERO)


def test_where_nothing_is_finite_nothing_is_known() -> None:
    a, gradient = np.ones(2), np.full(2, math.nan)
    problem = Problem({"W": a}, lambda: math.nan, dict, 1.0)
    found = check(problem, gradient, Rounding(EPS, [{"W": gradient}], 0.0))
    assert (found.verdict, found.uncertainty) == ("NOT RESOLVED", math.inf)
