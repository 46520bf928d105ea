"""ReLU, LeakyReLU, Tanh and Sigmoid: their formulas, gradients and kinks."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.every_layer import normal
from helpers.verdicts import right
from hypothesis import given
from hypothesis import strategies as st

import minigan as mg
from minigan.activations import sigmoid


@pytest.mark.parametrize(
    ("layer", "y", "slope"),
    [
        (mg.ReLU(), [0, 0, 0, 1, 2], [0, 0, 0, 1, 1]),
        (mg.LeakyReLU(0.2), [-0.4, -0.2, 0, 1, 2], [0.2, 0.2, 0.2, 1, 1]),
        (mg.LeakyReLU(), [-0.02, -0.01, 0, 1, 2], [0.01, 0.01, 0.01, 1, 1]),
        (mg.LeakyReLU(0.0), [0, 0, 0, 1, 2], [0, 0, 0, 1, 1]),
        (mg.LeakyReLU(1.0), [-2, -1, 0, 1, 2], [1, 1, 1, 1, 1]),
    ],
)
def test_rectifiers(layer: mg.Layer, y: list[float], slope: list[float]) -> None:
    x = np.array([[-2.0, -1.0, 0.0, 1.0, 2.0]])
    got, cache = layer.forward(x)
    np.testing.assert_allclose(got, [y])
    np.testing.assert_allclose(layer.backward(np.full_like(x, 3), cache), 3 * np.array([slope]))


def test_tanh_and_sigmoid_formulas() -> None:
    x, dy = normal(3, 4), normal(3, 4, seed=1)
    y, cache = mg.Tanh().forward(x)
    np.testing.assert_allclose(y, (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x)))
    np.testing.assert_allclose(mg.Tanh().backward(dy, cache), dy / np.cosh(x) ** 2)
    y, cache = mg.Sigmoid().forward(x)
    np.testing.assert_allclose(y, 1 / (1 + np.exp(-x)))
    slope = np.exp(-x) / (1 + np.exp(-x)) ** 2
    np.testing.assert_allclose(mg.Sigmoid().backward(dy, cache), dy * slope)


def test_sigmoid_in_both_tails() -> None:
    # exp turns an absolute error of its argument into a relative one: |x| up to 80 in float32
    # carries 80 * 6e-8 = 5e-6.
    x = np.linspace(-80, 80, 1601)
    exact = np.where(x < 0, np.exp(x) / (1 + np.exp(x)), 1 / (1 + np.exp(-x)))
    np.testing.assert_allclose(sigmoid(x), exact, rtol=1e-14 * 80)
    np.testing.assert_allclose(sigmoid(x.astype("float32")), exact, rtol=1e-5)


@given(
    shape=st.lists(st.integers(1, 5), min_size=1, max_size=3),
    layer=st.sampled_from([mg.ReLU(), mg.LeakyReLU(0.2), mg.Tanh(), mg.Sigmoid()]),
    seed=st.integers(0, 99),
)
def test_activation_gradients(shape: list[int], layer: mg.Layer, seed: int) -> None:
    report = mg.check_gradients(layer, normal(*shape, seed=seed))
    assert right(report), report


@pytest.mark.parametrize("layer", [mg.ReLU(), mg.LeakyReLU(0.2), mg.Tanh(), mg.Sigmoid()])
def test_kinks_are_where_the_slope_jumps(layer: mg.Layer) -> None:
    x = np.arange(-4, 5) / 2
    slopes = [layer.backward(np.ones(9), layer.forward(x + h)[1]) for h in (-1e-9, 1e-9)]
    jumps = abs(slopes[1] - slopes[0]) > 0.5
    assert tuple(x[jumps]) == layer.kinks
