"""Each recipe's GAN: its layers, its learning rate, the order in which its weights are drawn."""

from __future__ import annotations

import numpy as np
import pytest

import minigan as mg
from minigan.styled import Styled
from minigan.training import RECIPES, draw_start


@pytest.mark.parametrize(
    ("name", "batch_norms", "lr", "logits", "averaged", "r1", "settle_after"),
    [
        ("tutorial", 0, 2e-4, False, False, 0.0, 0),
        ("batch-norm", 3, 1e-3, False, False, 0.0, 0),
        ("averaged", 3, 5e-4, True, True, 0.1, 0),
        ("conditional", 3, 5e-4, True, True, 0.3, 20_000),
        ("least-squares", 3, 5e-4, False, True, 0.1, 0),
        ("style", 1, 5e-4, True, True, 0.3, 0),
    ],
)
def test_what_differs(
    name: str,
    batch_norms: int,
    lr: float,
    logits: bool,
    averaged: bool,
    r1: float,
    settle_after: int,
) -> None:
    recipe = RECIPES[name]
    classes = 10 if recipe.conditional else 0
    gan, _ = draw_start(recipe, np.random.default_rng(0), classes=classes)
    kinds = [type(layer) for layer in gan.generator.layers]
    assert kinds.count(mg.BatchNorm1d) == batch_norms
    assert mg.BatchNorm1d not in [type(layer) for layer in gan.discriminator.layers]
    assert gan.adam_g.lr == gan.adam_d.lr == lr
    assert gan.adam_g.betas == gan.adam_d.betas == (0.5, 0.999)
    assert gan.logits == logits
    assert gan.r1 == r1
    assert gan.adam_g.settle_after == gan.adam_d.settle_after == settle_after
    assert [type(layer) for layer in gan.discriminator.layers].count(mg.Sigmoid) == (
        recipe.probabilities
    )
    assert recipe.probabilities == (name in ("tutorial", "batch-norm"))
    assert (gan.loss is mg.mse) == (name == "least-squares")
    assert recipe.conditional == (name == "conditional")
    assert isinstance(gan.generator, Styled) == recipe.styled == (name == "style")
    assert recipe.averaged == averaged


def test_the_tutorials_is_its_networks_drawn_one_after_the_other() -> None:
    gan, fixed_z = draw_start(RECIPES["tutorial"], np.random.default_rng(3))
    rng = np.random.default_rng(3)
    np.testing.assert_array_equal(gan.generator.params, mg.generator(seed=rng).params)
    np.testing.assert_array_equal(gan.discriminator.params, mg.discriminator(seed=rng).params)
    np.testing.assert_array_equal(fixed_z, rng.standard_normal((64, 100), dtype=np.float32))


def test_options_reach_both_networks() -> None:
    rng = np.random.default_rng(0)
    gan, _ = draw_start(
        RECIPES["averaged"],
        rng,
        latent_dim=7,
        lr=3e-3,
        r1=2.0,
        settle_after=30,
        betas=(0.9, 0.99),
        dtype="float64",
    )
    assert gan.r1 == 2.0
    assert gan.generator.n_in == 7
    for adam in (gan.adam_g, gan.adam_d):
        assert (adam.lr, adam.betas, adam.settle_after) == (3e-3, (0.9, 0.99), 30)
        assert adam.net.dtype == "float64"
