"""The experiments run, and write what they measure into their pages."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers.example_files import EXAMPLES, ROOT, load_example, run_example

import minigan as mg
from minigan.backend.cupy_backend import why_unavailable
from minigan.data import save_archive
from minigan.metrics import Bins


def test_collapse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("minigan.training.quality.Bins", lambda images, k: Bins(images[:1000], k))
    monkeypatch.setattr("minigan.training.quality.SAMPLE_COUNT", 1000)
    out = tmp_path / "collapse.csv"
    settings = {"VARIANT": "leaky-g", "EPOCHS": "2", "STEPS": "3", "OUT": str(out)}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    load_example("experiments/collapse.py")
    text = capsys.readouterr().out
    assert text.count("leaky-g [") == 2
    rows = np.loadtxt(out, delimiter=",", skiprows=1)
    assert rows[:, 0].tolist() == [1, 2]
    assert np.isfinite(rows).all()
    header = out.read_text().splitlines()[0].split(",")
    by_name = dict(zip(header, rows.T, strict=True))
    assert (by_name["alive_3"] > 0.5).all()
    assert ((by_name["through_tanh"] > 0) & (by_name["through_tanh"] <= 1)).all()


def test_variants_of_collapse_have_names() -> None:
    command = [sys.executable, str(EXAMPLES / "experiments" / "collapse.py")]
    result = subprocess.run(
        command, env=os.environ | {"VARIANT": "wgan"}, capture_output=True, text=True, check=False
    )
    assert result.returncode != 0
    assert "VARIANT is 'wgan', expected one of tutorial, batch-norm" in result.stderr


def test_collapse_with_another_recipes_networks(tmp_path: Path) -> None:
    start = tmp_path / "start.npz"
    G = mg.generator(batch_norm=True)
    save_archive(start, {"generator": G.params, "discriminator": mg.discriminator().params}, {})
    for settings, message in (
        ({"START": str(start)}, f"START={start} is of another recipe, expected the tutorial's"),
        ({"VARIANT": "batch-norm", "SAVE": "x.npz"}, "SAVE keeps the tutorial's networks"),
    ):
        command = [sys.executable, str(EXAMPLES / "experiments" / "collapse.py")]
        result = subprocess.run(
            command, env=os.environ | settings, capture_output=True, text=True, check=False
        )
        assert result.returncode == 1
        assert message in result.stderr
        assert "Traceback" not in result.stderr


def test_gradcheck_battery(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = load_example("experiments/gradcheck_battery.py")
    networks = {name: module.NETWORKS[name] for name in ("tanh", "norm, relu")}
    for name, values in (
        ("NETWORKS", networks), ("SCALES", (1.0, 1e8)), ("OFFSETS", (0.0,)), ("ROWS", (4,)),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, values)
    out, page = tmp_path / "battery.csv", tmp_path / "page.md"
    page.write_text("before\n<!-- verdicts -->\nold\n<!-- end of verdicts -->\nafter\n")
    module.main(module.Options(out=out, write=page))
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * len(list(module.pairs()))
    at_one = {row["rule"]: row["verdict"] for row in rows if row["scale"] == "1.0"}
    assert at_one == dict.fromkeys(module.RULES, "FAIL") | {"right": "PASS"}
    table = capsys.readouterr().out.strip()
    assert f"| {module.INSIDE} | 2 | 0 | 0 |" in table
    assert page.read_text() == (
        f"before\n<!-- verdicts -->\n\n{table}\n\n<!-- end of verdicts -->\nafter\n"
    )


def test_compare_recipes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which runs it trains and measures, and what it writes of them."""
    module = load_example("experiments/compare_recipes.py")
    page, korean = tmp_path / "is-it-working.md", tmp_path / "ko" / "is-it-working.md"
    korean.parent.mkdir()
    for each in (page, korean):
        each.write_text("before\n<!-- recipes -->\nold\n<!-- end of recipes -->\nafter\n")
    trained, figures = [], dict.fromkeys(module.COLUMNS[3:], 0.5)

    def train(folder: Path, recipe: str, lr: float | None, seed: int, epochs: int) -> str:
        trained.append((folder.name, epochs))
        return "diverged" if seed == 3 else ""

    def measure(evaluation: None, folder: Path) -> dict[str, float]:
        collapsed = folder.name == "tutorial-2"
        return figures | {"classes": 1 if collapsed else 10, "ndb": int(folder.name[-1])}

    for name, value in (
        ("DOCS", tmp_path), ("Evaluation", lambda: None), ("train", train), ("measure", measure),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, value)
    options = module.Options(recipes=("tutorial", "batch-norm"), seeds=(1, 3), epochs=(20,))
    module.main(options)
    assert sorted(trained) == [
        (f"{r}-{s}", 20) for r in ("batch-norm", "tutorial") for s in (1, 2, 3)
    ]
    rows = (tmp_path / "recipes.csv").read_text().splitlines()
    assert rows[0].split(",") == module.COLUMNS
    assert len(rows) == 1 + 4  # seed 3 came to no end
    text = page.read_text()
    assert text.startswith("before\n<!-- recipes -->\n")
    assert text.endswith("<!-- end of recipes -->\nafter\n")
    assert "| batch-norm | 20 | 2 | 0 | 10 | 2 (1 to 2) |" in text
    assert "| tutorial | 20 | 2 | 1 | 1 | 2 (1 to 2) |" in text  # one of two collapsed
    trained.clear()
    module.main(options)  # again: only what is missing
    assert {name for name, _ in trained} == {"tutorial-3", "batch-norm-3"}
    options.lr, options.seeds = 0.001, (1, 1)
    module.main(options)
    assert "| tutorial lr 0.001 | 20 | 1 | 0 | 10 |" in page.read_text()
    assert korean.read_text() == page.read_text()


def test_the_table_of_recipes_is_that_of_its_csv() -> None:
    module = load_example("experiments/compare_recipes.py")
    with (ROOT / "docs" / "recipes.csv").open(newline="") as file:
        table = module.table(list(csv.DictReader(file)))
    assert table in (ROOT / "docs" / "is-it-working.md").read_text()


QUICK = ("--rounds", "1", "--batch-sizes", "16", "--seconds", "0", "--no-epochs")


def test_benchmark_without_its_rivals(tmp_path: Path) -> None:
    for rival in ("torch", "jax"):  # not installed, whatever is
        (tmp_path / f"{rival}.py").write_text("raise ModuleNotFoundError('hidden')")
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- benchmark -->\nold\n<!-- end of benchmark -->\nafter\n")
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    out = run_example(
        "experiments/benchmark_vs_pytorch.py", *QUICK, "--write", str(page), PYTHONPATH=path
    )
    assert "minigan without Numba            losses of 10 steps differ by at most 0e+00" in out
    text = page.read_text()
    assert text.startswith("before\n<!-- benchmark -->\n\n")
    assert text.endswith("\n\n<!-- end of benchmark -->\nafter\n")
    assert "old" not in text
    assert "### A step of 16 images" in text
    assert re.search(r"\| minigan \| \d+\.\d \| 1\.00 \|", text)
    assert re.search(r"\| minigan without Numba \| \d+\.\d \| \d+\.\d\d \(", text)
    for name in ("JAX, one jit", "PyTorch tuned, eager", "the tutorial's PyTorch step"):
        assert f"{name} takes no part: ModuleNotFoundError: hidden" in text


@pytest.mark.torch
def test_benchmark_with_pytorch() -> None:
    pytest.importorskip("torch")
    out = run_example("experiments/benchmark_vs_pytorch.py", *QUICK)
    assert "takes no part" not in out.replace("JAX, one jit takes no part", "")
    for name in ("PyTorch tuned, eager", "the tutorial's PyTorch step"):
        (off,) = re.findall(rf"{name} +losses of 10 steps differ by at most (\S+)", out)
        assert float(off) < 1e-5
        assert re.search(rf"\| {name} \| \d+\.\d \| \d+\.\d\d \(", out)
    assert "import torch alone" in out


def test_benchmark_on_a_machine_without_a_gpu() -> None:
    if why_unavailable() is None:
        pytest.skip("there is a GPU")
    script = EXAMPLES / "experiments" / "benchmark_vs_pytorch.py"
    command = [sys.executable, str(script), "--device", "cuda"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert result.stderr.startswith("backend 'cupy' cannot be used: ")
    assert len(result.stderr.splitlines()) == 1


def test_ratios_are_of_one_round_and_their_median_counts() -> None:
    example = load_example("experiments/benchmark_vs_pytorch.py")
    times = {"ours": [1.0, 10.0, 2.0], "rival": [2.0, 10.0, 8.0]}  # medians 2 and 8: 4, if divided
    assert example.comparison(times, ["ours"]) == [
        "| | ms | / ours |",
        "|---|---:|---:|",
        "| ours | 2.0 | 1.00 |",
        "| rival | 8.0 | 2.00 (1.00 to 4.00) |",
    ]


def test_a_contestant_that_trains_something_else_ends_the_benchmark(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    example = load_example("experiments/benchmark_vs_pytorch.py")
    losses = iter([[(1.4, 0.7)], [(1.4, 0.7001)]])
    answers = {
        "ask": lambda self, *request: (0.1, next(losses), 1.0, []),
        "start": lambda self: None,
    }
    for name, answer in answers.items():
        monkeypatch.setattr(example.Contestant, name, answer)
    same = [example.Contestant("minigan", None), example.Contestant("rival", None)]
    assert example.admit(same) == (same, [])
    losses = iter([[(1.4, 0.7)], [(1.4, 0.71)]])
    with pytest.raises(SystemExit, match="rival does not train the same GAN"):
        example.admit(same)


def test_times_below_a_millisecond_have_three_decimals() -> None:
    example = load_example("experiments/benchmark_vs_pytorch.py")
    times = {"ours": [0.35], "rival": [0.4928]}
    assert example.comparison(times, ["ours"])[2:] == [
        "| ours | 0.350 | 1.00 |",
        "| rival | 0.493 | 1.41 (1.41 to 1.41) |",
    ]


def test_smudged() -> None:
    """Its two figures, on probabilities and scores that one can count by hand."""
    module = load_example("experiments/smudged.py")
    p = np.full((6, 10), 0.001)
    for row, (a, b, pa, pb) in enumerate(
        [(4, 9, 0.5, 0.4), (9, 4, 0.6, 0.39), (3, 5, 0.6, 0.3), (9, 4, 0.5, 0.4)]
    ):
        p[row, a], p[row, b] = pa, pb
    p[4, 7] = p[5, 2] = 0.99  # of which the classifier is sure
    rows = module.between(p)
    assert [row[:2] for row in rows] == [("4 and 9", 0.75), ("3 and 5", 0.25)]
    assert rows[0][2] == pytest.approx((0.9 + 0.99 + 0.9) / 3)

    sure = np.array([True, False, True, False])
    assert module.told_apart(np.array([3.0, 1.0, 4.0, 2.0]), sure) == 1
    assert module.told_apart(np.array([1.0, 3.0, 2.0, 4.0]), sure) == 0
    assert module.told_apart(np.array([1.0, 2.0, 4.0, 3.0]), sure) == 0.5
