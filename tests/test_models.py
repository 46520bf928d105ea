"""The tutorial's two networks."""

from __future__ import annotations

import numpy as np

import minigan as mg


def describe(net: mg.Sequential) -> list[str]:
    return [repr(layer) for layer in net.layers]


def test_generator() -> None:
    net = mg.generator(seed=0)
    assert net.params.size == 1_486_352
    assert describe(net) == [
        "Linear(100, 256)",
        "ReLU()",
        "Linear(256, 512)",
        "ReLU()",
        "Linear(512, 1024)",
        "ReLU()",
        "Linear(1024, 784)",
        "Tanh()",
    ]
    images = net(np.random.default_rng(0).standard_normal((3, 100)).astype("float32"))
    assert images.shape == (3, 784)
    assert (np.abs(images) <= 1).all()
    assert mg.generator(7).n_in == 7


def test_discriminator() -> None:
    net = mg.discriminator(seed=0)
    assert net.params.size == 1_460_225
    assert describe(net) == [
        "Linear(784, 1024)",
        "LeakyReLU(0.2)",
        "Linear(1024, 512)",
        "LeakyReLU(0.2)",
        "Linear(512, 256)",
        "LeakyReLU(0.2)",
        "Linear(256, 1)",
        "Sigmoid()",
    ]
    p = net(np.zeros((3, 784), "float32"))
    assert p.shape == (3, 1)
    assert ((p > 0) & (p < 1)).all()
