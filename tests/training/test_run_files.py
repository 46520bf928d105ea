"""What a run leaves: its files, their figures, its lines in the terminal."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.runs import Configure, saved_run
from PIL import Image

import minigan as mg
from minigan.backend import Array
from minigan.training.folder import HISTORY, PAGE

ENDS = ["ndb", "js", "classes", "d_train", "d_test", "lr"]


@pytest.mark.usefixtures("real_curves")
def test_files_of_a_run(config: Configure, capsys: pytest.CaptureFixture[str]) -> None:
    trainer = mg.Trainer(config())
    folder = trainer.run()
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*")) == [
        "checkpoint.npz",
        "config.json",
        "history.csv",
        "losses.png",
        "report.html",
        "samples",
        "samples/epoch_0001.png",
        "samples/epoch_0002.png",
        "samples/epoch_0003.png",
        "training.gif",
    ]
    stored = json.loads((folder / "config.json").read_text())
    assert (stored["epochs"], stored["batch_size"], stored["seed"]) == (3, 30, 0)

    with (folder / HISTORY).open(newline="") as file:
        rows = list(csv.DictReader(file))
    header = "epoch,step,d_loss,g_loss,p_real,p_fake,seconds,images_per_second,spread"
    norms = [f"{net}_grad_{i}" for net in "dg" for i in (1, 2, 3, 4)]
    assert list(rows[0]) == [*header.split(","), *norms, *ENDS]
    assert [(row["epoch"], row["step"]) for row in rows] == [("1", "7"), ("2", "14"), ("3", "21")]
    for row in rows:
        assert 0 < float(row["d_loss"]) < 10
        assert 0 < float(row["p_fake"]) < 1
        assert float(row["images_per_second"]) > 0
        assert 0 < float(row["spread"]) < 1
        assert all(float(row[name]) > 0 for name in norms)
        assert row["ndb"] == row["js"] == row["classes"] == "nan"  # not asked for
    assert float(rows[0]["seconds"]) < float(rows[2]["seconds"])

    with Image.open(folder / "losses.png") as curves:
        assert curves.size == (960, 1200)
    with Image.open(folder / "training.gif") as film:
        assert getattr(film, "n_frames", 1) == 3
    lines = capsys.readouterr().out.splitlines()
    assert lines[:4] == [
        f"Data: IDX files in {trainer.config.data}: 200 images of 28 x 28, grey, 10 classes, 200 "
        "more to test with.",
        f"Training in {folder}; Ctrl-C stops and saves.",
        f"The first picture comes after 7 steps: {folder / 'samples' / 'epoch_0001.png'}",
        f"A page to watch it in a browser: {folder / PAGE}",
    ]
    assert [line[:11] for line in lines[4:]] == ["Epoch [1/3]", "Epoch [2/3]", "Epoch [3/3]"]
    for word in ("d_loss", "g_loss", "D(x)", "D(G(z))"):
        assert f"  {word} " in lines[4]
    assert lines[4].endswith(" s")


def test_history_has_a_row_every_so_many_steps(
    config: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("minigan.training.step_figures.ROW_EVERY", 3)
    folder = mg.Trainer(config(epochs=2)).run()
    rows = np.loadtxt(folder / HISTORY, delimiter=",", skiprows=1)
    assert rows[:, 1].tolist() == [3, 6, 7, 10, 13, 14]
    assert rows[:, 0].tolist() == [1, 1, 1, 2, 2, 2]
    images, seconds = np.array([90, 90, 20] * 2), np.diff(rows[:, 6], prepend=0)
    np.testing.assert_allclose(rows[:, 7], images / seconds, rtol=1e-2)  # six digits were kept


def test_the_epochs_line_is_its_mean(
    config: Configure, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(10_000))
    monkeypatch.setattr(
        "minigan.training.step_figures.time.perf_counter", lambda: float(next(clock))
    )
    trainer = mg.Trainer(config(epochs=1))
    trainer.run()
    row = trainer.history[0]
    assert row.seconds == 7  # a tick of this clock for each step
    assert capsys.readouterr().out.splitlines()[4:] == [
        f"Epoch [1/1]  d_loss {row.d_loss:.2f}  g_loss {row.g_loss:.2f}  "
        f"D(x) {row.p_real:.2f}  D(G(z)) {row.p_fake:.2f}  7.0 s"
    ]


def test_a_collapse_is_named_once(
    config: Configure, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("minigan.training.collapse.FIRST_STEPS", 0)
    # Some steps in which G has not yet learnt to look at z
    trainer = mg.Trainer(config(recipe="tutorial", epochs=5))
    trainer.run()
    out = capsys.readouterr().out
    assert out.count("Warning:") == 1
    (line,) = [line for line in out.splitlines() if line.startswith("Warning: ")]
    assert "G's images are nearly alike (spread 0.0" in line
    assert line.endswith("the recipe averaged; minigan evaluate measures the images.")
    assert out.splitlines().index(line) == 7  # after the third epoch


def test_a_row_is_the_mean_of_its_steps(config: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = mg.Trainer(config(epochs=1))
    results = []
    train_step = trainer.gan.train_step

    def noted(real: Array, z: Array, labels: None) -> mg.StepResult:
        results.append(train_step(real, z, labels))
        return results[-1]

    monkeypatch.setattr(trainer.gan, "train_step", noted)
    trainer.run()
    mean = np.mean([[float(value) for value in result] for result in results], axis=0)
    np.testing.assert_allclose(trainer.history[0][2:6], mean, rtol=1e-12)


def test_save_every(config: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    often = mg.Trainer(config(epochs=5)).run()
    options = config(epochs=5, save_every=2, out=str(tmp_path / "seldom"))
    trainer = mg.Trainer(options)
    step = trainer.gan.train_step

    def killed(real: Array, z: Array, labels: None) -> mg.StepResult:
        if trainer.state.step == 25:
            raise ZeroDivisionError
        return step(real, z, labels)

    monkeypatch.setattr(trainer.gan, "train_step", killed)
    with pytest.raises(ZeroDivisionError):
        trainer.run()
    assert saved_run(trainer.folder)[1]["epoch"] == 2
    folder = mg.Trainer(mg.TrainConfig.of_run(trainer.folder)).run()
    pictures = sorted(file.name for file in (folder / "samples").iterdir())
    assert pictures == ["epoch_0002.png", "epoch_0004.png", "epoch_0005.png"]
    for name in pictures:
        assert (folder / "samples" / name).read_bytes() == (often / "samples" / name).read_bytes()
    for name, array in saved_run(often)[0].items():
        np.testing.assert_array_equal(array, saved_run(folder)[0][name])
    with Image.open(folder / "training.gif") as film:
        assert getattr(film, "n_frames", 1) == 3


def test_missing_samples_and_damaged_pictures_do_not_end_a_run(config: Configure) -> None:
    folder = mg.Trainer(config(epochs=2)).run()
    (folder / "samples" / "epoch_0001.png").unlink()
    (folder / "samples" / "epoch_0002.png").write_text("hello")
    mg.Trainer(replace(mg.TrainConfig.of_run(folder), epochs=3)).run()
    shutil.rmtree(folder / "samples")
    mg.Trainer(replace(mg.TrainConfig.of_run(folder), epochs=4)).run()
    with Image.open(folder / "training.gif") as film:
        assert getattr(film, "n_frames", 1) == 2  # the picture of epoch 3 is drawn anew
