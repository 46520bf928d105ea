# %% [markdown]
# # A GAN from scratch, on one page
#
# Two networks compete.  The generator G turns random numbers z into images.  The discriminator D
# tells real images of digits from G's, which are fake, and G learns to deceive it.  NumPy is enough.
# A network learns by making one number small, its loss.  How fast the loss changes with y, number
# by number, is an array in the shape of y, called dy; dx, dW, db, dlogits and dfake are meant alike.
# `python examples/from_scratch.py` takes about a minute on one CPU core and draws 64 digits into
# runs/from_scratch.png.  STEPS, SEED and the folder OUT can be set in the environment.

# %%
import gzip
import os
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Net = list[Any]  # a network: its layers, from first to last
MNIST = Path(__file__).parent.parent / "minigan/data/shipped/mnist/train-images-idx3-ubyte.gz"


# %% Two layers.  forward goes from x to y and keeps a cache, with which backward goes from dy to dx.
class Linear:  # each output is a weighted sum of all inputs, plus a number of its own
    def __init__(self, n_in: int, n_out: int, rng: np.random.Generator) -> None:
        self.W = (rng.uniform(-1, 1, (n_in, n_out)) / n_in**0.5).astype("float32")
        self.b = (rng.uniform(-1, 1, n_out) / n_in**0.5).astype("float32")

    def forward(self, x: Array) -> tuple[Array, Array]:  # x (N, n_in): a row for each of N images
        return x @ self.W + self.b, x  # y (N, n_out), and x is the cache

    def backward(self, dy: Array, x: Array) -> Array:
        self.dW = x.T @ dy
        self.db = dy.sum(axis=0)
        return dy @ self.W.T  # dx


class LeakyReLU:  # shrinks negative numbers; without it two Linears could do no more than one
    def forward(self, x: Array) -> tuple[Array, Array]:
        return np.where(x > 0, x, 0.01 * x), x  # y, and x is the cache

    def backward(self, dy: Array, x: Array) -> Array:
        return np.where(x > 0, dy, 0.01 * dy)  # dx


def forward(net: Net, x: Array) -> tuple[Array, list[Array]]:
    caches = []
    for layer in net:
        x, cache = layer.forward(x)
        caches.append(cache)
    return x, caches


def backward(net: Net, dy: Array, caches: list[Array]) -> Array:
    for layer, cache in zip(net[::-1], caches[::-1], strict=True):  # from the last to the first
        dy = layer.backward(dy, cache)  # what is dx here is dy for the layer before
    return dy


# %% Two losses.  D gives each image a logit x, and p = 1 / (1 + e⁻ˣ) is how likely it looks real.
def loss_real(logits: Array) -> tuple[Any, Any]:  # mean of -log p, which is log(1 + e⁻ˣ)
    return np.logaddexp(0, -logits).mean(), -np.exp(-np.logaddexp(0, logits)) / len(logits)


def loss_fake(logits: Array) -> tuple[Any, Any]:  # mean of -log(1 - p), which is log(1 + eˣ)
    return np.logaddexp(0, logits).mean(), np.exp(-np.logaddexp(0, -logits)) / len(logits)


# %% Adam moves every number of W and b a step of about lr, against its gradient in dW or db.
class Adam:
    def __init__(self, net: Net, lr: float) -> None:
        self.lr, self.betas, self.eps, self.t = lr, (0.5, 0.999), 1e-8, 0
        self.linears = [layer for layer in net if isinstance(layer, Linear)]
        self.m: list[Any] = [0.0] * (2 * len(self.linears))  # for each W and b, in the order
        self.v: list[Any] = [0.0] * (2 * len(self.linears))  # of the pairs below

    def step(self) -> None:
        self.t += 1
        beta1, beta2 = self.betas
        pairs = [pair for a in self.linears for pair in ((a.W, a.dW), (a.b, a.db))]
        for i, (theta, g) in enumerate(pairs):
            m = self.m[i] = beta1 * self.m[i] + (1 - beta1) * g  # running mean of the gradient
            v = self.v[i] = beta2 * self.v[i] + (1 - beta2) * g**2  # and of its square; both start
            mean, square = 1 - beta1**self.t, 1 - beta2**self.t  # at 0
            theta -= self.lr * (m / mean) / (np.sqrt(v / square) + self.eps)
