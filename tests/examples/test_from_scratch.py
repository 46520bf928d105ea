"""The GAN on one page computes what the library computes."""

from __future__ import annotations

import ast
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

import minigan as mg

FILE = Path(__file__).resolve().parents[2] / "examples" / "from_scratch.py"


@pytest.fixture(scope="module")
def page() -> ModuleType:
    """The example as a module; loading it trains nothing."""
    spec = importlib.util.spec_from_file_location("from_scratch", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert not hasattr(module, "images")
    return module


def close(ours: Any, theirs: Any) -> None:
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


def like_mg(page: ModuleType, net: mg.Sequential) -> list[Any]:
    """The library's network in the layers of the page, with copies of its weights."""
    layers: list[Any] = []
    for theirs in net.layers:
        if isinstance(theirs, mg.Linear):
            assert theirs.n_in is not None
            ours = page.Linear(theirs.n_in, theirs.n_out, np.random.default_rng(0))
            ours.W, ours.b = theirs.W.copy(), theirs.b.copy()
            layers.append(ours)
        else:
            layers.append(page.LeakyReLU())
    return layers


def flat(net: list[Any], w: str, b: str) -> Any:
    """All weights ("W", "b") or all gradients ("dW", "db") in the library's order."""
    linears = [layer for layer in net if hasattr(layer, "W")]
    return np.concatenate([getattr(layer, name).ravel() for layer in linears for name in (w, b)])


class Watched:
    """An Adam of the page that notes the gradients of each step."""

    def __init__(self, adam: Any) -> None:
        self.adam, self.grads = adam, np.zeros(0)

    def step(self) -> None:
        self.grads = flat(self.adam.net, "dW", "db")
        self.adam.step()


def networks(dtype: str) -> tuple[mg.Sequential, mg.Sequential]:
    """A generator and a discriminator with the page's layers, but narrower."""
    rng = np.random.default_rng(0)
    G = mg.Sequential(
        mg.Linear(8, 16), mg.LeakyReLU(), mg.Linear(16, 24), mg.LeakyReLU(),
        mg.Linear(24, 784), mg.LeakyReLU(), seed=rng, dtype=dtype,
    )  # fmt: skip
    D = mg.Sequential(
        mg.Linear(784, 24), mg.LeakyReLU(), mg.Linear(24, 1), seed=rng, dtype=dtype
    )  # fmt: skip
    return G, D


def batches(images: Any, dtype: str) -> Iterator[tuple[Any, Any]]:
    """Eight batches of 12 real images and as many z."""
    rng = np.random.default_rng(1)
    for start in range(0, 96, 12):
        real = images[start : start + 12].reshape(12, 784).astype(dtype) / 255
        yield real, rng.standard_normal((12, 8)).astype(dtype)


def test_training_equals_the_librarys(page: ModuleType, mnist: Any) -> None:
    mg_G, mg_D = networks("float64")
    G, D = like_mg(page, mg_G), like_mg(page, mg_D)
    gan = mg.GAN(mg_G, mg_D, lr=1e-3, betas=(0.5, 0.999), eps=1e-8, logits=True)
    adam_g, adam_d = Watched(page.Adam(G, lr=1e-3)), Watched(page.Adam(D, lr=1e-3))
    for real, z in batches(mnist, "float64"):
        before = mg_G.params.copy(), mg_D.params.copy()
        d_loss, g_loss = page.train_step(G, D, adam_g, adam_d, real, z)
        result = gan.train_step(real, z)
        close([d_loss, g_loss], [float(result.d_loss), float(result.g_loss)])
        close(adam_d.grads, mg_D.grads)  # those of the step of D: in that of G it is frozen
        close(adam_g.grads, mg_G.grads)
        close(flat(D, "W", "b"), mg_D.params)
        close(flat(G, "W", "b"), mg_G.params)
        assert np.abs(mg_G.params - before[0]).max() > 1e-5
        assert np.abs(mg_D.params - before[1]).max() > 1e-5


def test_training_stays_in_float32(page: ModuleType, mnist: Any) -> None:
    G, D = (like_mg(page, net) for net in networks("float32"))
    adam_g, adam_d = page.Adam(G, lr=1e-3), page.Adam(D, lr=1e-3)
    for real, z in batches(mnist, "float32"):
        page.train_step(G, D, adam_g, adam_d, real, z)
        arrays = [*page.forward(G, z)[1], *adam_g.m.values(), *adam_d.v.values()]
        arrays += [flat(net, *names) for net in (G, D) for names in (("W", "b"), ("dW", "db"))]
        assert {array.dtype.name for array in arrays} == {"float32"}


@pytest.mark.parametrize("name", ["Linear", "LeakyReLU"])
def test_layer_equals_the_librarys(page: ModuleType, name: str) -> None:
    rng = np.random.default_rng(2)
    theirs = mg.Sequential(
        *[mg.Linear(5, 3)] if name == "Linear" else [mg.LeakyReLU()], seed=rng, dtype="float64"
    )
    (ours,) = like_mg(page, theirs)
    x = rng.standard_normal((7, 5))
    x[0, :2] = 0, -0.0  # the kink
    y, cache = ours.forward(x)
    their_y, their_cache = theirs.forward(x)
    close(y, their_y)
    dy = rng.standard_normal(y.shape)
    close(ours.backward(dy, cache), theirs.backward(dy, their_cache))
    if name == "Linear":
        close(flat([ours], "dW", "db"), theirs.grads)


def test_linear_starts_like_the_librarys(page: ModuleType) -> None:
    ours = page.Linear(9, 4, np.random.default_rng(3))
    theirs = mg.Linear(9, 4, seed=np.random.default_rng(3))
    for name in ("W", "b"):
        assert getattr(ours, name).dtype == "float32"
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-6)


def test_two_batches_on_their_way_through_one_network(page: ModuleType) -> None:
    rng = np.random.default_rng(4)
    net = [page.Linear(5, 6, rng), page.LeakyReLU(), page.Linear(6, 2, rng)]
    x, dy = rng.standard_normal((4, 5)), rng.standard_normal((4, 2))
    caches = page.forward(net, x)[1]
    dx = page.backward(net, dy, caches)
    page.forward(net, x + 1)
    np.testing.assert_array_equal(page.backward(net, dy, caches), dx)


@pytest.mark.parametrize(("name", "target"), [("loss_real", 1.0), ("loss_fake", 0.0)])
def test_loss_equals_the_librarys(page: ModuleType, name: str, target: float) -> None:
    logits = np.array([[-3.0], [-0.5], [0.0], [2.0], [40.0], [-40.0]])
    loss, dlogits = getattr(page, name)(logits)
    their_loss, their_dlogits = mg.bce_with_logits(logits, target)
    close(loss, their_loss)
    np.testing.assert_allclose(dlogits, their_dlogits, rtol=1e-12)  # in the tails, too

    ends = np.array([[-1000], [1000]], dtype="float32")
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        loss, dlogits = getattr(page, name)(ends)
    assert loss == 500
    assert loss.dtype == dlogits.dtype == "float32"
    np.testing.assert_array_equal(dlogits, [[-0.5], [0]] if target else [[0], [0.5]])


def test_adam_equals_the_librarys(page: ModuleType) -> None:
    rng = np.random.default_rng(5)
    theirs = mg.Sequential(
        mg.Linear(3, 4), mg.LeakyReLU(), mg.Linear(4, 2), seed=rng, dtype="float64"
    )
    ours = like_mg(page, theirs)
    adam, their_adam = page.Adam(ours, lr=0.01), mg.Adam(theirs, 0.01, (0.5, 0.999), 1e-8)
    for step in range(10):
        scale = 10.0 ** rng.integers(-9, 3, theirs.grads.size)  # from far below eps to far above
        theirs.grads[:] = rng.standard_normal(theirs.grads.size) * scale * (step != 4)
        for layer, their_layer in zip(ours, theirs.layers, strict=True):
            if isinstance(their_layer, mg.Linear):
                layer.dW, layer.db = their_layer.dW.copy(), their_layer.db.copy()
        adam.step()
        their_adam.step()
        close(flat(ours, "W", "b"), theirs.params)
        close(flat(ours, "dW", "db"), theirs.grads)  # left as they were


def test_the_page_is_short_and_needs_no_library() -> None:
    source = FILE.read_text(encoding="utf-8")
    assert source.startswith("# %% [markdown]\n")
    assert len(source.splitlines()) <= 120
    code = [line for line in source.splitlines() if line and not line.startswith("#")]
    assert len(code) < 100
    imported = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            imported.add(node.module or "")
    assert imported == {"gzip", "os", "pathlib", "typing", "numpy", "PIL"}


@pytest.mark.parametrize("out", ["", "pictures/mine"])
def test_the_program_draws(tmp_path: Path, out: str) -> None:
    environment = {key: value for key, value in os.environ.items() if key not in ("OUT", "SEED")}
    result = subprocess.run(
        [sys.executable, "-W", "error", str(FILE)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=environment | {"STEPS": "3"} | ({"OUT": out} if out else {}),
    )
    assert result.returncode == 0, result.stderr
    written = f"{out or 'runs'}/from_scratch.png"
    assert result.stdout.splitlines()[-1] == f"picture: {written}"
    with Image.open(tmp_path / written) as picture:
        assert picture.size == (672, 672)
        assert np.asarray(picture).std() > 1
