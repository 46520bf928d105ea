"""What the command refuses: one line on the standard error and exit status 2."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.command import fails
from helpers.idx_files import write_idx

import minigan as mg
from minigan.cli import main


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--epochs", "0"], "--epochs is 0, expected a whole number of at least 1"),
        (["--epochs=-3"], "--epochs is -3"),
        (["--batch-size", "0"], "--batch-size is 0"),
        (["--batch-size", "60001"], "--batch-size is 60,001, but the data has only 60,000 images"),
        (["--latent-dim", "0"], "--latent-dim is 0"),
        (["--threads", "0"], "--threads is 0"),
        (["--threads", "99999999999999999999"], "--threads is 9+, expected a whole number up to"),
        (["--latent-dim", "10000000000000000"], "--latent-dim is 10+, expected .* up to"),
        (["--threads=-1"], "--threads is -1"),
        (["--seed=-1"], "--seed is -1"),
        (["--lr", "nan"], "--lr is nan"),
        (["--lr=-0.1"], "--lr is -0.1"),
        (["--lr", "0"], "--lr is 0.0"),
        (["--betas", "0.5", "1"], r"--betas are \(0.5, 1.0\)"),
        (["--betas", "nan", "0.9"], "--betas are"),
        (["--backend", "jax"], "--backend is 'jax', expected numpy, cupy, auto"),
        (["--dtype", "float16"], "--dtype is 'float16', expected float32, float64"),
        (["--data", "nowhere"], "data folder .*nowhere does not exist"),
        (["--out", "file"], "--out file is a file"),
        (["--out", "file/run"], "--out file/run cannot be written: Not a directory"),
        (["--resume", "nowhere"], "nowhere holds no run: there is no config.json in it"),
    ],
)
def test_bad_training_options(
    args: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("mine")
    fails(["train", *args], message, capsys)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert Path("file").read_text() == "mine"


@pytest.mark.parametrize("blank", ["", " ", "\n"])
@pytest.mark.parametrize(
    ("args", "name"),
    [
        (["train", "--data"], "--data"),
        (["train", "--out"], "--out"),
        (["train", "--resume"], "--resume"),
        (["train", "--model"], "--model"),
        (["sample"], "RUN"),
        (["sample", "--out"], "--out"),
        (["evaluate"], "RUN"),
        (["evaluate", "--data"], "--data"),
        (["evaluate", "--classifier"], "--classifier"),
        (["report"], "RUN"),
        (["export", "--out"], "--out"),
        (["import"], "FILE"),
        (["data"], "PATH"),
        (["data", "--out"], "--out"),
        (["exercise"], "PATH"),
        (["exercise", "--copy-to"], "--copy-to"),
        (["trace", "--data"], "--data"),
        (["trace", "--html"], "--html"),
        (["bench", "--json"], "--json"),
    ],
    ids=" ".join,
)
def test_a_name_that_is_blank(
    args: list[str],
    name: str,
    blank: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It would be the current folder, or be left out of the message."""
    monkeypatch.chdir(tmp_path)
    message = f"{name} is {blank!r}, (expected the name of a file|which cannot name)"
    fails([*args, blank], message.replace("\\", "\\\\"), capsys)
    assert list(tmp_path.iterdir()) == []


def test_what_the_user_has_put_in_backquotes_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("`epochs`", "a `epochs`", "`epochs`/b", "x `batch_size` y"):
        fails(["data", name], f"data folder {name} does not exist", capsys)
    fails(["train", "--epochs", "0", "--out", "`lr`"], "--epochs is 0", capsys)


@pytest.mark.parametrize(
    "args",
    [
        ["trian"],
        ["train", "--epocs", "3"],
        ["train", "--epochs", "three"],
        ["train", "--epochs", "2.5"],
        ["train", "--lr", "fast"],
        ["train", "--threads", "many"],
        ["train", "--seed", "zero"],
        ["train", "--latent-dim", "1e2"],
        ["train", "--betas", "0.5"],
        ["train", "3"],
        ["sample", "run", "--n", "x"],
        ["gradcheck", "--backend"],
    ],
)
def test_mistyped_command_lines(
    args: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    fails(args, rf"All options: minigan ({args[0]} )?--help", capsys)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(mg.get_backend("auto").name == "cupy", reason="there is a GPU")
def test_cupy_without_a_gpu(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    for args in (
        ["train", "--backend", "cupy", "--out", str(out)],
        ["gradcheck", "--backend=cupy"],
    ):
        fails(args, r"backend 'cupy' cannot be used: .*", capsys)
    assert not out.exists()


def test_folder_that_holds_a_run(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (run / "checkpoint.npz").read_bytes()
    fails(["train", "--out", str(run)], f"holds a run already: --resume {run} goes on", capsys)
    assert (run / "checkpoint.npz").read_bytes() == before


def test_damaged_data(tiny_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "data"
    data.mkdir()
    fails(["train", "--data", str(data)], "holds nothing that can be read, .*: it is empty", capsys)
    write_idx(data / "train-images-idx3-ubyte", np.zeros((5, 70, 20), np.uint8))
    write_idx(data / "train-labels-idx1-ubyte", np.zeros(5, np.uint8))
    fails(["train", "--data", str(data)], "20 x 70, expected from 8 x 8 to 64 x 64", capsys)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--n", "0"], "--n is 0, expected a whole number of at least 1"),
        (["--n=-2"], "--n is -2"),
        (["--seed=-1"], "--seed is -1"),
        (["--out", "digits.jpg"], "digits.jpg does not end in .png"),
        (["--out", "/dev/null/digits.png"], "/dev/null/digits.png cannot .*: Not a directory"),
        (["--n", "10001"], "--n is 10001, expected a whole number up to 10,000"),
        (["--n", "10000000000000000000"], "--n is .*, expected a whole number up to"),
    ],
)
def test_bad_sampling_options(
    args: list[str], message: str, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(run.iterdir())
    fails(["sample", str(run), *args], message, capsys)
    assert sorted(run.iterdir()) == before


@pytest.mark.parametrize("damage", ["truncated", "flipped", "not ours", "gone"])
@pytest.mark.parametrize("command", ["sample", "train"])
def test_damaged_checkpoint(
    damage: str, command: str, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = run / "checkpoint.npz"
    whole = bytearray(file.read_bytes())
    if damage == "truncated":
        file.write_bytes(whole[:-1000])
    elif damage == "flipped":
        whole[len(whole) // 3] ^= 16
        file.write_bytes(whole)
    elif damage == "not ours":
        file.write_text("hello")
    else:
        file.unlink()
    if command == "sample":
        fails(["sample", str(run)], "does not exist" if damage == "gone" else "damaged", capsys)
    elif damage != "gone":  # then the run would start anew
        fails(["train", "--resume", str(run), "--epochs", "2"], "damaged", capsys)


@pytest.mark.parametrize(
    ("args", "line"),
    [
        ("train --batch-size 0", "--batch-size is 0, expected a whole number of at least 1"),
        ("evaluate --samples 5", "--samples is 5, expected a whole number of at least 100"),
        ("train --save-every 0", "--save-every is 0, expected a whole number of at least 1"),
        ("trace --batch-size 1", "--batch-size is 1, expected a whole number of at least 2"),
        ("sample --out digits.jpg", "--out digits.jpg does not end in .png"),
    ],
)
def test_arguments_of_the_library_are_named_as_options(
    args: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """The error itself says ``batch_size``, as a caller of the library does."""
    monkeypatch.chdir(tmp_path)
    assert main(args.split()) == 2
    assert capsys.readouterr().err == f"minigan: {line}\n"
    assert list(tmp_path.iterdir()) == []


def test_options_that_a_message_recommends_can_be_typed(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    args = ["train", "--resume", str(run), "--seed", "7", "--epochs", "2"]
    assert main(args) == 2
    assert capsys.readouterr().err == (
        "minigan: --seed is 7, but the run was started with 0: with --resume only --epochs, "
        "--lr, --backend, --tf32, --threads, --data, --save-every, --evaluate-every may be given\n"
    )
