"""The numbers of the GAN in the plane are Python's, and its experiments show what its page says."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.browser import Browser
from helpers.plane import plane_page

import minigan as mg
from minigan.backend import Array

pytestmark = pytest.mark.page

STEPS, B = 100, 64
# Products summed in another order, and another tanh, differ in the last bit, and a hundred steps of
# this GAN leave it at 2e-15 of the largest number.  A wrong term would be off by more than 1e-3.
TOLERANCE = 1e-12


def network(n_out: int, seed: int) -> mg.Sequential:
    return mg.Sequential(
        mg.Linear(2, 16), mg.Tanh(), mg.Linear(16, 16), mg.Tanh(), mg.Linear(16, n_out),
        seed=seed, dtype="float64",
    )  # fmt: skip


def saturating_for_g(p: Array, target: float, calls: Any) -> tuple[Any, Array]:
    """Return the loss of a step's first two calls, D's; G, the third, minimises log(1 - D)."""
    if next(calls) < 2:
        return mg.bce_with_logits(p, target)
    loss, dp = mg.bce_with_logits(p, 0.0)
    return -loss, -dp


@pytest.mark.parametrize(
    ("lr", "beta1", "saturating"), [(0.003, 0.5, False), (0.003, 0.5, True), (0.001, 0.9, False)]
)
def test_a_hundred_steps_are_those_of_python(
    lr: float, beta1: float, saturating: bool, browser: Browser, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    G, D = network(2, 1), network(1, 2)
    calls = itertools.cycle(range(3))
    loss = (lambda p, t: saturating_for_g(p, t, calls)) if saturating else mg.bce_with_logits
    gan = mg.GAN(G, D, lr=lr, betas=(beta1, 0.999), loss=loss)
    real = 1.5 * rng.standard_normal((STEPS, B, 2)) + [1.0, 0.0]
    z = rng.standard_normal((STEPS, B, 2))
    start = [G.params.tolist(), D.params.tolist()]
    results = [gan.train_step(*batch) for batch in zip(real, z, strict=True)]

    browser.open(plane_page(tmp_path))
    of_page = browser.run(
        "const [start, real, z, lr, beta, saturating] = arguments;"
        "const G = new_network(2, new Random(0)), D = new_network(1, new Random(0));"
        "G.params.set(start[0]); D.params.set(start[1]);"
        "const gan = new GAN(G, D, { lr, betas: [beta, 0.999] }); gan.saturating = saturating;"
        "const batch = (rows) => new Matrix(rows.length, 2, Float64Array.from(rows.flat()));"
        "const losses = real.map((rows, k) => gan.train_step(batch(rows), batch(z[k])));"
        "const { adam_g, adam_d } = gan;"
        "const vectors = [G.params, D.params, adam_g.m, adam_d.m, adam_g.v, adam_d.v];"
        "return { d_loss: losses.map((l) => l.d_loss), g_loss: losses.map((l) => l.g_loss),"
        " vectors: vectors.map((v) => [...v]) }",
        start, real.tolist(), z.tolist(), lr, beta1, saturating,
    )  # fmt: skip
    for name in ("d_loss", "g_loss"):
        expected = [float(getattr(result, name)) for result in results]
        np.testing.assert_allclose(of_page[name], expected, rtol=TOLERANCE)
    vectors = G.params, D.params, gan.adam_g.m, gan.adam_d.m, gan.adam_g.v, gan.adam_d.v
    for shown, vector in zip(of_page["vectors"], vectors, strict=True):
        np.testing.assert_allclose(shown, vector, rtol=0, atol=TOLERANCE * np.abs(vector).max())
    assert np.abs(G.params - start[0]).max() > 0.03  # the hundred steps went somewhere


ARROWS = (  # the mean length of the gradient at the fake points, without the 1/N of the loss
    "const size = () => { const [fake] = plane.gan.generator.forward(plane.shown_z);"
    " const arrows = push(plane.gan, fake); let sum = 0;"
    " for (let n = 0; n < fake.rows; n++) sum += Math.hypot(arrows.at(n, 0), arrows.at(n, 1));"
    " return sum; };"
)
START = (
    "Object.assign(plane.settings, { seed: arguments[0], lr: 0.003, beta: 0.5, loss: 'plain' });"
    "start_again(); const train = (who, n) => { for (let k = 0; k < n; k++) take_step(who); };"
)


@pytest.mark.parametrize("seed", range(4))
def test_the_experiments_show_what_the_page_says(
    seed: int, browser: Browser, tmp_path: Path
) -> None:
    browser.open(plane_page(tmp_path))
    loss, plain, saturating = browser.run(
        START + ARROWS + "train('d', 500); const long = size(); plane.gan.saturating = true;"
        "return [plane.losses.d[499], long, size()]",
        seed,
    )
    assert loss < 0.01
    assert 450 < plain / saturating < 750

    loss, *fake = browser.run(
        START + "train('d', 300); train('g', 300);"
        "return [plane.losses.g.at(-1), ...plane.gan.generator.forward(plane.shown_z)[0].data]",
        seed,
    )
    assert loss < 0.02
    assert np.linalg.norm(np.reshape(fake, (-1, 2)).std(axis=0)) < 1.1  # 2 for the real points


def test_momentum_keeps_the_points_from_the_centres(browser: Browser, tmp_path: Path) -> None:
    browser.open(plane_page(tmp_path))
    reached = browser.run(
        "const reached = []; for (const beta of [0.5, 0.9]) {" + START +
        "plane.settings.beta = beta; apply_settings(); train('both', 1500);"
        "const [fake] = plane.gan.generator.forward(plane.shown_z);"
        "reached.push(centres_reached(fake, kinds_of_data.ring)); } return reached",
        0,
    )  # fmt: skip
    assert reached[0] >= 7
    assert reached[1] <= 2
