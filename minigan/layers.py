"""What a layer is, and Linear: a forward formula and the backward rule that follows from it.

Every layer maps a batch x to y = f(x).  Training measures the network's output by a loss L, one
number, and asks how L changes with every x, W and b.  Backprop answers layer by layer, from the
last to the first: given dy = dL/dy, a layer computes dx = dL/dx by the chain rule, and this dx is
the dy of the layer before it.  So ``dx`` always stands for dL/dx and has the shape of ``x``.

The formulas are written with NumPy's functions and run on a GPU unchanged, because these functions
hand CuPy's arrays on to CuPy.
"""

from __future__ import annotations

import math
from typing import Any, Literal, overload

import numpy as np

from minigan.backend import ALONE, Array, Backend, Ranks, branch, get_backend, matmul, sum_rows
from minigan.backend.checks import check_array, check_dtype, check_size
from minigan.backend.flat import checksum

Seed = int | np.random.Generator | None


class Layer:
    """The base class of all layers.  A layer of your own defines only its mathematics:

    - ``forward(x) -> (y, cache)`` returns the output, and a cache of what the gradients will need.
    - ``input_grad(dy, cache) -> dx`` returns dL/dx for a given dy = dL/dy.

    A layer with parameters also defines

    - ``param_names``, the names of its parameters, for instance ``("W", "b")``;
    - ``draw(rng)``, which returns their initial values as a tuple, in the order of the names;
    - ``param_grads(dy, cache)``, which writes dL/dW into the array ``self.dW`` that is there
      already: ``self.dW[...] = …``.  (No optimizer would read a new array, ``self.dW = …``.)

    A layer of a D that is trained with ``r1`` also defines ``double_backward``.

    A layer that computes something else after training also defines ``evaluate``.  Arrays that it
    keeps for this are made in ``allocate`` and named in ``buffer_names``, as in ``BatchNorm1d``.

    The cache is an array with the rows and the dtype of x, or a tuple whose first item is such an
    array.  The caller keeps it, so several batches can be on their way through one layer.  The
    cache may be x or y itself, so write into none of the three before ``backward`` has run.  No
    method changes its arguments.  ``n_in`` and ``n_out`` are checked where they are set.  A
    ``Sequential`` makes the arrays of its layers' parameters; a layer that is used alone calls
    ``allocate`` to make them.  ``net.save`` keeps a layer as its ``repr``, which must be the call
    that makes it.
    """

    n_in: int | None = None  # columns of x; None: x may have any shape
    n_out: int | None = None  # columns of y; None: y has the shape of x
    n: int  # columns of x alone, if something stands beside it
    param_names: tuple[str, ...] = ()
    buffer_names: tuple[str, ...] = ()  # other arrays, which forward updates in training
    kinks: tuple[float, ...] = ()  # values of x where the derivative jumps (for check_gradients)
    ranks: Ranks = ALONE  # the processes that share out each batch, if there are several
    beside = ""  # what a ``Styled`` network puts beside x: "style", "noise" or nothing
    bound = False  # True in a Sequential: a layer belongs to one network at most
    drawn = 0  # the checksum of the parameters as they were drawn

    def forward(self, x: Array) -> tuple[Array, Any]:
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def evaluate(self, x: Array) -> tuple[Array, Any]:
        """Return y and a cache as ``forward`` does, but as the layer is used after training.

        Of the layers in minigan, only ``BatchNorm1d`` then computes something else.
        """
        return self.forward(x)

    def input_grad(self, dy: Array, cache: Any) -> Array:
        raise NotImplementedError(f"{type(self).__name__} has no input_grad")

    def param_grads(self, dy: Array, cache: Any) -> None:
        """Overwrite the parameters' gradients.  Here there are no parameters, and nothing to do."""

    def double_backward(self, t: Array, dy: Array, cache: Any) -> tuple[Array, Array | None]:
        """Go back through ``input_grad``, for a loss R that depends on dx: see ``minigan.penalty``.

        The formula of ``input_grad`` computes dx from dy, from W and, if the layer's slope is not
        constant, from x.  So for a given t = dR/d(dx), return dR/d(dy) and dR/dx, or None for the
        latter if dx does not depend on x, and overwrite dW and db with dR/dW and dR/db.
        """
        raise NotImplementedError(f"{self!r} has no double_backward")

    def draw(self, rng: np.random.Generator) -> tuple[Array, ...]:
        """Return the initial parameters, in float64 and in the order of ``param_names``."""
        return ()

    @overload
    def backward(
        self, dy: Array, cache: Any, *, input_grad: Literal[True] = True, param_grads: bool = True
    ) -> Array: ...
    @overload
    def backward(
        self, dy: Array, cache: Any, *, input_grad: Literal[False], param_grads: bool = True
    ) -> None: ...
    @overload
    def backward(
        self, dy: Array, cache: Any, *, input_grad: bool, param_grads: bool = True
    ) -> Array | None: ...
    def backward(
        self, dy: Array, cache: Any, *, input_grad: bool = True, param_grads: bool = True
    ) -> Array | None:
        """Return dx = dL/dx for a given dy = dL/dy, and overwrite dW and db.

        ``input_grad=False`` skips the work for dx and returns None.  ``param_grads=False`` skips
        the work for dW and db and leaves them as they are.

        Raises TypeError or ValueError if dy differs from y in shape, dtype or device.
        """
        x = cache[0] if isinstance(cache, tuple) else cache
        check_array("cache", x)
        check_array("dy", dy, x.shape if self.n_out is None else (len(x), self.n_out), like=x)
        if param_grads and self.param_names:  # a GPU may do this beside dx: neither needs the other
            branch(self.param_grads, dy, cache)
        return self.input_grad(dy, cache) if input_grad else None

    def allocate(
        self, seed: Seed = None, dtype: Any = "float32", backend: str | Backend = "numpy"
    ) -> None:
        """Draw the parameters into new arrays, which ``Sequential`` then replaces by its views."""
        backend, float_type = get_backend(backend), check_dtype(dtype)
        values, names = self.draw(np.random.default_rng(seed)), self.param_names
        if not isinstance(values, tuple) or len(values) != len(names):
            got = len(values) if isinstance(values, tuple) else f"a {type(values).__name__}"
            raise ValueError(
                f"{type(self).__name__}.draw returned {got}, expected a tuple of {len(names)}, an "
                f"array for each of {', '.join(names)}"
            )
        for name, value in zip(names, values, strict=True):
            parameter = backend.asarray(value, float_type)
            setattr(self, name, parameter)
            setattr(self, "d" + name, np.zeros_like(parameter))
        self.drawn = checksum(self.arrays())

    def arrays(self) -> list[Array]:
        """Return the parameters and buffers that there are."""
        names = (*self.param_names, *self.buffer_names)
        return [getattr(self, name) for name in names if hasattr(self, name)]

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.bound = False  # a copy belongs to no network; Sequential binds the copies of its own

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

    For a loss R that depends on this dx, with t = dR/d(dx), the same two rules hold once more:

        dR/d(dy) = t W
        dR/dW    = tᵀ dy
        dR/db    = 0            b is not in dx = dy Wᵀ, and neither is x

    W and b start as uniform random numbers between -1/√n_in and 1/√n_in, as in ``torch.nn.Linear``.
    They are drawn in float64, W before b.  PyTorch stores W transposed; this line copies its
    weights: ``layer.W[...] = linear.weight.detach().numpy().T``.  Write into W and b as it does: an
    array put in their place would not be the network's parameter.

    Raises ValueError unless n_in and n_out are whole numbers of at least 1.
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
        sum_rows(dy, out=self.db)

    def input_grad(self, dy: Array, x: Array) -> Array:
        return matmul(dy, self.W.T)

    def double_backward(self, t: Array, dy: Array, x: Array) -> tuple[Array, None]:
        matmul(t.T, dy, out=self.dW)
        self.db[...] = 0
        return matmul(t, self.W), None

    def __repr__(self) -> str:
        return f"Linear({self.n_in}, {self.n_out})"
