"""The command and what is around it: closed pipes, plain terminals, signals, tracebacks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.command import minigan

import minigan as mg
from minigan.data import load_archive


@pytest.mark.skipif(os.name != "posix", reason="POSIX shell")
def test_closed_standard_output_loses_nothing(tiny_data: Path, tmp_path: Path) -> None:
    command = f"{sys.executable} -m minigan train --epochs 2 --batch-size 100 --data {tiny_data}"
    for out, sink in (("pipe", "| true"), ("full", "> /dev/full"), ("closed", ">&- 2>&-")):
        subprocess.run(f"{command} --out {tmp_path / out} {sink}", shell=True, check=False)
        assert load_archive(tmp_path / out / "checkpoint.npz")[1]["epoch"] == 2


@pytest.mark.skipif(os.name != "posix", reason="POSIX pipes")
@pytest.mark.parametrize(
    ("args", "status"),
    [("trace --help", 141), ("info", 141), ("--version", 141), ("trace --batch-size 2", 141)],
)
def test_a_reader_that_has_gone_is_no_error(args: str, status: int) -> None:
    """As in ``minigan info | true``: no message, not from the interpreter either."""
    reader, writer = os.pipe()
    os.close(reader)
    env = os.environ | {"PYTHONUNBUFFERED": ""}
    try:
        command = [sys.executable, "-m", "minigan", *args.split()]
        result = subprocess.run(
            command, stdout=writer, stderr=subprocess.PIPE, check=False, env=env
        )
    finally:
        os.close(writer)
    assert (result.stderr, result.returncode) == (b"", status)


def test_a_terminal_that_knows_ascii_only(tmp_path: Path) -> None:
    ascii_only = os.environ | {"PYTHONIOENCODING": "ascii"}
    assert minigan("--help", env=ascii_only).returncode == 0
    result = minigan("sample", "--out", tmp_path / "sü.png", env=ascii_only)
    assert (result.returncode, result.stderr) == (0, "")
    assert (tmp_path / "sü.png").exists()


def start(tiny_data: Path, out: Path, *before: str) -> subprocess.Popen[str]:
    """A long run that has written its first checkpoint; ``before`` stands before its command."""
    args = ["--epochs", "1000", "--batch-size", "50", "--data", str(tiny_data), "--out", str(out)]
    process = subprocess.Popen(
        [*before, sys.executable, "-m", "minigan", "train", *args],
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
    trainer = mg.Trainer(mg.TrainConfig.of_run(out))
    assert trainer.state.step > 0
    goal = trainer.state.step // trainer.state.steps_per_epoch + 1
    trainer.config = trainer.state.config = replace(trainer.config, epochs=goal)
    trainer.run()
    assert trainer.state.step == goal * trainer.state.steps_per_epoch


@pytest.mark.skipif(os.name != "posix", reason="POSIX signals")
def test_signals_that_were_ignored_at_the_start_stay_ignored(
    tiny_data: Path, tmp_path: Path
) -> None:
    """As in ``nohup minigan train &`` within a script: its Ctrl-C is meant for another program."""
    out = tmp_path / "run"
    process = start(tiny_data, out, "sh", "-c", 'trap "" INT HUP; exec "$@"', "sh")
    for _ in range(3):
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGHUP)
        before = (out / "checkpoint.npz").stat().st_mtime_ns
        deadline = time.monotonic() + 60
        while (out / "checkpoint.npz").stat().st_mtime_ns == before:  # the next epoch
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stderr) == (143, "")
    assert f"\nTraining in {out}; `kill {process.pid}` stops and saves.\n" in stdout


def test_traceback_only_if_asked_for(run: Path) -> None:
    result = minigan("sample", run, "--n", "0")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "minigan: --n is 0, expected a whole number of at least 1\n"
    result = minigan("sample", run, "--n", "0", env=os.environ | {"MINIGAN_TRACEBACK": "1"})
    assert "Traceback" in result.stderr
