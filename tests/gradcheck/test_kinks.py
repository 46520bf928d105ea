"""The distance of an input to the kinks of a network, and the input that is moved away."""

from __future__ import annotations

import numpy as np
import pytest

import minigan as mg
from minigan.backend import Array
from minigan.gradcheck.kinks import MARGIN, _distance_to_kink, away_from_kinks
from minigan.gradcheck.problem import natural_sizes


def test_a_unit_is_measured_by_its_largest_value_over_the_rows() -> None:
    x = np.array([[0.5, 100.0, 0.0], [0.25, -2.0, 0.0]])
    distance = _distance_to_kink((mg.ReLU(),), x[:, :2], training=True)
    np.testing.assert_allclose(distance, [1.0, 0.02])  # 100 of 100; 2 of 100 is less than a half
    # A unit that is at the kink in all rows is at no distance of it.
    np.testing.assert_array_equal(_distance_to_kink((mg.ReLU(),), x, training=True), [0, 0])


def test_the_units_of_a_single_row_are_measured_by_the_largest_of_them() -> None:
    distance = _distance_to_kink((mg.ReLU(),), np.array([[1.0, -4.0]]), training=True)
    np.testing.assert_allclose(distance, [0.25])


def test_a_kink_may_be_anywhere() -> None:
    class Hinge(mg.ReLU):
        kinks = (1.0,)

    distance = _distance_to_kink((Hinge(),), np.array([[1.0], [3.0], [0.0]]), training=True)
    np.testing.assert_allclose(distance, [0.0, 1.0, 0.5])
    np.testing.assert_array_equal(
        _distance_to_kink((mg.Tanh(),), np.zeros((2, 1)), training=True), [np.inf, np.inf]
    )


@pytest.mark.parametrize("training", [True, False])
def test_the_layers_run_as_they_are_checked(training: bool) -> None:
    """In training the mean of a column is its own; evaluated, it is the one that was learnt."""
    norm = mg.Sequential(mg.BatchNorm1d(1), dtype="float64").layers[0]
    x = np.array([[0.0], [2.0], [4.0]])
    assert norm.running_mean == 0  # type: ignore[attr-defined]
    distance = _distance_to_kink((norm, mg.ReLU()), x, training)
    np.testing.assert_allclose(distance, [1, 0, 1] if training else [0, 0.5, 1])


def test_an_input_is_drawn_anew_for_training_unless_the_caller_says_otherwise() -> None:
    norm = mg.Sequential(mg.BatchNorm1d(1), dtype="float64").layers[0]
    x = np.array([[0.0], [2.0], [4.0]])  # the middle one is the mean, where ReLU has its kink
    moved = away_from_kinks((norm, mg.ReLU()), x, np.random.default_rng(0))
    assert moved[1] != 2
    np.testing.assert_array_equal(moved[[0, 2]], x[[0, 2]])


def test_an_input_is_moved_by_about_a_tenth_of_its_size() -> None:
    """Both columns have a half of their rows at a kink, and only these rows are moved."""
    x = np.random.default_rng(0).standard_normal((400, 1)) * [1.0, 1000.0]
    x[:200] = 0
    moved = away_from_kinks((mg.ReLU(),), x, np.random.default_rng(1))
    np.testing.assert_array_equal(moved[200:], x[200:])
    parts: Array = moved[:200] / natural_sizes("x", x)[:200]
    assert (_distance_to_kink((mg.ReLU(),), moved, training=True) > MARGIN).all()
    np.testing.assert_allclose(np.sqrt(np.square(parts).mean(axis=0)), 0.1, rtol=0.2)
    np.testing.assert_allclose(parts.mean(axis=0), 0, atol=0.03)
    assert np.abs(parts).max() < 0.5
