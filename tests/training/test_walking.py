"""Walks between latent points: on great circles, and in even steps from image to image."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from minigan.backend import Array
from minigan.training import draw_samples, load_generator
from minigan.training.walking import AT_ONCE, FINE, even_times, great_circles, random_way


def distances(images: Array) -> Array:
    apart: Array = np.linalg.norm(np.diff(images, axis=0), axis=1)
    return apart


def test_a_way_stays_on_the_sphere_and_meets_its_corners() -> None:
    corners = np.random.default_rng(0).standard_normal((4, 50))
    way = great_circles(corners)
    np.testing.assert_allclose(way(np.arange(4.0)), corners, rtol=1e-12)
    points = way(np.linspace(0, 3, 100))
    lengths, ends = np.linalg.norm(points, axis=1), np.linalg.norm(corners, axis=1)
    assert (lengths > 0.95 * ends.min()).all()
    assert (lengths < 1.05 * ends.max()).all()
    a, b = corners[:2] / ends[:2, None]
    middle = (corners[0] + corners[1]) / np.sqrt(2 * (1 + a @ b))  # sin(x / 2) / sin(x)
    np.testing.assert_allclose(way(np.array([0.5]))[0], middle, rtol=1e-12)


@pytest.mark.parametrize("n", [1, 8, 9])
def test_corners_on_one_line(n: int) -> None:
    """In one dimension all directions are parallel."""
    points = random_way(np.random.default_rng(0), n, 1)(np.arange(n) / 8)
    corners = np.random.default_rng(0).standard_normal(3)
    assert points.shape == (n, 1)
    assert points[0] == corners[0]
    assert (np.abs(points) <= np.abs(corners).max()).all()


@pytest.mark.parametrize("n", [1, 5, 40, 2 * AT_ONCE // FINE])
def test_times_are_even_where_images_change_at_another_pace(n: int) -> None:
    """Images on a straight line, at the place t⁴: even steps are at its fourth root."""

    def draw(t: Array) -> Array:
        return t[:, None] ** 4 * np.ones((1, 9))

    times = even_times(draw, 0, 2, n)
    assert times[0] == 0
    # between two of the images that were drawn, the place is taken for linear
    steps = np.diff(np.append(times, 2) ** 4)
    np.testing.assert_allclose(steps, 16 / n, rtol=0.3 if n > 1 else 1e-12)
    np.testing.assert_allclose(times, 2 * (np.arange(n) / n) ** 0.25, atol=0.2 / n)


@pytest.mark.parametrize("bad", [0.0, np.nan, np.inf])
def test_images_that_are_all_alike_or_none(bad: float) -> None:
    """As a collapsed generator draws them; and with weights that are no numbers."""
    with np.errstate(invalid="ignore"):
        times = even_times(lambda t: np.full((len(t), 4), bad), 3, 5, 8)
    np.testing.assert_allclose(times, 3 + np.arange(8) / 4)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_walk_of_the_shipped_generator_has_no_jumps(seed: int) -> None:
    """The largest step is at most 1.4 times the mean one; with equal angles it is over twice."""
    G = load_generator()
    way = random_way(np.random.default_rng(seed), 64, 100)

    def draw(t: Array) -> Any:
        return draw_samples(G, way(t))

    even = distances(draw(even_times(draw, 0, 8, 64)))
    by_angle = distances(draw(np.arange(64) / 8))
    assert even.max() < 1.4 * even.mean()
    assert by_angle.max() > 2 * by_angle.mean()
