"""BatchNorm1d: by hand, step by step, in both modes, inside networks, and beside PyTorch's."""

from __future__ import annotations

import copy
import importlib.util
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigan as mg
from minigan.backend import Array, Backend
from minigan.batch_norm import backward_in_steps

needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="PyTorch is not installed"
)


def normal(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape)


def layer(n: int, seed: int = 9, **options: Any) -> mg.BatchNorm1d:
    """With γ, β and running statistics away from 1 and 0, where mistakes would not show."""
    norm = mg.BatchNorm1d(n, **{"dtype": "float64"} | options)
    rng = np.random.default_rng(seed)
    norm.gamma[...], norm.beta[...] = rng.uniform(0.5, 2, n), rng.standard_normal(n)
    norm.running_mean[...], norm.running_var[...] = rng.standard_normal(n), rng.uniform(0.5, 2, n)
    return norm


def test_by_hand() -> None:
    norm = mg.BatchNorm1d(2, dtype="float64", eps=1e-12)
    norm.gamma[...], norm.beta[...] = [1, 10], [0, 5]
    y, cache = norm.forward(np.array([[0.0, 1], [2, 1], [4, 7]]))  # means 2 and 3, σ² 8/3 and 8
    a, b = np.sqrt(1.5), np.sqrt(0.5)
    np.testing.assert_allclose(y, [[-a, 5 - 10 * b], [0, 5 - 10 * b], [a, 5 + 20 * b]], atol=1e-9)
    dx = norm.backward(np.array([[1.0, 1], [0, 1], [0, 1]]), cache)
    np.testing.assert_allclose(norm.dgamma, [-a, 0], atol=1e-9)
    np.testing.assert_array_equal(norm.dbeta, [1, 3])
    # first column: 1/σ (dy - 1/3 + x̂ a/3); second: dy moves the column as a whole, dx = 0
    column = np.array([1 - 1 / 3 - a * a / 3, -1 / 3, -1 / 3 + a * a / 3]) / np.sqrt(8 / 3)
    np.testing.assert_allclose(dx, np.stack([column, np.zeros(3)], 1), atol=1e-9)
    # the running means, a tenth of the way from 0 and 1; σ² N/(N - 1) is 4 and 12
    np.testing.assert_allclose(norm.running_mean, [0.2, 0.3])
    np.testing.assert_allclose(norm.running_var, [0.9 + 0.4, 0.9 + 1.2])


@given(n=st.integers(2, 9), columns=st.integers(1, 5), seed=st.integers(0, 99))
def test_the_compact_rule_is_what_the_steps_give(n: int, columns: int, seed: int) -> None:
    norm = layer(columns)
    x, dy = 3 * normal(n, columns, seed=seed) + 1, normal(n, columns, seed=seed + 100)
    _, cache = norm.forward(x)
    dx, dgamma, dbeta = backward_in_steps(dy, x, norm.gamma)  # eps is the layer's default
    # Two rows nearly alike have a small σ, and gradients as large as 1/σ
    scale = max(1.0, np.abs(norm.gamma * cache[1]).max())
    np.testing.assert_allclose(norm.backward(dy, cache), dx, rtol=1e-9, atol=1e-11 * scale)
    np.testing.assert_allclose(norm.dgamma, dgamma, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(norm.dbeta, dbeta, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("rows", [3, 8])
def test_gradients_in_both_modes(rows: int, training: bool, backend: Backend) -> None:
    norm = layer(4) if backend.name == "numpy" else mg.BatchNorm1d(4, backend=backend)
    x = backend.asarray(2 * normal(rows, 4) + 1)
    report = mg.check_gradients(norm, x, training=training)
    assert report, report
    assert {array.name for array in report.arrays} == {"gamma", "beta", "x"}


def test_evaluation_uses_the_running_statistics_and_changes_nothing() -> None:
    norm, x = layer(3), normal(5, 3)
    before = copy.deepcopy(norm)
    y, cache = norm.evaluate(x)
    factor = norm.gamma / np.sqrt(norm.running_var + norm.eps)
    np.testing.assert_allclose(y, (x - norm.running_mean) * factor + norm.beta)
    np.testing.assert_array_equal(norm(x[:1]), y[:1])  # a row alone, whatever its neighbours
    np.testing.assert_allclose(norm.backward(x, cache), x * factor)
    for name in (*norm.param_names, *norm.buffer_names):
        np.testing.assert_array_equal(getattr(norm, name), getattr(before, name))


def test_training_does_not_look_at_the_running_statistics() -> None:
    x = normal(5, 3)
    one, two = layer(3), layer(3)
    two.running_mean += 100
    np.testing.assert_array_equal(one.forward(x)[0], two.forward(x)[0])


def test_running_statistics_come_to_be_those_of_the_data() -> None:
    norm, rng = mg.BatchNorm1d(2, dtype="float64"), np.random.default_rng(0)
    for _ in range(300):
        norm.forward(rng.standard_normal((100, 2)) * [2, 3] + [10, -10])
    # a mean over some 19 batches of 100: standard errors 0.05 and 0.07 of the mean, 5 % of σ²
    np.testing.assert_allclose(norm.running_mean, [10, -10], atol=0.3)
    np.testing.assert_allclose(norm.running_var, [4, 9], rtol=0.2)


def test_in_a_network() -> None:
    def build(**options: Any) -> mg.Sequential:
        return mg.Sequential(mg.Linear(3, 4), mg.BatchNorm1d(4), mg.ReLU(), seed=0, **options)

    net = build(dtype="float64")
    assert [name for name, _ in net.named_buffers()] == ["1.running_mean", "1.running_var"]
    assert {array.dtype for _, array in net.named_buffers()} == {np.dtype("float64")}
    assert [name for name, _, _ in net.named_parameters()] == ["0.W", "0.b", "1.gamma", "1.beta"]
    x = normal(6, 3)
    twin = copy.deepcopy(net)
    y, cache = net.forward(x)
    np.testing.assert_allclose(net[1](net[0](x)).clip(0), net(x))
    assert not np.allclose(net(x), y)
    net.backward(np.random.default_rng(1).standard_normal(y.shape), cache)
    db = {name: grad for name, _, grad in net.named_parameters()}["0.b"]
    np.testing.assert_allclose(db, 0, atol=1e-14)  # β does the work of b
    for name, array in twin.named_buffers():  # a copy of its own
        assert (array == (0 if "mean" in name else 1)).all()
    assert mg.check_gradients(net, x)
    assert mg.check_gradients(net, x, training=False)


def test_options_must_be_named() -> None:
    """The second place is eps in some libraries and momentum in others."""
    layer: Any = mg.BatchNorm1d
    with pytest.raises(TypeError, match="positional argument"):
        layer(8, 0.8)
    assert layer(8, momentum=0.8).eps == 1e-5


def test_the_text_of_a_layer_has_what_is_not_as_usual() -> None:
    assert repr(mg.BatchNorm1d(8)) == "BatchNorm1d(8)"
    assert repr(mg.BatchNorm1d(8, eps=1e-3)) == "BatchNorm1d(8, eps=0.001)"
    small = mg.BatchNorm1d(8, eps=1e-6, momentum=0.01)
    assert repr(small) == "BatchNorm1d(8, eps=1e-06, momentum=0.01)"


def test_bad_input() -> None:
    norm = mg.BatchNorm1d(3)
    with pytest.raises(ValueError, match="x is a batch of 1, expected at least 2"):
        norm.forward(np.zeros((1, 3), "float32"))
    np.testing.assert_array_equal(norm.running_mean, 0)
    for method in (norm.forward, norm.evaluate):
        with pytest.raises(ValueError, match=r"x has shape \(4, 2\), expected \(N, 3\)"):
            method(np.zeros((4, 2), "float32"))
        with pytest.raises(TypeError, match="x has dtype float64, expected float32"):
            method(np.zeros((4, 3)))
    for options, message in (
        ({"n": 0}, "n is 0"),
        ({"n": 3, "eps": 0}, "eps is 0"),
        ({"n": 3, "eps": -1e-5}, "eps is -1e-05"),
        ({"n": 3, "eps": float("nan")}, "eps is nan"),
        ({"n": 3, "eps": float("inf")}, "eps is inf"),
        ({"n": 3, "momentum": 1.5}, "momentum is 1.5"),
        ({"n": 3, "momentum": -0.1}, "momentum is -0.1"),
        ({"n": 3, "momentum": "0.1"}, "momentum is '0.1', expected 0 to 1"),
        ({"n": 3, "eps": None}, "eps is None, expected a positive"),
    ):
        with pytest.raises(ValueError, match=message):
            mg.BatchNorm1d(**options)


@pytest.mark.parametrize("momentum", [0, 1])
def test_a_momentum_of_0_keeps_and_of_1_replaces(momentum: float) -> None:
    norm = mg.BatchNorm1d(2, momentum=momentum)
    x = np.array([[1, 2], [3, 6]], "float32")
    norm.forward(x)
    np.testing.assert_array_equal(norm.running_mean, [2, 4] if momentum else [0, 0])
    np.testing.assert_array_equal(norm.running_var, [2, 8] if momentum else [1, 1])


def test_a_constant_column_stays_finite() -> None:
    norm = mg.BatchNorm1d(2)
    x = np.full((4, 2), 1e4, "float32")
    y, cache = norm.forward(x)
    dx = norm.backward(np.ones_like(x), cache)
    assert np.isfinite(y).all()
    assert np.isfinite(dx).all()


@needs_torch
@pytest.mark.torch
def test_equals_pytorch_step_by_step() -> None:
    """Output, gradients, running statistics and Adam's steps, then evaluation and its gradient."""
    import torch

    net = mg.Sequential(mg.Linear(6, 5), mg.BatchNorm1d(5), mg.Tanh(), seed=0, dtype="float64")
    linear, norm = net.layers[0], net.layers[1]
    assert isinstance(linear, mg.Linear)
    assert isinstance(norm, mg.BatchNorm1d)
    theirs: Any = torch.nn.Sequential(
        torch.nn.Linear(6, 5), torch.nn.BatchNorm1d(5), torch.nn.Tanh()
    )
    theirs.double()
    theirs[0].weight.data, theirs[0].bias.data = torch.tensor(linear.W.T), torch.tensor(linear.b)
    ours_adam = mg.Adam(net, lr=0.01)
    theirs_adam = torch.optim.Adam(theirs.parameters(), lr=0.01)

    def close(got: Any, want: Any) -> None:
        np.testing.assert_allclose(got, want.detach().numpy(), rtol=1e-9, atol=1e-12)

    for step in range(20):
        x, dy = normal(2 + step, 6, seed=step), normal(2 + step, 5, seed=100 + step)
        y, cache = net.forward(x)
        dx = net.backward(dy, cache)
        x_torch = torch.tensor(x, requires_grad=True)
        y_torch = theirs(x_torch)
        theirs_adam.zero_grad()
        y_torch.backward(torch.tensor(dy))
        close(y, y_torch)
        close(dx, x_torch.grad)
        close(norm.dgamma, theirs[1].weight.grad)
        close(norm.dbeta, theirs[1].bias.grad)
        close(norm.running_mean, theirs[1].running_mean)
        close(norm.running_var, theirs[1].running_var)
        # b before a batch norm has no gradient but rounding, of which Adam makes steps: leave it
        linear.db[...] = 0
        theirs[0].bias.grad.zero_()
        ours_adam.step()
        theirs_adam.step()
        close(net.params[: 6 * 5].reshape(6, 5).T, theirs[0].weight)
        close(norm.gamma, theirs[1].weight)

    theirs.eval()
    x_torch = torch.tensor(x, requires_grad=True)
    y, cache = net.evaluate(x)
    y_torch = theirs(x_torch)
    y_torch.backward(torch.tensor(dy))
    close(y, y_torch)
    close(net.backward(dy, cache), x_torch.grad)
