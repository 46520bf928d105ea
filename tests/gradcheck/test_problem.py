"""How far the entries of an array may be moved, and L with one of them moved."""

from __future__ import annotations

import math

import numpy as np
import pytest

from minigan.gradcheck.problem import Problem, natural_sizes


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
