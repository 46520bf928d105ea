"""How long a training step takes by each recipe, on a CPU.

The recipes take their steps in turns, so that other load on the machine meets all of them alike:
their ratios tell more than the milliseconds.  In one step of ``R1_EVERY`` most recipes pay the
penalty R1: as many steps as that are timed as one cycle, which holds one payment.
"""

from __future__ import annotations

import copy
import itertools
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from minigan.backend import Backend
from minigan.bench.cpu import WARM_UP
from minigan.data import load_mnist, pixel_values
from minigan.gan import R1_EVERY
from minigan.training import RECIPES, TrainConfig
from minigan.training.average import follow
from minigan.training.draws import draw_start, draw_z
from minigan.training.recipes import Recipe

CYCLES = 5  # of R1_EVERY steps by each recipe
BATCH_SIZE = 64
DEFAULT = TrainConfig().recipe


@dataclass(frozen=True)
class RecipeTime:
    """The time of a step by one recipe: medians over the cycles."""

    recipe: str
    step: float  # milliseconds, with data, penalty and moving average
    of_tutorial: float  # how many times as long as the tutorial's step
    of_default: float  # how many times as long as the step of the default recipe


def time_recipes(
    backend: Backend, progress: Callable[[], object] = lambda: None
) -> list[RecipeTime]:
    """Train by all recipes in turns, for a few steps, and return their times.

    ``progress`` is called after each of the ``CYCLES``.
    """
    images, labels = load_mnist("train")
    steps = {
        name: _stepper(recipe, images.reshape(len(images), -1), labels, backend)
        for name, recipe in RECIPES.items()
    }
    for step in list(steps.values()) * WARM_UP:
        step()
    cycles = []
    for _ in range(CYCLES):
        seconds = dict.fromkeys(steps, 0.0)
        for name, step in list(steps.items()) * R1_EVERY:
            start = time.perf_counter()
            step()
            seconds[name] += time.perf_counter() - start
        cycles.append(seconds)
        progress()

    def median(name: str, other: str) -> float:
        return statistics.median(seconds[name] / seconds[other] for seconds in cycles)

    return [
        RecipeTime(
            recipe=name,
            step=1e3 * statistics.median(seconds[name] for seconds in cycles) / R1_EVERY,
            of_tutorial=median(name, "tutorial"),
            of_default=median(name, DEFAULT),
        )
        for name in steps
    ]


def _stepper(
    recipe: Recipe, images: npt.NDArray[Any], labels: npt.NDArray[Any], backend: Backend
) -> Callable[[], None]:
    """Return a function that takes the next step of a new run by a recipe."""
    rng, classes = np.random.default_rng(0), 10 if recipe.conditional else 0
    gan, _ = draw_start(recipe, rng, classes=classes, backend=backend)
    average = copy.deepcopy(gan.generator) if recipe.averaged else None
    number = itertools.count(1)

    def step() -> None:
        indices = rng.integers(0, len(images), BATCH_SIZE)
        z = draw_z(rng, BATCH_SIZE, gan.z_columns or 1)
        real = pixel_values(images[indices])
        result = gan.train_step(real, z, labels[indices] if classes else None)
        float(result.d_loss), float(result.g_loss)  # a training loop reads them, too
        if average is not None:
            follow(average, gan.generator, next(number))

    return step
