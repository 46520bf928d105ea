"""The benchmark of the GPU, on the stand-in: its figures belong together."""

from __future__ import annotations

import dataclasses
import itertools
import types
from typing import Any

import pytest
from helpers import strict_cupy

from minigan.backend import Backend, cuda_graph
from minigan.bench import GpuBench, GpuReport, gpu, gpu_table
from minigan.errors import InputError


@pytest.fixture
def report(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> GpuReport:
    if backend.name == "numpy":
        pytest.skip("for GPUs")
    monkeypatch.setattr(gpu, "ROUNDS", 2)
    monkeypatch.setattr(gpu, "SECONDS", 0)
    monkeypatch.setattr(gpu, "COPY_BYTES", 1 << 20)
    monkeypatch.setattr(gpu, "SIDE", 32)
    ticks: list[str] = []
    report = GpuBench(backend).measure(16, lambda: ticks.append("round"))
    assert ticks == ["round"] * 2
    return report


def test_figures_belong_together(report: GpuReport) -> None:
    assert report.memory == pytest.approx(report.megabytes / report.copy_gigabytes_per_second)
    assert report.arithmetic == pytest.approx(report.gflop / report.product_teraflop_per_second)
    assert report.floor == max(report.memory, report.arithmetic, report.chain or 0)
    assert report.steps_per_second == pytest.approx(1e3 / report.captured)
    assert report.images_per_second == pytest.approx(16e3 / report.captured)
    assert report.eager > 0
    # Adam: seven vectors; each product: both factors and the result, W being the largest of them
    adam = 7 * 4 * 2_946_577 / 1e6
    weights = (4 * (1_486_352 + 1_460_225)) / 1e6
    assert adam + 3 * weights < report.megabytes < adam + 8 * weights


@pytest.mark.parametrize(
    ("copy", "product", "empty", "limit"),
    [(1e-5, 1e-8, 0.2, "launches"), (1e-5, 1e-3, 0.2, "arithmetic"), (0.1, 1e-8, 0.2, "memory")],
)
def test_the_largest_of_three_times_is_the_floor(
    copy: float, product: float, empty: float, limit: str, stand_in: Backend,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """The clock follows a script: 4 ms eager, 0.4 ms captured, and then the three limits."""
    launched: list[int] = []

    def script(self: GpuBench, work: Any, draws: Any) -> float:
        if not isinstance(work, types.MethodType):  # as the eager step is
            for draw in draws[:3]:  # runs eagerly, is captured, is replayed
                work(*draw)
        if isinstance(work, types.LambdaType) and work.__name__ == "<lambda>":
            launched.append(len(graphs[-1].work))
        return next(times)

    graphs: list[Any] = []
    launch = strict_cupy.Graph.launch

    def noted(self: Any, stream: Any) -> None:
        graphs.append(self)
        launch(self, stream)

    monkeypatch.setattr(strict_cupy.Graph, "launch", noted)
    monkeypatch.setattr(cuda_graph, "_nodes", lambda executable: 17)
    monkeypatch.setattr(GpuBench, "_time", script)
    monkeypatch.setattr(gpu, "COPY_BYTES", 1 << 20)
    monkeypatch.setattr(gpu, "SIDE", 32)
    monkeypatch.setattr(gpu, "ROUNDS", 1)
    times = itertools.cycle([4.0, 0.4, copy, product, empty])
    report = GpuBench(stand_in).measure(16)
    assert launched == [17]  # empty kernels in each replay
    assert (report.eager, report.captured, report.launches) == (4.0, 0.4, 17)
    assert report.memory == pytest.approx(report.megabytes * 1e6 / (1 << 20) * copy)
    assert report.arithmetic == pytest.approx(report.gflop / (2e-9 * 32**3) * product)
    assert report.chain == empty
    assert report.floor == max(report.memory, report.arithmetic, empty)
    assert report.limit == limit
    assert report.share == pytest.approx(report.floor / 0.4)


def test_batch_size_is_checked(stand_in: Backend) -> None:
    with pytest.raises(InputError, match="batch_size is 0"):
        GpuBench(stand_in).measure(0)


def test_table() -> None:
    report = GpuReport(
        batch_size=64, eager=2.0, captured=0.25, eager_to_captured=8.0, launches=None,
        megabytes=150.0, copy_gigabytes_per_second=1500.0, floor=0.1, share=0.4,
        product_teraflop_per_second=50.0, memory=0.1, arithmetic=0.037, chain=None, limit="memory",
        steps_per_second=4000.0, images_per_second=256_000.0, gflop=1.86,
    )  # fmt: skip
    other = dataclasses.replace(
        report, batch_size=65_536, launches=88, chain=0.12, floor=0.12, limit="launches"
    )
    lines = gpu_table([report, other])
    figures = {line[:28].strip(): line[28:].split() for line in lines.splitlines() if line}
    assert figures["batch size"] == ["64", "65,536"]
    assert figures["launches"] == ["unknown", "88"]
    assert figures["a step, captured"] == ["0.250", "0.250"]
    assert figures["memory's traffic as a copy"] == ["0.100", "0.100"]
    assert figures["products as a large one"] == ["0.037", "0.037"]
    assert figures["launches of empty kernels"] == ["unknown", "0.120"]
    assert figures["the floor, the largest"] == ["0.100", "0.120"]
    assert figures["which is that of"] == ["memory", "launches"]
    assert figures["share of the floor reached"] == ["40", "%", "40", "%"]
    assert figures["TFLOP/s of the products"] == ["7.4", "7.4"]
