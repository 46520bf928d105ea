"""Adam: one formula over the network's flat vectors.

Read ``update`` beside the paper: it is the whole formula.  Seven of its arguments are numbers that
all elements share; ``numbers_of_step`` works them out once in each step.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigan.backend import check_count
from minigan.errors import to_float
from minigan.network import Sequential


def numbers_of_step(t: int, lr: float, betas: tuple[float, float], eps: float) -> tuple[float, ...]:
    """Return the seven numbers of step t that are the same for all elements.

    They are β₁, 1 - β₁, β₂, 1 - β₂, lr / (1 - β₁ᵗ), √(1 - β₂ᵗ) and eps.  They are worked out on the
    host, in Python's float64, and rounded to the network's dtype only then: worked out in float32,
    1 - 0.999 would already be off by 0.0013 %.
    """
    beta1, beta2 = betas
    correction1, correction2 = 1 - beta1**t, 1 - beta2**t
    return beta1, 1 - beta1, beta2, 1 - beta2, lr / correction1, math.sqrt(correction2), eps


def rate_of_step(t: int, lr: float, settle_after: int) -> float:
    """Return the learning rate of step t: lr min(1, T/t) with T = ``settle_after``; T = 0: lr."""
    return lr * (settle_after / t) if 0 < settle_after < t else lr


def update(
    theta: Any, g: Any, m: Any, v: Any,
    beta1: Any, rest1: Any, beta2: Any, rest2: Any, lr_t: Any, root_t: Any, eps: Any,
) -> tuple[Any, Any, Any]:  # fmt: skip
    """Return the new θ, m and v, for one element or for whole arrays: the formula of ``Adam``.

    g is the gradient.  The seven numbers from beta1 on are those of ``numbers_of_step``.  Each
    backend runs these same lines over the network's vectors: NumPy block by block, Numba in one
    loop, CUDA in one kernel.
    """
    m = beta1 * m + rest1 * g  # rest1 = 1 - β₁
    v = beta2 * v + rest2 * (g * g)  # rest2 = 1 - β₂
    # lr_t = lr / (1 - β₁ᵗ) and root_t = √(1 - β₂ᵗ), so lr m̂ / (√v̂ + eps) is subtracted.
    theta = theta - lr_t * m / (np.sqrt(v) / root_t + eps)
    return theta, m, v


class Adam:
    """Adam (Kingma & Ba 2015, algorithm 1), on a network's parameters θ and gradients g.

        t ← t + 1
        m ← β₁ m + (1 - β₁) g            running mean of the gradient
        v ← β₂ v + (1 - β₂) g²           running mean of its square
        m̂ = m / (1 - β₁ᵗ)                both start at 0, so the first means are too small:
        v̂ = v / (1 - β₂ᵗ)                this makes up for it
        θ ← θ - lr m̂ / (√v̂ + eps)

    Every step gives the numbers of ``torch.optim.Adam``, and the defaults are the same.  ``m`` and
    ``v`` have the shape and dtype of ``net.params``; ``t`` counts the steps.

    With a positive ``settle_after``, T, the learning rate of step t is lr min(1, T/t): it stays lr
    for T steps, is half of it in step 2 T, and a third in step 3 T.  Steps that do not get smaller
    keep the weights in motion around the best ones; if they got smaller much faster than 1/t, their
    sum would be finite, and the weights might stop on the way (Robbins & Monro 1951).

    Raises TypeError if ``net`` is not a ``Sequential``; ValueError if lr or eps is negative or not
    finite, if a beta is outside [0, 1), or if ``settle_after`` is not a whole number
    of at least 0.
    """

    def __init__(
        self,
        net: Sequential,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        settle_after: int = 0,
    ) -> None:
        if not isinstance(net, Sequential):
            raise TypeError(f"net is a {type(net).__name__}, expected a Sequential")
        for name, value in (("lr", lr), ("eps", eps)):
            if not 0 <= to_float(value) < math.inf:
                raise ValueError(f"{name} is {value!r}, expected a finite number of at least 0")
        pair = isinstance(betas, (tuple, list)) and len(betas) == 2
        if not pair or not all(0 <= to_float(beta) < 1 for beta in betas):
            raise ValueError(f"betas are {betas!r}, expected two numbers in [0, 1)")
        self.net, self.lr, self.eps = net, float(lr), float(eps)
        self.betas = float(betas[0]), float(betas[1])
        self.settle_after = check_count("settle_after", settle_after)
        self.m = np.zeros_like(net.params)
        self.v = np.zeros_like(net.params)
        self.t = 0
        self.numbers = np.zeros(7, net.dtype, like=net.params)  # one step's seven numbers

    def step(self) -> None:
        """Move ``net.params`` one step against ``net.grads``; earlier caches are then stale.

        Raises RuntimeError if another array was put in the place of one of the network's own.
        """
        net, vectors = self.net, (self.net.params, self.net.grads, self.m, self.v)
        net.check_views()  # an array in the place of another would never be trained
        net.backend.adam(update, vectors, self._next_step, self.numbers)

    def _next_step(self) -> tuple[float, ...]:
        """Count the step and return its numbers; the backend calls this once in each step."""
        self.t += 1
        self.net.weights_changed()
        lr = rate_of_step(self.t, self.lr, self.settle_after)
        return numbers_of_step(self.t, lr, self.betas, self.eps)
