"""The figures of health: how varied the images are, and the norms of the gradients."""

from __future__ import annotations

import math

import numpy as np
import pytest

import minigan as mg
from minigan.backend import Array, Backend
from minigan.training.health import gradient_groups, measure_health, spread


def test_spread_by_hand() -> None:
    # Two images of two pixels: one pixel varies by ±1, the other one does not.
    assert spread(np.array([[1.0, 0.3], [-1, 0.3]])) == pytest.approx(0.5)
    assert spread(np.full((5, 4), 0.7)) == 0


def test_spread_of_mnist() -> None:
    images = mg.load_mnist("test")[0].reshape(-1, 784) / 127.5 - 1
    assert spread(images) == pytest.approx(images.std(axis=0).mean())
    assert spread(images) == pytest.approx(0.39, abs=0.01)  # as its docstring says


@pytest.mark.parametrize("batch_norm", [False, True])
def test_gradient_norms_are_those_of_the_layers(batch_norm: bool, backend: Backend) -> None:
    rng = np.random.default_rng(0)
    gan = mg.GAN(
        mg.generator(batch_norm=batch_norm, seed=rng, backend=backend),
        mg.discriminator(seed=rng, backend=backend),
    )
    gan.train_step(
        rng.uniform(-1, 1, (8, 784)).astype("float32"),
        rng.standard_normal((8, 100)).astype("float32"),
    )
    z = rng.standard_normal((16, 100)).astype("float32")
    health = measure_health(gan, z)
    images = backend.to_numpy(gan.generator(backend.asarray(z)))
    want = [images.std(axis=0).mean()]
    for net in (gan.discriminator, gan.generator):
        layers = [
            [backend.to_numpy(getattr(layer, "d" + name)) for name in layer.param_names]
            for layer in net.layers
            if layer.param_names
        ]
        if batch_norm and net is gan.generator:  # a Linear and the BatchNorm1d behind it
            layers = [a + b for a, b in zip(layers[:-1:2], layers[1::2], strict=True)] + layers[-1:]
        assert len(layers) == 4
        want += [math.sqrt(sum((g.astype(float) ** 2).sum() for g in grads)) for grads in layers]
    assert len(health.d_grads) == len(health.g_grads) == 4
    got = [health.spread, *health.d_grads, *health.g_grads]
    np.testing.assert_allclose(got, want, rtol=1e-4)


class Scale(mg.Layer):
    """A layer of the reader's own: y = s x, with one s for all; its parameter is not called W."""

    param_names = ("s",)
    s: Array
    ds: Array

    def draw(self, rng: np.random.Generator) -> tuple[Array, ...]:
        return (np.array([1.5]),)

    def forward(self, x: Array) -> tuple[Array, Array]:
        return x * self.s, x

    def input_grad(self, dy: Array, x: Array) -> Array:
        return dy * self.s

    def param_grads(self, dy: Array, x: Array) -> None:
        self.ds[...] = (dy * x).sum()


def norm(backend: Backend, *gradients: Array) -> float:
    """The norm of these gradients as one vector, in float64."""
    return math.sqrt(sum((backend.to_numpy(g).astype(float) ** 2).sum() for g in gradients))


def trained(generator: mg.Sequential, discriminator: mg.Sequential) -> tuple[mg.GAN, Array]:
    """A GAN of points with two coordinates after one step, and some fixed z."""
    rng = np.random.default_rng(0)
    gan = mg.GAN(generator, discriminator)
    real, z = (rng.standard_normal((8, columns)).astype("float32") for columns in (2, 3))
    gan.train_step(real, z)
    return gan, z


def test_networks_of_two_layers_have_two_norms_each(backend: Backend) -> None:
    d1, d2, g1, g2 = mg.Linear(2, 5), mg.Linear(5, 1), mg.Linear(3, 4), mg.Linear(4, 2)
    G = mg.Sequential(g1, mg.ReLU(), g2, seed=0, backend=backend)
    D = mg.Sequential(d1, mg.LeakyReLU(), d2, mg.Sigmoid(), seed=1, backend=backend)
    gan, z = trained(G, D)
    health = measure_health(gan, z)
    want = [[norm(backend, layer.dW, layer.db) for layer in pair] for pair in ((d1, d2), (g1, g2))]
    np.testing.assert_allclose([health.d_grads, health.g_grads], want, rtol=1e-5)


def test_a_layer_of_ones_own_has_a_norm_whatever_its_parameter_is_called(backend: Backend) -> None:
    scale, last = Scale(), mg.Linear(4, 2)
    G = mg.Sequential(mg.Linear(3, 4), scale, mg.Tanh(), last, seed=0, backend=backend)
    D = mg.Sequential(Scale(), mg.Linear(2, 1), mg.Sigmoid(), seed=1, backend=backend)
    gan, z = trained(G, D)
    health = measure_health(gan, z)
    assert (len(health.d_grads), len(health.g_grads)) == (2, 3)
    want = norm(backend, scale.ds), norm(backend, last.dW, last.db)
    np.testing.assert_allclose(health.g_grads[1:], want, rtol=1e-5)
    assert min(health.d_grads + health.g_grads) > 0


def test_batch_normalisation_joins_the_layer_before_it_or_stands_alone(backend: Backend) -> None:
    first, linear, behind = mg.BatchNorm1d(3), mg.Linear(3, 2), mg.BatchNorm1d(2)
    G = mg.Sequential(first, linear, behind, seed=0, backend=backend)
    D = mg.Sequential(mg.Linear(2, 1), mg.Sigmoid(), seed=1, backend=backend)
    gan, z = trained(G, D)
    health = measure_health(gan, z)
    groups = [
        [getattr(layer, "d" + name) for layer in layers for name in layer.param_names]
        for layers in ((first,), (linear, behind))
    ]
    assert [len(group) for group in gradient_groups(G)] == [len(group) for group in groups]
    want = [norm(backend, *group) for group in groups]
    np.testing.assert_allclose(health.g_grads, want, rtol=1e-5)
    assert len(health.d_grads) == 1
