"""The recipes of ``minigan train``: how a GAN is trained, and which generator draws the samples."""

from __future__ import annotations

from typing import NamedTuple

from minigan.backend import Backend
from minigan.models import generator
from minigan.network import Sequential


class Recipe(NamedTuple):
    """The points in which a recipe may differ from the tutorial.  See docs/is-it-working.md."""

    lr: float  # learning rate of both Adams, unless another one is given
    batch_norm: bool  # batch normalisation in G
    logits: bool  # D returns logits: the loss is the same, but has a gradient wherever D is wrong
    averaged: bool  # the moving average of G draws the samples
    r1: float  # weight γ of the penalty R1, unless another one is given


RECIPES = {
    "averaged": Recipe(lr=1e-3, batch_norm=True, logits=True, averaged=True, r1=0.1),
    "batch-norm": Recipe(lr=1e-3, batch_norm=True, logits=False, averaged=False, r1=0.0),
    "tutorial": Recipe(lr=2e-4, batch_norm=False, logits=False, averaged=False, r1=0.0),
}


def blank_generator(
    recipe: Recipe, latent_dim: int, dtype: str, backend: str | Backend
) -> Sequential:
    """Return the recipe's G, to copy weights into; the weights that it has so far do not matter."""
    return generator(latent_dim, batch_norm=recipe.batch_norm, seed=0, dtype=dtype, backend=backend)
