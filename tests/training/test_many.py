"""Many runs that differ in their seeds: side by side, resumable, in one table."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.command import fails
from helpers.runs import saved_run

import minigan as mg
from minigan.errors import InputError
from minigan.training.many import Ended, _Run, last_figures, table_of, train_seeds

MODEL = """
import minigan as mg

def generator(n_in, n_out, **options):
    return mg.Sequential(mg.Linear(n_in, 16), mg.ReLU(), mg.Linear(16, n_out), mg.Tanh(), **options)

def discriminator(n_in, n_out, **options):
    return mg.Sequential(mg.Linear(n_in, 16), mg.LeakyReLU(0.2), mg.Linear(16, n_out), **options)
"""


@pytest.fixture
def options(tiny_data: Path, tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "small.py").write_text(MODEL)
    return {
        "data": str(tiny_data),
        "batch_size": 50,
        "model": str(tmp_path / "small.py"),
        "out": str(tmp_path / "many"),
    }


def test_each_seed_is_the_run_that_it_would_be_alone(
    options: dict[str, Any], tmp_path: Path
) -> None:
    lines: list[str] = []
    runs = train_seeds(mg.TrainConfig(epochs=2, **options), 3, 5, say=lines.append)
    assert [run.seed for run in runs] == [3, 4, 5]
    assert all(run.error == "" and run.figures["epoch"] == 2 for run in runs)
    assert sorted(line[:6] for line in lines) == ["seed 3", "seed 4", "seed 5"]
    alone = options | {"out": str(tmp_path / "alone")}
    folder = mg.Trainer(mg.TrainConfig(epochs=2, seed=4, threads=1, **alone)).run()
    (one, one_meta), (many, many_meta) = saved_run(folder), saved_run(tmp_path / "many" / "seed-4")
    assert one_meta == many_meta
    for name, array in one.items():  # in another process, old versions of BLAS round differently
        np.testing.assert_allclose(many[name], array, rtol=1e-4, atol=1e-6, err_msg=name)

    with (tmp_path / "many" / "seeds.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["seed"] for row in rows] == ["3", "4", "5"]
    assert float(rows[1]["d_loss"]) == pytest.approx(runs[1].figures["d_loss"], rel=1e-5)

    # the same call with more epochs and seeds goes on; what is done is not done again
    again = train_seeds(mg.TrainConfig(epochs=3, **options), 3, 6, jobs=2)
    assert [run.figures["epoch"] for run in again] == [3, 3, 3, 3]
    with pytest.raises(InputError, match="batch_size is 25, but the run was started with 50"):
        train_seeds(mg.TrainConfig(epochs=3, **options | {"batch_size": 25}), 3, 3)


def test_what_a_resumed_run_may_change_is_handed_on(options: dict[str, Any]) -> None:
    train_seeds(mg.TrainConfig(epochs=1, **options), 0, 0)

    def words(**changes: Any) -> str:
        config = mg.TrainConfig(epochs=2, **options | changes)
        return " ".join(_Run(config, Path(options["out"]), 0, (), []).command)

    changed = words(data="else/where", save_every=3, threads=2, backend="numpy", lr=0.1)
    for name, value in (("data", "else/where"), ("save-every", 3), ("threads", 2), ("lr", 0.1)):
        assert f" --{name} {value}" in changed
    assert " --backend numpy" in changed
    assert " --epochs 2" in words()
    assert not {"--save-every", "--threads", "--lr"} & set(words().split())


def test_a_run_that_fails_is_named_and_the_others_go_on(
    options: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "many").mkdir()
    (tmp_path / "many" / "seed-1").write_text("no folder")
    runs = train_seeds(mg.TrainConfig(epochs=1, **options), 0, 2)
    assert [run.figures.get("epoch") for run in runs] == [1, None, 1]
    assert "is a file, expected a folder" in runs[1].error
    text = table_of(runs)
    assert "seed 1: minigan: --out" in text
    assert text.splitlines()[4].split()[:2] == ["median", "1"]


def test_new_runs_do_not_differ_from_those_that_are_there(options: dict[str, Any]) -> None:
    train_seeds(mg.TrainConfig(epochs=1, lr=0.01, **options), 0, 0)
    without_data = {name: value for name, value in options.items() if name != "data"}
    for config, message in (
        (mg.TrainConfig(epochs=2, **options), "lr is not given, and is 0.01 in .*seed-0 but would"),
        (mg.TrainConfig(epochs=2, lr=0.01, **without_data), "data is not given, and is .* in .*"),
    ):
        with pytest.raises(InputError, match=message):
            train_seeds(config, 0, 1)
    train_seeds(mg.TrainConfig(epochs=2, **options), 0, 0)  # it goes on as it began
    assert mg.TrainConfig.of_run(Path(options["out"], "seed-0")).lr == 0.01
    runs = train_seeds(mg.TrainConfig(epochs=2, lr=0.01, **options), 0, 1)
    assert [run.error for run in runs] == ["", ""]


def test_data_that_no_run_can_use_is_one_line(
    options: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = ["train", "--data", "nowhere", "--out", options["out"], "--seeds", "1", "2"]
    fails(nowhere, "data folder nowhere does not exist", capsys)
    images = Path(options["data"]).with_name("images.npz")
    np.savez(images, images=np.zeros((30, 8, 8), np.uint8))
    unlabelled = ["train", "--data", str(images), "--recipe", "conditional", *nowhere[3:]]
    fails(unlabelled, "--recipe is conditional, which needs labels", capsys)
    assert not Path(options["out"]).exists()


def test_names_that_begin_with_a_dash(
    options: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("-small.py").write_text(MODEL)
    config = mg.TrainConfig(epochs=1, **options | {"out": "-sd", "model": "-small.py"})
    for epochs in (1, 2):
        (run,) = train_seeds(replace(config, epochs=epochs), 3, 3)
        assert (run.error, run.figures["epoch"]) == ("", epochs)


@pytest.mark.skipif(os.name != "posix", reason="named pipes")
def test_a_history_that_is_none_has_no_figures(tmp_path: Path) -> None:
    """Nothing waits for a pipe, and a field that csv finds too long ends nothing."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "long").write_text("epoch,d_loss\n1," + "1" * 200_000)
    (tmp_path / "bytes").write_bytes(b"epoch\n\xff")
    for name in ("pipe", "long", "bytes", "none"):
        assert last_figures(tmp_path / name) == {}


def test_the_table_has_medians_and_ranges() -> None:
    runs = [
        Ended(7, {"epoch": 2, "js": 0.5, "p_real": 0.25}),
        Ended(8, {"epoch": 2, "js": 0.25, "p_real": 0.5}, warnings=["Warning: collapsed"]),
        Ended(9, {"epoch": 2, "p_real": 0.125}),
        Ended(10, {"epoch": 1, "p_real": 0.9}, error="stopped"),
    ]
    assert [line.split() for line in table_of(runs).splitlines()] == [
        ["seed", "epoch", "D(x)", "JS"],
        ["7", "2", "0.25", "0.5000"],
        ["8", "2", "0.50", "0.2500"],
        ["9", "2", "0.12"],
        ["10", "1", "0.90"],
        ["median", "2", "0.25", "0.3750"],
        ["least", "2", "0.12", "0.2500"],
        ["most", "2", "0.50", "0.5000"],
        "seed 8: Warning: collapsed".split(),
        "seed 10: stopped".split(),
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--seeds", "5", "4", "--out", "x"], "--seeds are 5 and 4, expected the first and the"),
        (["--seeds=-1", "4", "--out", "x"], "--seeds is -1, expected a whole number of at least"),
        (["--seeds", "0", "4"], "--seeds needs --out, the folder for the runs"),
        (["--seeds", "0", "4", "--out", "x", "--jobs", "0"], "--jobs is 0, expected"),
        (["--jobs", "2"], "--jobs is how many runs of --seeds to train at a time"),
        (["--seeds", "0", "4", "--out", "file"], "--out file is a file, expected a folder"),
        (["--seeds", "0", "1", "--out", "run"], "--out run holds a run, expected a folder for"),
    ],
)
def test_what_makes_no_sense_is_one_line(
    words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text("{}")
    fails(["train", *words], message, capsys)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_all_runs_save_and_end(
    options: dict[str, Any], tmp_path: Path, number: int
) -> None:
    words = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    command = [sys.executable, "-m", "minigan", "train", "--seeds", "0", "3", "--jobs", "2", *words]
    process = subprocess.Popen([*command, "--epochs", "100000"], stdout=subprocess.PIPE, text=True)
    folders = [tmp_path / "many" / f"seed-{seed}" for seed in (0, 1)]
    end = time.monotonic() + 60
    while not all((folder / "samples" / "epoch_0001.png").exists() for folder in folders):
        assert time.monotonic() < end
        time.sleep(0.1)
    process.send_signal(number)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "The same command goes on" in out
    for folder in folders:
        assert saved_run(folder)[1]["step"] > 0
    assert not (tmp_path / "many" / "seed-3").exists()
