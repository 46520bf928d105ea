"""Each layer: its formula, its gradients, and the contract that all layers share."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
from helpers.every_layer import LAYERS, every_dtype, every_layer, normal
from hypothesis import given
from hypothesis import strategies as st

import minigan as mg
from minigan.backend import Array, Backend

# ---------------------------------------------------------------- formulas, one by one


def test_linear_by_hand() -> None:
    layer = mg.Linear(2, 2, dtype="float64")
    layer.W[...] = [[1, 2], [3, 4]]
    layer.b[...] = [10, 20]
    y, cache = layer.forward(np.array([[1.0, 1.0], [2.0, 0.0]]))
    np.testing.assert_array_equal(y, [[14, 26], [12, 24]])
    dx = layer.backward(np.array([[1.0, 0.0], [0.0, 2.0]]), cache)
    np.testing.assert_array_equal(layer.dW, [[1, 4], [1, 0]])
    np.testing.assert_array_equal(layer.db, [1, 2])
    np.testing.assert_array_equal(dx, [[1, 3], [4, 8]])


def test_linear_starts_as_pytorch_does() -> None:
    layer = mg.Linear(400, 300, seed=0, dtype="float64")
    rng = np.random.default_rng(0)  # the stated order: W, then b, in float64
    np.testing.assert_array_equal(layer.W, rng.uniform(-0.05, 0.05, (400, 300)))
    np.testing.assert_array_equal(layer.b, rng.uniform(-0.05, 0.05, 300))
    single = mg.Linear(400, 300, seed=0)
    np.testing.assert_array_equal(single.W, layer.W.astype("float32"))


@pytest.mark.parametrize("x", [-1e4, -1000.0, 1000.0, 1e4])
@every_layer
def test_large_inputs_stay_finite(name: str, x: float) -> None:
    layer = LAYERS[name]()
    batch = np.full((2, 4), x, "float32")
    y, cache = layer.forward(batch)
    dx = layer.backward(np.ones_like(y), cache)
    assert np.isfinite(y).all()
    assert np.isfinite(dx).all()


# ---------------------------------------------------------------- gradients


@given(
    n=st.integers(1, 6), n_in=st.integers(1, 6), n_out=st.integers(1, 6), seed=st.integers(0, 99)
)
def test_linear_gradients(n: int, n_in: int, n_out: int, seed: int) -> None:
    report = mg.check_gradients(mg.Linear(n_in, n_out, seed=seed), normal(n, n_in, seed=seed))
    assert report, report
    assert {array.name for array in report.arrays} == {"W", "b", "x"}


# ---------------------------------------------------------------- the contract


def run(layer: mg.Layer, x: Array, backend: Backend, **flags: bool) -> tuple[Any, ...]:
    y, cache = layer.forward(x)
    dy = backend.asarray(normal(*y.shape, seed=5, dtype=str(x.dtype)))
    return y, dy, layer.backward(dy, cache, **flags)


@every_layer
@every_dtype
def test_backends_agree_and_keep_dtype_and_arguments(
    name: str, dtype: str, backend: Backend
) -> None:
    layer, host_layer = LAYERS[name](dtype=dtype, backend=backend), LAYERS[name](dtype=dtype)
    host_x = normal(5, 4, dtype=dtype)
    x = backend.asarray(host_x.copy())
    y, dy, dx = run(layer, x, backend)
    host_y, host_dy, host_dx = run(host_layer, host_x, mg.get_backend("numpy"))

    results = {"y": (y, host_y), "dx": (dx, host_dx)}
    for key in (*("d" + key for key in layer.param_names), *layer.buffer_names):
        results[key] = (getattr(layer, key), getattr(host_layer, key))
    rtol = 1e-5 if dtype == "float32" else 1e-12  # sums of a few products, in another order
    for key, (got, want) in results.items():
        assert got.dtype == dtype, key
        np.testing.assert_allclose(backend.to_numpy(got), want, rtol=rtol, atol=rtol / 10)
    np.testing.assert_array_equal(backend.to_numpy(x), host_x)
    np.testing.assert_array_equal(backend.to_numpy(dy), host_dy)


@every_layer
def test_results_share_no_memory_with_arguments(name: str) -> None:
    layer, x = LAYERS[name](), normal(5, 4, dtype="float32")
    y, dy, dx = run(layer, x, mg.get_backend("numpy"))
    for result in (y, dx):
        assert not np.shares_memory(result, x)
        assert not np.shares_memory(result, dy)
    assert not np.shares_memory(y, dx)


@every_layer
def test_flags_leave_out_what_they_name_and_change_nothing_else(name: str) -> None:
    numpy = mg.get_backend("numpy")
    x = normal(5, 4, dtype="float32")
    _, _, dx = run(LAYERS[name](), x, numpy)
    assert run(LAYERS[name](), x, numpy, input_grad=False)[2] is None
    frozen = LAYERS[name]()
    np.testing.assert_array_equal(run(frozen, x, numpy, param_grads=False)[2], dx)
    for key in frozen.param_names:
        np.testing.assert_array_equal(getattr(frozen, "d" + key), 0)  # as it was


@pytest.mark.parametrize(
    ("flags", "products"),
    [({}, 2), ({"input_grad": False}, 1), ({"param_grads": False}, 1)],
)
def test_linear_skips_the_product_that_nobody_needs(
    flags: dict[str, bool], products: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer, x = mg.Linear(4, 3), normal(5, 4, dtype="float32")
    y, cache = layer.forward(x)
    calls = []

    def counted(a: Array, b: Array, out: Array | None = None) -> Array:
        calls.append(a.shape)
        return np.matmul(a, b, out=out)

    monkeypatch.setattr("minigan.layers.matmul", counted)
    layer.backward(y, cache, **flags)
    assert len(calls) == products


def test_gradients_are_overwritten_not_accumulated() -> None:
    layer, x = mg.Linear(4, 3), normal(5, 4, dtype="float32")
    run(layer, x, mg.get_backend("numpy"))
    dW, db = layer.dW.copy(), layer.db.copy()
    run(layer, x, mg.get_backend("numpy"))
    np.testing.assert_array_equal(layer.dW, dW)
    np.testing.assert_array_equal(layer.db, db)


@every_layer
def test_two_forwards_before_two_backwards(name: str) -> None:
    layer, numpy = LAYERS[name](), mg.get_backend("numpy")
    x1, x2 = normal(5, 4, seed=1, dtype="float32"), normal(3, 4, seed=2, dtype="float32")
    dx1, dx2 = run(layer, x1, numpy)[2], run(layer, x2, numpy)[2]
    (y1, cache1), (y2, cache2) = layer.forward(x1), layer.forward(x2)
    dy1 = normal(*y1.shape, seed=5, dtype="float32")
    dy2 = normal(*y2.shape, seed=5, dtype="float32")
    np.testing.assert_array_equal(layer.backward(dy2, cache2), dx2)
    np.testing.assert_array_equal(layer.backward(dy1, cache1), dx1)


@every_layer
def test_call_is_evaluate_without_its_cache(name: str) -> None:
    layer, x = LAYERS[name](), normal(5, 4, dtype="float32")
    np.testing.assert_array_equal(layer(x), layer.evaluate(x)[0])
    if name != "BatchNorm1d":
        np.testing.assert_array_equal(layer(x), layer.forward(x)[0])


@every_layer
def test_layers_have_the_same_signatures(name: str) -> None:
    layer = type(LAYERS[name]())
    assert list(inspect.signature(layer.forward).parameters) == ["self", "x"]
    assert layer.backward is mg.Layer.backward
    for method in (layer.input_grad, layer.param_grads):
        assert list(inspect.signature(method).parameters)[:2] == ["self", "dy"]
        assert len(inspect.signature(method).parameters) == 3  # and the cache, by its own name


def test_flags_and_options_are_given_by_name() -> None:
    layer, x = mg.Linear(3, 2, seed=0), normal(4, 3, dtype="float32")
    both: tuple[Any, ...] = layer, mg.Sequential(mg.Linear(3, 2), seed=0)
    for one in both:
        y, cache = one.forward(x)
        assert one.backward(dy=y, cache=cache) is not None
        with pytest.raises(TypeError, match="positional"):
            one.backward(y, cache, False)
    with pytest.raises(TypeError, match="positional"):
        mg.Linear(3, 2, 0)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="positional"):
        mg.BatchNorm1d(3, 1e-5)  # type: ignore[call-arg]
    assert mg.Linear(n_in=3, n_out=2).W.shape == (3, 2)
    assert mg.BatchNorm1d(n=3).n_in == 3
