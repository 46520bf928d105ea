"""Fixtures of the tests of training runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from helpers.narrow import narrow_networks
from helpers.runs import Configure

import minigan as mg


@pytest.fixture
def config(tiny_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configure:
    """Options of a run of narrow networks, with 7 steps an epoch (the last one smaller)."""
    narrow_networks(monkeypatch)

    def make(**options: Any) -> mg.TrainConfig:
        options = {"epochs": 3, "batch_size": 30, "data": str(tiny_data)} | options
        if "resume" not in options:
            options = {"out": str(tmp_path / "run")} | options
        return mg.TrainConfig(**options)

    return make
