"""The folder of a run: no other run's files are overwritten, one process at a time."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.runs import Configure, saved_run

import minigan as mg
from minigan.errors import InputError
from minigan.training.folder import CHECKPOINT, HISTORY, locked


def test_default_folder_is_new_each_time(
    config: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("minigan.training.folder.time.strftime", lambda pattern: "now")
    first = mg.Trainer(config(epochs=1, out=None))  # made before the other has its folder
    folders = [mg.Trainer(config(epochs=1, out=None)).run() for _ in range(2)]
    folders.append(first.run())
    assert len(set(folders)) == 3
    assert all(folder.parent == Path("runs") for folder in folders)
    assert folders[0].name.startswith("tiny")


def test_folder_that_holds_a_run(config: Configure) -> None:
    folder = mg.Trainer(config(epochs=1)).run()
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(InputError, match=f"holds a run already: resume {folder} goes on with it"):
        mg.Trainer(config())
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["config.json", CHECKPOINT, HISTORY, "samples", "losses.png"])
def test_a_new_run_overwrites_no_file_of_another(
    name: str, config: Configure, tmp_path: Path
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "notes.txt").write_text("not of a run")
    mg.Trainer(config())
    (tmp_path / "run" / name).write_text("of a run")
    message = "holds a run already: resume" if name == "config.json" else f"holds {name} already"
    with pytest.raises(InputError, match=message):
        mg.Trainer(config())


def test_of_two_trainers_with_one_folder_one_gets_it(config: Configure) -> None:
    one, two = mg.Trainer(config(epochs=1)), mg.Trainer(config(epochs=1))
    one.run()
    before = saved_run(one.folder)[0]["generator"]
    with pytest.raises(InputError, match="holds a run already"):
        two.run()
    np.testing.assert_array_equal(saved_run(one.folder)[0]["generator"], before)


@pytest.mark.skipif(os.name != "posix", reason="a folder cannot be locked")
def test_one_process_at_a_time(config: Configure) -> None:
    folder = mg.Trainer(config(epochs=1)).run()
    resumed = mg.Trainer(replace(mg.TrainConfig.of_run(folder), epochs=2))
    with (
        locked(folder),
        pytest.raises(InputError, match=f"another process is training in {folder}"),
    ):
        resumed.run()
    resumed.run()


def test_dangling_links(config: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").symlink_to("nowhere")
    for out in (None, "runs", "runs/mine"):
        with pytest.raises(InputError, match="cannot be written: "):
            mg.Trainer(config(out=out)).run()


def test_folder_that_cannot_be_written(config: Configure, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="is a file, expected a folder"):
        mg.Trainer(config(out=str(tmp_path / "file")))
    trainer = mg.Trainer(config(out=str(tmp_path / "file" / "run")))
    with pytest.raises(InputError, match="file/run cannot be written: Not a directory"):
        trainer.run()
    assert trainer.state.step == 0  # found before any training
