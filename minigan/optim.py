"""Adam: one formula over the network's flat vectors."""

from __future__ import annotations

import math

import numpy as np

from minigan.backend import Array
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

    def step(self) -> None:
        """Move ``net.params`` one step against ``net.grads``; caches made before are now stale."""
        self.t += 1
        lr, eps, (beta1, beta2) = self.lr, self.eps, self.betas
        correction1, correction2 = 1 - beta1**self.t, 1 - beta2**self.t

        def update(p: Array, g: Array, m: Array, v: Array) -> None:
            m *= beta1
            m += (1 - beta1) * g
            v *= beta2
            v += (1 - beta2) * (g * g)
            p -= (lr / correction1) * m / (np.sqrt(v) / math.sqrt(correction2) + eps)

        # The backend walks over the vectors in the way that is fastest where they live.
        self.net.backend.adam(update, self.net.params, self.net.grads, self.m, self.v)
        self.net.optimizer_steps += 1
