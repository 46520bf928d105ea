"""Networks and layers of your own, for ``minigan train --model examples/my_gan.py``.

G has a smooth ReLU, and D throws some of its numbers away: the two layers whose rules are derived
in docs/your-own-layer.md.  The recipe asks D to pay the penalty R1, so its layer also has the rule
``double_backward``; with ``--r1 0`` it would need none.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import minigan as mg
from minigan.activations import sigmoid
from minigan.backend import Array, backend_of


class Softplus(mg.Layer):
    """A smooth ReLU.  y = log(1 + eˣ), dx = dy σ(x)"""

    def forward(self, x: Array) -> tuple[Array, Array]:
        return np.logaddexp(0, x), x

    def input_grad(self, dy: Array, x: Array) -> Array:
        dx: Array = dy * sigmoid(x)
        return dx


class Dropout(mg.Layer):
    """y = x · mask, dx = dy · mask; mask is 0 with probability rate, else 1 / (1 - rate)

    A run that is interrupted must go on with the masks that it would have drawn.  So a mask comes
    from the seed, which ``repr`` shows, and from the number of calls so far, which is a buffer: a
    checkpoint keeps both.
    """

    buffer_names = ("calls",)
    calls: Array

    def __init__(self, rate: float, seed: int) -> None:
        self.rate, self.seed = rate, seed

    def allocate(self, seed: Any = None, dtype: Any = "float32", backend: Any = "numpy") -> None:
        self.calls = mg.get_backend(backend).asarray(np.zeros(1), dtype)
        super().allocate(seed, dtype, backend)

    def forward(self, x: Array) -> tuple[Array, Array]:
        backend = backend_of(x)
        rng = np.random.default_rng([self.seed, int(backend.to_numpy(self.calls)[0])])
        self.calls += 1
        kept = (rng.random(x.shape) >= self.rate) / (1 - self.rate)
        mask = backend.asarray(kept, x.dtype)
        return x * mask, mask

    def evaluate(self, x: Array) -> tuple[Array, Array]:
        return x, np.zeros_like(x) + 1

    def input_grad(self, dy: Array, mask: Array) -> Array:
        return dy * mask

    def double_backward(self, t: Array, dy: Array, mask: Array) -> tuple[Array, None]:
        return t * mask, None  # dx = dy · mask depends on dy alone, and not on x

    def __repr__(self) -> str:
        return f"Dropout({self.rate}, {self.seed})"


def generator(n_in: int, n_out: int, **options: Any) -> mg.Sequential:
    """Return G, from n_in random numbers to the n_out pixels of an image."""
    return mg.Sequential(
        mg.Linear(n_in, 256), mg.BatchNorm1d(256), Softplus(),
        mg.Linear(256, 512), mg.BatchNorm1d(512), Softplus(),
        mg.Linear(512, n_out), mg.Tanh(),
        **options,
    )  # fmt: skip


def discriminator(n_in: int, n_out: int, **options: Any) -> mg.Sequential:
    """Return D, from the n_in pixels of an image to one logit (or one for each class)."""
    return mg.Sequential(
        mg.Linear(n_in, 512), mg.LeakyReLU(0.2), Dropout(0.3, seed=1),
        mg.Linear(512, 256), mg.LeakyReLU(0.2),
        mg.Linear(256, n_out),
        **options,
    )  # fmt: skip
