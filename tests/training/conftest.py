"""Fixtures of the tests of training runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from helpers.narrow import narrow_networks
from helpers.runs import Configure

import minigan as mg
from minigan.training.history import HistoryRow
from minigan.training.page import RunPage
from minigan.training.pictures import curves_png


@pytest.fixture
def quick_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let runs have narrow networks, and write down what their curves and pages show.

    Drawing the curves would take most of the time of such a run; ``real_curves`` draws them.  The
    pages are made in ``tests/report``.
    """
    narrow_networks(monkeypatch)
    monkeypatch.setattr("minigan.training.outputs.curves_png", written_curves)
    monkeypatch.setattr("minigan.training.outputs.RunPage.html", written_page)


@pytest.fixture
def config(tiny_data: Path, tmp_path: Path, quick_runs: None) -> Configure:
    """Options of a quick run of 7 steps an epoch, the last one smaller."""

    def make(**options: Any) -> mg.TrainConfig:
        options = {"epochs": 3, "batch_size": 30, "data": str(tiny_data)} | options
        if "resume" not in options:
            options = {"out": str(tmp_path / "run")} | options
        return mg.TrainConfig(**options)

    return make


def written_curves(history: Sequence[HistoryRow], *others: float, squared: bool) -> bytes:
    return repr(([row.d_loss for row in history], others)).encode()


def written_page(page: RunPage, live: bool) -> bytes:
    return repr((page.run.step, live)).encode()


@pytest.fixture
def real_curves(config: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the runs of this test draw their curves."""
    monkeypatch.setattr("minigan.training.outputs.curves_png", curves_png)
