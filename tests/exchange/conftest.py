"""What tests of exports and imports share: runs of narrow networks that take no time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from helpers.narrow import narrow_networks

import minigan as mg


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    narrow_networks(monkeypatch)
    monkeypatch.setattr("minigan.training.outputs.curves_png", lambda *args, **options: b"")


@pytest.fixture
def train(tiny_data: Path, tmp_path: Path) -> Any:
    """A function that trains for four steps, one epoch, and returns the Trainer."""

    def make(recipe: str = "tutorial", **options: Any) -> mg.Trainer:
        given = {"epochs": 1, "batch_size": 50, "out": str(tmp_path / "run"), **options}
        trainer = mg.Trainer(mg.TrainConfig(recipe=recipe, data=str(tiny_data), **given))
        trainer.run()
        return trainer

    return make
