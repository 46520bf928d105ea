"""The moving average of a generator: its formula, when it follows, and who draws with it."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import minigan as mg
from minigan.backend import Array, Backend
from minigan.data import load_archive
from minigan.training.average import follow, renew_statistics, update_average
from minigan.training.pictures import save_grid
from minigan.training.quality import Quality
from minigan.training.recipes import RECIPES
from minigan.training.sampling import load_generator


def everything(net: mg.Sequential) -> Array:
    """Parameters and running statistics in one vector, in main memory."""
    arrays = [net.params, *(array.reshape(-1) for _, array in net.named_buffers())]
    return np.concatenate([net.backend.to_numpy(array) for array in arrays])


def small(seed: int, dtype: str = "float64", backend: str | Backend = "numpy") -> mg.Sequential:
    layers = mg.Linear(3, 4), mg.BatchNorm1d(4), mg.ReLU()
    return mg.Sequential(*layers, seed=seed, dtype=dtype, backend=backend)


@pytest.mark.parametrize("updates", [1, 2, 30])
def test_it_is_the_mean_with_the_weights_of_the_docstring(updates: int) -> None:
    """Weights (s + 7)! / (s - 1)!, s⁸ for large s, written out: no step by step."""
    average, net = small(0), small(1)
    rng, seen = np.random.default_rng(2), []
    for t in range(1, updates + 1):
        net.params[...] = rng.standard_normal(net.params.shape)
        for _, array in net.named_buffers():
            array[...] = rng.standard_normal(array.shape)
        seen.append(everything(net))
        update_average(average, net, t)
        np.testing.assert_array_equal(everything(net), seen[-1])  # it only looks
    weights = [math.factorial(s + 7) // math.factorial(s - 1) for s in range(1, updates + 1)]
    want = np.average(seen, axis=0, weights=np.array(weights, float))
    np.testing.assert_allclose(everything(average), want, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("settle_after", "longest"), [(0, 99), (1, 1), (10, 1), (11, 2), (30, 3), (990, 99)]
)
def test_the_average_of_a_run_that_settles_keeps_its_length(
    settle_after: int, longest: int
) -> None:
    average, net = small(0), small(1)
    rng, mean, t = np.random.default_rng(2), everything(average), 0
    for step in range(1, 72):
        net.params[...] = rng.standard_normal(net.params.shape)
        if step % 10 == 1:
            t += 1
            share = 9 / (min(t, longest) + 8)
            mean = (1 - share) * mean + share * everything(net)
        follow(average, net, step, settle_after)
        np.testing.assert_allclose(everything(average), mean, rtol=1e-12, atol=1e-14)


def test_layers_see_it_and_dtypes_stay(backend: Backend) -> None:
    average, net = small(0, "float32", backend), small(1, "float32", backend)
    mean, now = average[0], net[0]
    assert isinstance(mean, mg.Linear)
    assert isinstance(now, mg.Linear)
    update_average(average, net, 1)
    assert everything(average).dtype == np.float32
    np.testing.assert_allclose(backend.to_numpy(mean.W), backend.to_numpy(now.W), atol=1e-7)


@pytest.mark.parametrize("classes", [0, 3])
def test_statistics_are_measured_on_what_goes_through(classes: int, backend: Backend) -> None:
    """Each layer's, in turn, from means and variances over the batches of its own input."""
    layers = mg.Linear(5, 4), mg.BatchNorm1d(4, momentum=0.3), mg.ReLU(), mg.Linear(4, 6)
    net = mg.Sequential(
        *layers, mg.BatchNorm1d(6), mg.Tanh(), seed=0, dtype="float64", backend=backend
    )
    for _, array in net.named_buffers():
        array[...] = 7  # nothing of what was there before is left
    before = backend.to_numpy(net.params).copy()
    renew_statistics(net, 5, classes)
    np.testing.assert_array_equal(backend.to_numpy(net.params), before)

    W1, b1, gamma1, beta1, W2, b2 = (
        backend.to_numpy(p) for _, p, _ in list(net.named_parameters())[:6]
    )
    rng, first, second = np.random.default_rng(1), [], []
    for _ in range(20):
        z = rng.standard_normal((1000, 5 - classes))
        if classes:
            z = np.concatenate([z, np.eye(classes)[np.arange(1000) % classes]], axis=1)
        x = z @ W1 + b1
        first.append((x.mean(axis=0), x.var(axis=0, ddof=1)))
        x = gamma1 * (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-5) + beta1
        x = np.maximum(x, 0) @ W2 + b2
        second.append((x.mean(axis=0), x.var(axis=0, ddof=1)))
    for i, seen in ((1, first), (4, second)):
        layer = net[i]
        assert isinstance(layer, mg.BatchNorm1d)
        mean, var = np.mean(seen, axis=0)
        np.testing.assert_allclose(
            backend.to_numpy(layer.running_mean), mean, rtol=1e-11, atol=1e-13
        )
        np.testing.assert_allclose(backend.to_numpy(layer.running_var), var, rtol=1e-11)
        assert layer.momentum == (0.3 if i == 1 else 0.1)


def test_a_network_without_statistics_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    net = mg.Sequential(mg.Linear(3, 4), mg.Tanh(), seed=0)
    monkeypatch.setattr(net, "forward", None)
    renew_statistics(net, 3)


def trainer(tiny_data: Path, out: Path, recipe: str, epochs: int) -> mg.Trainer:
    return mg.Trainer(
        mg.TrainConfig(
            recipe=recipe, epochs=epochs, batch_size=30, data=str(tiny_data), out=str(out)
        )
    )


@pytest.mark.usefixtures("quick_runs")
def test_it_follows_after_every_tenth_step_and_training_is_the_same(
    tiny_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seven steps an epoch: updates after the first step of epochs 1 and 2, and so on."""
    run = trainer(tiny_data, tmp_path / "averaged", "averaged", 4)
    seen: list[Array] = []
    step = run.train_step

    def noted(indices: Array, z: Array) -> Array:
        figures: Array = step(indices, z)
        seen.append(everything(run.gan.generator))
        return figures

    run.train_step = noted
    run.run()
    assert len(seen) == 28
    mean = seen[0]
    for t, now in enumerate(seen[10::10], 2):  # after steps 10 and 20, where the first is 0
        mean = mean + np.float32(9 / (t + 8)) * (now - mean)
    weights = run.generator.params.size  # what follows are statistics, which are measured anew
    np.testing.assert_array_equal(run.generator.params, mean[:weights])
    ended = everything(run.generator)
    renew_statistics(run.generator, run.state.fixed_z.shape[1])
    np.testing.assert_array_equal(everything(run.generator), ended)

    monkeypatch.setitem(RECIPES, "averaged", RECIPES["averaged"]._replace(averaged=False))
    plain = trainer(tiny_data, tmp_path / "plain", "averaged", 4)
    plain.run()
    assert plain.generator is plain.gan.generator
    np.testing.assert_array_equal(everything(plain.generator), everything(run.gan.generator))
    np.testing.assert_array_equal(plain.gan.discriminator.params, run.gan.discriminator.params)


@pytest.mark.usefixtures("quick_runs")
def test_pictures_quality_and_checkpoint_are_of_the_average(
    tiny_data: Path, tmp_path: Path
) -> None:
    run = trainer(tiny_data, tmp_path / "run", "averaged", 2)
    measured: list[mg.Sequential] = []

    def measure(net: mg.Sequential) -> Quality:
        measured.append(net)
        return Quality(ndb=90, js=0.5, classes=10)

    run.config = run.state.config = replace(run.config, evaluate_every=2)
    check: Any = SimpleNamespace(measure=measure)
    run.quality_check = check
    folder = run.run()
    assert measured == [run.generator]
    save_grid(tmp_path / "want.png", run.generator(run.state.fixed_z))
    picture = folder / "samples" / "epoch_0002.png"
    assert picture.read_bytes() == (tmp_path / "want.png").read_bytes()
    np.testing.assert_array_equal(
        everything(load_generator(folder / "best.npz")), everything(run.generator)
    )
    assert (everything(run.generator) != everything(run.gan.generator)).any()
    arrays, _ = load_archive(folder / "checkpoint.npz")
    np.testing.assert_array_equal(arrays["average"], run.generator.params)
    np.testing.assert_array_equal(arrays["generator"], run.gan.generator.params)
    np.testing.assert_array_equal(everything(load_generator(folder)), everything(run.generator))
