"""The recipes of ``minigan train``: how a GAN is trained, and what then draws."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minigan.backend import Backend
from minigan.gan import GAN
from minigan.models import discriminator, generator


class Recipe(NamedTuple):
    """What is the recipe's own; all else is the tutorial's.  See docs/is-it-working.md."""

    lr: float  # of both Adams, if no other is asked for
    batch_norm: bool  # in G
    logits: bool  # D gives logits: the same loss, with a gradient wherever D is wrong
    averaged: bool  # samples are drawn by the moving average of G


RECIPES = {
    "averaged": Recipe(lr=1e-3, batch_norm=True, logits=True, averaged=True),
    "batch-norm": Recipe(lr=1e-3, batch_norm=True, logits=False, averaged=False),
    "tutorial": Recipe(lr=2e-4, batch_norm=False, logits=False, averaged=False),
}


def new_gan(
    recipe: Recipe,
    rng: np.random.Generator,
    *,
    latent_dim: int = 100,
    lr: float | None = None,
    betas: tuple[float, float] = (0.5, 0.999),
    dtype: str = "float32",
    backend: str | Backend = "numpy",
) -> GAN:
    """The recipe's GAN before its first step: G's weights are drawn from ``rng``, then D's."""
    G = generator(latent_dim, batch_norm=recipe.batch_norm, seed=rng, dtype=dtype, backend=backend)
    D = discriminator(logits=recipe.logits, seed=rng, dtype=dtype, backend=backend)
    lr = recipe.lr if lr is None else lr
    return GAN(G, D, lr=lr, betas=betas, logits=recipe.logits)
