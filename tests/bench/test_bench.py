"""The benchmark: its figures belong together, and it leaves no trace on what it measures."""

from __future__ import annotations

import dataclasses
import types

import numpy as np
import pytest

import minigan as mg
from minigan.bench import BatchReport, TimedStep, cpu, cpu_table, measure
from minigan.bench.cpu import PHASES
from minigan.errors import InputError


@pytest.fixture(scope="module")
def step() -> TimedStep:
    return TimedStep("numpy")


@pytest.fixture
def report(step: TimedStep, monkeypatch: pytest.MonkeyPatch) -> BatchReport:
    monkeypatch.setattr(cpu, "ROUNDS", 2)
    monkeypatch.setattr(cpu, "SECONDS", 0)
    ticks: list[str] = []
    report = measure(step, 32, lambda: ticks.append("round"))
    assert ticks == ["round"] * 2
    return report


def test_figures_belong_together(report: BatchReport) -> None:
    assert report.floor == pytest.approx(report.products + report.adam)
    assert report.steps_per_second == pytest.approx(1e3 / report.step)
    assert report.images_per_second == pytest.approx(32e3 / report.step)
    assert list(report.phases) == ["data", *PHASES, "losses and all else"]
    assert all(milliseconds > 0 for milliseconds in report.phases.values())
    # Seven vectors of 1,486,352 + 1,460,225 float32
    assert report.adam_megabytes == pytest.approx(7 * 4 * 2_946_577 / 1e6)
    rate = report.adam_megabytes / report.adam  # MB a millisecond are GB a second
    assert report.copy_gigabytes_per_second == pytest.approx(rate)


def test_products_are_those_of_the_step(report: BatchReport) -> None:
    G = [100 * 256, 256 * 512, 512 * 1024, 1024 * 784]
    D = [784 * 1024, 1024 * 512, 512 * 256, 256]
    once = sum(G) + sum(D)  # G(z), D(G(z)) in the step of G
    step_of_d = 2 * sum(D) + 2 * sum(D) + 2 * sum(D[1:])  # D(x, G(z)); dW; dx, but not the images'
    step_of_g = sum(D) + sum(G) + sum(G[1:])  # dx of D; dW and dx of G, but not z's
    assert report.product_count == 30
    assert report.gflop == pytest.approx(2e-9 * 32 * (once + step_of_d + step_of_g))


def test_phases_come_in_their_order(step: TimedStep, monkeypatch: pytest.MonkeyPatch) -> None:
    # Let one call take time by a clock of its own, and see which phase of PHASES shows it.
    clock = types.SimpleNamespace(now=0.0)
    clock.perf_counter = lambda: clock.now
    monkeypatch.setattr(cpu, "time", clock)
    G, D = step.gan.generator, step.gan.discriminator
    for owner, method, phases in (
        (G[0], "forward", ["G forward"]),
        (D[0], "forward", ["D forward, real and fake", "D forward, fake"]),
        (D[0], "param_grads", ["D backward"]),
        (D[0], "input_grad", ["D backward, to the images"]),
        (G[0], "param_grads", ["G backward"]),
    ):
        call = getattr(owner, method)

        def slow(*args: object, call: object = call) -> object:
            clock.now += 0.25
            return call(*args)  # type: ignore[operator]

        with monkeypatch.context() as patch:
            patch.setattr(owner, method, slow)
            step.set_batch_size(2)
            step()
        assert len(step.spans) == 1 + len(PHASES)
        shown = [name for name, s in zip(PHASES, step.spans[1:], strict=True) if s > 0]
        assert shown == phases


def test_leaves_the_backend_as_it_was(step: TimedStep) -> None:
    assert len(step.products()) == 30
    assert "matmul" not in vars(mg.get_backend("numpy"))


def test_trains_what_it_times(step: TimedStep) -> None:
    before = step.gan.generator.params.copy()
    t = step.gan.adam_g.t
    step()
    assert step.gan.adam_g.t == t + 1
    assert (step.gan.generator.params != before).any()
    assert np.isfinite(step.gan.generator.params).all()


def test_larger_than_the_data(step: TimedStep) -> None:
    with pytest.raises(InputError, match="batch_size is 60001, but the data has only 60,000"):
        step.set_batch_size(60_001)


def test_table(report: BatchReport) -> None:
    other = dataclasses.replace(report, batch_size=4096, share=0.875)
    text = cpu_table([report, other])
    rows = {line[:28].strip(): line[28:].split() for line in text.splitlines() if line}
    assert rows["batch size"] == ["32", "4,096"]
    assert rows["a step"] == [f"{report.step:,.2f}"] * 2
    assert rows["share of the floor reached"][2:] == ["88", "%"]
    assert rows["its 30 products alone"] == [f"{report.products:,.2f}"] * 2
    assert set(report.phases) <= set(rows)
    for name, time in (
        ("figures of health add", report.health),
        ("the moving average adds", report.average),
    ):
        added = 100 * time / report.step
        assert rows[name][:2] == [f"{added:.2f}", "%"]
        assert 0 < added < 50
