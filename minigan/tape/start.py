"""The first step of a run of ``minigan train``: what ``minigan trace`` takes apart."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigan.backend import Array
from minigan.data import load_mnist, pixel_values
from minigan.gan import GAN
from minigan.models import IMAGE_SIZE, LATENT_DIM
from minigan.training import RECIPES, draw_epoch, draw_start


def first_step(recipe: str, batch_size: int, seed: int) -> tuple[GAN, Array, Array, Any]:
    """Return the GAN, and what its first step gets in ``minigan train`` with these options.

    These are the real images, z, and the labels or None.
    """
    rng = np.random.default_rng(seed)
    classes = 10 if RECIPES[recipe].conditional else 0
    gan, _ = draw_start(RECIPES[recipe], rng, classes=classes)
    images, labels = load_mnist("train")
    indices, z = next(draw_epoch(rng, len(images), batch_size, gan.z_columns or LATENT_DIM))
    real = pixel_values()[images[indices].reshape(-1, IMAGE_SIZE)]
    return gan, real, z, labels[indices] if classes else None
