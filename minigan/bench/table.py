"""The tables that ``minigan bench`` prints: a column for each batch size, a row for each recipe."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from minigan.bench.by_recipe import BATCH_SIZE, DEFAULT, RecipeTime
from minigan.bench.cpu import BatchReport
from minigan.bench.gpu import GpuReport


def cpu_table(reports: Sequence[BatchReport]) -> str:
    """Return the reports side by side; figures without a unit are milliseconds."""
    lines: list[tuple[str, ...]] = [("batch size", *(f"{r.batch_size:,}" for r in reports)), ()]

    def row(name: str, figures: Iterable[float], digits: int, unit: str = "") -> None:
        lines.append((name, *(f"{figure:,.{digits}f}{unit}" for figure in figures)))

    for phase in reports[0].phases:
        row(phase, (r.phases[phase] for r in reports), 2)
    row("a step", (r.step for r in reports), 2)
    lines.append(())
    row(f"its {reports[0].product_count} products alone", (r.products for r in reports), 2)
    row("Adam's traffic as a copy", (r.adam for r in reports), 2)
    row("the floor", (r.floor for r in reports), 2)
    row("share of the floor reached", (100 * r.share for r in reports), 0, " %")
    row("figures of health add", (100 * r.health / r.step for r in reports), 2, " %")
    row("the moving average adds", (100 * r.average / r.step for r in reports), 2, " %")
    row("the penalty R1 adds", (100 * r.penalty / r.step for r in reports), 2, " %")
    lines.append(())
    row("steps per second", (r.steps_per_second for r in reports), 1)
    row("images per second", (r.images_per_second for r in reports), 0)
    row("GFLOP/s of the products", (1e3 * r.gflop / r.products for r in reports), 0)
    row("GB/s of the copy", (r.copy_gigabytes_per_second for r in reports), 0)
    if reports[0].peak_megabytes is not None:
        row("peak memory, MB", (r.peak_megabytes or 0 for r in reports), 0)
    return "\n".join(
        f"{line[0]:28}" + "".join(f"{cell:>11}" for cell in line[1:]) if line else ""
        for line in lines
    )


def gpu_table(reports: list[GpuReport]) -> str:
    """Return the reports side by side; figures without a unit are milliseconds."""
    rows: list[tuple[str, list[str]]] = [
        ("batch size", [f"{r.batch_size:,}" for r in reports]),
        ("", []),
        ("a step, eager", [f"{r.eager:,.3f}" for r in reports]),
        ("a step, captured", [f"{r.captured:,.3f}" for r in reports]),
        ("eager / captured", [f"{r.eager_to_captured:.2f}" for r in reports]),
        ("launches", [str(r.launches or "unknown") for r in reports]),
        ("", []),
        ("memory's traffic as a copy", [f"{r.memory:,.3f}" for r in reports]),
        ("products as a large one", [f"{r.arithmetic:,.3f}" for r in reports]),
        (
            "launches of empty kernels",
            ["unknown" if r.chain is None else f"{r.chain:,.3f}" for r in reports],
        ),
        ("the floor, the largest", [f"{r.floor:,.3f}" for r in reports]),
        ("which is that of", [r.limit for r in reports]),
        ("share of the floor reached", [f"{100 * r.share:.0f} %" for r in reports]),
        ("", []),
        ("steps per second", [f"{r.steps_per_second:,.0f}" for r in reports]),
        ("images per second", [f"{r.images_per_second:,.0f}" for r in reports]),
        ("MB moved", [f"{r.megabytes:,.0f}" for r in reports]),
        ("TFLOP/s of the products", [f"{r.gflop / r.captured:.1f}" for r in reports]),
        ("TFLOP/s of a large one", [f"{r.product_teraflop_per_second:.1f}" for r in reports]),
        ("GB/s of the copy", [f"{r.copy_gigabytes_per_second:,.0f}" for r in reports]),
    ]
    return "\n".join(
        f"{name:28}" + "".join(f"{cell:>12}" for cell in cells) if cells else ""
        for name, cells in rows
    )


def recipe_table(times: Sequence[RecipeTime]) -> str:
    """Return a row for each recipe: the milliseconds of a step, and two ratios."""
    lines = [(f"a step of {BATCH_SIZE}, by recipe", "ms", "/ tutorial", f"/ {DEFAULT}")]
    for one in times:
        ratios = f"{one.of_tutorial:.2f}", f"{one.of_default:.2f}"
        lines.append((one.recipe, f"{one.step:,.2f}", *ratios))
    return "\n".join(
        f"{line[0]:28}" + "".join(f"{cell:>11}" for cell in line[1:]) for line in lines
    )
