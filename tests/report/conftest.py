"""Fixtures of the tests of a run's page: pages to open in the browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from helpers.pages import louder, page_file, trained_run

from minigan.training import save_grid
from minigan.training.folder import CHECKPOINT
from minigan.training.stored_page import whole_run

Pages = Callable[..., Path]


@pytest.fixture(scope="module")
def page_of(tiny_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    """A function that returns the page of a run with a recipe; each run is trained once."""
    made: dict[str, Path] = {}
    with pytest.MonkeyPatch.context() as patch:

        def page(recipe: str = "averaged") -> Path:
            if recipe not in made:
                out = tmp_path_factory.mktemp(recipe) / "run"
                folder = trained_run(tiny_data, out, patch, recipe=recipe)
                first = np.random.default_rng(0).random((64, 784))  # in a few steps little changes
                save_grid(folder / "samples" / "epoch_0001.png", first)
                made[recipe] = page_file(louder(whole_run(folder / CHECKPOINT)), folder)
            return made[recipe]

        yield page
