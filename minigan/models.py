"""The tutorial's two networks."""

from __future__ import annotations

from minigan.backend import Backend
from minigan.checks import check_size
from minigan.layers import LeakyReLU, Linear, ReLU, Seed, Sigmoid, Tanh
from minigan.network import Sequential

IMAGE_SIZE = 784  # 28 x 28 pixels in one row


def generator(
    latent_dim: int = 100,
    *,
    seed: Seed = None,
    dtype: str = "float32",
    backend: str | Backend = "numpy",
) -> Sequential:
    """G: latent z ~ N(0, 1), (N, latent_dim), to images in [-1, 1], (N, 784).

    latent_dim-256-512-1024-784 with ReLU between and Tanh at the end: 1,486,352 parameters for
    latent_dim 100.
    """
    check_size("latent_dim", latent_dim)
    return Sequential(
        Linear(latent_dim, 256),
        ReLU(),
        Linear(256, 512),
        ReLU(),
        Linear(512, 1024),
        ReLU(),
        Linear(1024, IMAGE_SIZE),
        Tanh(),
        seed=seed,
        dtype=dtype,
        backend=backend,
    )


def discriminator(
    *, seed: Seed = None, dtype: str = "float32", backend: str | Backend = "numpy"
) -> Sequential:
    """D: images in [-1, 1], (N, 784), to the probability of being real, (N, 1).

    784-1024-512-256-1 with LeakyReLU(0.2) between and Sigmoid at the end: 1,460,225 parameters.
    """
    return Sequential(
        Linear(IMAGE_SIZE, 1024),
        LeakyReLU(0.2),
        Linear(1024, 512),
        LeakyReLU(0.2),
        Linear(512, 256),
        LeakyReLU(0.2),
        Linear(256, 1),
        Sigmoid(),
        seed=seed,
        dtype=dtype,
        backend=backend,
    )
