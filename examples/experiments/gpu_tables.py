"""Write what ``on_a_gpu.sh`` measured into the tables of docs/cuda.md and its Korean twin.

    python examples/experiments/gpu_tables.py FOLDER

FOLDER has ``bench.json``, from ``minigan bench --json``, and ``contest.md``, from
``benchmark_vs_pytorch.py --write``.  A table whose file is missing or empty stays as it is, and a
line says so.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from between_marks import write_between

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {"en": "cuda.md", "ko": "ko/cuda.md"}
BENCH = {  # figure of the report: its digits, and the names of its row
    "eager": (3, "launched kernel by kernel", "커널을 하나씩 실행"),
    "captured": (3, "captured as a graph", "그래프로 기록해 실행"),
    "launches": (0, "launches in the graph", "그래프 안의 커널 실행 횟수"),
    "memory": (3, "its memory traffic as a copy", "메모리 전송만, 복사 속도로"),
    "arithmetic": (3, "its products at the speed of a large one", "행렬 곱만, 큰 행렬 곱의 속도로"),
    "chain": (3, "as many empty kernels in a graph", "빈 커널을 같은 수만큼 그래프로"),
    "share": (2, "the largest of these three / captured", "이 셋 가운데 가장 큰 것 / 그래프"),
    "tflops": (1, "TFLOP/s of the products", "행렬 곱의 TFLOP/s"),
}
KOREAN = {
    "batch size": "배치 크기",
    "TF32 off": "TF32 끔",
    "TF32 on": "TF32 켬",
    "minigan, captured": "minigan, 그래프로 기록해 실행",
    "minigan, eager": "minigan, 커널을 하나씩 실행",
    "JAX, one jit": "JAX, 함수 하나로 컴파일",
    "PyTorch tuned, eager": "다듬은 PyTorch, 연산 하나씩 실행",
    "PyTorch tuned, one CUDA graph": "다듬은 PyTorch, CUDA 그래프 하나로 실행",
    "the tutorial's PyTorch step": "튜토리얼의 PyTorch 스텝",
}


def translated(name: str, language: str) -> str:
    return KOREAN[name] if language == "ko" else name


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def bench_table(figures: dict[str, Any], language: str) -> str:
    """Return a column for each batch size; times are in milliseconds."""
    batches = [{**one, "tflops": one["gflop"] / one["captured"]} for one in figures["batches"]]
    head = [translated("batch size", language), *(f"{b['batch_size']:,}" for b in batches)]
    rows = []
    for key, (digits, english, korean) in BENCH.items():
        cells = ("–" if b[key] is None else f"{b[key]:,.{digits}f}" for b in batches)
        rows.append([korean if language == "ko" else english, *cells])
    return table(head, rows)


def contest_tables(text: str, language: str) -> str:
    """Return a table with TF32 off and one with TF32 on: milliseconds (and times minigan's)."""
    cells: dict[tuple[str, str], dict[str, str]] = {}
    mode, size, sizes = "TF32 off", "", list[str]()
    for line in text.splitlines():
        if line.startswith("With TF32 on"):
            mode = "TF32 on"
        elif found := re.fullmatch(r"### A step of (\d+) images", line):
            size = f"{int(found[1]):,}"
            sizes += [size] if size not in sizes else []
        elif found := re.fullmatch(r"\| (.+) \| ([\d.,]+) \| ([\d.]+)(?: \(.*\))? \|", line):
            cells.setdefault((mode, found[1]), {})[size] = f"{found[2]} ({found[3]})"
    tables = []
    for mode in ("TF32 off", "TF32 on"):
        rows = [
            [translated(name, language), *(of.get(size, "–") for size in sizes)]
            for (its_mode, name), of in cells.items()
            if its_mode == mode
        ]
        if rows:
            tables.append(table([translated(mode, language), *sizes], rows))
    return "\n\n".join(tables)


def main(folder: Path) -> None:
    bench, contest = folder / "bench.json", folder / "contest.md"
    if bench.exists():
        figures = json.loads(bench.read_text(encoding="utf-8"))
        for language, page in PAGES.items():
            write_between(DOCS / page, "gpu bench", bench_table(figures, language))
    else:
        print(f"The table of minigan bench stays as it is: there is no {bench}.")
    text = contest.read_text(encoding="utf-8") if contest.exists() else ""
    if "### A step of" in text:
        for language, page in PAGES.items():
            write_between(DOCS / page, "gpu contest", contest_tables(text, language))
    else:
        print(f"The table of the contest stays as it is: there is nothing in {contest}.")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
