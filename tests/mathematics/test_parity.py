"""The same GAN as in PyTorch: same weights, images and z in, same losses out, step by step.

Against figures that ``fixtures/make_parity.py`` recorded, and live where PyTorch is installed.
"""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from mathematics.fixtures.make_parity import (
    CASES,
    CLASSES,
    FILE,
    R1_EVERY,
    STEPS,
    Case,
    Weights,
    inputs,
    style_weights,
    torch_losses,
)

import minigan as mg
from minigan.data import pixel_values
from minigan.models import style_generator

# float64: 50 steps leave no room for a wrong formula; rounding gives about 1e-15.
# float32: rounding is 6e-8 a number; 2e-6 is what a few steps of Adam make of it.  Batch norm puts
# as many units on one side of ReLU's kink as on the other, and one of 100,000 is so close to it
# that rounding decides (+1.3e-7 in float64, -1.1e-7 here): its weights then go the other way.
TOLERANCE = {
    ("float64", False): 1e-11,
    ("float64", True): 1e-11,
    ("float32", False): 2e-6,
    ("float32", True): 2e-4,
}
# PyTorch's D ends in Sigmoid also where ours returns logits.  In float64, which is slow, batch norm
# goes with logits, as in the recipes tutorial and averaged.  The penalty is one on logits.
every_case = pytest.mark.parametrize(
    ("case", "logits"),
    [
        (case, logits)
        for case in CASES
        for logits in (False, True)
        if {
            "": logits if case.r1 else case.dtype == "float32" or logits == case.batch_norm,
            "conditional": logits,
            "style": logits,
            "least_squares": not logits,
        }[case.kind]
    ],
)
needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="PyTorch is not installed"
)


def set_weights(net: mg.Sequential, weights: Weights) -> None:
    linear = [layer for layer in net.layers if isinstance(layer, mg.Linear)]
    for layer, (W, b) in zip(linear, weights, strict=True):
        layer.W[...], layer.b[...] = W, b


def minigan_losses(
    case: Case, logits: bool, images: npt.NDArray[np.uint8], labels: npt.NDArray[np.uint8]
) -> npt.NDArray[np.float64]:
    dtype, batch_norm, r1, kind = case
    classes = CLASSES if kind == "conditional" else 0
    loss = mg.mse if kind == "least_squares" else None
    G = mg.generator(dtype=dtype, batch_norm=batch_norm, classes=classes)
    if kind == "style":
        G = style_generator(dtype=dtype)
    D = mg.discriminator(dtype=dtype, logits=logits or loss is not None, classes=classes)
    g_weights, d_weights, batches = inputs(STEPS[dtype], kind)
    if kind == "style":
        given = style_weights(np.random.RandomState(7))
        for name, parameter, _ in G.named_parameters():
            if not name.startswith("3."):  # batch norm begins with 1 and 0 on both sides
                parameter[...] = given.pop(name)
        assert not given
    else:
        set_weights(G, g_weights)
    set_weights(D, d_weights)
    gan = mg.GAN(G, D, logits=logits, loss=loss, classes=classes, r1=r1, r1_every=R1_EVERY)
    rows = []
    for indices, z in batches:
        real = pixel_values(images[indices].reshape(-1, 784), dtype)
        told = labels[indices] if classes else None
        rows.append([float(x) for x in gan.train_step(real, z.astype(dtype), told)])
    return np.array(rows)


def assert_same(ours: npt.NDArray[Any], expected: npt.NDArray[Any], case: Case) -> None:
    rtol = TOLERANCE[case.dtype, case.batch_norm or case.kind == "style"]
    # The answers of a D with squared error lie around 0, where rounding is no part of them.
    atol = rtol / 10 if case.kind == "least_squares" else 0
    np.testing.assert_allclose(ours, expected, rtol=rtol, atol=atol)


@every_case
def test_losses_equal_recorded_pytorch(
    case: Case, logits: bool, mnist: npt.NDArray[np.uint8]
) -> None:
    with np.load(FILE, allow_pickle=False) as recorded:
        expected = recorded[case.key]
    assert expected.shape == (STEPS[case.dtype], 4)
    ours = minigan_losses(case, logits, mnist, mg.load_mnist()[1])
    assert_same(ours, expected, case)


@needs_torch
@pytest.mark.torch
@every_case
def test_losses_equal_live_pytorch(case: Case, logits: bool, mnist: npt.NDArray[np.uint8]) -> None:
    labels = mg.load_mnist()[1]
    # PyTorch makes a matrix of its own for each row of a styled layer, which takes seconds a step.
    expected = torch_losses(case, mnist, labels, 3 if case.kind == "style" else None)
    ours = minigan_losses(case, logits, mnist, labels)[: len(expected)]
    assert_same(ours, expected, case)


def test_fixture_is_small() -> None:
    assert FILE.stat().st_size < 100_000
