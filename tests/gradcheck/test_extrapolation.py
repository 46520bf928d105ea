"""One slope at a time: it is right, or its error says that it is not."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from minigan.gradcheck.extrapolation import Slope, slope

EPS = float(np.finfo("float64").eps)
FUNCTIONS: list[tuple[str, Callable[[Any], Any], Callable[[float], float]]] = [
    ("exp", np.exp, math.exp),
    ("sin", np.sin, math.cos),
    ("cube", lambda a: a**3, lambda a: 3 * a * a),
    ("tanh", np.tanh, lambda a: 1 - math.tanh(a) ** 2),
    ("needle", lambda a: a / np.sqrt(a * a + 1e-6), lambda a: 1e-6 / (a * a + 1e-6) ** 1.5),
]


@pytest.mark.parametrize("size", [1e-10, 1e-3, 1.0, 1e3, 1e10])
@pytest.mark.parametrize("at", [0.0, 0.01, 1.3, -2.0])
@pytest.mark.parametrize(("name", "f", "df"), FUNCTIONS, ids=[row[0] for row in FUNCTIONS])
def test_smooth_functions_at_every_size(
    name: str, f: Callable[[Any], Any], df: Callable[[float], float], at: float, size: float
) -> None:
    """L(t) = f(at + t / size): its slope is f'(at) / size, and 1e-9 of it is found."""
    noise = 2 * EPS * max(1.0, abs(float(f(at))))
    true = df(at) / size
    got = slope(lambda t: f(at + t / size), np.float64(size * 2.0**-12), noise, 1e-9 * abs(true))
    assert abs(got.value - true) <= got.error
    assert got.error <= 1e-7 * abs(true) + 1e-9 / size


@pytest.mark.parametrize("first", [2.0**-40, 2.0**-12, 2.0**12, 2.0**40])
def test_a_first_step_of_the_wrong_size_does_no_harm(first: float) -> None:
    got = slope(lambda t: np.tanh(0.5 + t), np.float64(first), 2 * EPS, 1e-9)
    if first < 1e4:
        assert abs(got.value - (1 - math.tanh(0.5) ** 2)) <= got.error < 1e-8
    else:
        assert got.error == math.inf  # no step was small enough, and the result says so


def test_a_bounded_function_is_not_flat_because_the_step_is_large() -> None:
    # Far out, tanh(t) / t goes to 0, and its differences agree with each other better and better.
    got = slope(np.tanh, np.float64(2.0**-30), 1e-9, 1e-9)
    assert got.value == pytest.approx(1, abs=1e-5)
    assert abs(got.value - 1) <= got.error


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("distance", [0.0, 1e-16])
def test_a_kink_has_a_large_error(distance: float, size: float) -> None:
    """The slope jumps from -1 to 1 at a point that all steps reach over."""
    got = slope(lambda t: abs(t / size - distance), np.float64(size * 2.0**-12), EPS, 1e-9 / size)
    assert got.error * size > 0.5
    assert got.kink * size == pytest.approx(1, rel=1e-3)


@pytest.mark.parametrize("distance", [1e-7, 1e-5, 1e-4, 1e-3])
def test_a_kink_that_small_steps_do_not_reach_is_harmless(distance: float) -> None:
    got = slope(lambda t: abs(t - distance), np.float64(2.0**-12), EPS, 1e-9)
    assert abs(got.value + 1) <= got.error < 1e-7


@pytest.mark.parametrize("offset", [1e3, 1e6, 1e9, 1e12])
def test_rounding_is_part_of_the_error(offset: float) -> None:
    got = slope(lambda t: offset + np.sin(1 + t), np.float64(2.0**-12), EPS * offset, 1e-9)
    assert abs(got.value - math.cos(1)) <= got.error
    assert got.error > EPS * offset


def test_a_straight_line_gets_long_steps() -> None:
    """b in x W + b, where x W is 1e10: a step of 1e-4 would be lost in rounding."""
    got = slope(lambda t: 1e10 + t, np.float64(2.0**-14), EPS * 1e10, 1e-8)
    assert abs(got.value - 1) <= got.error < 1e-7


def test_what_is_not_finite_is_not_known() -> None:
    got = slope(lambda t: math.nan * t, np.float64(1.0), 0.0, 1e-9)
    assert math.isnan(got.value)
    assert got.error == math.inf


def test_more_digits_are_used() -> None:
    if np.finfo("longdouble").eps == np.finfo("float64").eps:
        pytest.skip("extended precision has no more digits here")
    h = np.longdouble(2.0**-12)
    got = slope(lambda t: np.exp(t), h, float(np.finfo("longdouble").eps), 1e-13)
    assert abs(got.value - 1) <= got.error < 1e-12


# ---------------------------------------------------------------- which steps are taken


def steps_of(L: Callable[[Any], Any], h: float, noise: float, enough: float) -> tuple[Any, Any]:
    """The slope, and the points at which L was computed, in their order."""
    points: list[float] = []

    def noted(t: Any) -> Any:
        points.append(float(t))
        return L(t)

    return slope(noted, np.float64(h), noise, enough), points


def both_ways(*steps: float) -> list[float]:
    return [0.0, *(sign * step for step in steps for sign in (1, -1))]


def test_a_polynomial_is_exact_after_as_many_steps_as_it_has_odd_powers() -> None:
    """Without rounding, one step each removes t³ and t⁵, and the next one agrees with them."""
    got, points = steps_of(lambda t: t + t**3 + t**5, 1.0, noise=0.0, enough=1e-13)
    assert points == both_ways(1, 1 / 4, 1 / 16, 1 / 64)
    assert got.value == pytest.approx(1, abs=1e-14)
    assert got.error < 1e-13
    assert got.kink == 0


@pytest.mark.parametrize("sign", [1, -1])
def test_an_error_that_is_small_enough_needs_no_further_step(sign: int) -> None:
    got, points = steps_of(lambda t: t + sign * t**3, 2.0**-10, noise=0.0, enough=1e-5)
    assert points == both_ways(2.0**-10, 2.0**-12)
    assert got.error == pytest.approx(2.0**-20)  # how far off the first one was
    assert got.value == pytest.approx(1, abs=1e-13)  # t³ is gone after two steps


def test_a_straight_line_gets_steps_eight_times_as_long() -> None:
    got, points = steps_of(lambda t: t, 1 / 64, noise=1e-3, enough=1e-1)
    assert points == both_ways(1 / 64, 1 / 8, 1 / 32)
    assert got.error == pytest.approx(4 * 1e-3 * 32)  # rounding, for the line has no other error


def test_a_step_that_is_just_long_enough_stays() -> None:
    noise, enough, h = 2.0**-10, 2.0**-4, 2.0**-4
    assert 4 * noise == h * enough
    assert steps_of(lambda t: t, h, noise, enough)[1][:5] == both_ways(h, h / 4)


def test_a_curve_keeps_its_short_steps() -> None:
    """One longer step is tried; there the curve is no line any more, and it is not taken."""
    points = steps_of(lambda t: t * t + np.sin(t), 1.0, noise=1e-9, enough=1e-9)[1]
    assert points[:5] == both_ways(1, 8)
    assert points[5:7] == [1 / 4, -1 / 4]
    assert len(points) == len(set(points))


@pytest.mark.parametrize(("bend", "straight"), [(-0.001, True), (0.004, False)])
def test_a_line_may_bend_by_an_eighth(bend: float, straight: bool) -> None:
    """At eight times the step, this cubic has risen 7.5 times as much, or 10 times."""
    points = steps_of(lambda t: t + bend * t**3, 1.0, noise=1e-9, enough=1e-9)[1]
    assert points[:5] == both_ways(1, 8)
    assert points[5] == (8 / 4 if straight else 1 / 4)


def test_the_best_value_is_the_one_with_the_smallest_error() -> None:
    """Rounding is the less the longer the step; at a kink, no shorter step is any better."""
    got = slope(abs, np.float64(1.0), noise=0.001, enough=1e-9)
    assert got.error == pytest.approx(1 + 4 * 0.001 * 4)  # the kink, and rounding at h/4


def test_a_slope_has_no_kink_unless_it_says_so() -> None:
    assert Slope(1.0, 2.0).kink == 0
