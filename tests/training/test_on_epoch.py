"""``Trainer.run(on_epoch=...)``: a function that is called after each epoch and may end the run."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.runs import Configure, assert_same_run, interrupt_at

import minigan as mg
from minigan.data import load_archive
from minigan.training.folder import CHECKPOINT, FILM


def epochs_of(trainer: mg.Trainer) -> int:
    return trainer.state.step // trainer.state.steps_per_epoch


def saved_step(folder: Path) -> int:
    step: int = load_archive(folder / CHECKPOINT)[1]["step"]
    return step


def resume(folder: Path, **run: Any) -> Path:
    return mg.Trainer(mg.TrainConfig.of_run(folder)).run(**run)


def test_it_sees_each_epoch_when_it_is_written(
    config: Configure, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    straight = mg.Trainer(config(out=str(tmp_path / "straight"))).run()
    capsys.readouterr()
    seen = []

    def look(trainer: mg.Trainer) -> None:
        epoch = epochs_of(trainer)
        assert capsys.readouterr().out.splitlines()[-1].startswith(f"Epoch [{epoch}/3]")
        assert (trainer.folder / "samples" / f"epoch_{epoch:04d}.png").is_file()
        assert saved_step(trainer.folder) == trainer.state.step
        images = trainer.generator(trainer.state.fixed_z)
        trainer.state.rng.random(5)  # a run does not notice
        seen.append((epoch, trainer.history[-1].step, images.shape))

    folder = mg.Trainer(config()).run(on_epoch=look)
    assert seen == [(1, 7, (64, 784)), (2, 14, (64, 784)), (3, 21, (64, 784))]
    assert_same_run(straight, folder)


@pytest.mark.parametrize("save_every", [1, 2, 3])
@pytest.mark.parametrize("true", [True, np.bool_(True)])
def test_it_can_end_the_run(
    true: bool, save_every: int, config: Configure, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    straight = mg.Trainer(config(save_every=save_every, out=str(tmp_path / "straight"))).run()
    trainer = mg.Trainer(config(save_every=save_every))
    folder = trainer.run(on_epoch=lambda trainer: true if epochs_of(trainer) == 2 else None)
    printed = capsys.readouterr().out
    assert "Stopped after step 14; everything is saved." in printed
    assert f"minigan train --resume {folder}" in printed
    assert saved_step(folder) == trainer.state.step == 14
    assert (folder / FILM).is_file() == (save_every < 3)
    resume(folder)
    assert_same_run(straight, folder)
    assert_same_run(folder, straight)  # neither has a picture that the other one lacks


def test_the_same_trainer_goes_on(config: Configure, tmp_path: Path) -> None:
    straight = mg.Trainer(config(out=str(tmp_path / "straight"))).run()
    trainer = mg.Trainer(config())
    ends = iter([True, False, True])
    trainer.run(on_epoch=lambda trainer: next(ends))
    assert trainer.state.step == 7
    folder = trainer.run(on_epoch=lambda trainer: next(ends))  # True after the last one
    assert trainer.state.step == 21
    assert_same_run(straight, folder)


@pytest.mark.parametrize("error", [ValueError("mistake"), KeyboardInterrupt(), "no verdict"])
def test_an_error_in_it_leaves_a_saved_run(error: Any, config: Configure, tmp_path: Path) -> None:
    straight = mg.Trainer(config(save_every=3, out=str(tmp_path / "straight"))).run()
    trainer = mg.Trainer(config(save_every=3))

    def fails(trainer: mg.Trainer) -> Any:
        if epochs_of(trainer) == 2:
            if isinstance(error, BaseException):
                raise error
            return error
        return None

    kind = type(error) if isinstance(error, BaseException) else TypeError
    with pytest.raises(kind) as caught:
        trainer.run(on_epoch=fails)
    if kind is TypeError:
        assert str(caught.value) == "on_epoch returned 'no verdict', expected True, False or None"
    assert saved_step(trainer.folder) == 14
    assert_same_run(straight, resume(trainer.folder))


def test_a_trainer_whose_function_failed_can_run_again(config: Configure, tmp_path: Path) -> None:
    straight = mg.Trainer(config(out=str(tmp_path / "straight"))).run()
    trainer = mg.Trainer(config())

    def fails(trainer: mg.Trainer) -> None:
        raise ValueError("mistake")

    with pytest.raises(ValueError, match="mistake"):
        trainer.run(on_epoch=fails)
    assert_same_run(straight, trainer.run())


@pytest.mark.parametrize("step", [10, 14])
def test_a_signal_counts_too(step: int, config: Configure, tmp_path: Path) -> None:
    """An epoch that is whole is shown; one that was interrupted is not, until it is resumed."""
    straight = mg.Trainer(config(out=str(tmp_path / "straight"))).run()
    trainer, seen = mg.Trainer(config()), []
    interrupt_at(trainer, step)
    with pytest.raises(KeyboardInterrupt):
        trainer.run(on_epoch=lambda trainer: seen.append(epochs_of(trainer)))
    assert seen == [1, 2][: step // 7]
    resume(trainer.folder, on_epoch=lambda trainer: seen.append(epochs_of(trainer)))
    assert seen == [1, 2, 3]
    assert_same_run(straight, trainer.folder)


def test_a_signal_within_it_stops_the_run(config: Configure, tmp_path: Path) -> None:
    straight = mg.Trainer(config(out=str(tmp_path / "straight"))).run()
    trainer = mg.Trainer(config())
    with pytest.raises(KeyboardInterrupt):
        trainer.run(on_epoch=lambda trainer: signal.raise_signal(signal.SIGINT))
    assert saved_step(trainer.folder) == trainer.state.step == 8  # after the next step
    assert_same_run(straight, resume(trainer.folder))


def test_what_is_no_function_is_refused_before_training(config: Configure) -> None:
    trainer = mg.Trainer(config())
    with pytest.raises(TypeError, match="on_epoch is 3, expected a function of the Trainer"):
        trainer.run(on_epoch=3)  # type: ignore[arg-type]
    assert not trainer.folder.exists()
