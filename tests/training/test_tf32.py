"""Products with rounded factors: asked for by an option, on a GPU only, and for one run only."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.runs import Configure, saved_run
from helpers.strict_cupy import FakeCublas

import minigan as mg
from minigan.backend import Backend, tf32_products
from minigan.cli.entry import main
from minigan.errors import InputError
from minigan.training.commands import repeating


def modes(library: FakeCublas) -> list[tuple[str, bool]]:
    """Return each change of cuBLAS's mode, and whether a product follows it."""
    calls = library.calls
    return [
        (call, "gemm" in calls[i + 1 : i + 2]) for i, call in enumerate(calls) if "mode" in call
    ]


def test_it_is_on_until_the_block_ends(stand_in: Any) -> None:
    a = stand_in.asarray(np.ones((2, 2), "float32"))
    with pytest.raises(ZeroDivisionError), tf32_products(stand_in):
        stand_in.matmul(a, a)
        raise ZeroDivisionError
    stand_in.matmul(a, a)
    assert modes(stand_in.cublas.library)[-2:] == [("math mode 3", True), ("math mode 0", True)]


def test_off_changes_nothing(stand_in: Any) -> None:
    stand_in.tf32 = True  # as a program may have set it
    with tf32_products(stand_in, on=False):
        assert stand_in.tf32
    with tf32_products(mg.get_backend("numpy"), on=False):
        pass
    assert stand_in.tf32


def test_without_cublas_there_is_none(stand_in: Any) -> None:
    stand_in.cublas = None
    with (
        pytest.raises(InputError, match="tf32 needs cuBLAS, which cannot"),
        tf32_products(stand_in),
    ):
        pass


def test_a_run_rounds_while_it_trains(config: Configure, stand_in: Any) -> None:
    trainer = mg.Trainer(config(epochs=1, backend="cupy", tf32=True))
    library = stand_in.cublas.library
    assert not stand_in.tf32
    assert modes(library)[-1][0] == "math mode 0"
    folder = trainer.run()
    assert modes(library)[-1] == ("math mode 3", True)
    assert not stand_in.tf32
    assert saved_run(folder)[1]["config"]["tf32"] is True
    assert "--tf32" in repeating(trainer.state).split()
    assert "True" not in repeating(trainer.state)
    # the choice is kept, and may be taken back
    again = mg.TrainConfig.of_run(folder)
    assert again.tf32
    resumed = mg.Trainer(replace(again, epochs=2, tf32=False))
    resumed.run()
    assert modes(library)[-1] == ("math mode 0", True)
    assert not mg.TrainConfig.of_run(folder).tf32


def test_a_run_on_a_cpu_says_that_it_needs_a_gpu(
    config: Configure, tiny_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = "tf32 needs a GPU, whose products it rounds, but the backend is numpy"
    with pytest.raises(InputError, match=line):
        mg.Trainer(config(backend="numpy", tf32=True))
    out = tmp_path / "run"
    args = ["train", "--tf32", "--backend=numpy", f"--data={tiny_data}", f"--out={out}"]
    for command in (args, ["bench", "--tf32", "--backend=numpy"]):
        assert main(command) == 2
        assert capsys.readouterr().err == f"minigan: --{line}\n"
    assert not out.exists()


def test_a_run_of_a_gpu_goes_on_without_one(
    config: Configure, stand_in: Backend, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = mg.Trainer(config(epochs=1, backend="cupy", tf32=True)).run()
    args = ["train", "--resume", str(folder), "--epochs=2", "--backend=numpy"]
    assert main(args) == 2
    assert "--tf32 needs a GPU" in capsys.readouterr().err
    assert main([*args, "--no-tf32"]) == 0


def test_the_benchmark_says_that_products_are_rounded(
    stand_in: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from minigan.bench import GpuBench

    seen = []

    def measure(self: GpuBench, batch_size: int, progress: Any) -> Any:
        seen.append(stand_in.tf32)
        raise InputError("enough")

    monkeypatch.setattr(GpuBench, "measure", measure)
    for options, rounded in ((["--tf32"], True), ([], False)):
        assert main(["bench", "--backend=cupy", *options]) == 2
        line = "products with factors rounded to ten bits (TF32)"
        assert (line in capsys.readouterr().out) == rounded
    assert seen == [True, False]
    assert not stand_in.tf32
