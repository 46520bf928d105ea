"""Exercise 11: R1, the gradient of a gradient.

    R    = γ/2 · 1/N Σₙ |g[n]|²             g[n] = ∇ₓ D(x[n]), the slope of D at a real image

D has Linear layers with LeakyReLU between them.  Backprop gives g by multiplying dy, which is 1 at
the logit, by one Wᵀ after the other, and by the slopes m of LeakyReLU in between:

    dy₂ = 1        dy₁ = (dy₂ W₂ᵀ) m        g = dy₁ W₁ᵀ

This is a computation like any other: R depends on every W in it, so R has a gradient, too.  ``r1``
is complete except for the pass back through these lines, which goes up, from g to the logit.  At
each line t is the gradient of R that has arrived there; it begins with dR/dg.

    first_t     return dR/dg, (N, n), for the g and γ that ``penalty`` is given.
    grad_W      return dR/dW for a product dy Wᵀ, given t = dR/d(dy Wᵀ).
                t: (N, n_in), dy: (N, n_out)
    upward      return dR/du, (N, n_out), where the product is (u m) Wᵀ, given t.  m: (N, n_out)

Hint: dy Wᵀ is a product of matrices like x W.  Which rule of exercise 1 is which rule here?  The
shapes leave little choice.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigan.backend import Array


def r1(
    weights: list[Array], biases: list[Array], x: Array, gamma: float, slope: float = 0.2
) -> tuple[Any, list[Array]]:
    """Return R, and dR/dW for each W; dR/db is 0.  x: (N, n), W: (n_in, n_out), b: (n_out,)"""
    slopes, y = [], x
    for W, b in zip(weights[:-1], biases[:-1], strict=True):
        h = y @ W + b
        m = np.maximum(h > 0, x.dtype.type(slope))
        slopes.append(m)
        y = h * m

    dys = [np.ones_like(x[:, :1])]  # D's own slope: dy is 1, whatever any loss may be
    for W, m in zip(weights[:0:-1], slopes[::-1], strict=True):
        dys.insert(0, (dys[0] @ W.T) * m)
    g = dys[0] @ weights[0].T
    R = penalty(g, gamma)

    t, grads = first_t(g, gamma), []
    for i, (W, dy) in enumerate(zip(weights, dys, strict=True)):
        grads.append(grad_W(t, dy))
        if i < len(slopes):
            t = upward(t, W, slopes[i])
    return R, grads


def penalty(g: Array, gamma: float) -> Any:
    return gamma / 2 * (g * g).sum() / len(g)


def first_t(g: Array, gamma: float) -> Array:
    raise NotImplementedError("first_t")  # yours to write


def grad_W(t: Array, dy: Array) -> Array:
    raise NotImplementedError("grad_W")  # yours to write


def upward(t: Array, W: Array, m: Array) -> Array:
    raise NotImplementedError("upward")  # yours to write
