"""The options of a run: what is refused, and what becomes of those that are left open."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.runs import Configure

import minigan as mg
from minigan.errors import InputError
from minigan.training import RECIPES


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "epochs is 0, expected a whole number of at least 1"),
        ({"epochs": 2.5}, "epochs is 2.5"),
        ({"batch_size": -1}, "batch_size is -1"),
        ({"latent_dim": 0}, "latent_dim is 0"),
        ({"threads": 0}, "threads is 0"),
        ({"seed": -1}, "seed is -1, expected a whole number of at least 0"),
        ({"lr": 0.0}, "lr is 0.0, expected a positive"),
        ({"lr": math.nan}, "lr is nan"),
        ({"lr": math.inf}, "lr is inf"),
        ({"lr": "fast"}, "lr is 'fast'"),
        ({"r1": -0.1}, "r1 is -0.1, expected a number from 0 to 1e.06"),
        ({"r1": 1e308}, "r1 is 1e.308, expected a number from 0 to 1e.06"),
        ({"r1": math.nan}, "r1 is nan"),
        ({"r1": math.inf}, "r1 is inf"),
        ({"r1": "much"}, "r1 is 'much'"),
        ({"settle_after": -1}, "settle_after is -1, expected a whole number of at least 0"),
        ({"settle_after": 1.5}, "settle_after is 1.5, expected a whole number"),
        ({"settle_after": 10**10}, "settle_after is 10000000000, expected .* up to 1,000,000,000"),
        ({"r1": 0.1, "recipe": "tutorial"}, "r1 is 0.1, but it is a penalty on logits"),
        ({"r1": 0.1, "recipe": "batch-norm"}, "D of the recipe batch-norm gives probabilities"),
        ({"betas": (0.5, 1.0)}, "betas are"),
        ({"betas": (0.5,)}, "betas are"),
        ({"betas": 0.5}, "betas are"),
        ({"betas": (math.nan, 0.9)}, "betas are"),
        (
            {"recipe": "wgan"},
            "recipe is 'wgan', expected averaged, batch-norm, conditional, least",
        ),
        ({"backend": "jax"}, "backend is 'jax', expected numpy, cupy, auto"),
        ({"epochs": 10**10}, "epochs is 10000000000, expected a whole number up to"),
        ({"data": None}, "data is None, expected a folder"),
        ({"data": ""}, "data is '', which cannot name a folder"),
        ({"data": "a\0b"}, "which cannot name a folder"),
        ({"out": 5}, "out is 5, expected a folder"),
        ({"latent_dim": 10_001}, "latent_dim is 10001, expected a whole number up to"),
        ({"threads": 1025}, "threads is 1025, expected a whole number up to 1,024"),
        ({"data": "a\ud800"}, "which cannot name a folder"),
        ({"lr": np.complex64(1)}, "lr is"),
        ({"lr": 10**400}, "lr is 1000"),
        ({"tf32": "yes"}, "tf32 is 'yes', expected True or False"),
        ({"tf32": 1}, "tf32 is 1, expected True or False"),
        ({"tf32": True, "dtype": "float64"}, "tf32 rounds products of float32, but dtype is float"),
        ({"dtype": "float16"}, "dtype is 'float16', expected float32, float64"),
    ],
)
def test_bad_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        mg.TrainConfig(**options)
    assert "--" not in str(caught.value)
    assert "`" not in str(caught.value)


@pytest.mark.parametrize("config", [None, "averaged", {"epochs": 3}])
def test_a_trainer_takes_a_config(config: Any) -> None:
    with pytest.raises(TypeError, match="config is .*, expected a TrainConfig"):
        mg.Trainer(config)


def test_batch_larger_than_the_data(config: Configure) -> None:
    with pytest.raises(InputError, match="batch_size is 201, but the data has only 200 images"):
        mg.Trainer(config(batch_size=201))
    assert not Path(str(config().out)).exists()


@pytest.mark.parametrize("batch_size", [1, 199])
def test_batch_norm_needs_two_images(batch_size: int, config: Configure) -> None:
    with pytest.raises(InputError, match=f"batch_size {batch_size} leaves a batch with a single"):
        mg.Trainer(config(batch_size=batch_size))
    mg.Trainer(config(batch_size=batch_size, recipe="tutorial"))


def test_messages_name_arguments_and_the_command_makes_options_of_them() -> None:
    with pytest.raises(InputError) as caught:
        mg.TrainConfig(batch_size=0)
    error = caught.value
    assert str(error) == "batch_size is 0, expected a whole number of at least 1"
    assert error.spelled(str.upper) == "BATCH_SIZE is 0, expected a whole number of at least 1"


def test_the_learning_rate_is_the_recipes_if_none_is_given(config: Configure) -> None:
    assert mg.TrainConfig().lr is None  # the options stay as they were given
    assert mg.TrainConfig().resolved().lr == 5e-4
    assert mg.TrainConfig(recipe="tutorial").resolved().lr == 2e-4  # the tutorial's
    assert mg.TrainConfig(lr=2e-4).resolved().lr == 2e-4
    assert mg.TrainConfig(recipe="tutorial").stored()["lr"] == 2e-4  # a resumed run's holds
    trainer = mg.Trainer(config(recipe="tutorial"))
    assert trainer.config.lr == trainer.state.config.lr == trainer.gan.adam_g.lr == 2e-4


def test_the_penalty_is_that_of_the_recipe_unless_it_is_given() -> None:
    assert mg.TrainConfig().r1 is None
    assert mg.TrainConfig().resolved().r1 == 0.1
    assert mg.TrainConfig(r1=0).resolved().r1 == 0.0
    assert mg.TrainConfig(r1=2).resolved().r1 == 2.0
    for recipe in ("tutorial", "batch-norm"):
        assert mg.TrainConfig(recipe=recipe).resolved().r1 == 0.0
        assert mg.TrainConfig(recipe=recipe, r1=0.0).resolved().r1 == 0.0


@pytest.fixture
def settling(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the recipe averaged settle."""
    monkeypatch.setitem(RECIPES, "averaged", RECIPES["averaged"]._replace(settle_after=500))


@pytest.mark.usefixtures("settling")
def test_a_run_settles_as_its_recipe_does_unless_told_otherwise() -> None:
    assert mg.TrainConfig().settle_after is None
    assert mg.TrainConfig().resolved().settle_after == 500
    assert mg.TrainConfig(settle_after=0).resolved().settle_after == 0
    assert mg.TrainConfig(recipe="tutorial").resolved().settle_after == 0
    assert mg.TrainConfig(recipe="tutorial", settle_after=7).resolved().settle_after == 7


@pytest.mark.usefixtures("settling")
def test_a_run_from_before_the_option_goes_on_as_it_began(tmp_path: Path) -> None:
    options = mg.TrainConfig().stored()
    del options["settle_after"]
    (tmp_path / "config.json").write_text(json.dumps(options))
    assert mg.TrainConfig.of_run(tmp_path).settle_after == 0


def test_a_run_keeps_the_whole_path_of_its_data(
    config: Configure, tiny_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tiny_data.parent)
    options = config(data=tiny_data.name)
    assert options.data == tiny_data.name
    assert options.resolved().data == options.stored()["data"] == str(tiny_data)
    assert mg.Trainer(options).config.data == str(tiny_data)
    assert mg.TrainConfig().resolved().data == "mnist"  # which is no folder


def test_what_is_resolved_stays_as_it_is(config: Configure) -> None:
    resolved = config().resolved()
    assert resolved.resolved() == resolved


def test_numpy_numbers_and_paths_are_options_too(tmp_path: Path) -> None:
    options: dict[str, Any] = {
        "epochs": np.int64(3),
        "batch_size": np.int32(50),
        "lr": np.float32(0.5),
        "betas": [0, np.float64(0.5)],
        "threads": np.int64(2),
        "out": tmp_path,
    }
    config = mg.TrainConfig(**options)
    same = mg.TrainConfig(epochs=3, batch_size=50, lr=0.5, betas=(0.0, 0.5), threads=2)
    assert config.stored() == same.stored()
    assert json.dumps(config.stored())
    resolved = config.resolved()
    assert resolved.out == str(tmp_path)
    values = resolved.epochs, resolved.batch_size, resolved.threads, resolved.lr, *resolved.betas
    assert [type(value) for value in values] == [int, int, int, float, float, float]
