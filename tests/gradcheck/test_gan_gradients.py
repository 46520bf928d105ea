"""The gradient check of whole GANs: both steps at once, and all that the command checks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers.narrow import narrow_networks
from helpers.verdicts import right
from hypothesis import given, settings
from hypothesis import strategies as st

import minigan as mg
from minigan.backend import Array, Backend, matmul
from minigan.gradcheck import ROWS, GradientReport, check_everything, check_gan


def normal(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape)


def pixels(*shape: int, seed: int = 0) -> Array:
    return np.tanh(normal(*shape, seed=seed))


def small_gan(
    lr: float = 1e-3, latent: int = 3, hidden: int = 4, size: int = 5, logits: bool = False
) -> mg.GAN:
    options: Any = {"seed": np.random.default_rng(0), "dtype": "float64"}
    G = mg.Sequential(
        mg.Linear(latent, hidden), mg.ReLU(), mg.Linear(hidden, size), mg.Tanh(), **options
    )
    layers = mg.Linear(size, hidden), mg.LeakyReLU(0.2), mg.Linear(hidden, 1)
    D = mg.Sequential(*layers, *([] if logits else [mg.Sigmoid()]), **options)
    return mg.GAN(G, D, lr=lr, logits=logits)


@given(
    n=st.integers(1, 6),
    latent=st.integers(1, 4),
    hidden=st.integers(1, 6),
    size=st.integers(1, 6),
    seed=st.integers(0, 99),
)
@settings(max_examples=30)
def test_every_entry_of_both_steps_of_a_small_gan(
    n: int, latent: int, hidden: int, size: int, seed: int
) -> None:
    gan = small_gan(latent=latent, hidden=hidden, size=size)
    real, z = pixels(n, size, seed=seed), normal(n, latent, seed=seed + 1)
    report = check_gan(gan, real, z, max_entries=1000)
    assert right(report), report
    assert {array.name[:4] for array in report.arrays} == {"D.0.", "D.2.", "G.0.", "G.2."}
    assert all(array.checked == array.size for array in report.arrays)


@pytest.mark.parametrize("name", ["bce", "bce_with_logits"])
def test_rejects_a_gan_whose_step_is_wrong(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # In the step of G, the target of the fakes must be 1; in the step of D, two means are added.
    true, logits = getattr(mg, name), name == "bce_with_logits"
    assert check_gan(small_gan(logits=logits), pixels(6, 5), normal(6, 3))
    for wrong in (
        lambda p, t: true(p, 0.9 if t == 1 else t),
        lambda p, t: (true(p, t)[0], true(p, t)[1] / 2),
        lambda p, t: true(p, 1.0),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(f"minigan.gan.{name}", wrong)
            assert not check_gan(small_gan(logits=logits), pixels(6, 5), normal(6, 3))


def without_db(layer: mg.Linear, dy: Array, x: Array) -> None:
    matmul(x.T, dy, out=layer.dW)


def test_rejects_a_step_that_leaves_old_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    gan, real, z = small_gan(), pixels(6, 5), normal(6, 3)
    assert check_gan(gan, real, z)  # leaves the right gradients behind
    monkeypatch.setattr(mg.Linear, "param_grads", without_db)
    assert not check_gan(gan, real, z)


def test_leaves_the_gan_alone() -> None:
    gan = small_gan()
    before = [net.params.copy() for net in (gan.generator, gan.discriminator)]
    check_gan(gan, pixels(6, 5), normal(6, 3))
    for net, params in zip((gan.generator, gan.discriminator), before, strict=True):
        np.testing.assert_array_equal(net.params, params)
    assert gan.adam_d.t == gan.adam_g.t == 0


def test_everything_that_the_command_checks(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = backend.name == "numpy"
    if not whole:  # the stand-in is slow: narrow networks, an entry of each array, a direction
        narrow_networks(monkeypatch)

        def check(*args: Any, max_entries: int) -> GradientReport:
            return check_gan(*args, max_entries=min(max_entries, 1))

        monkeypatch.setattr("minigan.gradcheck.everything.check_gan", check)
    rows = list(check_everything(backend))
    assert len(rows) == ROWS
    assert len(rows) == 26
    for name, report in rows:
        assert report, f"{name}: {report}"
        assert 0 <= report.worst.error < 1e-6
        assert report.worst.error > 0 or name == "Shift(7)"  # a sum has no error
    if whole:  # every entry of the narrow GAN
        sizes = [sum(array.size for array in report.arrays) for _, report in rows[-9:-1]]
        assert sizes == [561, 1_460_225, 1_486_352, 611, 1_460_225, 1_489_936, 611, 648]
        for i in (-9, -3, -2):
            assert all(array.checked == array.size for array in rows[i][1].arrays)


def test_rejects_a_gan_whose_batch_norm_forgets_gamma(monkeypatch: pytest.MonkeyPatch) -> None:
    def gan() -> mg.GAN:
        options: Any = {"seed": np.random.default_rng(0), "dtype": "float64"}
        G = mg.Sequential(
            mg.Linear(3, 4), mg.BatchNorm1d(4), mg.ReLU(), mg.Linear(4, 5), mg.Tanh(), **options
        )
        return mg.GAN(G, mg.Sequential(mg.Linear(5, 1), **options), logits=True)

    assert check_gan(gan(), pixels(6, 5), normal(6, 3), max_entries=50)
    whole = mg.BatchNorm1d.input_grad
    monkeypatch.setattr(
        mg.BatchNorm1d, "input_grad", lambda self, dy, cache: whole(self, dy, cache) / self.gamma
    )
    assert not check_gan(gan(), pixels(6, 5), normal(6, 3), max_entries=50)
