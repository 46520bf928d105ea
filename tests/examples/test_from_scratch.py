"""examples/from_scratch.py computes the library's numbers, and draws."""

from __future__ import annotations

import importlib.util
import itertools
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

import minigan as mg
from minigan.losses import bce_with_logits

FILE = Path(__file__).parents[2] / "examples" / "from_scratch.py"
Floats = npt.NDArray[np.float64]


@pytest.fixture(scope="module")
def page() -> Any:
    """The program as a module: what stands above its training."""
    spec = importlib.util.spec_from_file_location("from_scratch", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def same_networks(page: Any, *sizes: int, last: bool) -> tuple[Any, mg.Sequential]:
    """A network of the page and one of the library, with the same weights in float64."""
    rng, pairs, layers = np.random.default_rng(len(sizes)), [], []
    library: list[mg.Layer] = []
    for n_in, n_out in itertools.pairwise(sizes):
        pairs.append((page.Linear(n_in, n_out, rng), mg.Linear(n_in, n_out)))
        layers += [pairs[-1][0], page.LeakyReLU()]
        library += [pairs[-1][1], mg.LeakyReLU(0.01)]
    end = None if last else -1
    net = mg.Sequential(*library[:end], dtype="float64")
    for ours, theirs in pairs:
        ours.W, ours.b = ours.W.astype("float64"), ours.b.astype("float64")
        theirs.W[...], theirs.b[...] = ours.W, ours.b
    return page.Sequential(*layers[:end]), net


def numbers(net: Any, kind: str) -> Floats:
    """All of a page's network in the library's order: W and b (kind "") or dW and db ("d")."""
    arrays = [
        getattr(layer, kind + name)
        for layer in net.layers
        if hasattr(layer, "W")
        for name in ("W", "b")
    ]
    return np.concatenate([array.ravel() for array in arrays])


def test_it_needs_no_minigan_and_fits_on_a_page() -> None:
    source = FILE.read_text(encoding="utf-8")
    assert "import minigan" not in source
    assert "from minigan" not in source
    lines = [line.strip() for line in source.splitlines()]
    assert len([line for line in lines if line and not line.startswith("#")]) <= 110


def test_the_losses_are_the_librarys(page: Any) -> None:
    logits = np.random.default_rng(0).uniform(-30, 30, (7, 1))
    for loss, target in ((page.loss_real, 1.0), (page.loss_fake, 0.0)):
        value, gradient = loss(logits)
        want, want_gradient = bce_with_logits(logits, target)
        assert float(value) == pytest.approx(float(want), rel=1e-14)
        np.testing.assert_allclose(gradient, want_gradient, rtol=1e-14)


def test_five_training_steps_are_the_librarys(page: Any) -> None:
    """Losses, gradients and weights of both networks, in float64."""
    our_g, G = same_networks(page, 5, 6, 8, last=True)
    our_d, D = same_networks(page, 8, 7, 1, last=False)
    gan = mg.GAN(G, D, lr=1e-2, betas=(0.5, 0.999), logits=True)
    adam_g, adam_d = page.Adam(our_g, lr=1e-2), page.Adam(our_d, lr=1e-2)
    rng = np.random.default_rng(1)
    for _ in range(5):
        real, z = rng.uniform(0, 1, (4, 8)), rng.standard_normal((4, 5))
        losses = page.train_step(our_g, our_d, adam_g, adam_d, real, z)
        result = gan.train_step(real, z)
        want = float(result.d_loss), float(result.g_loss)
        np.testing.assert_allclose(losses, want, rtol=1e-12)
        np.testing.assert_allclose(numbers(our_g, "d"), G.grads, rtol=1e-12, atol=1e-15)
        for ours, net in ((our_g, G), (our_d, D)):
            np.testing.assert_allclose(numbers(ours, ""), net.params, rtol=1e-12, atol=1e-14)


def test_adam_is_the_librarys(page: Any) -> None:
    """With gradients of very different sizes, some of them as small as eps."""
    ours, net = same_networks(page, 3, 4, last=False)
    adam, library = page.Adam(ours, lr=0.1), mg.Adam(net, lr=0.1, betas=(0.5, 0.999))
    rng = np.random.default_rng(2)
    for _ in range(10):
        net.grads[...] = rng.standard_normal(16) * 10.0 ** rng.integers(-9, 3, 16)
        ours.layers[0].dW, ours.layers[0].db = net.grads[:12].reshape(3, 4), net.grads[12:]
        adam.step()
        library.step()
        np.testing.assert_allclose(numbers(ours, ""), net.params, rtol=1e-11)


def test_it_trains_and_draws(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, str(FILE)],
        env=os.environ | {"STEPS": "3", "OUT": str(tmp_path / "new")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.startswith("step 3 of 3  d_loss 1.")
    with Image.open(tmp_path / "new" / "from_scratch.png") as picture:
        assert picture.size == (448, 448)
