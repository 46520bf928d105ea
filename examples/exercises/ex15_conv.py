"""Exercise 15: a convolution, which looks at each place of an image through the same small window.

    y[n, f, i, j] = b[f] + Σ x[n, c, i + r, j + s] W[f, c, r, s]     sum over c, r and s

    x: (N, C, H, W)        N images with C channels
    W: (F, C, R, S)        F kernels, each R x S numbers for each channel;  b: (F,)
    y: (N, F, H - R + 1, W - S + 1)        a number for each place where the window fits

(Mathematicians would turn W before they call this a convolution; networks do not.)  Write

    y     the forward pass
    dW    dL/dW, (F, C, R, S)
    db    dL/db, (F,)
    dx    dL/dx, (N, C, H, W)

Hint: loop over r and s, which are few, and treat all n, i and j at once: ``seen(x, r, s, y.shape)``
is what the numbers W[:, :, r, s] are multiplied by.  For one r and s this is a Linear from C to F
numbers at every place, and you know its three rules from exercise 1.  A pixel is seen through
several places of the window, and a weight at all places of all images: what comes back is added.
``np.einsum("nchw,fc->nfhw", a, b)`` multiplies and sums over each letter that the result lacks.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigan.backend import Array


def seen(x: Array, r: int, s: int, shape: tuple[int, ...]) -> Array:
    """Return the view of x, (N, C, *shape[2:]), that stands under W[:, :, r, s]."""
    return x[:, :, r : r + shape[2], s : s + shape[3]]


def places(W: Array) -> Any:
    """Return all (r, s) of the window, one after the other."""
    return np.ndindex(W.shape[2:])


def conv(x: Array, W: Array, b: Array) -> Array:
    raise NotImplementedError("y")  # yours to write


def grad_W(dy: Array, x: Array, W: Array) -> Array:
    raise NotImplementedError("dW")  # yours to write


def grad_b(dy: Array) -> Array:
    raise NotImplementedError("db")  # yours to write


def grad_x(dy: Array, x: Array, W: Array) -> Array:
    raise NotImplementedError("dx")  # yours to write
