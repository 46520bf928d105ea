"""Resuming a run with another learning rate, or with fewer epochs than planned."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.runs import Configure, assert_same_run, interrupt_at
from matplotlib.figure import Figure

import minigan as mg
from minigan.backend import Array
from minigan.data import load_archive, save_archive
from minigan.errors import InputError
from minigan.training.folder import CHECKPOINT, HISTORY
from minigan.training.history import HistoryRow
from minigan.training.pictures import curves_png

OLD, NEW = 5e-4, 2.5e-4  # the recipe's learning rate, and the other one


def changed_in_one_go(trainer: mg.Trainer, after: int) -> Path:
    """Train without a stop, but let both Adams have the new rate after so many steps."""
    train_step = trainer.train_step

    def watched(indices: Array, z: Array) -> Any:
        if trainer.state.step == after:
            trainer.gan.adam_g.lr = trainer.gan.adam_d.lr = NEW
        return train_step(indices, z)

    trainer.train_step = watched
    return trainer.run()


def resumed(folder: Path, **changes: Any) -> mg.Trainer:
    return mg.Trainer(replace(mg.TrainConfig.of_run(folder), **changes))


@pytest.mark.parametrize("step", [7, 10])  # the end of an epoch, and the middle of one
def test_another_learning_rate(
    step: int, config: Configure, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    straight = changed_in_one_go(mg.Trainer(config(out=str(tmp_path / "straight"))), step)
    trainer = mg.Trainer(config())
    interrupt_at(trainer, step)
    with pytest.raises(KeyboardInterrupt):
        trainer.run()
    capsys.readouterr()
    folder = resumed(trainer.folder, lr=NEW).run()
    _, first, second, *_ = capsys.readouterr().out.splitlines()
    assert first == f"Going on after step {step} of 21 in {folder}."
    assert second == "The learning rate was 0.0005; from now on it is 0.00025."
    (arrays, meta), (others, _) = load_archive(folder / CHECKPOINT), load_archive(
        straight / CHECKPOINT
    )  # fmt: skip
    for name in set(arrays) - {"history", "log"}:
        np.testing.assert_array_equal(arrays[name], others[name], err_msg=name)
    assert meta["lrs"] == [[1, OLD], [step + 1, NEW]]
    assert meta["config"]["lr"] == mg.TrainConfig.of_run(folder).lr == NEW
    with (folder / HISTORY).open(newline="") as file:
        found = [row["lr"] for row in csv.DictReader(file)]
    assert found == [f"{OLD}", "0.00025", "0.00025"]  # of the last step of each epoch


def test_after_a_kill_the_newest_learning_rate_counts(config: Configure, tmp_path: Path) -> None:
    folders = []
    for name in ("straight", "killed"):
        folder = mg.Trainer(config(epochs=1, out=str(tmp_path / name))).run()
        trainer = resumed(folder, epochs=3, lr=NEW)
        if name == "killed":

            def die(indices: Array, z: Array) -> Any:
                raise SystemExit("killed")

            trainer.train_step = die
            with pytest.raises(SystemExit):
                trainer.run()
            assert load_archive(folder / CHECKPOINT)[1]["config"]["lr"] == OLD
            trainer = resumed(folder)
        folders.append(trainer.run())
    assert_same_run(*folders)
    assert load_archive(folder / CHECKPOINT)[1]["lrs"] == [[1, OLD], [8, NEW]]


def test_the_learning_rate_stays_if_none_is_given(config: Configure, tmp_path: Path) -> None:
    """The recipe's would be another one, and a run must not get it in silence."""
    straight = mg.Trainer(config(lr=NEW, out=str(tmp_path / "straight"))).run()
    folder = mg.Trainer(config(epochs=1, lr=NEW)).run()
    mg.Trainer(config(resume=str(folder), epochs=3)).run()
    assert_same_run(straight, folder)


def test_a_run_that_has_diverged_goes_on_with_a_lower_learning_rate(config: Configure) -> None:
    folder = mg.Trainer(config(epochs=1)).run()
    before = (folder / CHECKPOINT).read_bytes()
    with pytest.raises(InputError, match="go on from it with resume and a lower lr, or") as caught:
        resumed(folder, epochs=3, lr=1e30).run()
    assert "\n" not in str(caught.value)
    assert (folder / CHECKPOINT).read_bytes() == before
    resumed(folder, lr=NEW).run()
    assert load_archive(folder / CHECKPOINT)[1]["lrs"] == [[1, OLD], [8, NEW]]


def test_an_older_run_had_one_learning_rate(config: Configure) -> None:
    """Its checkpoint has neither the list nor the column."""
    folder = mg.Trainer(config(epochs=2, lr=NEW)).run()
    arrays, meta = load_archive(folder / CHECKPOINT)
    del meta["lrs"]
    for columns in (1, 3):  # that it lacks
        older = {"history": arrays["history"][:, :-columns]}
        save_archive(folder / CHECKPOINT, arrays | older, meta)
        run = resumed(folder).state
        assert [row.lr for row in run.history] == [NEW, NEW]
        assert run.lrs == [(1, NEW)]
        assert np.isnan(run.history[0].d_test) == (columns == 3)


def test_curves_show_where_it_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    figures = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, *args, **kw: figures.append(figure))
    history = [
        HistoryRow(1, 100 * i, 1.3, 0.7, 0.5, 0.5, 1.0, 64.0, spread=0.2, lr=lr)
        for i, lr in enumerate([OLD, OLD, NEW, NEW, OLD], 1)
    ]
    curves_png(history, 100, 0.38)
    for i, axes in enumerate(figures[0].axes):
        dotted = [line for line in axes.lines if line.get_linestyle() == ":"]
        assert [float(np.asarray(line.get_xdata())[0]) for line in dotted] == [2, 4]
        if i == 0:
            labels = [line.get_label() for line in dotted]
            assert labels == ["from here on lr 0.00025", "from here on lr 0.0005"]


@pytest.mark.parametrize("step", [8, 13])
def test_fewer_epochs_than_planned(step: int, config: Configure, tmp_path: Path) -> None:
    straight = mg.Trainer(config(epochs=2, out=str(tmp_path / "straight"))).run()
    trainer = mg.Trainer(config(epochs=9))
    interrupt_at(trainer, step)
    with pytest.raises(KeyboardInterrupt):
        trainer.run()
    with pytest.raises(InputError, match="^epochs is 1, but the run has come to epoch 2: expected"):
        resumed(trainer.folder, epochs=1)
    assert_same_run(straight, resumed(trainer.folder, epochs=2).run())


def test_no_epochs_more(config: Configure, capsys: pytest.CaptureFixture[str]) -> None:
    trainer = mg.Trainer(config(epochs=9))
    interrupt_at(trainer, 14)
    with pytest.raises(KeyboardInterrupt):
        trainer.run()
    before = (trainer.folder / CHECKPOINT).read_bytes()
    folder = resumed(trainer.folder, epochs=2).run()
    assert capsys.readouterr().out.splitlines()[-1] == (
        f"Nothing to do: the run in {folder} ended with epoch 2."
    )
    assert (folder / CHECKPOINT).read_bytes() == before
    assert mg.TrainConfig.of_run(folder).epochs == 2
