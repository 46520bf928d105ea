"""The tutorial's two networks, and their two variants: batch normalisation in G, logits from D."""

from __future__ import annotations

from minigan.backend import Backend
from minigan.batch_norm import BatchNorm1d
from minigan.checks import check_size
from minigan.layers import Layer, LeakyReLU, Linear, ReLU, Seed, Sigmoid, Tanh
from minigan.network import Sequential

IMAGE_SIZE = 784  # 28 x 28 pixels in one row


def generator(
    latent_dim: int = 100,
    *,
    batch_norm: bool = False,
    seed: Seed = None,
    dtype: str = "float32",
    backend: str | Backend = "numpy",
) -> Sequential:
    """G, the tutorial's: latent z ~ N(0, 1), (N, latent_dim), to images in [-1, 1], (N, 784).

    latent_dim-256-512-1024-784 with ReLU between and Tanh at the end: 1,486,352 parameters for
    latent_dim 100.  ``batch_norm=True`` puts a ``BatchNorm1d`` before each ReLU (3,584 more): the
    cure for collapse, see docs/is-it-working.md.

    Raises ValueError for a latent_dim below 1, an unknown dtype or an unknown backend.
    """
    check_size("latent_dim", latent_dim)
    layers: list[Layer] = []
    n_in = latent_dim
    for n in (256, 512, 1024):
        layers += [Linear(n_in, n), *([BatchNorm1d(n)] if batch_norm else []), ReLU()]
        n_in = n
    layers += [Linear(n_in, IMAGE_SIZE), Tanh()]
    return Sequential(*layers, seed=seed, dtype=dtype, backend=backend)


def discriminator(
    *,
    logits: bool = False,
    seed: Seed = None,
    dtype: str = "float32",
    backend: str | Backend = "numpy",
) -> Sequential:
    """D, the tutorial's: images in [-1, 1], (N, 784), to the probability of being real, (N, 1).

    784-1024-512-256-1 with LeakyReLU(0.2) between and Sigmoid at the end: 1,460,225 parameters.
    ``logits=True`` leaves the Sigmoid to the loss, as ``GAN`` with ``logits=True`` expects it.

    Raises ValueError for an unknown dtype or backend.
    """
    layers = [
        Linear(IMAGE_SIZE, 1024),
        LeakyReLU(0.2),
        Linear(1024, 512),
        LeakyReLU(0.2),
        Linear(512, 256),
        LeakyReLU(0.2),
        Linear(256, 1),
        *([] if logits else [Sigmoid()]),
    ]
    return Sequential(*layers, seed=seed, dtype=dtype, backend=backend)
