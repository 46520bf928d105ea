"""``minigan gradcheck``, ``bench`` and ``info``; the version and the help."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from helpers import strict_cupy
from helpers.command import fails
from helpers.narrow import narrow_networks

import minigan as mg
from minigan.backend import Array, Backend
from minigan.cli import main
from minigan.training import RECIPES

OPTIONS = (
    "--epochs --batch-size --latent-dim --lr --betas --seed --backend --dtype --data --threads"
)


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
        "mse",
    ):
        assert any(row.startswith(name) for row in rows)
    assert any("G: z -> D(G(z)) -> g_loss" in row for row in rows)
    errors = [float(match) for row in rows for match in re.findall(r"\d\.\de[-+]\d\d", row)]
    assert len(errors) == len(rows) == 26
    assert max(errors) < 1e-6
    assert lines[-1].startswith("26 of 26 pass")


def test_gradcheck_fails_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def wrong(self: mg.Tanh, dy: Array, y: Array) -> Array:
        return dy * (1 - y)

    narrow_networks(monkeypatch)  # a doubtful entry is computed again in extended precision
    monkeypatch.setattr(mg.Tanh, "input_grad", wrong)
    assert main(["gradcheck"]) == 1
    lines = capsys.readouterr().out.splitlines()
    failed = [line[:46].strip() for line in lines if line.endswith("FAIL")]
    assert failed == [  # the layer, and each path through it
        "Tanh()", "Styled, two layers that see w", "r1, D with Tanh",
        "narrow GAN", "G: z -> D(G(z)) -> g_loss",
        "narrow GAN, default recipe", "G: z -> D(G(z)) -> g_loss, default recipe",
        "narrow GAN, least squares", "narrow GAN, conditional", "narrow GAN, style",
    ]  # fmt: skip
    assert lines[-1].startswith("16 of 26 pass")


def test_bench_and_info_on_a_gpu(
    stand_in: Backend, capsys: pytest.CaptureFixture[str], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("minigan.bench.gpu.ROUNDS", 1)
    monkeypatch.setattr("minigan.bench.gpu.SECONDS", 0)
    monkeypatch.setattr("minigan.bench.gpu.COPY_BYTES", 1 << 20)
    out = tmp_path / "bench.json"
    command = ["bench", "--backend", "cupy", "--batch-size", "16", "100", "--json", str(out)]
    assert main(command) == 0
    text = capsys.readouterr().out
    assert "gpu      strict stand-in, CuPy strict stand-in, CUDA 12.9, driver for CUDA 12.8" in text
    assert "a step, captured" in text
    figures = json.loads(out.read_text())
    assert [batch["batch_size"] for batch in figures["batches"]] == [16, 100]
    assert "recipes" not in figures
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
    for word in ("minigan ", "Python ", "NumPy ", "backend ", "BLAS ", "Adam ", "GPU ", "mpiexec "):
        assert f"\n{word}" in "\n" + out
    assert re.search(r"BLAS +\w+ .* \d+ threads?", out)


@pytest.mark.parametrize(
    ("there", "way"),
    [(True, "by NCCL if each has a GPU, and in main memory otherwise"), (False, "in main memory")],
)
def test_info_says_how_processes_add_up(
    there: bool, way: str, stand_in: Backend,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr("importlib.metadata.version", lambda name: "4.1.0")
    nccl = strict_cupy.make_nccl() if there else None
    monkeypatch.setitem(sys.modules, "cupy.cuda.nccl", nccl)
    assert main(["info"]) == 0
    line = f"mpiexec  several processes by mpi4py 4.1.0; they add up gradients {way}\n"
    assert line in capsys.readouterr().out


def test_bench(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("minigan.bench.cpu.ROUNDS", 1)
    monkeypatch.setattr("minigan.bench.cpu.SECONDS", 0)
    monkeypatch.setattr("minigan.bench.by_recipe.CYCLES", 1)
    monkeypatch.setattr("minigan.bench.by_recipe.R1_EVERY", 1)
    out = tmp_path / "bench.json"
    assert main(["bench", "--batch-size", "16", "64", "--threads", "1", "--json", str(out)]) == 0
    printed = capsys.readouterr().out
    for word in ("blas ", "adam ", "G forward ", "share of the floor reached ", "peak memory, MB "):
        assert f"\n{word}" in printed
    figures = json.loads(out.read_text())
    assert [batch["batch_size"] for batch in figures["batches"]] == [16, 64]
    assert re.search("1 thread$", figures["blas"])
    step = figures["batches"][1]["step"]
    assert re.search(rf"\na step +[\d.,]+ +{step:,.2f}\n", printed)
    assert [one["recipe"] for one in figures["recipes"]] == list(RECIPES)
    style = next(one for one in figures["recipes"] if one["recipe"] == "style")
    ratios = rf"{style['of_tutorial']:.2f} +{style['of_default']:.2f}"
    assert re.search(rf"\nstyle +{style['step']:,.2f} +{ratios}\n", printed)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--batch-size 0", "--batch-size is 0, expected a whole number of at least 1"),
        ("--batch-size 64 60001", "--batch-size is 60001, expected a whole number up to 60,000"),
        ("--batch-size", "--batch-size has no value"),
        ("--threads 0", "--threads is 0"),
        ("--json nowhere/x.json", "--json nowhere/x.json is in nowhere, which is not a folder"),
        ("--json /", "--json / is a folder"),
        ("--backend jax", "unknown backend 'jax'"),
    ],
)
def test_bench_errors(options: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    fails(["bench", *options.split()], message, capsys)


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
