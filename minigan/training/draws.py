"""Everything that a run draws at random, in one fixed order.

    G's weights, D's weights, the fixed z of the pictures,
    then for each epoch a permutation of the images and, step by step, z

One random generator on the host draws all of it, so that runs with the same seed see the same
numbers on every backend, and a resumed run draws what the interrupted run would have drawn.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from minigan.backend import Array, Backend
from minigan.data import batches
from minigan.gan import GAN
from minigan.models import LATENT_DIM, discriminator, generator
from minigan.training.recipes import Recipe

FIXED = 64  # latent points whose images are drawn after every epoch


def draw_start(
    recipe: Recipe,
    rng: np.random.Generator,
    *,
    latent_dim: int = LATENT_DIM,
    lr: float | None = None,
    betas: tuple[float, float] = (0.5, 0.999),
    r1: float | None = None,
    dtype: str = "float32",
    backend: str | Backend = "numpy",
) -> tuple[GAN, Array]:
    """Return the recipe's GAN before its first step, and the fixed z, (64, latent_dim)."""
    G = generator(latent_dim, batch_norm=recipe.batch_norm, seed=rng, dtype=dtype, backend=backend)
    D = discriminator(logits=recipe.logits, seed=rng, dtype=dtype, backend=backend)
    lr = recipe.lr if lr is None else lr
    r1 = recipe.r1 if r1 is None else r1
    gan = GAN(G, D, lr=lr, betas=betas, logits=recipe.logits, r1=r1)
    return gan, draw_z(rng, FIXED, latent_dim, dtype)


def draw_epoch(
    rng: np.random.Generator,
    images: int,
    batch_size: int,
    latent_dim: int = LATENT_DIM,
    dtype: Any = "float32",
) -> Iterator[tuple[npt.NDArray[np.int64], Array]]:
    """Yield, for each step of one epoch over so many images, its images' indices and its z."""
    for indices in batches(images, batch_size, rng):
        yield indices, draw_z(rng, len(indices), latent_dim, dtype)


def draw_z(rng: np.random.Generator, n: int, latent_dim: int, dtype: Any = "float32") -> Array:
    """Return n latent points from N(0, 1), (n, latent_dim), in main memory."""
    return rng.standard_normal((n, latent_dim), dtype=np.dtype(dtype))
