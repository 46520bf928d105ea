"""Resuming a run, bit for bit."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.runs import Configure, assert_resumes, assert_same_run, interrupt_at, saved_run

import minigan as mg
from minigan.backend import Array, Backend
from minigan.data import load_archive
from minigan.errors import InputError
from minigan.training.folder import CHECKPOINT, HISTORY


def test_resume_after_raising_epochs(config: Configure, tmp_path: Path) -> None:
    straight = mg.Trainer(config()).run()
    folder = mg.Trainer(config(epochs=1, out=str(tmp_path / "resumed"))).run()
    again = mg.TrainConfig.of_run(folder)
    assert again == config(epochs=1, resume=str(folder)).resolved()
    assert mg.Trainer(replace(again, epochs=3)).run() == folder
    assert_same_run(straight, folder)
    assert json.loads((folder / "config.json").read_text())["epochs"] == 3


@pytest.mark.parametrize("step", [1, 7, 8, 20])
def test_resume_after_an_interrupt_in_any_step(
    step: int, backend: Backend, config: Configure, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    straight = mg.Trainer(config(backend=backend.name)).run()
    trainer = mg.Trainer(config(backend=backend.name, out=str(tmp_path / "resumed")))
    interrupt_at(trainer, step)
    with pytest.raises(KeyboardInterrupt):
        trainer.run()
    assert trainer.state.step == step  # the step in progress was finished
    assert load_archive(trainer.folder / CHECKPOINT)[1]["step"] == step
    assert f"minigan train --resume {trainer.folder}" in capsys.readouterr().out
    mg.Trainer(mg.TrainConfig.of_run(trainer.folder)).run()
    assert_same_run(straight, trainer.folder)


def test_resume_of_a_run_that_settles(config: Configure, tmp_path: Path) -> None:
    """Both the learning rate and the average go on from where the steps stand."""
    assert_resumes(config, 12, tmp_path / "settled", settle_after=5)
    unsettled = mg.Trainer(config(settle_after=0, out=str(tmp_path / "unsettled"))).run()
    (settled, _), (other, _) = (saved_run(tmp_path / "settled"), saved_run(unsettled))
    for name in ("generator", "discriminator", "average"):
        assert (settled[name] != other[name]).any()


def test_a_trainer_that_is_behind_its_folder_overwrites_nothing(config: Configure) -> None:
    trainer = mg.Trainer(config())
    interrupt_at(trainer, 10)
    with pytest.raises(KeyboardInterrupt):
        trainer.run()
    mg.Trainer(mg.TrainConfig.of_run(trainer.folder)).run()  # in another process, say
    before = (trainer.folder / CHECKPOINT).read_bytes()
    with pytest.raises(InputError, match=r"checkpoint.npz has changed since this Trainer was made"):
        trainer.run()
    assert (trainer.folder / CHECKPOINT).read_bytes() == before


def test_a_crash_between_checkpoints_loses_the_epoch_only(
    config: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    straight = mg.Trainer(config()).run()
    trainer = mg.Trainer(config(out=str(tmp_path / "crashed")))
    train_step = trainer.gan.train_step

    def crash(real: Array, z: Array, labels: None) -> mg.StepResult:
        if trainer.state.step == 17:
            raise OSError("power cut")
        return train_step(real, z, labels)

    monkeypatch.setattr(trainer.gan, "train_step", crash)
    with pytest.raises(OSError, match="power cut"):
        trainer.run()
    assert load_archive(trainer.folder / CHECKPOINT)[1]["step"] == 14
    mg.Trainer(mg.TrainConfig.of_run(trainer.folder)).run()
    assert_same_run(straight, trainer.folder)


def test_resume_before_the_first_checkpoint_starts_anew(config: Configure, tmp_path: Path) -> None:
    straight = mg.Trainer(config()).run()
    folder = tmp_path / "killed"
    shutil.copytree(straight, folder)
    (folder / CHECKPOINT).unlink()
    (folder / HISTORY).unlink()
    mg.Trainer(mg.TrainConfig.of_run(folder)).run()
    assert_same_run(straight, folder)


def test_resume_of_a_complete_run(config: Configure, capsys: pytest.CaptureFixture[str]) -> None:
    folder = mg.Trainer(config(epochs=1)).run()
    before = (folder / CHECKPOINT).read_bytes()
    mg.Trainer(mg.TrainConfig.of_run(folder)).run()
    assert f"the run in {folder} ended with epoch 1" in capsys.readouterr().out
    assert (folder / CHECKPOINT).read_bytes() == before


def test_resume_after_the_data_moved(config: Configure, tiny_data: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_data, tmp_path / "old")
    folder = mg.Trainer(config(epochs=1, data=str(tmp_path / "old"))).run()
    (tmp_path / "old").rename(tmp_path / "new")
    with pytest.raises(InputError, match="old does not exist"):
        mg.Trainer(mg.TrainConfig.of_run(folder))
    moved = replace(mg.TrainConfig.of_run(folder), data=str(tmp_path / "new"), epochs=2)
    mg.Trainer(moved).run()


def test_a_run_from_before_there_were_recipes_is_the_tutorials(
    config: Configure, tmp_path: Path
) -> None:
    trainer = mg.Trainer(config(recipe="tutorial", epochs=1))
    folder = trainer.run()
    stored = json.loads((folder / "config.json").read_text())
    del stored["recipe"], stored["crc32"]
    (folder / "config.json").write_text(json.dumps(stored))
    resumed = mg.Trainer(replace(mg.TrainConfig.of_run(folder), epochs=2))
    assert resumed.config.recipe == "tutorial"
    np.testing.assert_array_equal(resumed.gan.generator.params, trainer.gan.generator.params)
