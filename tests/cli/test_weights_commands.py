"""``minigan export`` and ``import``, and the formats of ``minigan sample``."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from helpers.command import fails

from minigan.cli import main
from minigan.training import load_generator
from minigan.training.drawn import as_bytes


def test_export_and_import(
    run: Path, tiny_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(run), "--to", "npz"]) == 0
    folder = run / "export_npz"
    assert capsys.readouterr().out == (
        f"{folder}:\n  generator.npz\n  run.npz\n"
        "  README.md  what is in the files, and how to load them\n"
    )
    assert sorted(file.name for file in folder.iterdir()) == [
        "README.md", "generator.npz", "run.npz",
    ]  # fmt: skip
    back = tmp_path / "back"
    args = ["import", str(folder / "run.npz"), "--out", str(back), "--data", str(tiny_data)]
    assert main(args) == 0
    printed = capsys.readouterr().out
    assert "holds a run of the recipe averaged, which stands after epoch 1" in printed
    assert f"To go on:    minigan train --resume {back} --epochs 21\n" in printed
    assert f"New digits:  minigan sample {back}\n" in printed
    assert main(["sample", str(run)]) == main(["sample", str(back)]) == 0
    assert (run / "sample_0.png").read_bytes() == (back / "sample_0.png").read_bytes()
    assert main(["train", "--resume", str(back), "--epochs", "2"]) == 0
    assert "Going on after step 4 of 8" in capsys.readouterr().out


def test_a_generator_alone(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["export", str(run), "--to", "npz"]) == 0
    capsys.readouterr()
    assert main(["import", str(run / "export_npz" / "generator.npz")]) == 0
    folder = Path("runs", "generator")
    assert capsys.readouterr().out == (
        f"{folder} holds the generator alone, as one of the recipe averaged.\n"
        f"New digits:  minigan sample {folder}\n"
    )
    assert main(["sample", str(folder)]) == main(["sample", str(run)]) == 0
    assert (folder / "sample_0.png").read_bytes() == (run / "sample_0.png").read_bytes()
    np.testing.assert_array_equal(load_generator(str(folder)).params, load_generator(run).params)
    capsys.readouterr()
    fails(["train", "--resume", str(folder)], "holds no run: there is no config.json in it", capsys)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ("export RUN --to keras", "--to is 'keras', expected torch, safetensors, onnx, npz"),
        ("export RUN --to npz --out RUN", "--out .*run exists already, expected a new folder"),
        ("export none --to npz", "none does not exist"),
        ("import none.pt", "none.pt does not exist"),
        ("import RUN/checkpoint.npz", "holds a run of minigan already"),
        ("import RUN/config.json", "is no file of weights"),
        ("import RUN/checkpoint.npz --out RUN", "--out .*run exists already"),
        ("import RUN/checkpoint.npz --recipe x", "--recipe is 'x', expected averaged, "),
        ("sample RUN --format jpg", "--format is 'jpg', expected png, npy, folder"),
        ("sample RUN --format npy --out x.png", "--out x.png does not end in .npy"),
        ("sample RUN --format folder --out RUN", "--out .*run exists already, expected a new fol"),
    ],
)
def test_bad_options(
    args: str, message: str, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(run.rglob("*"))
    fails(args.replace("RUN", str(run)).split(), message, capsys)
    assert sorted(run.rglob("*")) == before


def test_formats_of_sample(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sample", str(run), "--format", "npy", "--n", "5"]) == 0
    assert capsys.readouterr().out == f"5 images: {run / 'sample_0.npy'}\n"
    array = np.load(run / "sample_0.npy")
    z = np.random.default_rng(0).standard_normal((5, 100))
    want = as_bytes(load_generator(run)(z.astype("float32")))
    assert np.abs(array.astype(int) - want).max() <= 1  # another number of rows rounds differently
    assert main(["sample", str(run), "--format", "folder", "--n", "5"]) == 0
    assert capsys.readouterr().out == f"5 images: {run / 'sample_0'}\n"
    assert len(list((run / "sample_0").iterdir())) == 5
    fails(["sample", str(run), "--format", "folder"], "sample_0 exists already", capsys)
    assert main(["sample", str(run), "--n", "300"]) == 0
    pages = [run / f"sample_0_page_0{i}.png" for i in (1, 2)]
    assert capsys.readouterr().out == f"300 images: {pages[0]} to {pages[1].name}\n"
    assert all(page.exists() for page in pages)


def test_the_line_that_resumes_can_be_typed(
    run: Path, tiny_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(run), "--to", "npz"]) == 0
    out = tmp_path / "two words"
    file = str(run / "export_npz" / "run.npz")
    assert main(["import", file, "--data", str(tiny_data), "--out", str(out)]) == 0
    assert re.search(r"--resume '.*two words' --epochs 21\n", capsys.readouterr().out)
