"""What goes wrong in the middle of a run: it diverges, or the disk fails."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.runs import Configure

import minigan as mg
from minigan.backend import Array
from minigan.data import load_archive
from minigan.errors import InputError
from minigan.training import Run
from minigan.training.checkpoint import save_run
from minigan.training.folder import CHECKPOINT
from minigan.training.health import measure_health


@pytest.mark.parametrize("step", [3, 10])
def test_a_loss_that_is_not_finite_stops_the_run(
    step: int, config: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = mg.Trainer(config())
    train_step = trainer.gan.train_step

    def poisoned(real: Array, z: Array, labels: None) -> mg.StepResult:
        if trainer.state.step == step - 1:
            trainer.gan.discriminator.params[0] = math.nan
        return train_step(real, z, labels)

    monkeypatch.setattr(trainer.gan, "train_step", poisoned)
    with pytest.raises(InputError, match=f"diverged at step {step}: d_loss is nan") as caught:
        trainer.run()
    assert ("the last checkpoint is kept" in str(caught.value)) == (step > 7)
    if step > 7:  # after the first epoch there is a good checkpoint, and it stays
        arrays, meta = load_archive(trainer.folder / CHECKPOINT)
        assert meta["step"] == 7
        assert np.isfinite(arrays["discriminator"]).all()


def test_g_loss_alone_stops_it_too(config: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = mg.Trainer(config())
    result = mg.StepResult(*map(np.float32, (0.5, math.inf, 0.5, 0.5)))
    monkeypatch.setattr(trainer.gan, "train_step", lambda *batch: result)
    with pytest.raises(InputError, match="diverged at step 1: d_loss is 0.5 and g_loss is inf"):
        trainer.run()


def test_weights_that_are_not_finite_are_not_saved(
    config: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = mg.Trainer(config(epochs=1))
    train_step = trainer.gan.train_step

    def poisoned(real: Array, z: Array, labels: None) -> mg.StepResult:
        result = train_step(real, z, labels)
        if trainer.state.step == 6:  # after the losses of the epoch's last step were computed
            trainer.gan.generator.params[0] = math.inf
        return result

    monkeypatch.setattr(trainer.gan, "train_step", poisoned)
    with pytest.raises(InputError, match="at step 7: generator has numbers that are not finite"):
        trainer.run()
    assert not (trainer.folder / CHECKPOINT).exists()
    assert not (trainer.folder / "samples").exists()


@pytest.mark.parametrize("name", ["spread", "d_grads", "g_grads"])
def test_figures_that_no_checkpoint_could_hold_stop_the_run(
    name: str, config: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The square of a norm beyond 1.8e19 is infinite in float32, where the losses need not be."""
    folder = mg.Trainer(config(epochs=1)).run()
    kept = (folder / CHECKPOINT).read_bytes()

    def infinite(*args: Any) -> Any:
        health = measure_health(*args)
        if name == "spread":
            return health._replace(spread=np.inf)
        if name == "d_grads":
            return health._replace(d_grads=(*health.d_grads[:-1], np.inf))
        return health._replace(g_grads=(*health.g_grads[:-1], np.inf))

    monkeypatch.setattr("minigan.training.step_figures.measure_health", infinite)
    with pytest.raises(InputError, match="or the norm of a gradient, is not finite; the last che"):
        mg.Trainer(config(epochs=2, resume=str(folder))).run()
    assert (folder / CHECKPOINT).read_bytes() == kept


def test_a_huge_learning_rate_diverges_in_one_line(config: Configure) -> None:
    with pytest.raises(InputError, match="training diverged at step"):
        mg.Trainer(config(lr=1e30)).run()


@pytest.mark.parametrize("name", ["a folder that vanished", "a full disk"])
def test_a_failing_disk_keeps_the_old_checkpoint(
    name: str, config: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = mg.Trainer(config(epochs=1)).run()
    before = (folder / CHECKPOINT).read_bytes()
    trainer = mg.Trainer(config(epochs=2, resume=str(folder)))

    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError(28, "No space left on device")

    if name == "a full disk":
        monkeypatch.setattr("numpy.savez", full)
        with pytest.raises(OSError, match="No space left"):
            trainer.run()
        assert (folder / CHECKPOINT).read_bytes() == before
    else:

        def vanish(run: Run, file: Path) -> None:
            shutil.rmtree(folder)
            save_run(run, file)

        monkeypatch.setattr("minigan.training.run_folder.save_run", vanish)
        with pytest.raises(OSError, match="No such file"):
            trainer.run()


def test_a_run_that_an_error_has_ended_is_not_run_again(config: Configure) -> None:
    """Its step, log and random numbers may stand between two steps; the checkpoint does not."""
    trainer = mg.Trainer(config())
    step = trainer.train_step

    def fails(indices: Array, z: Array) -> Array:
        if trainer.state.step == 10:
            raise OSError("no space left")
        figures: Array = step(indices, z)
        return figures

    trainer.train_step = fails
    with pytest.raises(OSError, match="no space left"):
        trainer.run()
    trainer.train_step = step
    with pytest.raises(InputError, match="an error has ended the run of this Trainer"):
        trainer.run()
    resumed = mg.Trainer(config(resume=str(trainer.folder)))
    assert resumed.state.step == 7  # the end of the last complete epoch
    resumed.run()
