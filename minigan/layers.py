"""The layers: each class is one forward formula and the backward rule that follows from it.

Every layer maps a batch x to y = f(x).  Training has a loss L, one number, and asks how L changes
with every x, W and b.  Backprop answers layer by layer, from the last to the first: given
dy = dL/dy, a layer returns dx = dL/dx by the chain rule, which is the dy of the layer before it.
So ``dx`` always stands for dL/dx and has the shape of ``x``.

The formulas are NumPy's and run on a GPU unchanged, because NumPy's functions hand CuPy's arrays on
to CuPy; a formula marked ``@elementwise`` becomes one kernel there, and has its arguments checked.
Python numbers (not ``np.float64``) keep float32 arrays float32.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigan.backend import Array, Backend, get_backend, matmul
from minigan.checks import check_array, check_drawn, check_dtype, check_size
from minigan.elementwise import elementwise

Seed = int | np.random.Generator | None


class Layer:
    """What all layers share.  A layer of your own writes only its mathematics:

    - ``forward(x) -> (y, cache)``: the output, and whatever the gradients will need of it;
    - ``input_grad(dy, cache) -> dx``;
    - if it has parameters: their names in ``param_names``; ``draw(rng)``, their initial values in
      that order, as a tuple; and ``param_grads(dy, cache)``, which overwrites the array beside
      ``self.W`` with dL/dW: ``self.dW[...] = …``.  (``self.dW = …`` is an array no optimizer sees.)
    - if it acts otherwise when training is over, ``evaluate``; arrays that it keeps for that are
      made in ``allocate`` and named in ``buffer_names``: see ``BatchNorm1d``.

    The cache belongs to the caller, so several batches can be on their way through one layer.  It
    is an array with the rows and the dtype of x, or a tuple whose first item is one, and may be y
    itself: change neither.  No method changes its arguments.  ``n_in`` and ``n_out``, if set, are
    checked; a layer with parameters gets them from its ``Sequential``, or alone from ``allocate``.
    """

    n_in: int | None = None  # columns of x; None: element by element, x of any shape
    n_out: int | None = None  # columns of y; None: y is shaped like x
    param_names: tuple[str, ...] = ()
    buffer_names: tuple[str, ...] = ()  # arrays that forward changes in training; no parameters
    kinks: tuple[float, ...] = ()  # values of x where the derivative jumps (for check_gradients)
    bound = False  # a layer belongs to one network at most

    def forward(self, x: Array) -> tuple[Array, Any]:
        raise NotImplementedError(f"{type(self).__name__} has no forward")  # each layer has its own

    def evaluate(self, x: Array) -> tuple[Array, Any]:
        """The same when training is over.  Of the layers here only BatchNorm1d then differs."""
        return self.forward(x)

    def input_grad(self, dy: Array, cache: Any) -> Array:
        raise NotImplementedError(f"{type(self).__name__} has no input_grad")  # likewise

    def param_grads(self, dy: Array, cache: Any) -> None:
        """Nothing to do for a layer without parameters."""

    def draw(self, rng: np.random.Generator) -> tuple[Array, ...]:
        """Initial parameters, float64, in the order of ``param_names``."""
        return ()

    def backward(
        self, dy: Array, cache: Any, *, input_grad: bool = True, param_grads: bool = True
    ) -> Array | None:
        """From dy = dL/dy to dx = dL/dx, filling dW and db on the way.

        ``input_grad=False`` leaves dx out (and returns None), ``param_grads=False`` leaves dW and
        db out: the work that belongs to them is skipped.

        Raises TypeError or ValueError if dy differs from y in shape, dtype or device.
        """
        x = cache[0] if isinstance(cache, tuple) else cache
        check_array("cache", x)
        check_array("dy", dy, x.shape if self.n_out is None else (len(x), self.n_out), like=x)
        if param_grads:
            self.param_grads(dy, cache)
        return self.input_grad(dy, cache) if input_grad else None

    def allocate(self, seed: Seed, dtype: Any, backend: str | Backend) -> None:
        """Draw parameters into arrays of its own, which ``Sequential`` replaces by its views."""
        backend, float_type = get_backend(backend), check_dtype(dtype)
        values = check_drawn(self.draw(np.random.default_rng(seed)), self)
        for name, value in zip(self.param_names, values, strict=True):
            parameter = backend.asarray(value, float_type)
            setattr(self, name, parameter)
            setattr(self, "d" + name, np.zeros_like(parameter))

    def __call__(self, x: Array) -> Array:
        return self.evaluate(x)[0]

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class Linear(Layer):
    """Fully connected layer.  x: (N, n_in), W: (n_in, n_out), b: (n_out,), y: (N, n_out)

        y  = x W + b
        dW = xᵀ dy        W[i, j] carries x[:, i] to y[:, j]: sum over the N rows
        db = Σₙ dy[n]     b is added to every row
        dx = dy Wᵀ        x[:, i] reaches y[:, j] through W[i, j]: sum over j

    W and b start uniform in ±1/√n_in, the default of ``torch.nn.Linear``, drawn in float64, W
    first.  PyTorch stores W transposed: ``layer.W[...] = linear.weight.detach().numpy().T``.  Write
    into W and b like this; an array put in their place would not be the network's parameter.

    Raises ValueError for a size below 1.
    """

    param_names = ("W", "b")
    W: Array
    b: Array
    dW: Array
    db: Array

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        seed: Seed = None,
        dtype: str = "float32",
        backend: str | Backend = "numpy",
    ) -> None:
        self.n_in: int = check_size("n_in", n_in)
        self.n_out: int = check_size("n_out", n_out)
        self.allocate(seed, dtype, backend)

    def draw(self, rng: np.random.Generator) -> tuple[Array, ...]:
        bound = 1 / math.sqrt(self.n_in)
        W = rng.uniform(-bound, bound, (self.n_in, self.n_out))
        return W, rng.uniform(-bound, bound, self.n_out)

    def forward(self, x: Array) -> tuple[Array, Array]:
        check_array("x", x, (None, self.n_in), like=self.W)
        y = matmul(x, self.W)
        y += self.b
        return y, x

    def param_grads(self, dy: Array, x: Array) -> None:
        matmul(x.T, dy, out=self.dW)
        np.sum(dy, axis=0, out=self.db)

    def input_grad(self, dy: Array, x: Array) -> Array:
        return matmul(dy, self.W.T)

    def __repr__(self) -> str:
        return f"Linear({self.n_in}, {self.n_out})"


class ReLU(Layer):
    """Rectifier, element by element.  x, y, dx, dy: any one shape

        y  = max(0, x)
        dx = dy where x > 0, else 0

    At the kink x = 0, where any slope from 0 to 1 would do, it is 0, as in ``torch.nn.ReLU``.
    """

    kinks = (0.0,)

    @elementwise
    def forward(self, x: Array) -> tuple[Array, Array]:
        y = np.maximum(x, 0)
        return y, y  # y > 0 exactly where x > 0, so x itself need not be kept

    @elementwise
    def input_grad(self, dy: Array, y: Array) -> Array:
        return dy * (y > 0)


class LeakyReLU(Layer):
    """Rectifier with a small slope s below zero, element by element.  x, y, dx, dy: any one shape

        y  = x where x > 0, else s x
        dx = dy where x > 0, else s dy

    s is ``negative_slope``, 0 to 1, else ValueError: then y = max(x, s x), and the slope is
    max(x > 0, s), where a true comparison counts 1.  Matches ``torch.nn.LeakyReLU``.
    """

    kinks = (0.0,)

    def __init__(self, negative_slope: float = 0.01) -> None:
        if not 0 <= negative_slope <= 1:
            raise ValueError(f"negative_slope is {negative_slope!r}, expected 0 to 1")
        self.negative_slope = float(negative_slope)

    @elementwise
    def forward(self, x: Array) -> tuple[Array, Array]:
        y = np.maximum(x, self.negative_slope * x)
        return y, y  # y > 0 exactly where x > 0

    @elementwise
    def input_grad(self, dy: Array, y: Array) -> Array:
        s = y.dtype.type(self.negative_slope)  # beside a comparison a plain float means float64
        return dy * np.maximum(y > 0, s)  # np.where takes six times as long

    def __repr__(self) -> str:
        return f"LeakyReLU({self.negative_slope})"


class Tanh(Layer):
    """Hyperbolic tangent, element by element.  x, y, dx, dy: any one shape

    y  = tanh(x)
    dx = dy (1 - y²)            since tanh' = 1 - tanh²        (matches ``torch.nn.Tanh``)
    """

    @elementwise
    def forward(self, x: Array) -> tuple[Array, Array]:
        y = np.tanh(x)
        return y, y  # all that the gradient needs is the output

    @elementwise
    def input_grad(self, dy: Array, y: Array) -> Array:
        return dy * (1 - y * y)


def sigmoid(x: Array) -> Array:
    """1 / (1 + e⁻ˣ), written so that neither tail overflows or rounds to zero too soon.

    -log(1 + e⁻ˣ) is ``-logaddexp(0, -x)``, exact at both ends.  The popular (tanh(x/2) + 1) / 2 is
    exactly 0 at x = -20 in float32, where the true value is 2e-9: a gradient would be lost.
    """
    return np.exp(-np.logaddexp(0, -x))


class Sigmoid(Layer):
    """Logistic function: logits to probabilities, element by element.  x, y, dx, dy: any one shape

    y  = σ(x) = 1 / (1 + e⁻ˣ)
    dx = dy y (1 - y)           since σ' = σ (1 - σ)           (matches ``torch.nn.Sigmoid``)
    """

    @elementwise
    def forward(self, x: Array) -> tuple[Array, Array]:
        y = sigmoid(x)
        return y, y

    @elementwise
    def input_grad(self, dy: Array, y: Array) -> Array:
        return dy * y * (1 - y)
