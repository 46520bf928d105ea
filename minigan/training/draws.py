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

from minigan.backend import Array, Backend, get_backend
from minigan.conditional import beside
from minigan.data import batches
from minigan.gan import GAN
from minigan.models import IMAGE_SIZE, LATENT_DIM
from minigan.training.networks import Networks, check_discriminator, make_network
from minigan.training.recipes import Recipe

FIXED = 64  # latent points whose images are drawn after every epoch
ROWS = 10  # of a class grid: latent points, of each of which every class is drawn


def draw_start(
    recipe: Recipe,
    rng: np.random.Generator,
    *,
    latent_dim: int = LATENT_DIM,
    classes: int = 0,
    image_size: int = IMAGE_SIZE,
    networks: Networks | None = None,
    lr: float | None = None,
    betas: tuple[float, float] = (0.5, 0.999),
    r1: float | None = None,
    settle_after: int | None = None,
    dtype: str = "float32",
    backend: str | Backend = "numpy",
) -> tuple[GAN, Array]:
    """Return the recipe's GAN before its first step, and the fixed inputs of its G.

    These are 64 latent points, (64, latent_dim), with noise beside them if G takes some.  For a
    conditional recipe they are a class grid, row by row: every class beside each of the first ten,
    (10 classes, latent_dim + classes).

    ``networks`` are those of one's own, if there are any.  Raises InputError if they do not fit.
    """
    options: dict[str, Any] = {"dtype": dtype, "backend": get_backend(backend)}
    if networks is not None and networks.generator is not None:
        n_in = latent_dim + classes
        G = make_network(networks, "generator", n_in, image_size, rng, **options)
    else:
        G = recipe.generator(latent_dim, classes, image_size=image_size, seed=rng, **options)
    if networks is not None and networks.discriminator is not None:
        D = make_network(networks, "discriminator", image_size, classes or 1, rng, **options)
    else:
        D = recipe.discriminator(classes, image_size=image_size, seed=rng, **options)
    penalty = recipe.r1 if r1 is None else r1
    if networks is not None:
        check_discriminator(networks, D, recipe.probabilities, penalty)
    gan = GAN(
        G,
        D,
        lr=recipe.lr if lr is None else lr,
        betas=betas,
        logits=recipe.logits,
        loss=recipe.loss,
        classes=classes,
        r1=penalty,
        settle_after=recipe.settle_after if settle_after is None else settle_after,
    )
    fixed_z = draw_z(rng, FIXED, gan.z_columns or latent_dim, dtype)
    return gan, class_grid(fixed_z[:ROWS], classes) if classes else fixed_z


def with_classes(z: Array, labels: npt.NDArray[Any], classes: int) -> Array:
    """Return latent points with the one-hot vectors of their labels beside them."""
    return beside(z, np.eye(classes, dtype=z.dtype)[labels]) if classes else z


def class_grid(z: Array, classes: int) -> Array:
    """Return what G draws a grid from: a row for each latent point, a column for each class."""
    labels = np.tile(np.arange(classes), len(z))
    return with_classes(z.repeat(classes, axis=0), labels, classes)


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
