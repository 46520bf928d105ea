"""A run whose generator has styles: its random numbers, its files, and truncation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.runs import Configure, assert_resumes

import minigan as mg
from minigan.backend import Backend
from minigan.cli import main
from minigan.models import style_generator
from minigan.style import Noise
from minigan.training import draw_samples, draw_truncated


@pytest.mark.parametrize("step", [1, 20])
def test_resumes_bit_for_bit(
    step: int, backend: Backend, config: Configure, tmp_path: Path
) -> None:
    assert_resumes(config, step, tmp_path / "resumed", recipe="style", backend=backend.name)


def test_noise_is_drawn_beside_z(config: Configure) -> None:
    trainer = mg.Trainer(config(recipe="style", latent_dim=7, epochs=1))
    columns = trainer.gan.generator.n_in
    assert columns == trainer.gan.z_columns == 7 + 48 + 64  # the widths of the narrow networks
    assert trainer.state.fixed_z.shape == (64, columns)
    folder = trainer.run()
    net = mg.load_generator(folder)
    z = np.random.default_rng(0).standard_normal((2, columns)).astype("float32")
    np.testing.assert_array_equal(net(z), trainer.generator(z))


def generator() -> Any:
    net = style_generator(9, seed=0, dtype="float64")
    for layer in net.layers:
        if isinstance(layer, Noise):
            layer.k += 0.1
    return net


def test_truncation_goes_from_the_mean_style_to_the_own_one() -> None:
    net, rng = generator(), np.random.default_rng(1)
    x = rng.standard_normal((3, net.n_in))
    np.testing.assert_allclose(draw_truncated(net, x, 1.0), draw_samples(net, x), atol=1e-13)
    none = draw_truncated(net, x, 0.0)
    same_noise = np.concatenate([x[:, :9], np.repeat(x[:1, 9:], 3, axis=0)], axis=1)
    alike = draw_truncated(net, same_noise, 0.0)
    np.testing.assert_allclose(alike[1:], alike[:2], atol=1e-13)  # all have the mean style
    assert abs(none[1:] - none[:2]).max() > 1e-3  # but each has noise of its own
    half = draw_truncated(net, same_noise, 0.5)
    assert 0 < half.std(axis=0).mean() < draw_samples(net, same_noise).std(axis=0).mean()


@pytest.mark.parametrize("truncation", ["-0.1", "nan", "inf", "1e400"])
def test_a_truncation_that_is_none(truncation: str, config: Configure, capsys: Any) -> None:
    folder = mg.Trainer(config(recipe="style", epochs=1)).run()
    capsys.readouterr()
    assert main(["sample", str(folder), "--truncation", truncation]) == 2
    err = capsys.readouterr().err
    assert err.startswith("minigan: --truncation is")
    assert err.endswith("expected a finite number of at least 0\n")
    assert main(["sample", str(folder), "--truncation", "0.7"]) == 0


@pytest.mark.parametrize("truncation", ["1e308", "1e30"])
def test_a_truncation_that_is_too_large(truncation: str, config: Configure, capsys: Any) -> None:
    folder = mg.Trainer(config(recipe="style", epochs=1)).run()
    capsys.readouterr()
    assert main(["sample", str(folder), "--truncation", truncation]) == 2
    assert capsys.readouterr().err == (
        "minigan: the generator draws images with numbers beyond 1e+30, or not finite: its weights "
        f"are, or --truncation, {float(truncation):g}, is too large\n"
    )
    assert not (folder / "sample_0.png").exists()


def test_a_generator_without_styles(
    tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["sample", "--truncation", "0.5"]) == 2
    assert capsys.readouterr().err == (
        "minigan: --truncation is 0.5, but this generator has no styles to draw towards their "
        "mean: train one with --recipe style\n"
    )
    assert not list(tmp_path.iterdir())
