"""Ctrl-C and SIGTERM: the step in progress is finished, and all is saved."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from helpers.runs import Configure, assert_same_run, interrupt_at

import minigan as mg
from minigan.data import load_archive
from minigan.machine.signals import end_on_interrupt, noted_signals, raise_on_interrupt
from minigan.training import Run
from minigan.training.checkpoint import save_run
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

    def finish(run: Run, *others: Any) -> str:
        if run.step == 14:
            signal.raise_signal(signal.SIGINT)
        return finish_epoch(run, *others)

    monkeypatch.setattr("minigan.training.trainer.finish_epoch", finish)
    trainer = mg.Trainer(config(save_every=3))
    with pytest.raises(KeyboardInterrupt):
        trainer.run()
    assert load_archive(trainer.folder / CHECKPOINT)[1]["step"] == trainer.state.step == 14


@pytest.mark.parametrize("step", [7, 14])
def test_a_signal_at_the_end_of_an_epoch_draws_no_picture_of_its_own(
    step: int, config: Configure, tmp_path: Path
) -> None:
    """Every second epoch has a picture, and the last one."""
    straight = mg.Trainer(config(save_every=2, out=str(tmp_path / "straight"))).run()
    trainer = mg.Trainer(config(save_every=2))
    interrupt_at(trainer, step)
    with pytest.raises(KeyboardInterrupt):
        trainer.run()
    mg.Trainer(mg.TrainConfig.of_run(trainer.folder)).run()
    assert_same_run(straight, trainer.folder)
    assert_same_run(trainer.folder, straight)
    pictures = sorted(file.name for file in (straight / "samples").iterdir())
    assert pictures == ["epoch_0002.png", "epoch_0003.png"]


def test_more_signals_while_it_saves_change_nothing(
    config: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who waits for the end presses Ctrl-C again and again."""
    trainer = mg.Trainer(config())

    def impatient(run: Run, file: Path) -> None:
        for _ in range(3 if run.step == 10 else 0):
            signal.raise_signal(signal.SIGINT)
        save_run(run, file)
        if run.step == 10:
            signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr("minigan.training.run_folder.save_run", impatient)
    interrupt_at(trainer, 10)
    with pytest.raises(KeyboardInterrupt):
        trainer.run()
    assert load_archive(trainer.folder / CHECKPOINT)[1]["step"] == 10


def test_interrupt_in_the_last_step_changes_nothing(config: Configure, tmp_path: Path) -> None:
    trainer = mg.Trainer(config())
    interrupt_at(trainer, 21)
    trainer.run()
    assert_same_run(trainer.folder, mg.Trainer(config(out=str(tmp_path / "straight"))).run())


@pytest.mark.parametrize(("name", "status"), [("SIGTERM", 143), ("SIGHUP", 129)])
def test_signals_that_ask_to_end(name: str, status: int, config: Configure) -> None:
    """SIGHUP comes when somebody closes the terminal."""
    if not hasattr(signal, name):
        pytest.skip(f"this system has no {name}")
    number = getattr(signal, name)
    trainer = mg.Trainer(config())
    interrupt_at(trainer, 9, number)
    handler = signal.getsignal(number)
    with pytest.raises(SystemExit) as caught:
        trainer.run()
    assert caught.value.code == status
    assert signal.getsignal(number) is handler
    assert load_archive(trainer.folder / CHECKPOINT)[1]["step"] == 9


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="this system has no SIGHUP")
def test_a_signal_that_was_ignored_stays_ignored() -> None:
    """nohup starts programs with SIGHUP ignored, and shells their background jobs with SIGINT."""
    before = {number: signal.getsignal(number) for number in (signal.SIGHUP, signal.SIGINT)}
    try:
        for number in before:
            signal.signal(number, signal.SIG_IGN)
        with noted_signals() as noted:
            for number in before:
                signal.raise_signal(number)
        assert noted == []
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_in_another_thread_no_handler_is_set() -> None:
    """Python refuses to set one there: a Trainer in a thread runs without."""
    before = signal.getsignal(signal.SIGINT)
    seen: list[Any] = []

    def work() -> None:
        with noted_signals():
            seen.append(signal.getsignal(signal.SIGINT))
        raise_on_interrupt()
        end_on_interrupt()
        seen.append(signal.getsignal(signal.SIGINT))

    with ThreadPoolExecutor(1) as pool:
        pool.submit(work).result()
    assert seen == [before, before]
