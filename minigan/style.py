"""Layers of a generator with styles: a Linear that sees a style, noise, and a constant.

What such a layer gets beside x, a style or noise, stands in the same array, in columns of its own.
So it is a layer like any other.  ``minigan.styled`` is the network that puts these columns there.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigan.backend import Array, check_array, check_size, matmul, sum_rows
from minigan.layers import Layer

EPS = 1e-8  # added under the root of the demodulation


class ModulatedLinear(Layer):
    """Linear layer whose inputs are scaled by a style.  x, s: (N, n_in), y: (N, n_out)

        u  = (1 + s) x                  each row has scales of its own
        v  = u W
        q  = (1 + s)² W²                squares of the entries, then a product of matrices
        d  = 1 / √(q + eps)             demodulation
        y  = d v + b

    If the entries of x are independent and have variance 1, those of v have variance q, and those
    of y have variance 1 again: a style can raise one input above the others, but not all of them,
    layer after layer (Karras et al. 2020, section 2.2).

        dW = uᵀ dv + 2 W ((1 + s)²ᵀ dq)         with dv = dy d  and  dq = -½ dy v d³
        db = Σₙ dy[n]
        dx = (1 + s) du                         with du = dv Wᵀ
        ds = x du + 2 (1 + s) (dq (W²)ᵀ)

    x and s are given side by side, as one array (N, 2 n_in), and dx and ds come back so.  W is
    drawn as in ``Linear``, and b begins at 0.  The options ``seed``, ``dtype`` and ``backend`` of
    this layer and of those below are the same as there, too.

    Raises ValueError unless n_in and n_out are whole numbers of at least 1.
    """

    param_names = ("W", "b")
    beside = "style"
    W: Array
    b: Array
    dW: Array
    db: Array

    def __init__(self, n_in: int, n_out: int, **options: Any) -> None:
        self.n = check_size("n_in", n_in)  # columns of x, and of s beside it
        self.n_in: int = 2 * self.n
        self.n_out: int = check_size("n_out", n_out)
        self.allocate(**options)

    def draw(self, rng: np.random.Generator) -> tuple[Array, ...]:
        bound = 1 / math.sqrt(self.n)
        return rng.uniform(-bound, bound, (self.n, self.n_out)), np.zeros(self.n_out)

    def forward(self, xs: Array) -> tuple[Array, Any]:
        check_array("x", xs, (None, self.n_in), like=self.W)
        x, scale = xs[:, : self.n], 1 + xs[:, self.n :]
        v = matmul(scale * x, self.W)
        d = 1 / np.sqrt(matmul(scale * scale, self.W * self.W) + EPS)
        return d * v + self.b, (x, scale, v, d)

    def param_grads(self, dy: Array, cache: Any) -> None:
        x, scale, v, d = cache
        dv, dq = dy * d, -0.5 * dy * v * d * d * d
        matmul((scale * x).T, dv, out=self.dW)
        self.dW += 2 * self.W * matmul((scale * scale).T, dq)
        sum_rows(dy, out=self.db)

    def input_grad(self, dy: Array, cache: Any) -> Array:
        x, scale, v, d = cache
        dv, dq = dy * d, -0.5 * dy * v * d * d * d
        du = matmul(dv, self.W.T)
        ds = x * du + 2 * scale * matmul(dq, (self.W * self.W).T)
        return np.concatenate([scale * du, ds], axis=1)

    def __repr__(self) -> str:
        return f"ModulatedLinear({self.n}, {self.n_out})"


class Shift(Layer):
    """Add to each column what the style says.  x, s, y: (N, n)

        y  = x + s
        dx = dy
        ds = dy

    A modulated layer can only scale what comes in; this moves what goes out.  x and s are given
    side by side, as one array (N, 2 n).

    Raises ValueError unless n is a whole number of at least 1.
    """

    beside = "style"

    def __init__(self, n: int) -> None:
        self.n = check_size("n", n)
        self.n_in: int = 2 * self.n
        self.n_out: int = self.n

    def forward(self, xs: Array) -> tuple[Array, Array]:
        check_array("x", xs, (None, self.n_in))
        return xs[:, : self.n] + xs[:, self.n :], xs

    def input_grad(self, dy: Array, xs: Array) -> Array:
        return np.concatenate([dy, dy], axis=1)

    def __repr__(self) -> str:
        return f"Shift({self.n})"


class Noise(Layer):
    """Add noise ε of N(0, 1) to each column, as strongly as it is good.  x, ε, y: (N, n)

        y  = x + ε k            k: (n,), the strengths, which begin at 0
        dk = Σₙ dy[n] ε[n]
        dx = dy
        dε = dy k

    The noise decides what the style leaves open, such as the grain of a stroke.  x and ε are given
    side by side, as one array (N, 2 n): all that is random comes in with z, and the layer itself
    draws nothing.

    Raises ValueError unless n is a whole number of at least 1.
    """

    param_names = ("k",)
    beside = "noise"
    k: Array
    dk: Array

    def __init__(self, n: int, **options: Any) -> None:
        self.n = check_size("n", n)
        self.n_in: int = 2 * self.n
        self.n_out: int = self.n
        self.allocate(**options)

    def draw(self, rng: np.random.Generator) -> tuple[Array, ...]:
        return (np.zeros(self.n),)

    def forward(self, xe: Array) -> tuple[Array, Array]:
        check_array("x", xe, (None, self.n_in), like=self.k)
        return xe[:, : self.n] + xe[:, self.n :] * self.k, xe

    def param_grads(self, dy: Array, xe: Array) -> None:
        np.sum(dy * xe[:, self.n :], axis=0, out=self.dk)

    def input_grad(self, dy: Array, xe: Array) -> Array:
        return np.concatenate([dy, dy * self.k], axis=1)

    def __repr__(self) -> str:
        return f"Noise({self.n})"


class Constant(Layer):
    """The same learned row for every row of x, whatever is in it.  x: (N, any), y: (N, n)

        y  = c                  in every row: c: (n,), which begins as numbers from N(0, 1)
        dc = Σₙ dy[n]
        dx = 0

    Raises ValueError unless n is a whole number of at least 1.
    """

    param_names = ("c",)
    c: Array
    dc: Array

    def __init__(self, n: int, **options: Any) -> None:
        self.n_out: int = check_size("n", n)
        self.allocate(**options)

    def draw(self, rng: np.random.Generator) -> tuple[Array, ...]:
        return (rng.standard_normal(self.n_out),)

    def forward(self, x: Array) -> tuple[Array, Array]:
        check_array("x", x, like=self.c)
        return np.zeros((len(x), self.n_out), x.dtype, like=x) + self.c, x

    def param_grads(self, dy: Array, x: Array) -> None:
        np.sum(dy, axis=0, out=self.dc)

    def input_grad(self, dy: Array, x: Array) -> Array:
        return np.zeros_like(x)

    def __repr__(self) -> str:
        return f"Constant({self.n_out})"
