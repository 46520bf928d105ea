"""Both forms of binary cross-entropy: values, gradients, tails, bad input."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigan import bce, bce_with_logits, mse
from minigan.activations import sigmoid
from minigan.backend import Array, Backend
from minigan.gradcheck.check import check_loss

every_loss = pytest.mark.parametrize("loss", [bce, bce_with_logits, mse])


def test_bce_by_hand() -> None:
    p, t = np.array([[0.5], [0.25]]), np.array([[1.0], [0.0]])
    loss, dp = bce(p, t)
    assert float(loss) == pytest.approx((math.log(2) - math.log(0.75)) / 2, rel=1e-14)
    np.testing.assert_allclose(dp, [[-1 / 0.5 / 2], [1 / 0.75 / 2]], rtol=1e-14)


def test_mse_by_hand() -> None:
    y, t = np.array([[3.0], [-1.0]]), np.array([[1.0], [0.0]])
    loss, dy = mse(y, t)
    assert float(loss) == (4 + 1) / 2
    np.testing.assert_array_equal(dy, [[2.0], [-1.0]])
    np.testing.assert_array_equal(mse(y, -7.0)[1], [[10.0], [6.0]])  # any target


def test_the_two_forms_agree() -> None:
    rng = np.random.default_rng(0)
    x, t = rng.standard_normal((5, 3)), rng.uniform(size=(5, 3))
    p = sigmoid(x)
    loss, dp = bce(p, t)
    loss_of_logits, dx = bce_with_logits(x, t)
    assert float(loss) == pytest.approx(float(loss_of_logits), rel=1e-13)
    np.testing.assert_allclose(dp * p * (1 - p), dx, rtol=1e-12)
    np.testing.assert_allclose(dx, (p - t) / p.size, rtol=1e-12, atol=1e-16)


@given(shape=st.lists(st.integers(1, 5), min_size=1, max_size=3), seed=st.integers(0, 99))
def test_gradients(shape: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    t = rng.uniform(0, 1, shape)
    for loss, y in (
        (bce, rng.uniform(0.05, 0.95, shape)),
        (bce_with_logits, rng.normal(0, 3, shape)),
        (mse, rng.normal(0, 3, shape)),
    ):
        report = check_loss(loss, y, t)
        assert report, report


@every_loss
@pytest.mark.parametrize("target", [0.0, 1.0, 0.9, 1, np.float64(0.9)])
def test_number_as_target_is_an_array_of_it(loss: Any, target: float) -> None:
    y = np.random.default_rng(0).uniform(0.1, 0.9, (4, 1)).astype("float32")
    value, gradient = loss(y, target)
    same_value, same_gradient = loss(y, np.full_like(y, target))
    np.testing.assert_allclose(value, same_value, rtol=1e-6)  # 1 - 0.9 is rounded elsewhere
    np.testing.assert_allclose(gradient, same_gradient, rtol=1e-6)
    assert value.dtype == gradient.dtype == "float32"


@every_loss
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_backends_agree_and_keep_dtype_and_arguments(
    loss: Any, dtype: str, backend: Backend
) -> None:
    rng = np.random.default_rng(0)
    host_y, host_t = rng.uniform(0.1, 0.9, (2, 6, 1)).astype(dtype)
    y, t = backend.asarray(host_y.copy()), backend.asarray(host_t.copy())
    for target, host_target in ((t, host_t), (1.0, 1.0)):
        value, gradient = loss(y, target)
        want, want_gradient = loss(host_y, host_target)
        assert value.dtype == gradient.dtype == dtype
        rtol = 1e-6 if dtype == "float32" else 1e-14
        assert float(value) == pytest.approx(float(want), rel=rtol)
        atol = rtol / y.size  # the terms of (p - t) / n, which may cancel, are at most 1 / n
        np.testing.assert_allclose(backend.to_numpy(gradient), want_gradient, rtol, atol)
    np.testing.assert_array_equal(backend.to_numpy(y), host_y)
    np.testing.assert_array_equal(backend.to_numpy(t), host_t)


# ---------------------------------------------------------------- tails


def exact_bce(p: Array, t: float) -> tuple[Array, Array]:
    """PyTorch's clamped loss and gradient of each p, in float64."""
    p = p.astype("float64")
    with np.errstate(divide="ignore"):
        log_p, log_q = np.maximum(np.log(p), -100), np.maximum(np.log1p(-p), -100)
    return -(t * log_p + (1 - t) * log_q), (p - t) / np.maximum(p * (1 - p), 1e-12)


@pytest.mark.parametrize("target", [0.0, 1.0])
def test_bce_in_both_tails(target: float) -> None:
    for x in np.linspace(-80, 80, 321):
        p = sigmoid(np.array([x], "float32"))
        loss, dp = bce(p, target)
        want, want_dp = exact_bce(p, target)
        np.testing.assert_allclose(loss, want[0], rtol=1e-6)
        # 1 - p is exact in float32 for p >= 1/2 and rounded by 6e-8 below
        np.testing.assert_allclose(dp, want_dp, rtol=1e-6)


@pytest.mark.parametrize("target", [0.0, 1.0])
@pytest.mark.parametrize(("dtype", "rtol"), [("float32", 1e-5), ("float64", 1e-13)])
def test_bce_with_logits_in_both_tails(target: float, dtype: str, rtol: float) -> None:
    # As for the sigmoid: exp carries an error of |x| times the rounding.  Nothing is clamped, so
    # the small values of the far tails must be right too.
    for x in np.linspace(-80, 80, 321):
        loss, dx = bce_with_logits(np.array([x], dtype), target)
        s = -x if target else x  # L = log(1 + e^s)
        want = math.log1p(math.exp(s)) if s < 0 else s + math.log1p(math.exp(-s))
        slope = math.exp(s) / (1 + math.exp(s)) if s < 0 else 1 / (1 + math.exp(-s))
        assert float(loss) == pytest.approx(want, rel=rtol)
        assert float(dx[0]) == pytest.approx(-slope if target else slope, rel=rtol)


def test_gradient_through_the_sigmoid_lives_in_the_lower_tail() -> None:
    # With the popular (tanh(x/2) + 1) / 2, p is exactly 0 here and G would learn nothing.
    p = sigmoid(np.array([-20.0], "float32"))
    _, dp = bce(p, 1.0)
    assert float((dp * p * (1 - p))[0]) == pytest.approx(-1, rel=1e-6)


@pytest.mark.parametrize("target", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("x", [-1000.0, 1000.0])
def test_huge_logits_are_finite_and_silent(x: float, target: float) -> None:
    logits = np.full((2, 1), x, "float32")  # warnings are errors in this test suite
    for loss, y in ((bce, sigmoid(logits)), (bce_with_logits, logits)):
        value, gradient = loss(y, target)
        assert np.isfinite(value)
        assert np.isfinite(gradient).all()


def test_certainty_and_error_cost_100_as_in_pytorch() -> None:
    loss, dp = bce(np.array([0.0, 1.0]), np.array([1.0, 0.0]))
    assert float(loss) == 100
    np.testing.assert_allclose(dp, [-1e12 / 2, 1e12 / 2])


def test_nan_comes_through() -> None:
    loss, dp = bce(np.array([0.5, math.nan]), 1.0)
    assert math.isnan(loss)
    assert math.isnan(dp[1])


# ---------------------------------------------------------------- bad input


@every_loss
@pytest.mark.parametrize(
    ("target", "error", "message"),
    [
        (np.ones(4, "float32"), ValueError, r"target has shape \(4,\), expected \(4, 1\)"),
        (np.ones((1, 1), "float32"), ValueError, "target has shape"),
        (np.ones((4, 1)), TypeError, "target has dtype float64, expected float32"),
        ([[1.0]] * 4, TypeError, "target is a list"),
        ("real", TypeError, "target is a str"),
        (None, TypeError, "target is a NoneType"),
        (np.complex128(1 + 2j), TypeError, "target is a complex128, expected a NumPy"),
        (1j, TypeError, "target is a complex, expected a NumPy"),
        (np.True_, TypeError, "target is a bool, expected a NumPy"),
        (math.nan, ValueError, "target is nan"),
    ],
)
def test_bad_targets(loss: Any, target: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        loss(np.full((4, 1), 0.5, "float32"), target)


@pytest.mark.parametrize("loss", [bce, bce_with_logits])
@pytest.mark.parametrize(
    ("target", "message"),
    [
        (1.5, "target is 1.5, expected 0 to 1"),
        (-0.1, "target is -0.1, expected 0 to 1"),
        (np.full((4, 1), 1.5, "float32"), "target reaches from 1.5 to 1.5"),
    ],
)
def test_targets_that_are_no_probabilities(loss: Any, target: Any, message: str) -> None:
    y = np.full((4, 1), 0.5, "float32")
    with pytest.raises(ValueError, match=message):
        loss(y, target)
    assert np.isfinite(mse(y, target)[0])


def test_bad_probabilities() -> None:
    with pytest.raises(ValueError, match="p reaches from -1 to 2, expected 0 to 1"):
        bce(np.array([-1.0, 2.0]), 1.0)
    with pytest.raises(TypeError, match="p is a list"):
        bce([0.5], 1.0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no elements"):
        bce(np.empty((0, 1)), 1.0)
    with pytest.raises(TypeError, match="logits has dtype int64"):
        bce_with_logits(np.array([1]), 1.0)
