"""The prepared script for a GPU, with stubs for its commands, and the tables that it writes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import asdict
from pathlib import Path

import pytest
from helpers.example_files import EXAMPLES, load_example

from minigan.bench import GpuReport

STEPS = ["info", "tests", "bench", "contest", "gradcheck", "train", "tables"]
STUB = """#!/usr/bin/env bash
[[ -d minigan && $PYTHONPATH == "$PWD"* ]] || exit 7
case "$*" in
*why_unavailable*) printf '%s\\n' "$REASON"; exit ;;
"-c import "*) [[ " $MISSING " != *" ${2#import } "* ]]; exit ;;
esac
echo "ran $*"
case "$*" in
*"-m pytest"*) echo "SKIPPED [2] tests/a.py:1: no CuPy"; [[ $BROKEN != tests ]] || exit 1 ;;
*"minigan bench"*) [[ $BROKEN != bench ]] || sleep 20 ;;
*benchmark_vs*) echo "JAX, one jit takes no part: ModuleNotFoundError" ;;
esac
"""

needs_bash = pytest.mark.skipif(
    shutil.which("bash") is None or shutil.which("timeout") is None,
    reason="bash or timeout is missing",
)


def on_a_gpu(tmp_path: Path, **environment: str) -> tuple[int, dict[str, str], str]:
    """Run a copy of the script; return its exit status, what became of each step, and its text."""
    root, stub = tmp_path / "checkout", tmp_path / "python"
    folder = root / "examples" / "experiments"
    folder.mkdir(parents=True)
    (root / "minigan").mkdir()
    (root / "docs" / "ko").mkdir(parents=True)
    for page in ("cuda.md", "ko/cuda.md"):
        (root / "docs" / page).write_text(page)
    text = (EXAMPLES / "experiments" / "on_a_gpu.sh").read_text()
    (folder / "on_a_gpu.sh").write_text(text.replace("step bench 60", "step bench 1"))
    stub.write_text(STUB)
    stub.chmod(0o755)
    known = {"PYTHON": str(stub), "REASON": "", "MISSING": "", "BROKEN": ""}
    result = subprocess.run(
        ["bash", str(folder / "on_a_gpu.sh"), "logs"],
        cwd=tmp_path,
        env={**os.environ, **known, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stderr == ""
    summary = (tmp_path / "logs" / "summary.txt").read_text()
    lines = [line.split(maxsplit=1) for line in summary.splitlines() if not line.startswith(" ")]
    return result.returncode, {line[0]: line[1] for line in lines}, summary


@needs_bash
def test_all_steps_run_from_a_checkout(tmp_path: Path) -> None:
    status, steps, summary = on_a_gpu(tmp_path)
    assert status == 0
    assert list(steps) == STEPS
    assert all(what.startswith("done in ") for what in steps.values())
    assert "SKIPPED [2] tests/a.py:1: no CuPy" in summary
    assert "JAX, one jit takes no part: ModuleNotFoundError" in summary
    logs = tmp_path / "logs"
    assert "ran -m minigan bench --backend cupy" in (logs / "bench.log").read_text()
    assert (logs / "cuda.md").read_text() == "cuda.md"
    assert (logs / "cuda.ko.md").read_text() == "ko/cuda.md"


@needs_bash
def test_a_step_that_fails_does_not_stop_the_others(tmp_path: Path) -> None:
    status, steps, _ = on_a_gpu(tmp_path, BROKEN="tests")
    assert status == 1
    assert list(steps) == STEPS
    assert steps.pop("tests") == "FAILED with status 1: SKIPPED [2] tests/a.py:1: no CuPy"
    assert all(what.startswith("done in ") for what in steps.values())


@needs_bash
def test_a_step_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    status, steps, _ = on_a_gpu(tmp_path, BROKEN="bench")
    assert status == 1
    assert steps.pop("bench") == "FAILED: stopped after 1 s"
    assert all(what.startswith("done in ") for what in steps.values())


@needs_bash
def test_without_pytest_there_are_no_tests(tmp_path: Path) -> None:
    status, steps, _ = on_a_gpu(tmp_path, MISSING="hypothesis")
    assert status == 0
    assert steps["tests"] == "skipped: not installed: hypothesis"


@needs_bash
def test_without_a_gpu_all_is_skipped_with_the_reason(tmp_path: Path) -> None:
    status, steps, _ = on_a_gpu(tmp_path, REASON="CuPy finds no CUDA device")
    assert status == 2
    assert steps == dict.fromkeys(STEPS, "skipped: CuPy finds no CUDA device")


def test_its_limits_leave_it_under_six_minutes() -> None:
    words = (EXAMPLES / "experiments" / "on_a_gpu.sh").read_text().split()
    limits = {
        name: int(limit)
        for before, name, limit in zip(words, words[1:], words[2:], strict=False)
        if before == "step" and limit.isdecimal()
    }
    assert list(limits) == STEPS
    assert sum(limits.values()) < 360


def test_the_tables_of_both_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = load_example("experiments/gpu_tables.py")
    comparison = load_example("experiments/benchmark_vs_pytorch.py").comparison
    docs, logs = tmp_path / "docs", tmp_path / "logs"
    (docs / "ko").mkdir(parents=True)
    logs.mkdir()
    monkeypatch.setattr(module, "DOCS", docs)
    blank = "a\n<!-- gpu bench -->\nold\n<!-- end of gpu bench -->\n"
    blank += "<!-- gpu contest -->\nold\n<!-- end of gpu contest -->\nz\n"
    pages = [docs / page for page in ("cuda.md", "ko/cuda.md")]
    for page in pages:
        page.write_text(blank, encoding="utf-8")
    (logs / "contest.md").write_text("<!-- benchmark -->\n<!-- end of benchmark -->\n")
    module.main(logs)
    assert capsys.readouterr().out.count("stays as it is") == 2
    assert all(page.read_text(encoding="utf-8") == blank for page in pages)

    report = GpuReport(
        batch_size=64, eager=5.0, captured=0.25, eager_to_captured=20.0, launches=114,
        megabytes=150.0, copy_gigabytes_per_second=1500.0, floor=0.15, share=0.6,
        product_teraflop_per_second=50.0, memory=0.1, arithmetic=0.037, chain=None,
        limit="memory", steps_per_second=4000.0, images_per_second=256_000.0, gflop=1.86,
    )  # fmt: skip
    (logs / "bench.json").write_text(json.dumps({"batches": [asdict(report)]}))
    times = {"minigan, captured": [0.25], "JAX, one jit": [0.5]}
    lines = ["### A step of 1024 images", "", *comparison(times, ["minigan, captured"])]
    text = "\n".join([*lines, "", "With TF32 on, in all of them:", "", *lines, "", "A note."])
    (logs / "contest.md").write_text(text)
    module.main(logs)
    english, korean = (page.read_text(encoding="utf-8") for page in pages)
    for row in (
        "| batch size | 64 |",
        "| launched kernel by kernel | 5.000 |",
        "| as many empty kernels in a graph | – |",
        "| TFLOP/s of the products | 7.4 |",
        "| TF32 off | 1,024 |",
        "| TF32 on | 1,024 |",
        "| minigan, captured | 0.250 (1.00) |",
        "| JAX, one jit | 0.500 (2.00) |",
    ):
        assert row in english
    assert "| JAX, 함수 하나로 컴파일 | 0.500 (2.00) |" in korean
    assert english.count("|") == korean.count("|")
    assert "old" not in english + korean


def test_every_contestant_on_a_gpu_has_a_korean_name() -> None:
    korean = load_example("experiments/gpu_tables.py").KOREAN
    contestants, _ = load_example("experiments/benchmark_vs_pytorch.py").on_cuda(tf32=False)
    assert {one.name for one in contestants} <= korean.keys()
