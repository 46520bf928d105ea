"""The step counter of a run is right after every single step, whenever figures are read."""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from helpers.runs import Configure, assert_same_run, interrupt_at, saved_run

import minigan as mg
from minigan.backend import Array, Backend


def counted(trainer: mg.Trainer) -> list[int]:
    """The counter as it stands at the beginning of each step that the trainer will take."""
    seen: list[int] = []
    train_step = trainer.train_step

    def noted(indices: Array, z: Array) -> Any:
        seen.append(trainer.state.step)
        return train_step(indices, z)

    trainer.train_step = noted
    return seen


@pytest.mark.parametrize("read_every", [1, 3, 100])
def test_it_counts_every_step_across_epochs(
    read_every: int, backend: Backend, config: Configure
) -> None:
    trainer = mg.Trainer(config(backend=backend.name))
    trainer.figures.read_every = (
        read_every  # figures are read after so many steps and at an epoch's end
    )
    seen = counted(trainer)
    trainer.run()
    assert seen == list(range(21))
    assert trainer.state.step == trainer.gan.adam_g.t == trainer.gan.adam_d.t == 21
    assert [row.step for row in trainer.history] == [7, 14, 21]


def test_how_often_each_backend_reads(backend: Backend, config: Configure) -> None:
    assert mg.Trainer(config(backend=backend.name)).figures.read_every == (
        1 if backend.name == "numpy" else 100
    )


def test_it_counts_more_steps_than_are_read_at_once(backend: Backend, config: Configure) -> None:
    trainer = mg.Trainer(config(backend=backend.name, recipe="tutorial", batch_size=1, epochs=1))
    seen = counted(trainer)
    trainer.run()
    assert seen == list(range(200))
    assert trainer.state.step == 200
    assert [row.step for row in trainer.history] == [100, 200]
    assert len(trainer.state.log) == 0  # the epoch is over


@pytest.mark.parametrize(("read_every", "step"), [(1, 4), (1, 7), (100, 7), (100, 10)])
def test_it_counts_on_after_a_signal_and_in_a_resumed_run(
    read_every: int, step: int, backend: Backend, config: Configure, tmp_path: Path
) -> None:
    trainer = mg.Trainer(config(epochs=2, backend=backend.name))
    trainer.figures.read_every = read_every
    interrupt_at(trainer, step, signal.SIGTERM)
    seen = counted(trainer)
    with pytest.raises(SystemExit):
        trainer.run()
    assert seen == list(range(step))
    assert trainer.state.step == saved_run(trainer.folder)[1]["step"] == step
    assert len(trainer.state.log) == trainer.state.steps_of_epoch == step % 7

    resumed = mg.Trainer(replace(mg.TrainConfig.of_run(trainer.folder), epochs=3))
    assert resumed.state.step == step
    resumed.figures.read_every = read_every
    seen = counted(resumed)
    resumed.run()
    assert seen == list(range(step, 21))
    assert resumed.state.step == saved_run(resumed.folder)[1]["step"] == 21


def test_reading_seldom_changes_no_figure(config: Configure, tmp_path: Path) -> None:
    often = mg.Trainer(config()).run()
    trainer = mg.Trainer(config(out=str(tmp_path / "seldom")))
    trainer.figures.read_every = 100
    assert_same_run(often, trainer.run())


def test_a_loss_that_is_not_finite_is_named_by_its_own_step(
    config: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The counter is ahead of that step when the figures are read."""
    trainer = mg.Trainer(config())
    trainer.figures.read_every = 100
    train_step = trainer.gan.train_step

    def poisoned(real: Array, z: Array, labels: None) -> mg.StepResult:
        result = train_step(real, z, labels)
        bad = trainer.state.step == 9  # nine steps are done: this is the tenth
        return result._replace(d_loss=result.d_loss * float("nan")) if bad else result

    monkeypatch.setattr(trainer.gan, "train_step", poisoned)
    with pytest.raises(mg.InputError, match="diverged at step 10: d_loss is nan"):
        trainer.run()
    assert trainer.state.step == 14
