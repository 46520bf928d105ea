"""ReLU, LeakyReLU, Tanh and Sigmoid: one function of one number each, applied to every element.

``@elementwise`` marks a formula that treats every element alike: it checks the arguments, and makes
one GPU kernel of the formula.  The constants in formulas are Python numbers, which leave a float32
array float32; an ``np.float64`` would not.
"""

from __future__ import annotations

import numpy as np

from minigan.backend import Array, elementwise
from minigan.errors import to_float
from minigan.layers import Layer


class ReLU(Layer):
    """Rectifier, element by element.  x, y, dx, dy: the same shape

        y  = max(0, x)
        dx = dy where x > 0, else 0

    The graph of y has a kink at x = 0, where any slope from 0 to 1 could serve as the derivative.
    The slope used here is 0, as in ``torch.nn.ReLU``.  On each side of the kink it is constant, so
    dx changes with dy alone, and for a loss R that depends on dx, with t = dR/d(dx),

        dR/d(dy) = t where x > 0, else 0
    """

    kinks = (0.0,)

    @elementwise
    def forward(self, x: Array) -> tuple[Array, Array]:
        y = np.maximum(x, 0)
        return y, y  # y > 0 exactly where x > 0, so x itself need not be kept

    @elementwise
    def input_grad(self, dy: Array, y: Array) -> Array:
        return dy * (y > 0)

    def double_backward(self, t: Array, dy: Array, y: Array) -> tuple[Array, None]:
        return self.input_grad(t, y), None


class LeakyReLU(Layer):
    """Rectifier with a small slope s below zero, element by element.  x, y, dx, dy: the same shape

        y  = x where x > 0, else s x
        dx = dy where x > 0, else s dy

    s is ``negative_slope``.  Because it lies between 0 and 1, y is max(x, s x), and the slope of y
    is max(x > 0, s), where a true comparison counts as 1.  Matches ``torch.nn.LeakyReLU``.  As with
    ``ReLU``, dx changes with dy alone, and for t = dR/d(dx)

        dR/d(dy) = t where x > 0, else s t

    Raises ValueError unless negative_slope is from 0 to 1.
    """

    kinks = (0.0,)

    def __init__(self, negative_slope: float = 0.01) -> None:
        if not 0 <= to_float(negative_slope) <= 1:
            raise ValueError(f"negative_slope is {negative_slope!r}, expected 0 to 1")
        self.negative_slope = float(negative_slope)

    @elementwise
    def forward(self, x: Array) -> tuple[Array, Array]:
        y = np.maximum(x, self.negative_slope * x)
        return y, y  # y > 0 exactly where x > 0

    @elementwise
    def input_grad(self, dy: Array, y: Array) -> Array:
        s = y.dtype.type(self.negative_slope)  # a Python float with booleans would make float64
        return dy * np.maximum(y > 0, s)  # np.where takes several times as long

    def double_backward(self, t: Array, dy: Array, y: Array) -> tuple[Array, None]:
        return self.input_grad(t, y), None

    def __repr__(self) -> str:
        return f"LeakyReLU({self.negative_slope})"


class Tanh(Layer):
    """Hyperbolic tangent, element by element.  x, y, dx, dy: the same shape

    y  = tanh(x)
    dx = dy (1 - y²)            since tanh' = 1 - tanh²        (matches ``torch.nn.Tanh``)

    dR/d(dy) = t (1 - y²)       for t = dR/d(dx)
    dR/dx    = t dy (-2 y) (1 - y²)                            since tanh'' = -2 tanh tanh'
    """

    @elementwise
    def forward(self, x: Array) -> tuple[Array, Array]:
        y = np.tanh(x)
        return y, y  # the gradient needs the output only

    @elementwise
    def input_grad(self, dy: Array, y: Array) -> Array:
        return dy * (1 - y * y)

    @elementwise
    def double_backward(self, t: Array, dy: Array, y: Array) -> tuple[Array, Array]:
        slope = 1 - y * y
        return t * slope, t * dy * -2 * y * slope


def sigmoid(x: Array) -> Array:
    """Return 1 / (1 + e⁻ˣ), computed so that neither tail overflows or rounds to 0 too soon.

    Its logarithm -log(1 + e⁻ˣ) is computed first, as ``-logaddexp(0, -x)``, which is accurate at
    both ends.  The popular formula (tanh(x/2) + 1) / 2 gives exactly 0 at x = -20 in float32, where
    the true value is 2e-9: a gradient would be lost.
    """
    return np.exp(-np.logaddexp(0, -x))


class Sigmoid(Layer):
    """Logistic function: logits to probabilities, element by element.  x, y, dx, dy: the same shape

    y  = σ(x) = 1 / (1 + e⁻ˣ)
    dx = dy y (1 - y)           since σ' = σ (1 - σ)           (matches ``torch.nn.Sigmoid``)

    dR/d(dy) = t y (1 - y)      for t = dR/d(dx)
    dR/dx    = t dy (1 - 2 y) y (1 - y)                        since σ'' = (1 - 2 σ) σ'
    """

    @elementwise
    def forward(self, x: Array) -> tuple[Array, Array]:
        y = sigmoid(x)
        return y, y

    @elementwise
    def input_grad(self, dy: Array, y: Array) -> Array:
        return dy * y * (1 - y)

    @elementwise
    def double_backward(self, t: Array, dy: Array, y: Array) -> tuple[Array, Array]:
        slope = y * (1 - y)
        return t * slope, t * dy * (1 - 2 * y) * slope
