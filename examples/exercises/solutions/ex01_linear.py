"""Exercise 1: the fully connected layer.

    y = x W + b             x: (N, n_in), W: (n_in, n_out), b: (n_out,), y: (N, n_out)

The loss L is one number that depends on y.  The layer gets dy = dL/dy (N, n_out) and must compute

    dW = dL/dW (n_in, n_out)        db = dL/db (n_out,)        dx = dL/dx (N, n_in)

Hint: write one entry of y as a sum, y[n, j] = Σᵢ x[n, i] W[i, j] + b[j].  Now nudge a single
number, for instance W[2, 1].  Which entries of y move, and how far?  Each of them changes L by its
dy times its own move, and L changes by the sum of these products.  Do the same for b[1] and for
x[3, 2].  At the end, look for a matrix product that computes your sum; the shapes show whether it
can be the right one.
"""

from __future__ import annotations

import numpy as np

import minigan as mg
from minigan.backend import Array


class Linear(mg.Layer):
    param_names = ("W", "b")
    W: Array
    b: Array
    dW: Array
    db: Array

    def __init__(self, n_in: int, n_out: int, *, dtype: str = "float32") -> None:
        self.n_in: int = n_in
        self.n_out: int = n_out
        self.allocate(None, dtype, "numpy")

    def draw(self, rng: np.random.Generator) -> tuple[Array, ...]:
        bound = 1 / self.n_in**0.5
        W = rng.uniform(-bound, bound, (self.n_in, self.n_out))
        return W, rng.uniform(-bound, bound, self.n_out)

    def forward(self, x: Array) -> tuple[Array, Array]:
        return x @ self.W + self.b, x

    def param_grads(self, dy: Array, x: Array) -> None:
        self.dW[...] = self.grad_W(dy, x)
        self.db[...] = self.grad_b(dy, x)

    def grad_W(self, dy: Array, x: Array) -> Array:
        return x.T @ dy

    def grad_b(self, dy: Array, x: Array) -> Array:
        db: Array = dy.sum(axis=0)
        return db

    def input_grad(self, dy: Array, x: Array) -> Array:
        return dy @ self.W.T
