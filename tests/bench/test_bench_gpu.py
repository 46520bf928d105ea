"""The benchmark of the GPU, on the stand-in: its figures belong together."""

from __future__ import annotations

import dataclasses

import pytest

from minigan.backend import Backend
from minigan.bench import GpuBench, GpuReport, gpu, gpu_table
from minigan.errors import InputError


@pytest.fixture
def report(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> GpuReport:
    if backend.name == "numpy":
        pytest.skip("for GPUs")
    monkeypatch.setattr(gpu, "ROUNDS", 2)
    monkeypatch.setattr(gpu, "SECONDS", 0)
    monkeypatch.setattr(gpu, "COPY_BYTES", 1 << 20)
    ticks: list[str] = []
    report = GpuBench(backend).measure(16, lambda: ticks.append("round"))
    assert ticks == ["round"] * 2
    return report


def test_figures_belong_together(report: GpuReport) -> None:
    assert report.floor == pytest.approx(report.megabytes / report.copy_gigabytes_per_second)
    assert report.steps_per_second == pytest.approx(1e3 / report.captured)
    assert report.images_per_second == pytest.approx(16e3 / report.captured)
    assert report.eager > 0
    # Adam: seven vectors; each product: both factors and the result, W being the largest of them
    adam = 7 * 4 * 2_946_577 / 1e6
    weights = (4 * (1_486_352 + 1_460_225)) / 1e6
    assert adam + 3 * weights < report.megabytes < adam + 8 * weights


def test_batch_size_is_checked(stand_in: Backend) -> None:
    with pytest.raises(InputError, match="batch_size is 0"):
        GpuBench(stand_in).measure(0)


def test_table() -> None:
    report = GpuReport(
        batch_size=64, eager=2.0, captured=0.25, eager_to_captured=8.0, launches=None,
        megabytes=150.0, copy_gigabytes_per_second=1500.0, floor=0.1, share=0.4,
        steps_per_second=4000.0, images_per_second=256_000.0, gflop=1.86,
    )  # fmt: skip
    lines = gpu_table([report, dataclasses.replace(report, batch_size=65_536, launches=88)])
    figures = {line[:28].strip(): line[28:].split() for line in lines.splitlines() if line}
    assert figures["batch size"] == ["64", "65,536"]
    assert figures["launches"] == ["unknown", "88"]
    assert figures["a step, captured"] == ["0.250", "0.250"]
    assert figures["share of the floor reached"] == ["40", "%", "40", "%"]
    assert figures["TFLOP/s of the products"] == ["7.4", "7.4"]
