"""Sequential: flat storage, the chain rule, flags, stale caches, bad input."""

from __future__ import annotations

import copy
import math
import pickle
from typing import Any

import numpy as np
import pytest
from helpers.verdicts import right
from hypothesis import given
from hypothesis import strategies as st

import minigan as mg
from minigan.backend import Array, Backend


def make(**changes: Any) -> mg.Sequential:
    options: dict[str, Any] = {"seed": 0, "dtype": "float64"} | changes
    return mg.Sequential(
        mg.Linear(5, 4), mg.LeakyReLU(0.2), mg.Linear(4, 3), mg.Tanh(), mg.Linear(3, 1), **options
    )


def normal(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape)


# ---------------------------------------------------------------- storage


def test_all_parameters_are_views_into_one_vector() -> None:
    net = make()
    assert net.params.shape == net.grads.shape == (24 + 15 + 4,)
    names = ["0.W", "0.b", "2.W", "2.b", "4.W", "4.b"]
    assert [name for name, _, _ in net.named_parameters()] == names
    flat = np.concatenate([parameter.ravel() for _, parameter, _ in net.named_parameters()])
    np.testing.assert_array_equal(flat, net.params)
    for i, (_, parameter, gradient) in enumerate(net.named_parameters()):
        assert np.shares_memory(parameter, net.params)
        assert np.shares_memory(gradient, net.grads)
        parameter[...] = gradient[...] = i
    assert sorted(set(net.params)) == sorted(set(net.grads)) == [0, 1, 2, 3, 4, 5]
    first: Any = net[0]
    assert np.shares_memory(first.W, net.params)
    assert np.shares_memory(first.db, net.grads)


def test_parameters_are_drawn_in_the_stated_order_and_cast() -> None:
    rng = np.random.default_rng(0)
    expected = []
    for n_in, n_out in ((5, 4), (4, 3), (3, 1)):
        bound = 1 / math.sqrt(n_in)
        expected += [rng.uniform(-bound, bound, (n_in, n_out)).ravel()]
        expected += [rng.uniform(-bound, bound, n_out)]
    np.testing.assert_array_equal(make().params, np.concatenate(expected))
    single = make(dtype="float32").params
    np.testing.assert_array_equal(single, np.concatenate(expected).astype("float32"))


def test_seeds() -> None:
    assert (make(seed=1).params == make(seed=1).params).all()
    assert (make(seed=1).params != make(seed=2).params).all()
    assert (make(seed=None).params != make(seed=None).params).all()
    rng = np.random.default_rng(1)
    one, two = make(seed=rng), make(seed=rng)
    assert (one.params == make(seed=1).params).all()
    assert (one.params != two.params).all()
    # the network's seed decides, not the layer's
    layer = mg.Linear(5, 4, seed=7)
    assert (
        mg.Sequential(layer, seed=1).params == mg.Sequential(mg.Linear(5, 4), seed=1).params
    ).all()


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_a_copy_is_whole_and_independent(duplicate: Any) -> None:
    net = make()
    twin = duplicate(net)
    x = normal(2, 5)
    np.testing.assert_array_equal(twin(x), net(x))
    twin.params[...] = 0  # must reach the twin's layers, and no others
    assert (twin(x) == 0).all()
    assert (net(x) != 0).all()


def test_len_index_and_repr() -> None:
    net = make(dtype="float32")
    assert len(net) == 5
    assert isinstance(net[1], mg.LeakyReLU)
    assert isinstance(net[-1], mg.Linear)
    assert [type(layer).__name__ for layer in net.layers[:2]] == ["Linear", "LeakyReLU"]
    lines = repr(net).splitlines()
    assert lines[0] == "Sequential: 43 parameters, float32, numpy"
    assert lines[1].split() == "0 Linear(5, 4) W (5, 4) b (4,) 24".split()
    assert lines[2].split() == ["1", "LeakyReLU(0.2)"]
    assert len(lines) == 1 + len(net)


# ---------------------------------------------------------------- forward and backward


def test_forward_is_the_layers_in_a_row(backend: Backend) -> None:
    net, x = make(backend=backend), normal(6, 5)
    host = make()
    y: Any = x
    for layer in host.layers:
        y = layer(y)
    got = backend.to_numpy(net(backend.asarray(x)))
    np.testing.assert_allclose(got, y, rtol=1e-13, atol=1e-15)
    np.testing.assert_array_equal(backend.to_numpy(net(backend.asarray(x))), got)


LAYERS = st.lists(
    st.sampled_from(["Linear", "ReLU", "LeakyReLU", "Tanh", "Sigmoid"]), min_size=1, max_size=5
)


@given(kinds=LAYERS, n=st.integers(1, 4), seed=st.integers(0, 99))
def test_gradients_of_any_row_of_layers(kinds: list[str], n: int, seed: int) -> None:
    widths = np.random.default_rng(seed).integers(2, 6, len(kinds) + 1)
    width, layers = int(widths[0]), []
    for kind, next_width in zip(kinds, widths[1:], strict=True):
        if kind == "Linear":
            layers.append(mg.Linear(width, int(next_width)))
            width = int(next_width)
        elif not layers or "ReLU" not in type(layers[-1]).__name__ or "ReLU" not in kind:
            layers.append(getattr(mg, kind)())  # a rectifier's zeros are the next one's kink
    if not layers:
        return
    report = mg.check_gradients(
        mg.Sequential(*layers, seed=seed), normal(n, int(widths[0]), seed=seed)
    )
    assert right(report), report


@pytest.mark.parametrize(
    ("flags", "products"),
    [
        ({}, 6),
        ({"input_grad": False}, 5),  # no dx of the first layer
        ({"param_grads": False}, 3),  # no dW at all
        ({"input_grad": False, "param_grads": False}, 0),
    ],
)
def test_flags_skip_just_the_products_they_name(
    flags: dict[str, bool], products: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    net, x = make(), normal(6, 5)
    y, cache = net.forward(x)
    dy = normal(*y.shape, seed=1)
    full_dx, full_grads = net.backward(dy, cache), net.grads.copy()
    net.grads[...] = 7
    calls = []

    def counted(a: Array, b: Array, out: Array | None = None) -> Array:
        calls.append(a.shape)
        return np.matmul(a, b, out=out)

    monkeypatch.setattr("minigan.layers.matmul", counted)
    dx = net.backward(dy, cache, **flags)
    assert len(calls) == products
    if flags.get("input_grad", True):
        np.testing.assert_array_equal(dx, full_dx)
    else:
        assert dx is None
    expected = full_grads if flags.get("param_grads", True) else np.full_like(full_grads, 7)
    np.testing.assert_array_equal(net.grads, expected)


def test_input_grad_false_stops_above_layers_without_parameters() -> None:
    class Untouchable(mg.ReLU):
        def input_grad(self, dy: Array, y: Array) -> Array:
            raise AssertionError("nobody needs this dx")

    net = mg.Sequential(Untouchable(), mg.Linear(3, 2), dtype="float64")
    y, cache = net.forward(normal(2, 3))
    assert net.backward(y, cache, input_grad=False) is None
    assert (net.grads != 0).any()


def test_stacked_halves_give_the_sum_of_two_passes() -> None:
    net = make()
    a, b = normal(3, 5, seed=1), normal(3, 5, seed=2)
    dya, dyb = normal(3, 1, seed=3), normal(3, 1, seed=4)
    total = np.zeros_like(net.grads)
    for x, dy in ((a, dya), (b, dyb)):
        net.backward(dy, net.forward(x)[1])
        total += net.grads
    net.backward(np.concatenate([dya, dyb]), net.forward(np.concatenate([a, b]))[1])
    np.testing.assert_allclose(net.grads, total, rtol=1e-12, atol=1e-15)


def test_two_forwards_before_two_backwards() -> None:
    net, x1, x2 = make(), normal(6, 5, seed=1), normal(4, 5, seed=2)
    dx1 = net.backward(np.ones((6, 1)), net.forward(x1)[1])
    dx2 = net.backward(np.ones((4, 1)), net.forward(x2)[1])
    cache1, cache2 = net.forward(x1)[1], net.forward(x2)[1]
    np.testing.assert_array_equal(net.backward(np.ones((6, 1)), cache1), dx1)
    np.testing.assert_array_equal(net.backward(np.ones((4, 1)), cache2), dx2)
    np.testing.assert_array_equal(net.backward(np.ones((6, 1)), cache1), dx1)  # a cache lasts


def test_arguments_stay_as_they_are(backend: Backend) -> None:
    net, x = make(backend=backend), backend.asarray(normal(6, 5))
    _, cache = net.forward(x)
    dy = backend.asarray(normal(6, 1, seed=1))
    net.backward(dy, cache)
    np.testing.assert_array_equal(backend.to_numpy(x), normal(6, 5))
    np.testing.assert_array_equal(backend.to_numpy(dy), normal(6, 1, seed=1))


# ---------------------------------------------------------------- misuse


def test_stale_and_foreign_caches() -> None:
    net, x = make(), normal(6, 5)
    y, cache = net.forward(x)
    with pytest.raises(RuntimeError, match="another network"):
        make().backward(y, cache)
    net.backward(y, cache)
    mg.Adam(net).step()
    with pytest.raises(RuntimeError, match=r"after update 0 of the weights.*those of update 1"):
        net.backward(y, cache)
    net.backward(*net.forward(x))
    with pytest.raises(TypeError, match="cache is a NoneType"):
        net.backward(y, None)  # type: ignore[call-overload]


def test_dy_that_is_no_array() -> None:
    net = make()
    _, cache = net.forward(normal(6, 5))
    with pytest.raises(TypeError, match="dy is a NoneType"):
        net.backward(None, cache)  # type: ignore[call-overload]


def test_stale_after_a_step_of_any_optimizer() -> None:
    net, x = make(), normal(6, 5)
    one, two = mg.Adam(net), mg.Adam(net)
    one.step()
    y, cache = net.forward(x)
    two.step()
    with pytest.raises(RuntimeError, match="stale"):
        net.backward(y, cache)


def test_bound_layers() -> None:
    layer = mg.Linear(3, 3)
    with pytest.raises(ValueError, match=r"layer 1, Linear\(3, 3\), stands twice"):
        mg.Sequential(layer, layer)
    mg.Sequential(layer)  # the failed attempt left it free
    with pytest.raises(ValueError, match="belongs to another network"):
        mg.Sequential(layer)


@pytest.mark.parametrize(
    ("layers", "error", "message"),
    [
        ((), ValueError, "at least one layer"),
        ((mg.Linear,), TypeError, "layer 0 is a type"),
        ((np.tanh,), TypeError, "layer 0 is a ufunc"),
        ((mg.Linear(3, 4), mg.ReLU(), mg.Linear(5, 2)), ValueError, "takes rows of 5 but gets 4"),
        ((mg.Linear(3, 4), mg.ReLU(), mg.Linear(2, 2)), ValueError, "takes rows of 2 but gets 4"),
    ],
)
def test_layers_that_do_not_fit(layers: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        mg.Sequential(*layers)


def test_bad_arrays() -> None:
    net = make()
    with pytest.raises(ValueError, match=r"x has shape \(6, 4\), expected \(N, 5\)"):
        net.forward(normal(6, 4))
    with pytest.raises(TypeError, match="x has dtype float32, expected float64"):
        net.forward(normal(6, 5).astype("float32"))
    _, cache = net.forward(normal(6, 5))
    with pytest.raises(ValueError, match=r"dy has shape \(6, 2\), expected \(6, 1\)"):
        net.backward(normal(6, 2), cache)


def test_bad_options() -> None:
    with pytest.raises(ValueError, match="dtype is 'half'"):
        make(dtype="half")
    with pytest.raises(ValueError, match="unknown backend 'jax'"):
        make(backend="jax")
    with pytest.raises(ValueError, match="non-negative"):
        make(seed=-1)


def test_network_without_parameters() -> None:
    net = mg.Sequential(mg.ReLU(), mg.Tanh())
    x = normal(2, 3).astype("float32")
    y, cache = net.forward(x)
    assert net.params.size == 0
    assert net.backward(y, cache) is not None
    assert net.backward(y, cache, input_grad=False) is None
