"""Exercise 14: softmax, which makes K probabilities of K logits, and its cross-entropy.

    p[n, k] = exp(x[n, k]) / Σⱼ exp(x[n, j])        x, p, t, dp, dx: (N, K)
    L = -1/N Σₙ Σₖ t[n, k] log p[n, k]              each row of t sums to 1; here it is one-hot

The sum over j runs over one row: each image has K probabilities, which sum to 1.  Write

    dx         dL/dx from dp = dL/dp, for any L that comes behind a softmax
    dlogits    dL/dx of this L

Hint: nudge one x[n, k].  Its exponential moves one numerator, and the denominator that all of row n
divide by: two ways back, which are added, as in exercise 8.  Write the result with nothing but p
and dp in it.  For dlogits put the dp of this L into it on paper; as in exercise 7 nearly
everything cancels.  By what is the sum divided here, and what would it be in exercise 7?
"""

from __future__ import annotations

import numpy as np

from minigan.backend import Array


def softmax(x: Array) -> Array:
    e = np.exp(x - x.max(axis=1, keepdims=True))  # one number less for a whole row changes no p
    p: Array = e / e.sum(axis=1, keepdims=True)
    return p


def softmax_grad(dp: Array, p: Array) -> Array:
    raise NotImplementedError("dx")  # yours to write


def cross_entropy(logits: Array, target: Array) -> tuple[float, Array]:
    """Return (loss, dL/dlogits)."""
    return cross_entropy_loss(logits, target), cross_entropy_grad(logits, target)


def cross_entropy_loss(logits: Array, target: Array) -> float:
    x = logits - logits.max(axis=1, keepdims=True)
    log_p = x - np.log(np.exp(x).sum(axis=1, keepdims=True))
    return float(-(target * log_p).sum(axis=1).mean())


def cross_entropy_grad(logits: Array, target: Array) -> Array:
    raise NotImplementedError("dlogits")  # yours to write
