"""Runs whose pages are tested: a few steps of narrow networks, or untrained whole ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from helpers.narrow import narrow_networks

import minigan as mg
from minigan.training.page import RunPage
from minigan.training.run import Run, new_run


def trained_run(data: Path, out: Path, patch: pytest.MonkeyPatch, **options: Any) -> Path:
    """Return the folder of a run of two epochs of narrow networks, which has no page yet."""
    narrow_networks(patch)
    patch.setattr("minigan.training.outputs.curves_png", lambda *args, **options: b"")
    few: dict[str, Any] = {"epochs": 2, "batch_size": 50, "data": str(data), "threads": 1}
    folder = mg.Trainer(mg.TrainConfig(out=str(out), **(few | options))).run()
    (folder / "report.html").unlink()
    return folder


def louder(run: Run) -> Run:
    """Let the networks of a young run answer as differently as trained ones."""
    for net in (run.drawing_generator, run.gan.discriminator):
        for layer in net.layers:
            if isinstance(layer, mg.Linear):
                layer.W *= 2
        net.weights_changed()
    for _ in range(50):  # the statistics of batch normalisation follow
        run.drawing_generator.forward(run.fixed_z)
    return run


def whole_run(recipe: str = "averaged", shape: tuple[int, ...] = (28, 28), **options: Any) -> Run:
    """Return a run of the whole networks before its first step."""
    config = mg.TrainConfig(recipe=recipe, **options).resolved()
    classes = tuple(range(10)) if recipe == "conditional" else ()
    return new_run(config, 60_000, 0, mg.get_backend("numpy"), classes, shape)


def page_file(run: Run, folder: Path, live: bool = False, real_spread: float = 0.38) -> Path:
    """Write the page of a run into a folder, and return the file."""
    file = folder / "report.html"
    file.write_bytes(RunPage(run, folder, real_spread).html(live))
    return file
