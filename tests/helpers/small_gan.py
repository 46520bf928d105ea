"""A GAN of a few units, batches for it, and the tapes of its steps."""

from __future__ import annotations

from typing import Any

import numpy as np

import minigan as mg
from minigan.backend import Array


def small(seed: int = 0, logits: bool = False, **options: Any) -> mg.GAN:
    rng = np.random.default_rng(seed)
    G = mg.Sequential(mg.Linear(3, 8), mg.ReLU(), mg.Linear(8, 5), mg.Tanh(), seed=rng, **options)
    layers = [mg.Linear(5, 8), mg.LeakyReLU(0.2), mg.Linear(8, 1)]
    D = mg.Sequential(*layers, *([] if logits else [mg.Sigmoid()]), seed=rng, **options)
    return mg.GAN(G, D, lr=0.01, logits=logits)


def batch(n: int, dtype: str = "float32", seed: int = 1) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    return rng.uniform(-1, 1, (n, 5)).astype(dtype), rng.standard_normal((n, 3)).astype(dtype)


def with_batch_norm(**options: Any) -> mg.GAN:
    rng = np.random.default_rng(5)
    G = mg.Sequential(
        mg.Linear(3, 8), mg.BatchNorm1d(8), mg.ReLU(), mg.Linear(8, 5), mg.Tanh(),
        seed=rng, **options,
    )  # fmt: skip
    return mg.GAN(G, small(**options).discriminator, lr=0.01)
