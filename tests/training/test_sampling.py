"""New digits from a run: the trained generator's, reproducible, on a walk too."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import minigan as mg
from minigan.cli import main
from minigan.data import load_archive, save_archive
from minigan.errors import InputError
from minigan.metrics import features_and_probabilities, load_classifier
from minigan.training.sampling import (
    CONDITIONAL,
    PRETRAINED,
    draw_samples,
    load_generator,
    unit_samples,
)


@pytest.fixture(scope="module")
def run(tiny_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "run"
    options = mg.TrainConfig(
        epochs=1, batch_size=100, latent_dim=9, data=str(tiny_data), out=str(out)
    )
    return mg.Trainer(options).run()


def test_it_is_what_draws_in_the_run(run: Path) -> None:
    arrays, _ = load_archive(run / "checkpoint.npz")
    for source in (run, run / "checkpoint.npz"):
        net = load_generator(source)
        np.testing.assert_array_equal(net.params, arrays["average"])
        for name, array in net.named_buffers():
            np.testing.assert_array_equal(array, arrays[f"average.{name}"])
    assert net.n_in == 9


@pytest.mark.parametrize("recipe", ["averaged", "batch-norm", "tutorial"])
def test_it_draws_as_the_trained_generator_does(
    recipe: str, tiny_data: Path, tmp_path: Path
) -> None:
    out = str(tmp_path / "run")
    config = mg.TrainConfig(epochs=1, batch_size=50, recipe=recipe, data=str(tiny_data), out=out)
    trainer = mg.Trainer(config)
    trainer.run()
    want = trainer.generator(trainer.state.fixed_z)
    np.testing.assert_array_equal(load_generator(out)(trainer.state.fixed_z), want)


def test_the_shipped_generator_draws_all_digits() -> None:
    """The best.npz of a long run, as its file says."""
    net = load_generator()
    _, meta = load_archive(PRETRAINED)
    assert meta["config"]["recipe"] == "averaged"
    assert meta["figures"]["classes"] == 10
    images = unit_samples(net, 1000, seed=0) * 2 - 1
    _, probabilities = features_and_probabilities(load_classifier(), images)
    counts = np.bincount(probabilities.argmax(axis=1), minlength=10)
    assert counts.min() >= 30  # 100 each would be the digits of MNIST
    assert (probabilities.max(axis=1) > 0.9).mean() > 0.7


def test_the_shipped_conditional_generator_draws_what_it_is_asked_for() -> None:
    net = load_generator(classes=True)
    _, meta = load_archive(CONDITIONAL)
    assert meta["config"]["recipe"] == "conditional"
    assert meta["classes"] == list(range(10))
    images = unit_samples(net, 1000, seed=0, classes=10) * 2 - 1
    _, probabilities = features_and_probabilities(load_classifier(), images)
    read = probabilities.argmax(axis=1)
    assert (read == np.arange(1000) % 10).mean() > 0.97


def test_a_run_has_classes_or_has_none(run: Path) -> None:
    with pytest.raises(ValueError, match="chooses a generator of the package, but run is "):
        load_generator(run, classes=True)


def test_the_command_asks_the_shipped_generator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["sample", "--digits", "20", "--format", "npy"]) == 0
    images = np.load(tmp_path / "runs" / "sample_0.npy").reshape(2, 784) / np.float32(127.5) - 1
    _, probabilities = features_and_probabilities(load_classifier(), images)
    assert probabilities.argmax(axis=1).tolist() == [2, 0]


def test_draw_samples_in_chunks(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net = load_generator(run)
    z = np.random.default_rng(0).standard_normal((10, 9))
    images = draw_samples(net, z)
    assert images.shape == (10, 784)
    assert (np.abs(images) <= 1).all()
    monkeypatch.setattr("minigan.training.sampling.CHUNK", 4)
    np.testing.assert_allclose(draw_samples(net, z), images, atol=1e-6)


@pytest.mark.parametrize("command", ["sample", "sample --interpolate", "evaluate"])
def test_weights_that_overflow_are_one_line(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All numbers in the file are finite, and what comes of them is not."""
    arrays, meta = load_archive(PRETRAINED)
    signs = np.random.default_rng(0).choice([-3e38, 3e38], arrays["generator"].shape)
    arrays["generator"] = signs.astype(np.float32)
    del meta["figures"]
    save_archive(tmp_path / "best.npz", arrays, meta)
    name, *options = command.split()
    assert main([name, str(tmp_path / "best.npz"), *options]) == 2
    err = capsys.readouterr().err.splitlines()[-1]
    assert err == (
        "minigan: the generator draws images with numbers beyond 1e+30, or not finite: its "
        "weights are too large"
    )


def test_bad_runs(run: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing does not exist"):
        load_generator(tmp_path / "nothing")
    with pytest.raises(InputError, match=r"checkpoint.npz does not exist"):
        load_generator(tmp_path)
    arrays, meta = load_archive(run / "checkpoint.npz")
    file = tmp_path / "checkpoint.npz"
    save_archive(file, arrays, meta | {"config": meta["config"] | {"latent_dim": 10}})
    with pytest.raises(InputError, match="maps 9 to 784 columns, expected 10"):
        load_generator(file)
    save_archive(file, arrays, {})
    with pytest.raises(InputError, match="does not hold the options of a run"):
        load_generator(file)
