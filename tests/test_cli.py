"""The command, as a user types it: what it prints, its exit status, what it leaves on the disk."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import write_idx
from PIL import Image

import minigan as mg
from minigan.backend import Array, Backend
from minigan.checkpoint import load_checkpoint
from minigan.cli import main
from minigan.plotting import image_grid
from minigan.sampling import draw_samples, load_generator, walk

OPTIONS = (
    "--epochs --batch-size --latent-dim --lr --betas --seed --backend --dtype --data --threads"
)


def minigan(*args: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "minigan", *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


@pytest.fixture
def run(tiny_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    out = tmp_path / "run"
    args = ["train", "--epochs", "1", "--batch-size", "50", "--data", str(tiny_data)]
    assert main([*args, "--out", str(out)]) == 0
    capsys.readouterr()
    return out


def fails(args: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The command exits with 2 and prints one line that matches, and nothing else."""
    assert main(args) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert re.fullmatch(f"minigan: .*{message}.*\n", printed.err), printed.err


# ---------------------------------------------------------------- what works


def test_train_on_all_of_mnist(tmp_path: Path) -> None:
    result = minigan("train", "--epochs", 1, "--batch-size", 1000, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    (folder,) = (tmp_path / "runs").iterdir()
    lines = result.stdout.splitlines()
    epoch = r"Epoch \[1/1\]  d_loss \S+  g_loss \S+  D\(x\) \S+  D\(G\(z\)\) \S+  \S+ s"
    assert re.fullmatch(epoch, lines[0])
    assert f"Done.  Pictures, curves and checkpoint are in runs/{folder.name}" in lines[2]
    with Image.open(folder / "samples" / "epoch_0001.png") as picture:
        assert picture.size == (484, 484)
        assert np.asarray(picture).std() > 10
    rows = np.loadtxt(folder / "history.csv", delimiter=",", skiprows=1, ndmin=2)
    assert rows[-1, 1] == 60


def test_sample(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sample", str(run)]) == 0
    assert capsys.readouterr().out == f"64 digits: {run / 'sample_0.png'}\n"
    first = (run / "sample_0.png").read_bytes()
    assert main(["sample", str(run), "--seed", "1"]) == 0
    assert main(["sample", str(run)]) == 0
    assert (run / "sample_0.png").read_bytes() == first
    assert (run / "sample_1.png").read_bytes() != first
    assert main(["sample", str(run), "--interpolate", "--n", "24"]) == 0
    net = load_generator(run)
    images = draw_samples(net, walk(np.random.default_rng(0), 24, 100))
    with Image.open(run / "walk_0.png") as picture:
        pixels = np.asarray(picture)[::2, ::2]
    np.testing.assert_array_equal(pixels, np.rint(image_grid(images) * 255))
    (tmp_path / "best.npz").write_bytes((run / "checkpoint.npz").read_bytes())
    assert main(["sample", str(tmp_path / "best.npz")]) == 0
    assert (tmp_path / "best_sample_0.png").read_bytes() == first
    out = tmp_path / "five.png"
    assert main(["sample", str(run), "--n", "5", "--out", str(out)]) == 0
    with Image.open(out) as picture:
        assert picture.size == (304, 64)


def test_sample_from_the_shipped_generator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["sample"]) == 0
    assert capsys.readouterr().out == "64 digits: sample_0.png\n"
    with Image.open("sample_0.png") as picture:
        assert picture.size == (484, 484)


def test_gradcheck(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gradcheck"]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = [line for line in lines if line.endswith("PASS")]
    for name in (
        "Linear",
        "ReLU",
        "LeakyReLU",
        "Tanh",
        "Sigmoid",
        "BatchNorm1d",
        "bce ",
        "bce_with_logits",
    ):
        assert any(row.startswith(name) for row in rows)
    assert any("z -> D(G(z)) -> g_loss" in row for row in rows)
    errors = [float(match) for row in rows for match in re.findall(r"\d\.\de-\d\d", row)]
    assert len(errors) == len(rows) == 13
    assert max(errors) < 1e-6
    assert lines[-1].startswith("13 of 13 pass")


def test_gradcheck_fails_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def wrong(self: mg.Tanh, dy: Array, y: Array) -> Array:
        return dy * (1 - y)

    monkeypatch.setattr(mg.Tanh, "input_grad", wrong)
    assert main(["gradcheck"]) == 1
    lines = capsys.readouterr().out.splitlines()
    failed = {line.split()[0] for line in lines if line.endswith("FAIL")}
    assert failed == {"Tanh()", "G"}  # the layer, and the path through it
    assert lines[-1].startswith("10 of 13 pass")


def test_bench_and_info_on_a_gpu(
    stand_in: Backend, capsys: pytest.CaptureFixture[str], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("minigan.bench_gpu.ROUNDS", 1)
    monkeypatch.setattr("minigan.bench_gpu.SECONDS", 0)
    monkeypatch.setattr("minigan.bench_gpu.COPY_BYTES", 1 << 20)
    out = tmp_path / "bench.json"
    command = ["bench", "--backend", "cupy", "--batch-size", "16", "100", "--json", str(out)]
    assert main(command) == 0
    text = capsys.readouterr().out
    assert "gpu      strict stand-in, CuPy strict stand-in, CUDA 12.9, driver for CUDA 12.8" in text
    assert "a step, captured" in text
    figures = json.loads(out.read_text())
    assert [batch["batch_size"] for batch in figures["batches"]] == [16, 100]
    assert main(["info"]) == 0
    assert "GPU      strict stand-in, CuPy" in capsys.readouterr().out


def test_a_gpu_that_fails_is_one_line(
    stand_in: Backend, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class CUDARuntimeError(RuntimeError):
        __module__ = "cupy_backends.cuda.api.runtime"

    def lost(*args: object) -> None:
        raise CUDARuntimeError("cudaErrorIllegalAddress:\n an illegal address")

    monkeypatch.setattr(stand_in, "asarray", lost)
    assert main(["bench", "--backend", "cupy"]) == 2
    line = "the GPU failed: CUDARuntimeError: cudaErrorIllegalAddress: an illegal address"
    assert capsys.readouterr().err == f"minigan: {line}\n"


def test_info(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info"]) == 0
    out = capsys.readouterr().out
    for word in ("minigan ", "Python ", "NumPy ", "backend ", "BLAS ", "Adam ", "GPU "):
        assert f"\n{word}" in "\n" + out
    assert re.search(r"BLAS +\w+ .* \d+ threads?", out)


def test_bench(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("minigan.bench.ROUNDS", 1)
    monkeypatch.setattr("minigan.bench.SECONDS", 0)
    out = tmp_path / "bench.json"
    assert main(["bench", "--batch-size", "16", "64", "--threads", "1", "--json", str(out)]) == 0
    printed = capsys.readouterr().out
    for word in ("blas ", "adam ", "G forward ", "share of the floor reached ", "peak memory, MB "):
        assert f"\n{word}" in printed
    figures = json.loads(out.read_text())
    assert [batch["batch_size"] for batch in figures["batches"]] == [16, 64]
    assert re.search("1 thread$", figures["blas"])
    step = figures["batches"][1]["step"]
    assert re.search(rf"\na step +[\d.]+ +{step:.2f}\n", printed)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--batch-size 0", "--batch-size is 0, expected a whole number of at least 1"),
        ("--batch-size 64 60001", "--batch-size is 60001, expected a whole number up to 60,000"),
        ("--batch-size", "--batch-size has no value"),
        ("--threads 0", "--threads is 0"),
        ("--json nowhere/x.json", "--json nowhere/x.json is in nowhere, which is no folder"),
        ("--json /", "--json / is a folder"),
        ("--backend jax", "unknown backend 'jax'"),
    ],
)
def test_bench_errors(options: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    fails(["bench", *options.split()], message, capsys)


def test_the_last_resume_counts(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    args = ["train", "--resume", "nowhere", "--resume", str(run), "--epochs", "2"]
    assert main(args) == 0
    assert "Epoch [2/2]" in capsys.readouterr().out


@pytest.mark.skipif(os.name != "posix", reason="POSIX shell")
def test_closed_standard_output_loses_nothing(tiny_data: Path, tmp_path: Path) -> None:
    command = f"{sys.executable} -m minigan train --epochs 3 --batch-size 50 --data {tiny_data}"
    for out, sink in (("pipe", "| true"), ("full", "> /dev/full"), ("closed", ">&- 2>&-")):
        subprocess.run(f"{command} --out {tmp_path / out} {sink}", shell=True, check=False)
        assert load_checkpoint(tmp_path / out / "checkpoint.npz")[1]["epoch"] == 3


@pytest.mark.skipif(os.name != "posix", reason="POSIX pipes")
@pytest.mark.parametrize(
    ("args", "status"),
    [("trace --help", 141), ("info", 141), ("--version", 141), ("trace --batch-size 2", 0)],
)
def test_a_reader_that_has_gone_is_no_error(args: str, status: int) -> None:
    """As in ``minigan info | true``: no message, not from the interpreter either."""
    reader, writer = os.pipe()
    os.close(reader)
    options = {"stderr": subprocess.PIPE, "env": os.environ | {"PYTHONUNBUFFERED": ""}}
    try:
        command = [sys.executable, "-m", "minigan", *args.split()]
        result = subprocess.run(command, stdout=writer, check=False, **options)
    finally:
        os.close(writer)
    assert (result.stderr, result.returncode) == (b"", status)


def test_a_terminal_that_knows_ascii_only(run: Path, tmp_path: Path) -> None:
    ascii_only = os.environ | {"PYTHONIOENCODING": "ascii"}
    assert minigan("--help", env=ascii_only).returncode == 0
    result = minigan("sample", run, "--out", tmp_path / "sü.png", env=ascii_only)
    assert (result.returncode, result.stderr) == (0, "")
    assert (tmp_path / "sü.png").exists()


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
    with pytest.raises(SystemExit) as caught:
        main(["train", *args])
    assert caught.value.code == 2
    assert "--resume" in capsys.readouterr().err
    fails(["train", "--resume="], "--resume is '', which cannot name a folder", capsys)


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"minigan {mg.__version__}\n"
    for args in ([], ["--help"]):
        with pytest.raises(SystemExit) as caught:
            main(args)
        assert caught.value.code == 0
        out = capsys.readouterr().out
        assert all(word in out for word in ("train", "sample", "gradcheck", "info"))
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    out = capsys.readouterr().out
    assert all(option in out for option in OPTIONS.split())
    assert "(default: 20)" in out


def test_resume_takes_the_runs_options(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--resume", str(run), "--epochs", "2"]) == 0
    assert "Epoch [2/2]" in capsys.readouterr().out
    # --batch-size 64 is the default of a new run, but this one was started with 50
    fails(
        ["train", f"--resume={run}", "--batch-size", "64", "--epochs", "3"],
        "--batch-size is 64, but the run was started with 50",
        capsys,
    )


# ---------------------------------------------------------------- signals


def start(tiny_data: Path, out: Path) -> subprocess.Popen[str]:
    args = ["--epochs", "1000", "--batch-size", "50", "--data", str(tiny_data), "--out", str(out)]
    process = subprocess.Popen(
        [sys.executable, "-m", "minigan", "train", *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not (out / "checkpoint.npz").exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return process


@pytest.mark.skipif(os.name != "posix", reason="POSIX signals")
@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)]
)
def test_signals(number: signal.Signals, status: int, tiny_data: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    process = start(tiny_data, out)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == status
    assert stderr == ""
    if number != signal.SIGKILL:
        assert f"minigan train --resume {out}" in stdout
        assert (out / "losses.png").exists()
        assert (out / "training.gif").exists()
    # Whatever happened, the run goes on; from Python, to keep it short.
    config = mg.TrainConfig.of_run(out)
    trainer = mg.Trainer(config)
    assert trainer.step > 0
    goal = trainer.step // trainer.steps_per_epoch + 1
    object.__setattr__(trainer.config, "epochs", goal)
    trainer.run()
    assert trainer.step == goal * trainer.steps_per_epoch


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--epochs", "0"], "--epochs is 0, expected a whole number of at least 1"),
        (["--epochs=-3"], "--epochs is -3"),
        (["--batch-size", "0"], "--batch-size is 0"),
        (["--batch-size", "60001"], "--batch-size is 60001, but the data has only 60000 images"),
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
    with pytest.raises(SystemExit) as caught:
        main(args)
    assert caught.value.code == 2
    assert "Traceback" not in capsys.readouterr().err
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
    fails(["train", "--data", str(data)], "holds no train-images-idx3-ubyte", capsys)
    write_idx(data / "train-images-idx3-ubyte", np.zeros((5, 20, 20), np.uint8))
    write_idx(data / "train-labels-idx1-ubyte", np.zeros(5, np.uint8))
    fails(["train", "--data", str(data)], "20 x 20, expected 28 x 28", capsys)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--n", "0"], "--n is 0, expected a whole number of at least 1"),
        (["--n=-2"], "--n is -2"),
        (["--seed=-1"], "--seed is -1"),
        (["--out", "digits.jpg"], "digits.jpg does not end in .png"),
        (["--out", "/nowhere/digits.png"], "/nowhere/digits.png cannot .*: No such file"),
        (["--n", "1000000000"], "[Uu]nable to allocate"),
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
        whole[3_000_000] ^= 16
        file.write_bytes(whole)
    elif damage == "not ours":
        file.write_text("hello")
    else:
        file.unlink()
    if command == "sample":
        fails(["sample", str(run)], "does not exist" if damage == "gone" else "damaged", capsys)
    elif damage != "gone":  # then the run would start anew
        fails(["train", "--resume", str(run), "--epochs", "2"], "damaged", capsys)


def test_traceback_only_if_asked_for(run: Path) -> None:
    result = minigan("sample", run, "--n", 0)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "minigan: --n is 0, expected a whole number of at least 1\n"
    result = minigan("sample", run, "--n", 0, env=os.environ | {"MINIGAN_TRACEBACK": "1"})
    assert "Traceback" in result.stderr
