"""Exercise 8: batch normalisation, in training.

    μ  = 1/N Σₙ x[n]                        each column's mean,
    σ² = 1/N Σₙ (x[n] - μ)²                 and its variance
    x̂  = (x - μ) · factor,                  factor = 1 / √(σ² + eps)
    y  = γ x̂ + β                            x, y, dx, dy: (N, n); γ, β, factor: (n,)

Given dy and the cache (x̂, factor), write dgamma and dbeta (n,), and dx (N, n).  If you need x - μ,
it is x̂ / factor.

Hint: all rows share γ, by which they are multiplied, and β, which is added to them; compare the b
of exercise 1.  For dx, work on one column.  One x[m] moves its own x̂[m], but also μ and σ², and
these two move every row's x̂: there are three paths, whose gradients add.  Write the forward pass
with one operation in each line and go back line by line; that alone passes.  Then shorten it with
Σₙ x̂[n] = 0.  Here is a test of the result: if dy is the same in all rows, dx is 0.  Why must it be?

(The library's layer also keeps running means, for use after training; they have no gradient.)
"""

from __future__ import annotations

import numpy as np

import minigan as mg
from minigan.backend import Array


class BatchNorm1d(mg.Layer):
    param_names = ("gamma", "beta")
    gamma: Array
    beta: Array
    dgamma: Array
    dbeta: Array

    def __init__(self, n: int, *, eps: float = 1e-5, dtype: str = "float32") -> None:
        self.n_in: int = n
        self.n_out: int = n
        self.eps = eps
        self.allocate(None, dtype, "numpy")

    def draw(self, rng: np.random.Generator) -> tuple[Array, ...]:
        return np.ones(self.n_in), np.zeros(self.n_in)

    def forward(self, x: Array) -> tuple[Array, tuple[Array, Array]]:
        centred = x - x.mean(axis=0)
        var = (centred * centred).mean(axis=0)
        factor = 1 / np.sqrt(var + self.eps)
        x_hat = centred * factor
        return self.gamma * x_hat + self.beta, (x_hat, factor)

    def param_grads(self, dy: Array, cache: tuple[Array, Array]) -> None:
        self.dgamma[...] = self.grad_gamma(dy, cache[0])
        self.dbeta[...] = self.grad_beta(dy, cache[0])

    def grad_gamma(self, dy: Array, x_hat: Array) -> Array:
        dgamma: Array = (dy * x_hat).sum(axis=0)
        return dgamma

    def grad_beta(self, dy: Array, x_hat: Array) -> Array:
        dbeta: Array = dy.sum(axis=0)
        return dbeta

    def input_grad(self, dy: Array, cache: tuple[Array, Array]) -> Array:
        return self.grad_x(dy, *cache)

    def grad_x(self, dy: Array, x_hat: Array, factor: Array) -> Array:
        left = dy - dy.mean(axis=0) - x_hat * (dy * x_hat).mean(axis=0)
        dx: Array = self.gamma * factor * left
        return dx
