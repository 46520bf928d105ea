"""Exercise 6: binary cross-entropy of probabilities p against targets t.

    L = -1/n Σ [ t log p + (1 - t) log(1 - p) ]         p, t, dp: one shape with n elements

Write dp = dL/dp.  A loss is where backprop begins, so there is no dy.

Hint: each p stands in one term of the sum.  Differentiate that term for any t between 0 and 1,
put both parts over one denominator, and see what is left above it.  Do not lose what stands
before the sum.
"""

from __future__ import annotations

import numpy as np

from minigan.backend import Array


def bce(p: Array, target: Array) -> tuple[float, Array]:
    """Return (loss, dL/dp), as ``mg.bce`` does."""
    return bce_loss(p, target), bce_grad(p, target)


def bce_loss(p: Array, target: Array) -> float:
    return -float(np.mean(target * np.log(p) + (1 - target) * np.log(1 - p)))


def bce_grad(p: Array, target: Array) -> Array:
    return (p - target) / (p * (1 - p)) / p.size
