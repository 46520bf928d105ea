"""Mistakes that must not pass in silence: replaced arrays, lost weights, stale caches."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.small_gan import batch, small

import minigan as mg
from minigan.backend import Array, Backend


def normal(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def network(**options: Any) -> mg.Sequential:
    return mg.Sequential(mg.Linear(3, 4), mg.Tanh(), mg.Linear(4, 2), seed=0, **options)


# ---------------------------------------------------------------- arrays in the place of others


@pytest.mark.parametrize(
    ("where", "named"),
    [("W", r"net\[2\].W"), ("b", r"net\[2\].b"), ("dW", r"net\[2\].dW"), ("db", r"net\[2\].db"),
     ("params", "net.params"), ("grads", "net.grads")],
)  # fmt: skip
def test_a_replaced_array_is_named(where: str, named: str) -> None:
    net = network()
    y, cache = net.forward(normal(5, 3))
    adam = mg.Adam(net)
    owner: Any = net if where in ("params", "grads") else net[2]
    setattr(owner, where, getattr(owner, where).copy())
    message = f"^{named} is no longer the network's own array"
    with pytest.raises(RuntimeError, match=message):
        adam.step()
    with pytest.raises(RuntimeError, match=message):
        net.backward(y, cache)
    with pytest.raises(RuntimeError, match=message):
        mg.check_gradients(net, normal(5, 3))
    assert adam.t == 0


@pytest.mark.parametrize("where", ["W", "params"])
def test_a_replaced_array_is_not_lost_in_a_copy(where: str, tmp_path: Path) -> None:
    """The copy would have the old numbers, which the vector still holds."""
    net, other = network(), network()
    owner: Any = net if where == "params" else net[2]
    setattr(owner, where, 5 * getattr(owner, where))
    for copied in (
        lambda: net.save(tmp_path / "net.npz"),
        lambda: copy.deepcopy(net),
        lambda: pickle.dumps(net),
        lambda: other.copy_from(net),
        lambda: net.copy_from(other),
    ):
        with pytest.raises(RuntimeError, match="is no longer the network's own array"):
            copied()
    assert not (tmp_path / "net.npz").exists()
    np.testing.assert_array_equal(copy.deepcopy(other).params, other.params)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(other)).params, other.params)


@pytest.mark.parametrize(
    ("name", "shape", "expected"),
    [("b", (4, 3), r"\(3,\)"), ("b", (1,), r"\(3,\)"), ("W", (3, 2), r"\(2, 3\)")],
)
def test_kept_weights_have_the_shape_of_drawn_ones(
    name: str, shape: tuple[int, ...], expected: str
) -> None:
    layer = mg.Linear(2, 3, seed=0)
    setattr(layer, name, np.ones(shape, "float32"))
    message = rf"layer 0, Linear\(2, 3\): {name} has shape .*, expected {expected}"
    with pytest.raises(ValueError, match=message):
        mg.Sequential(layer, keep_weights=True)


def test_kept_statistics_have_the_shape_of_drawn_ones() -> None:
    norm = mg.BatchNorm1d(3)
    norm.allocate()
    norm.running_mean = np.zeros((4, 1), "float32")
    with pytest.raises(ValueError, match=r"running_mean has shape \(4, 1\), expected \(3,\)"):
        mg.Sequential(norm, keep_weights=True)


def test_writing_into_the_arrays_is_fine() -> None:
    net = network()
    net[0].W[...] = 1  # type: ignore[attr-defined]
    net.params *= 0.5
    net[2].b += 1  # type: ignore[attr-defined]
    y, cache = net.forward(normal(5, 3))
    net.backward(y, cache)
    mg.Adam(net).step()
    assert mg.check_gradients(net, normal(5, 3))


def test_batch_norm_is_watched_too() -> None:
    net = mg.Sequential(mg.Linear(3, 4), mg.BatchNorm1d(4), seed=0)
    net[1].gamma = np.ones(4, "float32")  # type: ignore[attr-defined]
    with pytest.raises(RuntimeError, match=r"net\[1\].gamma is no longer the network's own"):
        mg.Adam(net).step()


def test_a_layer_that_replaces_its_gradient_is_caught_at_the_step() -> None:
    class Replaces(mg.Linear):
        def param_grads(self, dy: Array, x: Array) -> None:
            self.dW = x.T @ dy
            self.db = dy.sum(axis=0)

    net = mg.Sequential(Replaces(3, 2), seed=0)
    y, cache = net.forward(normal(5, 3))
    net.backward(y, cache)
    with pytest.raises(RuntimeError, match=r"net\[0\].dW is no longer the network's own"):
        mg.Adam(net).step()


# ---------------------------------------------------------------- weights that were set


def test_weights_that_were_set_are_not_lost_in_silence() -> None:
    layer = mg.Linear(3, 2, seed=1)
    layer.W[...] = 7
    with pytest.warns(UserWarning, match=r"layer 1, Linear\(3, 2\), has weights that were set"):
        net = mg.Sequential(mg.Tanh(), layer, seed=0)
    assert (net[1].W != 7).all()  # type: ignore[attr-defined]


def test_running_means_that_were_measured_are_not_lost_in_silence() -> None:
    norm = mg.BatchNorm1d(3)
    norm.forward(normal(5, 3))
    with pytest.warns(UserWarning, match="were set"):
        mg.Sequential(norm)


def test_a_copy_of_a_trained_layer_is_not_lost_in_silence() -> None:
    net = network()
    net.params += 1
    with pytest.warns(UserWarning, match="were set"):
        mg.Sequential(copy.deepcopy(net[0]))


def test_untouched_layers_do_not_warn() -> None:
    layer = mg.Linear(3, 2, seed=1)
    layer.forward(normal(5, 3))
    layer.backward(normal(5, 2), normal(5, 3))
    mg.Sequential(layer, mg.BatchNorm1d(2), seed=0)  # a warning would be an error here


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_weights_can_be_kept(dtype: str, backend: Backend) -> None:
    layer, norm = mg.Linear(3, 2, seed=1), mg.BatchNorm1d(2)
    layer.W[...], layer.b[...], norm.gamma[...], norm.running_var[...] = 7, 8, 9, 10
    net = mg.Sequential(layer, norm, dtype=dtype, backend=backend, keep_weights=True)
    expected = [7] * 6 + [8] * 2 + [9] * 2 + [0] * 2
    np.testing.assert_array_equal(backend.to_numpy(net.params), np.array(expected, dtype))
    for _, array in net.named_buffers():
        assert array.dtype == dtype
        assert type(array) is type(net.params)
    np.testing.assert_array_equal(backend.to_numpy(norm.running_var), [10, 10])
    x = backend.asarray(normal(5, 3), dtype)
    y, cache = net.forward(x)
    net.backward(y, cache)
    assert net(x).dtype == dtype


def test_kept_weights_of_a_layer_that_has_none_are_drawn() -> None:
    class Scale(mg.Layer):
        param_names = ("s",)

        def draw(self, rng: np.random.Generator) -> tuple[Array, ...]:
            return (rng.uniform(1, 2, 3),)

    net = mg.Sequential(Scale(), seed=0, keep_weights=True)
    assert (net.params >= 1).all()


# ---------------------------------------------------------------- copies


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, copy.copy, lambda a: pickle.loads(pickle.dumps(a))]
)
def test_a_copy_of_a_layer_belongs_to_no_network(duplicate: Any) -> None:
    net = network()
    twin = duplicate(net[0])
    assert net[0].bound
    assert not twin.bound
    mg.Sequential(twin, seed=1)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda a: pickle.loads(pickle.dumps(a))])
def test_a_copy_of_a_network_is_a_network(duplicate: Any) -> None:
    net = network()
    twin = duplicate(net)
    assert all(layer.bound for layer in twin.layers)
    with pytest.raises(ValueError, match="belongs to another network"):
        mg.Sequential(twin[0])
    y, cache = twin.forward(normal(5, 3))
    twin.backward(y, cache)
    before = net.params.copy()
    mg.Adam(twin).step()
    np.testing.assert_array_equal(net.params, before)
    assert (twin[0].W != net[0].W).any()  # type: ignore[attr-defined]


def test_a_shallow_copy_of_a_network_is_refused() -> None:
    """It would share the weights, but not the count of their changes: stale caches would pass."""
    net = network()
    with pytest.raises(TypeError, match=r"copy.copy of a network .*: use copy.deepcopy"):
        copy.copy(net)
    y, cache = net.forward(normal(5, 3))
    net.backward(y, cache)  # and the network is as it was
    mg.Adam(net).step()


# ---------------------------------------------------------------- caches


def test_a_cache_from_before_a_change_is_stale() -> None:
    net = network()
    y, cache = net.forward(normal(5, 3))
    net.backward(y, cache)
    net.params *= 2
    net.weights_changed()
    with pytest.raises(RuntimeError, match="stale cache: it was made after update 0"):
        net.backward(y, cache)
    y, cache = net.forward(normal(5, 3))
    net.backward(y, cache)


# ---------------------------------------------------------------- layers within layers


@pytest.mark.parametrize("kind", ["network", "layer", "list", "dict"])
def test_layers_inside_a_layer_are_an_error(kind: str) -> None:
    class Residual(mg.Layer):
        def __init__(self) -> None:
            self.inner: Any = {
                "network": network(),
                "layer": mg.Linear(3, 3),
                "list": [mg.Tanh(), mg.Linear(3, 3)],
                "dict": {"a": network()},
            }[kind]

    with pytest.raises(
        ValueError, match=r"layer 1, Residual\(\), holds layers in its attribute inner"
    ):
        mg.Sequential(mg.Tanh(), Residual())
    with pytest.raises(ValueError, match="holds layers in its attribute inner"):
        mg.check_gradients(Residual(), normal(2, 3))


def test_a_layer_may_hold_a_formula() -> None:
    class Twice(mg.Layer):
        def __init__(self) -> None:
            self.first, self.names = mg.Tanh(), ["a", "b"]

        def forward(self, x: Array) -> tuple[Array, Any]:
            return self.first.forward(x)

        def input_grad(self, dy: Array, cache: Any) -> Array:
            return self.first.input_grad(dy, cache)

    assert mg.check_gradients(mg.Sequential(mg.Linear(3, 3), Twice(), seed=0), normal(4, 3))


def test_a_cache_cannot_be_passed_off_as_a_new_one() -> None:
    cache: Any = network().forward(normal(5, 3))[1]
    with pytest.raises(FrozenInstanceError):
        cache.updates = 7


# ---------------------------------------------------------------- the range of images


@pytest.mark.parametrize("low", [0.0, -300.0])
def test_pixels_that_are_not_scaled_are_an_error(low: float, backend: Backend) -> None:
    gan = small(backend=backend)
    real, z = batch(4)
    raw = np.linspace(low, 255, real.size).reshape(real.shape).astype(real.dtype)
    with pytest.raises(ValueError, match=f"real reaches from {low:g} to 255, expected -1 to 1"):
        gan.train_step(backend.asarray(raw), backend.asarray(z))
    assert gan.adam_d.t == 0


def test_a_generator_that_ends_in_sigmoid_makes_pixels_from_0_to_1() -> None:
    def gan(last: mg.Layer) -> mg.GAN:
        rng = np.random.default_rng(0)
        G = mg.Sequential(mg.Linear(2, 3), last, seed=rng)
        return mg.GAN(G, mg.Sequential(mg.Linear(3, 1), mg.Sigmoid(), seed=rng))

    gan(mg.Sigmoid()).train_step(abs(normal(4, 3)) / 5, normal(4, 2))
    with pytest.raises(ValueError, match="real reaches from -1 to .*, expected 0 to 1"):
        gan(mg.Sigmoid()).train_step(normal(4, 3).clip(-1, 1), normal(4, 2))
    gan(mg.LeakyReLU(0.2)).train_step(100 * normal(4, 3), normal(4, 2))  # any number is possible


def test_images_on_a_device_are_looked_at_once(stand_in: Backend) -> None:
    from helpers.strict_cupy import Counts

    gan = small(backend=stand_in)
    real, z = (stand_in.asarray(a) for a in batch(4))
    gan.train_step(real, z)
    Counts.reset()
    gan.train_step(real, z)
    assert (Counts.to_host, Counts.waits) == (0, 0)


def test_images_in_main_memory_are_looked_at_in_every_step() -> None:
    gan = small()
    real, z = batch(4)
    gan.train_step(real, z)
    with pytest.raises(ValueError, match="real reaches from .* expected -1 to 1"):
        gan.train_step(real * 255, z)
