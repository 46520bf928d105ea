"""Ctrl-C and SIGTERM: the step in progress is finished, and all is saved."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from helpers.runs import Configure, assert_same_run, interrupt_at

import minigan as mg
from minigan.data import load_archive
from minigan.training import QualityCheck, Run
from minigan.training.epoch_end import finish_epoch
from minigan.training.folder import CHECKPOINT


def test_run_again_after_an_interrupt(config: Configure, tmp_path: Path) -> None:
    straight = mg.Trainer(config()).run()
    trainer = mg.Trainer(config(out=str(tmp_path / "again")))
    interrupt_at(trainer, 10)
    with pytest.raises(KeyboardInterrupt):
        trainer.run()
    trainer.run()
    assert_same_run(straight, trainer.folder)


def test_a_signal_while_an_epoch_ends_saves_it_too(
    config: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The epoch is none that --save-every would save; measuring it may take seconds."""

    def finish(run: Run, folder: Path, check: QualityCheck | None, real_spread: float) -> str:
        if run.step == 14:
            signal.raise_signal(signal.SIGINT)
        return finish_epoch(run, folder, check, real_spread)

    monkeypatch.setattr("minigan.training.trainer.finish_epoch", finish)
    trainer = mg.Trainer(config(save_every=3))
    with pytest.raises(KeyboardInterrupt):
        trainer.run()
    assert load_archive(trainer.folder / CHECKPOINT)[1]["step"] == trainer.state.step == 14


def test_interrupt_in_the_last_step_changes_nothing(config: Configure, tmp_path: Path) -> None:
    trainer = mg.Trainer(config())
    interrupt_at(trainer, 21)
    trainer.run()
    assert_same_run(trainer.folder, mg.Trainer(config(out=str(tmp_path / "straight"))).run())


def test_sigterm_ends_with_143(config: Configure) -> None:
    trainer = mg.Trainer(config())
    interrupt_at(trainer, 9, signal.SIGTERM)
    handler = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as caught:
        trainer.run()
    assert caught.value.code == 143
    assert signal.getsignal(signal.SIGTERM) is handler
    assert load_archive(trainer.folder / CHECKPOINT)[1]["step"] == 9
