"""The figures of health, and the signs of a collapse."""

from __future__ import annotations

import math

import numpy as np
import pytest

import minigan as mg
from minigan.backend import Backend
from minigan.health import health, sign_of_collapse, spread, warning_of_collapse
from minigan.history import HistoryRow


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
    got = health(gan, z)
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
    np.testing.assert_allclose(got, want, rtol=1e-4)


def rows(**figures: float) -> list[HistoryRow]:
    healthy = {"d_loss": 1.1, "g_loss": 1.2, "p_real": 0.6, "p_fake": 0.4, "spread": 0.36}
    values = healthy | figures
    return [
        HistoryRow(epoch, 1000 + epoch, seconds=1, images_per_second=1, **values)
        for epoch in (1, 1, 2)
    ]


@pytest.mark.parametrize(
    ("figures", "sign"),
    [
        ({}, None),
        ({"spread": 0.02}, "G's images are nearly alike (spread 0.02, of real images 0.38)"),
        (
            {"p_real": 0.998, "p_fake": 0.001},
            "D is certain of every image (D(x) 0.998, D(G(z)) 0.001)",
        ),
        (
            {"p_real": 1.0, "p_fake": 1.0, "spread": 0.01},
            "D takes every image for real (D(x) 1.000, D(G(z)) 1.000)",
        ),
        (
            {"p_real": 0.0, "p_fake": 0.0, "g_loss": 100.0},
            "D takes every image for fake (D(x) 0.000, D(G(z)) 0.000)",
        ),
        ({"g_loss": 9.1}, "G no longer deceives D (g_loss 9.1, 0.7 if D were only guessing)"),
        ({"spread": math.nan}, None),  # of a run from before it was measured
    ],
)
def test_signs_of_collapse(figures: dict[str, float], sign: str | None) -> None:
    assert sign_of_collapse(rows(**figures), 1, real_spread=0.38) == sign


def test_three_epochs_in_a_row_are_a_warning_and_more_are_not() -> None:
    def warned(spreads: list[float]) -> list[int]:
        history = [
            HistoryRow(epoch, 1000 + epoch, 1.1, 1.2, 0.6, 0.4, 1, 1, spread=value)
            for epoch, value in enumerate(spreads, 1)
        ]
        epochs = range(1, len(spreads) + 1)
        return [e for e in epochs if warning_of_collapse(history[:e], e, 0.38) is not None]

    assert warned([0.36] * 5) == []
    assert warned([0.02, 0.02, 0.36, 0.02, 0.02]) == []  # it came back
    assert warned([0.02] * 6) == [3]
    assert warned([0.02] * 4 + [0.36] + [0.02] * 5) == [3, 8]  # and then collapsed again


def test_the_first_thousand_steps_are_not_judged() -> None:
    early = [row._replace(step=1000) for row in rows(spread=0.0)]
    assert sign_of_collapse(early, 1, real_spread=0.38) is None


def test_only_the_epoch_itself_counts() -> None:
    history = [*rows()[:2], *rows(spread=0.0)[2:]]
    assert sign_of_collapse(history, 1, 0.38) is None
    assert sign_of_collapse(history, 2, 0.38) is not None
