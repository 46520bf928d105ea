"""``minigan train`` and ``minigan sample``: what they print, and what they leave on the disk."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from helpers.command import fails, minigan
from PIL import Image

from minigan.cli import main
from minigan.training import find_generator, latent_picture, stored_generator
from minigan.training.pictures import image_grid
from minigan.training.sampling import draw_samples, load_generator


def test_train_in_a_process_of_its_own(tiny_data: Path, tmp_path: Path) -> None:
    """The same on all of MNIST is what ``.ci/run epoch`` does."""
    options = ["--epochs", "1", "--batch-size", "50", "--data", str(tiny_data)]
    result = minigan("train", *options, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    (folder,) = (tmp_path / "runs").iterdir()
    lines = result.stdout.splitlines()
    epoch = r"Epoch \[1/1\]  d_loss \S+  g_loss \S+  D\(x\) \S+  D\(G\(z\)\) \S+  \S+ s"
    assert lines[0].startswith(f"Data: IDX files in {tiny_data}: 200 images of 28 x 28, grey, ")
    assert lines[1] == f"Training in runs/{folder.name}; Ctrl-C stops and saves."
    assert lines[3] == f"A page to watch it in a browser: runs/{folder.name}/report.html"
    assert re.fullmatch(epoch, lines[4])
    assert f"Done.  Pictures, curves and checkpoint are in runs/{folder.name}" in lines[6]
    with Image.open(folder / "samples" / "epoch_0001.png") as picture:
        assert picture.size == (484, 484)
        assert np.asarray(picture).std() > 10
    rows = np.loadtxt(folder / "history.csv", delimiter=",", skiprows=1, ndmin=2)
    assert rows[-1, 1] == 4


def test_sample(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sample", str(run)]) == 0
    assert capsys.readouterr().out == f"64 images: {run / 'sample_0.png'}\n"
    first = (run / "sample_0.png").read_bytes()
    assert main(["sample", str(run), "--seed", "1"]) == 0
    assert main(["sample", str(run)]) == 0
    assert (run / "sample_0.png").read_bytes() == first
    assert (run / "sample_1.png").read_bytes() != first
    assert main(["sample", str(run), "--interpolate", "--n", "24"]) == 0
    net = load_generator(run)
    trained = stored_generator(find_generator(run))
    inputs, _ = latent_picture(trained, np.random.default_rng(0), 24, interpolate=True)
    images = draw_samples(net, inputs)
    with Image.open(run / "walk_0.png") as picture:
        pixels = np.asarray(picture)[::2, ::2]
    np.testing.assert_array_equal(pixels, np.rint(image_grid(images) * 255))
    (tmp_path / "best.npz").write_bytes((run / "checkpoint.npz").read_bytes())
    assert main(["sample", str(tmp_path / "best.npz")]) == 0
    assert (tmp_path / "best_sample_0.png").read_bytes() == first
    out = tmp_path / "five.png"
    assert main(["sample", str(run), "--n", "5", "--out", str(out)]) == 0
    with Image.open(out) as picture:
        assert picture.size == (456, 96)


def test_sample_from_the_shipped_generator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["sample", "--n", "0"]) == 2
    capsys.readouterr()
    assert list(tmp_path.iterdir()) == []  # a picture that cannot be drawn leaves no folder
    assert main(["sample"]) == 0
    file = Path("runs", "sample_0.png")
    assert capsys.readouterr().out == f"64 digits: {file}\n"
    with Image.open(file) as picture:
        assert picture.size == (484, 484)
    assert main(["sample", "--interpolate", "--n", "1", "--seed", "2"]) == 0
    assert capsys.readouterr().out == f"1 digit: {Path('runs', 'walk_2.png')}\n"
    assert sorted(path.name for path in Path("runs").iterdir()) == ["sample_0.png", "walk_2.png"]
    assert main(["sample", "--out", "here.png"]) == 0
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["here.png"]


def test_the_last_resume_counts(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    args = ["train", "--resume", "nowhere", "--resume", str(run), "--epochs", "2"]
    assert main(args) == 0
    assert "Epoch [2/2]" in capsys.readouterr().out


def test_commands_that_are_printed_can_be_typed(
    tiny_data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for out in ("-dash", "with space"):
        options = ["--epochs=1", "--batch-size=50", f"--data={tiny_data}", f"--out={out}"]
        assert main(["train", *options]) == 0
        command = capsys.readouterr().out.splitlines()[-1].split("  ")[-1]
        assert main(shlex.split(command)[1:]) == 0
        capsys.readouterr()


@pytest.mark.parametrize("args", [["--resume"], ["--resume", "--epochs", "3"]])
def test_resume_of_nothing(args: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    fails(["train", *args], "Missing value for argument '--resume'", capsys)
    fails(["train", "--resume="], "--resume is '', expected the name of", capsys)


def test_resume_takes_the_runs_options(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--resume", str(run), "--epochs", "2"]) == 0
    assert "Epoch [2/2]" in capsys.readouterr().out
    assert main(["train", "--resume", str(run), "--epochs", "3", "--lr", "0.001"]) == 0
    printed = capsys.readouterr().out
    assert "The learning rate was 0.0005; from now on it is 0.001." in printed
    assert main(["train", "--resume", str(run), "--epochs", "4"]) == 0
    assert "learning rate" not in capsys.readouterr().out  # it stays
    for words, line in (
        (["--lr", "0"], "--lr is 0.0, expected a positive, finite number"),
        (["--epochs", "3"], "--epochs is 3, but the run has come to epoch 4: expected at least 4"),
    ):
        fails(["train", f"--resume={run}", *words], line, capsys)
    assert main(["train", f"--resume={run}", "--epochs", "5", "--lr", "1e30"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("minigan: training diverged at step ")
    assert "kept; go on from it with --resume and a lower --lr, or try a lower --lr or" in line
    # --batch-size 64 is the default of a new run, but this one was started with 50
    fails(
        ["train", f"--resume={run}", "--batch-size", "64", "--epochs", "3"],
        "--batch-size is 64, but the run was started with 50",
        capsys,
    )
