"""Batch normalisation (Ioffe & Szegedy 2015): the layer, and its backward rule derived in steps.

All other layers look at one row at a time.  Here each column is measured over the whole batch, so
every row of x moves every row of y, and dx has to go back along three paths: straight, through the
mean, and through the variance.  ``backward_in_steps`` walks them one by one; the layer itself has
the formula that is left when the walk is worked out on paper.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigan.backend import Array, Backend
from minigan.checks import check_array, check_size
from minigan.layers import Layer, Seed


class BatchNorm1d(Layer):
    """Each column brought to mean 0 and variance 1, then scaled and moved.  x, y, dx, dy: (N, n)

        μ  = 1/N Σₙ x[n]                    the column's mean, σ² = 1/N Σₙ (x[n] - μ)² its variance
        x̂  = (x - μ) / √(σ² + eps)
        y  = γ x̂ + β
        dγ = Σₙ dy[n] x̂[n]
        dβ = Σₙ dy[n]
        dx = γ / √(σ² + eps) · (dy - mean(dy) - x̂ mean(dy x̂))         means over the N rows

    The last line says: a push that moves a whole column, or stretches it, is undone by μ and σ, so
    it has no gradient.  (Hence the b of a ``Linear`` right before has db = 0: β does its work.)

    Training uses the batch's own μ and σ², and keeps running means of both:

        running ← (1 - momentum) running + momentum new        new: μ, and σ² N/(N - 1), unbiased

    When training is over, ``evaluate(x)`` (and so ``layer(x)``) uses the running means in their
    place.  They are constants: dx = dy γ / √(σ² + eps), and each row's y is its own again.

    γ and β, ``gamma`` and ``beta`` (n,), start at 1 and 0, ``running_mean`` and ``running_var`` too
    at 0 and 1.  Matches ``torch.nn.BatchNorm1d``, whose defaults these are.

    Raises ValueError for a training batch of one row (it would be its own mean), for eps that is
    not positive, and for momentum outside [0, 1].
    """

    param_names = ("gamma", "beta")
    buffer_names = ("running_mean", "running_var")
    gamma: Array
    beta: Array
    dgamma: Array
    dbeta: Array
    running_mean: Array
    running_var: Array

    def __init__(
        self,
        n: int,
        *,
        eps: float = 1e-5,
        momentum: float = 0.1,
        dtype: str = "float32",
        backend: str | Backend = "numpy",
    ) -> None:
        self.n_in: int = check_size("n", n)
        self.n_out: int = self.n_in
        if not 0 < eps < np.inf:
            raise ValueError(f"eps is {eps!r}, expected a positive, finite number")
        if not 0 <= momentum <= 1:
            raise ValueError(f"momentum is {momentum!r}, expected 0 to 1")
        self.eps, self.momentum = float(eps), float(momentum)
        self.allocate(None, dtype, backend)

    def draw(self, rng: np.random.Generator) -> tuple[Array, ...]:
        return np.ones(self.n_in), np.zeros(self.n_in)

    def allocate(self, seed: Seed, dtype: Any, backend: str | Backend) -> None:
        super().allocate(seed, dtype, backend)
        self.running_mean = np.zeros_like(self.gamma)
        self.running_var = np.zeros_like(self.gamma) + 1

    def forward(self, x: Array) -> tuple[Array, Any]:
        check_array("x", x, (None, self.n_in), like=self.gamma)
        N = len(x)
        if N < 2:
            raise ValueError(f"x has {N} rows, expected at least 2: a row alone is its own mean")
        mean = x.mean(axis=0)
        centred = x - mean
        var = (centred * centred).mean(axis=0)
        self.running_mean += self.momentum * (mean - self.running_mean)
        self.running_var += self.momentum * (N / (N - 1) * var - self.running_var)
        return self._output(centred, var, training=True)

    def evaluate(self, x: Array) -> tuple[Array, Any]:
        check_array("x", x, (None, self.n_in), like=self.gamma)
        return self._output(x - self.running_mean, self.running_var, training=False)

    def _output(self, centred: Array, var: Array, training: bool) -> tuple[Array, Any]:
        factor = 1 / np.sqrt(var + self.eps)
        x_hat = centred * factor
        return self.gamma * x_hat + self.beta, (x_hat, factor, training)

    def param_grads(self, dy: Array, cache: Any) -> None:
        x_hat, _, _ = cache
        np.sum(dy * x_hat, axis=0, out=self.dgamma)
        np.sum(dy, axis=0, out=self.dbeta)

    def input_grad(self, dy: Array, cache: Any) -> Array:
        x_hat, factor, training = cache
        if training:  # less what moves or stretches the whole column
            dy = dy - dy.mean(axis=0) - x_hat * (dy * x_hat).mean(axis=0)
        dx: Array = self.gamma * factor * dy
        return dx

    def __repr__(self) -> str:
        return f"BatchNorm1d({self.n_in})"


def backward_in_steps(
    dy: Array, x: Array, gamma: Array, eps: float = 1e-5
) -> tuple[Array, Array, Array]:
    """dx, dγ and dβ of ``BatchNorm1d`` in training, one operation of the forward pass at a time.

    What the compact formula is worked out from, and what it is tested against.  A value that goes
    two ways (x - μ does, and x) gets the sum of what comes back; a value that was summed over the
    N rows hands its gradient to each of them; a value that was spread over the rows sums up.
    """
    N = len(x)
    # Forward, an operation a line
    mean = x.sum(axis=0) / N
    centred = x - mean
    var = (centred * centred).sum(axis=0) / N
    std = np.sqrt(var + eps)
    x_hat = centred / std
    # y = gamma * x_hat + beta

    # Backward, last line first
    dbeta = dy.sum(axis=0)
    dgamma = (dy * x_hat).sum(axis=0)
    dx_hat = dy * gamma
    dcentred = dx_hat / std  # x̂ = centred / std: one way to centred ...
    dstd = (-dx_hat * centred / (std * std)).sum(axis=0)  # ... and one to std
    dvar = dstd / (2 * std)
    dcentred = dcentred + dvar * 2 * centred / N  # var = Σ centred² / N
    dmean = -dcentred.sum(axis=0)  # centred = x - mean
    dx = dcentred + dmean / N  # mean = Σ x / N
    return dx, dgamma, dbeta
