"""Runs that mpiexec starts on several processes, and what becomes of them when something fails."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.runs import saved_run

import minigan as mg
from minigan.training.folder import CHECKPOINT

pytestmark = pytest.mark.mpi
SMALL = """
import minigan as mg

def generator(n_in, n_out, **options):
    return mg.Sequential(mg.Linear(n_in, 24), mg.BatchNorm1d(24), mg.ReLU(), mg.Linear(24, n_out),
                         mg.Tanh(), **options)

def discriminator(n_in, n_out, **options):
    return mg.Sequential(mg.Linear(n_in, 24), mg.LeakyReLU(0.2), mg.Linear(24, n_out), **options)
"""
LONG = 100_000  # epochs: nobody waits for their end
PATIENCE = 60  # seconds in which a process must have ended


@pytest.fixture
def mpiexec() -> str:
    pytest.importorskip("mpi4py", reason="mpi4py is not installed")
    beside = Path(sys.executable).with_name("mpiexec")
    found = str(beside) if beside.exists() else shutil.which("mpiexec")
    if found is None:
        pytest.skip("there is no mpiexec")
    return found


class Started:
    """A run on several processes; what they print goes into files."""

    def __init__(self, mpiexec: str, ranks: int, *words: str | Path, folder: Path) -> None:
        self.folder = folder
        self.out, self.err = folder / "printed.txt", folder / "complained.txt"
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.process = subprocess.Popen(
                [mpiexec, "-n", str(ranks), sys.executable, *map(str, words)],
                stdout=out,
                stderr=err,
                cwd=folder,
            )

    def wait_for(self, text: str) -> None:
        end = time.monotonic() + PATIENCE
        while text not in self.out.read_text():
            assert time.monotonic() < end, self.out.read_text() + self.err.read_text()
            assert self.process.poll() is None, self.err.read_text()
            time.sleep(0.05)

    def ended(self) -> tuple[int, list[str], list[str]]:
        """The exit status, and the lines that were printed on both streams."""
        status = self.process.wait(PATIENCE)
        return status, self.out.read_text().splitlines(), self.err.read_text().splitlines()

    def ranks(self) -> list[int]:
        """The process ids of the ranks, which have this run's folder in their environment."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
                inside = (entry / "cwd").resolve() == self.folder.resolve()
            except OSError:
                continue
            if inside and words[0].endswith(os.path.basename(sys.executable).encode()):
                found.append(int(entry.name))
        return sorted(found)


@pytest.fixture
def train(mpiexec: str, tiny_data: Path, tmp_path: Path) -> Any:
    """Start ``minigan train`` on so many ranks, with batches of 50 of 200 images."""

    def start(ranks: int, *words: str | Path, data: str | Path = tiny_data) -> Started:
        options = ["--data", data, "--batch-size", "50", "--dtype", "float64"]
        (tmp_path / "small.py").write_text(SMALL)
        if "--resume" not in words:  # all layers are minigan's: then the checkpoint knows them
            options += ["--model", "small.py"]
        return Started(mpiexec, ranks, "-m", "minigan", "train", *options, *words, folder=tmp_path)

    return start


def lines_of(started: Started) -> list[str]:
    status, out, err = started.ended()
    assert status == 0, err
    return out


def test_a_run_on_three_ranks_is_the_run_of_one(
    train: Any, tmp_path: Path, tiny_data: Path
) -> None:
    lines = lines_of(train(3, "--epochs", "2", "--out", "three"))
    assert [line for line in lines if line.startswith("Epoch")] != []
    assert lines.count("Training in three; Ctrl-C stops and saves.") == 1
    config = mg.TrainConfig(
        epochs=2, batch_size=50, dtype="float64", data=str(tiny_data), out=str(tmp_path / "one"),
        threads=1, model=str(tmp_path / "small.py"),
    )  # fmt: skip
    mg.Trainer(config).run()
    (three, three_meta), (one, one_meta) = (
        saved_run(tmp_path / "three"),
        saved_run(tmp_path / "one"),
    )
    assert three_meta["epoch_state"] == one_meta["epoch_state"]
    for name, array in one.items():
        np.testing.assert_allclose(three[name], array, rtol=1e-9, atol=1e-11, err_msg=name)
    for file in ("report.html", "training.gif", "losses.png", "samples/epoch_0002.png"):
        assert (tmp_path / "three" / file).stat().st_size > 0


def test_a_run_goes_on_with_the_same_ranks_bit_for_bit_or_with_others(
    train: Any, tmp_path: Path
) -> None:
    lines_of(train(2, "--epochs", "3", "--out", "straight"))
    lines_of(train(2, "--epochs", "1", "--out", "two"))
    shutil.copytree(tmp_path / "two", tmp_path / "other")
    lines_of(train(2, "--resume", "two", "--epochs", "3"))
    lines_of(train(3, "--resume", "other", "--epochs", "3"))
    straight, two, other = (saved_run(tmp_path / name)[0] for name in ("straight", "two", "other"))
    for name, array in straight.items():
        np.testing.assert_array_equal(two[name], array, err_msg=name)
        np.testing.assert_allclose(other[name], array, rtol=1e-9, atol=1e-11, err_msg=name)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--epochs", "0"], "--epochs is 0, expected a whole number of at least 1"),
        (["--batch-size", "66"], "--batch-size 66 leaves a batch of 2 of 200 images, but there"),
        (["--lr", "1e200"], "training diverged at step 1"),
        (["--out", "printed.txt"], "--out printed.txt is a file, expected a folder"),
    ],
)
def test_a_mistake_is_one_line(train: Any, words: list[str], message: str) -> None:
    status, _, err = train(3, *words).ended()
    assert status == 2
    assert len(err) == 1, err
    assert err[0].startswith(f"minigan: {message}")


def test_an_unknown_option_is_told_once(train: Any) -> None:
    status, _, err = train(3, "--nonsense").ended()
    assert status == 2
    assert sum("Unrecognized options: --nonsense" in line for line in err) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_one_rank_stops_and_saves_all(train: Any, tmp_path: Path, number: int) -> None:
    started = train(3, "--epochs", str(LONG), "--out", "run")
    started.wait_for("Epoch [2/")
    os.kill(started.ranks()[-1], number)
    status, out, _ = started.ended()
    assert status == (143 if number == signal.SIGTERM else 130)
    assert sum("everything is saved" in line for line in out) == 1
    assert started.ranks() == []
    lines_of(train(1, "--resume", "run", "--epochs", str(epochs_of(tmp_path / "run") + 1)))


def epochs_of(run: Path) -> int:
    return int(saved_run(run)[1]["epoch"])


def test_ctrl_c_at_mpiexec_stops_and_saves_all(train: Any, tmp_path: Path) -> None:
    started = train(2, "--epochs", str(LONG), "--out", "run")
    started.wait_for("Epoch [2/")
    started.process.send_signal(signal.SIGINT)
    _, out, _ = started.ended()
    assert sum("everything is saved" in line for line in out) == 1
    assert started.ranks() == []


def test_a_rank_that_is_killed_ends_all_and_the_checkpoint_is_kept(
    train: Any, tmp_path: Path
) -> None:
    started = train(3, "--epochs", str(LONG), "--out", "run")
    started.wait_for("Epoch [2/")
    os.kill(started.ranks()[1], signal.SIGKILL)
    start = time.monotonic()
    status, _, _ = started.ended()
    assert status != 0
    assert time.monotonic() - start < PATIENCE / 2
    assert started.ranks() == []
    epochs = epochs_of(tmp_path / "run")
    assert epochs >= 2
    lines_of(train(2, "--resume", "run", "--epochs", str(epochs + 1)))


SCRIPT = """
import sys
import minigan as mg
from minigan.backend import started_ranks
rank = started_ranks().rank
data, what = sys.argv[1:]
if what == "data" and rank == 1:
    data = "nowhere"
config = mg.TrainConfig(epochs=2, batch_size=50, data=data, out="run", model="small.py")
trainer = mg.Trainer(config)
if what == "bug" and rank == 1:
    trainer.train_step = lambda indices, z: 1 / 0
if what == "disk":
    import minigan.training.run_folder as module
    def full(*_):
        raise OSError(28, "No space left on device", "checkpoint.npz")
    module.save_run = full
if what == "epoch":
    ended = trainer.run(on_epoch=lambda trainer: rank == 0)
    open(f"steps_{rank}", "w").write(str(trainer.state.step))
else:
    trainer.run()
"""


@pytest.fixture
def script(mpiexec: str, tiny_data: Path, tmp_path: Path) -> Any:
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "small.py").write_text(SMALL)
    return lambda what: Started(mpiexec, 2, "script.py", tiny_data, what, folder=tmp_path)


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("data", "InputError: process 1: data folder .*nowhere does not exist"),
        ("bug", "ZeroDivisionError: division by zero"),
        ("disk", "No space left on device"),
    ],
)
def test_what_fails_on_one_rank_ends_all(script: Any, what: str, message: str) -> None:
    started = script(what)
    status, _, err = started.ended()
    assert status != 0
    assert started.ranks() == []
    assert any(re.search(message, line) for line in err), err


def test_rank_0_decides_when_a_program_stops_the_run(script: Any, tmp_path: Path) -> None:
    lines_of(script("epoch"))
    assert [(tmp_path / f"steps_{rank}").read_text() for rank in (0, 1)] == ["4", "4"]


def test_other_commands_are_run_once(mpiexec: str, tmp_path: Path) -> None:
    started = Started(mpiexec, 3, "-m", "minigan", "sample", "--out", "s.png", folder=tmp_path)
    assert lines_of(started) == ["64 digits: s.png"]
    assert (tmp_path / "s.png").exists()
    assert not (tmp_path / CHECKPOINT).exists()
