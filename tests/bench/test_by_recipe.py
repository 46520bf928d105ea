"""The times of the recipes: taken in turns, as ratios of one cycle, with all that a step costs."""

from __future__ import annotations

import types
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers.narrow import narrow_networks

import minigan as mg
from minigan.bench import RecipeTime, by_recipe, recipe_table, time_recipes
from minigan.bench.cpu import WARM_UP
from minigan.training import RECIPES

numpy_backend = mg.get_backend("numpy")


def test_the_recipes_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock of its own: a load in one cycle slows down all recipes, and changes no ratio."""
    clock = types.SimpleNamespace(now=0.0)
    clock.perf_counter = lambda: clock.now
    monkeypatch.setattr(by_recipe, "time", clock)
    monkeypatch.setattr(by_recipe, "CYCLES", 3)
    names = {id(recipe): name for name, recipe in RECIPES.items()}
    seconds = {"tutorial": 0.25, "averaged": 0.5, "style": 1.0}
    taken: list[str] = []
    ticks: list[int] = []

    def stepper(recipe: Any, *data: Any) -> Callable[[], None]:
        name = names[id(recipe)]

        def step() -> None:
            taken.append(name)
            load = 5 if len(ticks) == 1 else 1  # in the second cycle
            clock.now += load * seconds.get(name, 0.25)

        return step

    monkeypatch.setattr(by_recipe, "_stepper", stepper)
    times = time_recipes(numpy_backend, lambda: ticks.append(len(taken)))
    assert [one.recipe for one in times] == list(RECIPES)
    assert taken == list(RECIPES) * (WARM_UP + 3 * 16)
    assert ticks == [len(RECIPES) * (WARM_UP + 16 * cycle) for cycle in (1, 2, 3)]
    found = {one.recipe: one for one in times}
    assert found["tutorial"] == RecipeTime("tutorial", 250.0, 1.0, 0.5)
    assert found["averaged"] == RecipeTime("averaged", 500.0, 2.0, 1.0)
    assert found["style"] == RecipeTime("style", 1000.0, 4.0, 2.0)


def test_a_cycle_has_one_payment_of_the_penalty_and_the_average(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    narrow_networks(monkeypatch)
    monkeypatch.setattr(by_recipe, "CYCLES", 1)
    done: Counter[str] = Counter()
    for place, name in (("minigan.gan", "r1"), ("minigan.training.average", "update_average")):

        def counted(*args: Any, name: str = name, **kwds: Any) -> Any:
            done[name] += 1

        monkeypatch.setattr(f"{place}.{name}", counted)
    times = time_recipes(numpy_backend)
    averaged = sum(recipe.averaged for recipe in RECIPES.values())
    penalised = sum(recipe.r1 > 0 for recipe in RECIPES.values())
    # 24 steps with those to warm up: 1 and 17 pay, and 1, 11 and 21 move the average
    assert done == {"r1": 2 * penalised, "update_average": 3 * averaged}
    for one in times:
        assert one.step > 0
        assert np.isfinite([one.of_tutorial, one.of_default]).all()


def test_table() -> None:
    text = recipe_table(
        [RecipeTime("averaged", 20.0, 1.25, 1.0), RecipeTime("tutorial", 1016.0, 1.0, 0.8)]
    )
    rows = [line.split() for line in text.splitlines()]
    assert rows[0][-5:] == ["ms", "/", "tutorial", "/", "averaged"]
    assert rows[1:] == [
        ["averaged", "20.00", "1.25", "1.00"],
        ["tutorial", "1,016.00", "1.00", "0.80"],
    ]
