"""The command ``minigan report``, and the page that a run keeps fresh while it goes on."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.command import fails
from helpers.narrow import narrow_networks
from helpers.pages import page_file, trained_run, whole_run

import minigan as mg
from minigan.cli import main
from minigan.data import load_archive, save_archive
from minigan.training.commands import repeating
from minigan.training.folder import CHECKPOINT, PAGE, frames_of
from minigan.training.history import HistoryRow
from minigan.training.page import RunPage


@pytest.fixture
def folder(tiny_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a run without its page."""
    return trained_run(tiny_data, tmp_path / "run", monkeypatch)


def data_of(file: Path) -> Any:
    """What the page holds for its scripts."""
    found = re.search(r'id="data">(.*)</script>', file.read_text(encoding="utf-8"))
    assert found is not None
    return json.loads(found[1])


def test_the_command(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(folder)]) == 0
    said = capsys.readouterr().out.splitlines()[-1]
    assert said == f"The page of the run, to open in a browser: {folder / PAGE}"
    data = data_of(folder / PAGE)
    assert data["title"] == "run"
    assert "epoch 2 of 2" in data["subtitle"]
    assert not data["live"]
    assert [frame["words"] for frame in data["film"]["frames"]] == [
        "after epoch 1",
        "after epoch 2",
    ]
    assert data["curves"]["x"] == [1, 2]
    assert data["real_spread"] == pytest.approx(0.37, abs=0.02)
    assert data["answer"] == "logit"
    assert dict(data["config"])["batch_size"] == "50"
    (folder / PAGE).unlink()
    assert main(["report", str(folder / CHECKPOINT)]) == 0
    assert (folder / PAGE).exists()


def test_the_newest_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder.parent)
    fails(["report"], "there is no run in the folder runs: name the folder of one", capsys)
    for name, time in (("a", 3), ("b", 5), ("c", 4)):
        shutil.copytree(folder, Path("runs", name))
        os.utime(Path("runs", name, CHECKPOINT), (time, time))
    assert main(["report"]) == 0
    assert [path.name for path in Path("runs").iterdir() if (path / PAGE).exists()] == ["b"]


def test_errors(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = folder / CHECKPOINT
    fails(["report", "nowhere"], "nowhere does not exist", capsys)
    fails(["report", str(folder.parent)], f"{folder.parent / CHECKPOINT} does not exist", capsys)
    arrays, meta = load_archive(file)
    for change, message in (
        ({"epoch": 0}, "is damaged: 8 steps, 0 of them after epoch 0"),
        ({"epoch": -1}, "is damaged: it stands at step 8 of epoch -1"),
        ({"epoch": "2"}, "is damaged: it stands at step 8 of epoch '2'"),
        ({"step": None}, "is damaged: it stands at step None of epoch 2"),
        ({"step": 9}, "is damaged: 9 steps, 0 of them after epoch 2"),
        ({"classes": [1]}, "is damaged: its classes are"),
        ({"steps_per_epoch": 5}, "is damaged: 8 steps, 0 of them after epoch 2"),
        ({"steps_per_epoch": 0}, "is damaged: its epochs have 0 steps"),
        ({"steps_per_epoch": 4.0}, "is damaged: its epochs have 4.0 steps"),
        ({"steps_per_epoch": None}, "is damaged: its epochs have None steps"),
        ({"steps_per_epoch": True}, "is damaged: its epochs have True steps"),
        ({"steps_per_epoch": 10**400}, r"is damaged: its epochs have 10+\.\.\.0+ steps"),
        ({"steps_per_epoch": ["\n"] * 10**5}, r"is damaged: its epochs have \[.{1,99} steps"),
    ):
        save_archive(file, arrays, meta | change)
        fails(["report", str(folder)], message, capsys)
    del arrays["discriminator"]
    save_archive(file, arrays, meta)
    fails(
        ["report", str(folder)], "holds a generator alone, expected the checkpoint of a run", capsys
    )
    file.write_bytes(file.read_bytes()[:1000])
    fails(["report", str(folder)], "is damaged", capsys)
    assert not (folder / PAGE).exists()


def test_a_run_that_was_stopped_in_its_first_epoch(
    tiny_data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The checkpoint says how many steps the epoch has; of older runs, the data tells."""
    narrow_networks(monkeypatch)
    config = mg.TrainConfig(epochs=2, batch_size=30, data=str(tiny_data), out=str(tmp_path / "run"))
    trainer = mg.Trainer(config)
    step = trainer.train_step

    def interrupted(*args: Any) -> Any:
        if trainer.state.step == 2:
            signal.raise_signal(signal.SIGINT)
        return step(*args)

    trainer.train_step = interrupted
    with pytest.raises(KeyboardInterrupt):
        trainer.run()
    folder = tmp_path / "run"
    (folder / PAGE).unlink()
    assert main(["report", str(folder)]) == 0
    data = data_of(folder / PAGE)
    steps = -(-len(trainer.images) // 30)
    assert f"stopped at epoch {3 / steps:.4g} of 2" in data["subtitle"]
    assert (data["stopped"], data["first_picture"]) == (True, "after epoch 1")
    assert data["commands"][1]["typed"] == f"minigan train --resume {folder}"
    arrays, meta = load_archive(folder / CHECKPOINT)
    assert meta["steps_per_epoch"] == steps
    older = {name: value for name, value in meta.items() if name != "steps_per_epoch"}
    save_archive(folder / CHECKPOINT, arrays, older)
    assert main(["report", str(folder)]) == 0
    assert f"stopped at epoch {3 / steps:.4g} of 2" in data_of(folder / PAGE)["subtitle"]
    meta["config"]["data"] = str(tmp_path / "gone")
    save_archive(folder / CHECKPOINT, arrays, meta)
    assert main(["report", str(folder)]) == 0  # without its data
    assert data_of(folder / PAGE)["subtitle"] == data["subtitle"]
    older["config"] = meta["config"]
    save_archive(folder / CHECKPOINT, arrays, older)
    capsys.readouterr()
    fails(["report", str(folder)], "its data, which tells how long that is, cannot be read", capsys)


def test_without_its_data_a_run_has_a_page_all_the_same(
    folder: Path, tiny_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arrays, meta = load_archive(folder / CHECKPOINT)
    meta["config"]["data"] = str(tmp_path / "gone")
    save_archive(folder / CHECKPOINT, arrays, meta)
    assert main(["report", str(folder)]) == 0
    assert data_of(folder / PAGE)["real_spread"] is None


def test_the_command_that_repeats_a_run() -> None:
    run = whole_run()
    assert repeating(run) == "minigan train"
    run.note_threads(2)
    assert repeating(run) == "minigan train --threads 2"
    run.threads.append((10, 1))
    assert repeating(run) == "minigan train"  # it had both numbers, one after the other
    options: dict[str, Any] = {
        "lr": 1e-4,
        "betas": (0.0, 0.9),
        "seed": 7,
        "data": "/a b",
        "evaluate_every": 5,
    }
    run = replace(run, config=mg.TrainConfig(recipe="conditional", **options).resolved())
    run.lrs = [(1, 2e-4), (100, 1e-4)]  # it began with the first one
    assert repeating(run) == (
        "minigan train --recipe conditional --lr 0.0002 --betas 0.0 0.9 --seed 7 --data '/a b' "
        "--evaluate-every 5"
    )


def test_the_page_is_there_from_the_start_and_follows(
    tiny_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow_networks(monkeypatch)
    monkeypatch.setattr("minigan.training.outputs.curves_png", lambda *args, **options: b"")
    monkeypatch.setattr("minigan.training.outputs.SHARE", 1e9)  # it is always due
    config = mg.TrainConfig(epochs=2, batch_size=50, data=str(tiny_data), out=str(tmp_path / "run"))
    trainer = mg.Trainer(config)
    step, seen = trainer.train_step, []

    def noted(*args: Any) -> Any:
        data = data_of(trainer.folder / PAGE)
        seen.append((data["live"], data["curves"]["x"]))
        return step(*args)

    trainer.train_step = noted
    folder = trainer.run()
    assert seen == [(True, [])] * 4 + [(True, [1])] * 4
    data = data_of(folder / PAGE)
    assert (data["live"], data["curves"]["x"]) == (False, [1, 2])


def row(epoch: int, **figures: Any) -> HistoryRow:
    start = HistoryRow(epoch, 938 * epoch, 1.3, 0.7, 0.5, 0.5, 20.0 * epoch, 3000.0, 0.38)
    return start._replace(**figures)


def test_warnings_are_found_again_whenever_the_page_is_made(tmp_path: Path) -> None:
    """At once, as for a run that was resumed, and one epoch after the other."""
    run = whole_run(latent_dim=10)
    rows = [row(e, spread=0.01 if 5 <= e <= 8 else 0.38) for e in range(1, 11)]
    rows[9] = rows[9]._replace(d_train=0.9, d_test=0.5)
    rows[8] = rows[8]._replace(d_train=0.9, d_test=0.5)
    rows[7] = rows[7]._replace(d_train=0.9, d_test=0.5)
    page, one_by_one = RunPage(run, tmp_path, 0.38), RunPage(run, tmp_path, 0.38)
    run.history = rows
    page._look_for_warnings(10)
    for epoch in range(1, 11):
        run.history = rows[:epoch]
        one_by_one._look_for_warnings(epoch)
    assert page.warnings == one_by_one.warnings
    assert [(found["epoch"], found["text"][:30]) for found in page.warnings] == [
        (7, "Warning: 3 epochs in a row wit"),
        (10, "Warning: D remembers training "),
    ]


def test_epochs_that_a_file_only_claims_cost_nothing(tmp_path: Path) -> None:
    """A damaged checkpoint may claim any number of steps."""
    (tmp_path / "samples").mkdir()
    for name in ("epoch_0001", "epoch_0012", "epoch_12345", "epoch_0013", "epoch_9", "epoch_00013"):
        (tmp_path / "samples" / f"{name}.png").write_bytes(b"")
    (tmp_path / "samples" / "epoch_²000.png").write_bytes(b"")
    epochs = [epoch for epoch, _ in frames_of(tmp_path, 10**15)]
    assert epochs == [1, 12, 13, 12345]
    assert [epoch for epoch, _ in frames_of(tmp_path, 12)] == [1, 12]
    page = RunPage(whole_run(latent_dim=10), tmp_path, 0.38)
    page.run.history = [row(10**14 + e, d_train=0.9, d_test=0.5) for e in range(5)]
    page._look_for_warnings(10**15)
    assert [found["epoch"] for found in page.warnings] == [10**14 + 2]


def test_a_long_run_makes_no_large_page(tmp_path: Path) -> None:
    run = whole_run(latent_dim=10)
    rows = [row(1 + i // 10, step=94 * (i + 1)) for i in range(10_000)]
    run.history, run.step, run.lrs = rows, 938 * 1000, [(1, 1e-3), (939, 5e-4)]
    page = page_file(run, tmp_path)
    data = data_of(page)
    assert len(data["curves"]["x"]) <= 1000
    assert page.stat().st_size < 9.5e6
    assert np.isfinite(data["curves"]["d_loss"]).all()
    assert data["learning_rates"] == [{"epoch": 1, "lr": "0.0005"}]


def test_recipes(tmp_path: Path) -> None:
    for recipe, answer in (("tutorial", "probability"), ("least-squares", "number")):
        data = data_of(page_file(whole_run(recipe), tmp_path))
        assert data["answer"] == answer
        assert (data["guessing"] == [0.5, 0.25]) == (recipe == "least-squares")
    data = data_of(page_file(whole_run("style"), tmp_path))
    assert data["G"].keys() == {"mapping", "synthesis", "affine", "mean"}
    assert data["columns"] == 100 + 512 + 1024
