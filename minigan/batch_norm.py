"""Batch normalisation (Ioffe & Szegedy 2015): the layer, and its backward rule derived in steps.

All other layers look at one row at a time.  Batch normalisation takes the mean and the variance of
each column over the whole batch, so every row of x changes every row of y.  The gradient therefore
goes back from y to x along three paths: directly, through the mean, and through the variance.
``backward_in_steps`` follows the three paths one operation at a time.  The layer itself uses the
compact formula that results when these steps are worked out on paper.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigan.backend import Array, Backend, check_array, check_size
from minigan.backend.flat import checksum
from minigan.errors import to_float
from minigan.layers import Layer, Seed


class BatchNorm1d(Layer):
    """Bring each column to mean 0 and variance 1, then scale and shift it.  x, y, dx, dy: (N, n)

        μ  = 1/N Σₙ x[n]                    the column's mean, σ² = 1/N Σₙ (x[n] - μ)² its variance
        x̂  = (x - μ) / √(σ² + eps)
        y  = γ x̂ + β
        dγ = Σₙ dy[n] x̂[n]
        dβ = Σₙ dy[n]
        dx = γ / √(σ² + eps) · (dy - mean(dy) - x̂ mean(dy x̂))         means over the N rows

    The last line subtracts from dy what would shift a whole column of x or stretch it: μ and σ undo
    such a change, so it has no effect on y and no gradient.  (For this reason the b of a ``Linear``
    right before this layer has db = 0; β does its work.)

    In training, ``forward`` uses the batch's own μ and σ², and keeps running means of both:

        running ← (1 - momentum) running + momentum new        new: μ, and σ² N/(N - 1), unbiased

    After training, ``evaluate(x)``, which ``layer(x)`` calls, uses the running means instead of μ
    and σ².  They are constants, so dx = dy γ / √(σ² + eps), and each row of y depends only on its
    own row of x.

    The parameters γ and β are the arrays ``gamma`` and ``beta``, (n,), and start at 1 and 0.
    ``running_mean`` and ``running_var``, (n,), start at 0 and 1.  The layer and its defaults match
    ``torch.nn.BatchNorm1d``.

    Raises ValueError if a training batch has only one row (which would be its own mean), if eps is
    not positive, or if momentum is outside [0, 1].
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
        if not 0 < to_float(eps) < np.inf:
            raise ValueError(f"eps is {eps!r}, expected a positive, finite number")
        if not 0 <= to_float(momentum) <= 1:
            raise ValueError(f"momentum is {momentum!r}, expected 0 to 1")
        self.eps, self.momentum = float(eps), float(momentum)
        self.allocate(None, dtype, backend)

    def draw(self, rng: np.random.Generator) -> tuple[Array, ...]:
        return np.ones(self.n_in), np.zeros(self.n_in)

    def allocate(
        self, seed: Seed = None, dtype: Any = "float32", backend: str | Backend = "numpy"
    ) -> None:
        super().allocate(seed, dtype, backend)
        self.running_mean = np.zeros_like(self.gamma)
        self.running_var = np.zeros_like(self.gamma) + 1
        self.drawn = checksum(self.arrays())

    def forward(self, x: Array) -> tuple[Array, Any]:
        check_array("x", x, (None, self.n_in), like=self.gamma)
        N, mean_of = self.ranks.rows(len(x)), self.ranks.mean  # over the rows of all processes
        if N < 2:
            raise ValueError(f"x is a batch of {N}, expected at least 2: a row is its own mean")
        mean = mean_of(x)
        centred = x - mean
        var = mean_of(centred * centred)
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
        if training:  # subtract what would shift or stretch the whole column
            mean = self.ranks.mean
            dy = dy - mean(dy) - x_hat * mean(dy * x_hat)
        dx: Array = self.gamma * factor * dy
        return dx

    def __repr__(self) -> str:
        eps = f", eps={self.eps}" if self.eps != 1e-5 else ""
        momentum = f", momentum={self.momentum}" if self.momentum != 0.1 else ""
        return f"BatchNorm1d({self.n_in}{eps}{momentum})"


def backward_in_steps(
    dy: Array, x: Array, gamma: Array, eps: float = 1e-5
) -> tuple[Array, Array, Array]:
    """Return dx, dγ and dβ of ``BatchNorm1d`` in training, going back one operation at a time.

    The compact formula of the layer is worked out from these steps and tested against them.  They
    follow three rules.  A value that is used twice, as x and x - μ are, gets the sum of the two
    gradients that come back.  A sum over the N rows hands its gradient to every row.  A value that
    was spread over the rows, as μ is in x - μ, gets the sum of the rows' gradients.
    """
    N = len(x)
    # Forward, one operation on each line
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
