"""Exercise 13: a layer that is told by a style how much of each input to use.

Each row n of x has a matrix of its own: W whose row i is scaled by 1 + s[n, i], and whose columns
are then brought to length 1.  y[n] is x[n] times that matrix.  Without making N matrices:

    u = (1 + s) x               x, s, u: (N, n_in)
    v = u W                     W: (n_in, n_out), v: (N, n_out)
    d = 1 / √(q + eps)          q[n, j]: the squared length of column j of row n's scaled matrix
    y = d v                     q, d, y: (N, n_out)

Write

    q       return all squared lengths, (N, n_out), by one product of matrices
    dW      return dL/dW, (n_in, n_out)
    dx      return dL/dx, (N, n_in)
    ds      return dL/ds, (N, n_in)

Hint: write down q[n, j] as a sum over i.  Each factor is a square; which matrices are multiplied?
Then go back line by line from y = d v, where both factors may depend on what you ask for: nudge
one entry of W, of x or of s, and see which of the two move.  What comes back by two ways is added.
Of d = 1 / √(q + eps), the slope is a power of d.
"""

from __future__ import annotations

import numpy as np

from minigan.backend import Array

EPS = 1e-8


def squared_lengths(s: Array, W: Array) -> Array:
    q: Array = (1 + s) ** 2 @ W**2
    return q


def forward(x: Array, s: Array, W: Array) -> tuple[Array, Array, Array]:
    """Return y, v and d.  (The check of a gradient computes its own v and d, so q may wait.)"""
    v = ((1 + s) * x) @ W
    d = 1 / np.sqrt(squared_lengths(s, W) + EPS)
    return d * v, v, d


def grad_W(dy: Array, x: Array, s: Array, W: Array, v: Array, d: Array) -> Array:
    dv, dq = dy * d, -dy * v * d**3 / 2
    dW: Array = ((1 + s) * x).T @ dv + 2 * W * ((1 + s).T ** 2 @ dq)
    return dW


def grad_x(dy: Array, x: Array, s: Array, W: Array, v: Array, d: Array) -> Array:
    dx: Array = (1 + s) * ((dy * d) @ W.T)
    return dx


def grad_s(dy: Array, x: Array, s: Array, W: Array, v: Array, d: Array) -> Array:
    dv, dq = dy * d, -dy * v * d**3 / 2
    ds: Array = x * (dv @ W.T) + 2 * (1 + s) * (dq @ W.T**2)
    return ds
