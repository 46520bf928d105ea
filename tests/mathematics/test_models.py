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


def test_generator_with_batch_norm() -> None:
    """The tutorial's, with one BatchNorm1d before each ReLU, and the same first weights."""
    net, tutorial = mg.generator(seed=0, batch_norm=True), mg.generator(seed=0)
    assert net.params.size == tutorial.params.size + 2 * (256 + 512 + 1024)
    names = describe(net)
    assert [name for name in names if "BatchNorm" not in name] == describe(tutorial)
    for i, name in enumerate(names):
        assert (i + 1 < len(names) and names[i + 1] == "ReLU()") == ("BatchNorm" in name)
    linear = [[y for y in x.layers if isinstance(y, mg.Linear)] for x in (net, tutorial)]
    for ours, theirs in zip(*linear, strict=True):
        np.testing.assert_array_equal(ours.W, theirs.W)
        np.testing.assert_array_equal(ours.b, theirs.b)


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
