"""Exercise 3: the rectifier that leaks.

    y = x where x > 0, else s x         element by element; x, y, dx, dy: one shape

s is ``self.negative_slope``, 0.2 in the tutorial's discriminator.  Given dy and x, write dx.

Hint: make the same drawing as for ReLU, with one slope changed.  And keep the dtype: the result of
``np.where(x > 0, 1, s)`` is a float64 array, but the result of ``np.where(x > 0, a, b)`` with two
float32 arrays is float32.
"""

from __future__ import annotations

import numpy as np

import minigan as mg
from minigan.backend import Array


class LeakyReLU(mg.Layer):
    kinks = (0.0,)

    def __init__(self, negative_slope: float = 0.01) -> None:
        self.negative_slope = negative_slope

    def forward(self, x: Array) -> tuple[Array, Array]:
        return np.maximum(x, self.negative_slope * x), x

    def input_grad(self, dy: Array, x: Array) -> Array:
        raise NotImplementedError("dx")  # yours to write
