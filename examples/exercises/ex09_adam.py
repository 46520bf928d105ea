"""Exercise 9: Adam's update of the parameters θ by their gradients g.

Adam keeps two running means, which are 0 at the start.  In each step the old mean has the weight β,
and the new value has the rest of the weight:

    m: of the gradient g, with β₁           v: of its square, with β₂

Both means are too small at first, because they begin at 0.  To make up for it, divide each by the
sum of the weights that its values have got so far; this gives m̂ and v̂.  Then

    θ ← θ - move,       move = lr m̂ / (√v̂ + eps)          t counts the steps, the first is t = 1

Write new_m, new_v and move.  m, v, g, move: (number of parameters,)

Hint: let every g be 1.  What is m after the first step, after the second, and after t steps?  It
should be 1, so by what must it be divided?  And where exactly is eps added: before or after that
division?
"""

from __future__ import annotations

import numpy as np

import minigan as mg
from minigan.backend import Array


class Adam:
    def __init__(
        self,
        net: mg.Sequential,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        self.net, self.lr, self.eps = net, lr, eps
        self.beta1, self.beta2 = betas
        self.m = np.zeros_like(net.params)
        self.v = np.zeros_like(net.params)
        self.t = 0

    def step(self) -> None:
        self.t += 1
        self.net.weights_changed()  # caches that were made before are stale now
        self.m = self.new_m(self.m, self.net.grads)
        self.v = self.new_v(self.v, self.net.grads)
        self.net.params -= self.move(self.m, self.v, self.t)

    def new_m(self, m: Array, g: Array) -> Array:
        raise NotImplementedError("m")  # yours to write

    def new_v(self, v: Array, g: Array) -> Array:
        raise NotImplementedError("v")  # yours to write

    def move(self, m: Array, v: Array, t: int) -> Array:
        raise NotImplementedError("move")  # yours to write
