"""Adam: one formula over the network's flat vectors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigan.network import Sequential


class Adam:
    """Adam (Kingma & Ba 2015, algorithm 1), on a network's parameters θ and gradients g.

        t ← t + 1
        m ← β₁ m + (1 - β₁) g            running mean of the gradient
        v ← β₂ v + (1 - β₂) g²           running mean of its square
        m̂ = m / (1 - β₁ᵗ)                both start at 0, so the first means are too small:
        v̂ = v / (1 - β₂ᵗ)                this makes up for it
        θ ← θ - lr m̂ / (√v̂ + eps)

    Step by step the numbers of ``torch.optim.Adam``, whose defaults these are.  ``m`` and ``v``
    have the shape and dtype of ``net.params``; ``t`` counts the steps.

    Raises TypeError if ``net`` is no ``Sequential``; ValueError if lr or eps is negative or not
    finite, or a beta is outside [0, 1).
    """

    def __init__(
        self,
        net: Sequential,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        if not isinstance(net, Sequential):
            raise TypeError(f"net is a {type(net).__name__}, expected a Sequential")
        for name, value in (("lr", lr), ("eps", eps)):
            if not 0 <= value < math.inf:
                raise ValueError(f"{name} is {value!r}, expected a finite number of at least 0")
        if not isinstance(betas, (tuple, list)) or [0 <= beta < 1 for beta in betas] != [True] * 2:
            raise ValueError(f"betas are {betas!r}, expected two numbers in [0, 1)")
        self.net, self.lr, self.eps = net, float(lr), float(eps)
        self.betas = float(betas[0]), float(betas[1])
        self.m = np.zeros_like(net.params)
        self.v = np.zeros_like(net.params)
        self.t = 0
        self.scalars = net.backend.asarray(np.zeros(7), net.dtype)  # what update needs, as below

    def step(self) -> None:
        """Move ``net.params`` one step against ``net.grads``; caches made before are now stale."""
        net = self.net
        net.backend.each_step(self._count)
        net.backend.adam(update, (net.params, net.grads, self.m, self.v), self.scalars)

    def _count(self) -> None:
        """The next t, and the numbers that depend on it: host work, done anew in each step."""
        self.t += 1
        self.net.optimizer_steps += 1
        lr, eps, (beta1, beta2) = self.lr, self.eps, self.betas
        correction1, correction2 = 1 - beta1**self.t, 1 - beta2**self.t
        scalars = beta1, 1 - beta1, beta2, 1 - beta2, lr / correction1, math.sqrt(correction2), eps
        self.net.backend.write(self.scalars, scalars)


def update(p: Any, g: Any, m: Any, v: Any, scalars: tuple[Any, ...]) -> tuple[Any, Any, Any]:
    """The step of single numbers or, element by element, of arrays: the new θ, m and v.

    The backend walks over the vectors with it: NumPy in blocks, or in one loop that Numba compiles
    from these very lines.
    """
    beta1, rest1, beta2, rest2, lr, root, eps = scalars  # lr / (1 - β₁ᵗ) and √(1 - β₂ᵗ)
    m = beta1 * m + rest1 * g
    v = beta2 * v + rest2 * (g * g)
    return p - lr * m / (np.sqrt(v) / root + eps), m, v
