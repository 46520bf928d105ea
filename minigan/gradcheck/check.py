"""Are the gradients right?  Compare every backward rule with the definition of the derivative.

A backward rule claims to know dL/dθ for each entry θ of each array.  The definition gives the same
number, more slowly but for any function:

    dL/dθ  =  lim  (L(θ + h) - L(θ - h)) / (2h)            (the central difference, for h → 0)

So we nudge one entry at a time, that is, move it up and down by a small h, and compare.  Six things
make such a check worth trusting:

- **float64.**  The difference of two nearly equal losses keeps few digits.  With h = 1e-5, float64
  leaves eight to ten correct digits, float32 none.  The check works on a float64 copy of the
  network, and the network itself is not changed.
- **A random upstream gradient.**  The loss is L = Σ dy · y with a random dy.  With dy = 1, a rule
  that forgets dy or transposes it would pass.
- **Poisoned gradients.**  All gradient arrays are filled with 1e30 before backward runs.  An array
  that backward does not write, or only adds to, then cannot pass by luck.  An array that backward
  replaces by a new one fails, too, because the optimizer would never read the new one.
- **No kinks.**  ReLU has no derivative at 0, and a nudge across 0 measures the slope of neither
  side.  Inputs that bring a unit too close to a kink are drawn again.
- **A fair measure.**  The error of an entry is |numeric - backprop| divided by the largest
  |gradient| in the same array.  If it were divided by the entry's own gradient, entries near zero
  would only show rounding.  Where all gradients of an array nearly vanish, as in a saturated
  network, the error is divided by the smallest slope that rounding lets us see (``resolution``).
- **It must be able to fail.**  ``tests/gradcheck/test_gradcheck.py`` plants a gradient that is
  0.1 % off, a transposed dW, a missing 1/N, a forgotten bias, and more, and demands that each is
  rejected.

If an array has more than ``max_entries`` entries, only a random sample of them is nudged.  Then the
array is also moved as a whole, along one random direction d of ±1, which tests every entry at once:
dL/dθ · d must equal the slope of L along d.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigan.backend import Array, backend_of, check_array
from minigan.gradcheck.central_difference import (
    TOLERANCE,
    ArrayCheck,
    GradientReport,
    H,
    compare,
    resolution,
)
from minigan.layers import Layer
from minigan.network import Sequential

Loss = Callable[[Array], tuple[Any, Array]]

KINK_MARGIN = 5 * H  # no unit may be closer to a kink; a nudge moves a unit by a few H at most
POISON = 1e30  # fills the gradient arrays before backward writes them


def check_gradients(
    net: Layer | Sequential,
    x: Array,
    *,
    loss: Loss | None = None,
    training: bool = True,
    max_entries: int = 1000,
    tolerance: float = TOLERANCE,
    seed: int = 0,
) -> GradientReport:
    """Compare backprop with central differences at the input and at every parameter.

    Parameters
    ----------
    net : Layer or Sequential
        The check works on a float64 copy; ``net`` and its gradients stay as they are.
    x : (N, n_in) array
        The input to check at.  It is cast to float64, and rows that bring a unit close to a kink
        are moved a little.
    loss : function of y, optional
        It returns ``(loss, dL/dy)``, for instance ``lambda y: bce(y, 1.0)``.  Without it, the loss
        is L = Σ dy · y with a random upstream gradient dy.
    training : bool
        True checks ``forward``, False checks ``evaluate`` (the two differ for ``BatchNorm1d``).
    max_entries : int
        Arrays with more entries are checked at that many random ones, and along one random
        direction.
    tolerance : float
        The largest error that passes.
    seed : int
        The seed for the upstream gradient, the samples and the direction.

    Returns
    -------
    GradientReport
        True if every array passed; ``report.worst`` names the worst entry, its index and both
        values; ``report.arrays`` has one such record for each array.

    Raises
    ------
    ValueError
        If x is empty, if a single layer has no parameters yet, or if no input away from the kinks
        is found in 100 draws.
    """
    if not isinstance(net, (Layer, Sequential)):
        raise TypeError(f"net is a {type(net).__name__}, expected a Layer or a Sequential")
    check_array("x", x)
    if x.size == 0:
        raise ValueError(f"x has shape {x.shape}: there is nothing to check")
    rng = own_stream(seed)
    net = _float64_copy(net)
    run = net.forward if training else net.evaluate
    x = away_from_kinks(_layers(net), x.astype("float64"), rng, training)

    y, cache = run(x)
    y = y.copy()  # y may be a view of x, which the nudges change
    random_dy = backend_of(y).asarray(rng.standard_normal(y.shape))
    dy = random_dy if loss is None else loss(y)[1]
    parameters = named_parameters(net)
    for _, _, gradient in parameters:
        gradient[...] = POISON
    dx = net.backward(dy, cache)
    replaced = [
        ArrayCheck(f"{name}: a new array in the place of its gradient", math.inf, (), 0, 0, 0, 0)
        for (name, _, given), (_, _, now) in zip(parameters, named_parameters(net), strict=True)
        if now is not given  # the optimizer reads the old array, which was not written
    ]
    if replaced:
        return GradientReport(tuple(replaced), tolerance)

    def L() -> float:
        if loss is not None:
            return float(loss(run(x)[0])[0])
        return float(((run(x)[0] - y) * dy).sum())  # the constant y is subtracted to save digits

    size = L() if loss is not None else float(np.abs(y * dy).sum())
    arrays = [*parameters, ("x", x, dx)]
    return GradientReport(
        tuple(compare(*array, L, resolution(size), rng, max_entries) for array in arrays),
        tolerance,
    )


def check_loss(
    loss: Callable[[Array, Array], tuple[Any, Array]], y: Array, target: Array
) -> GradientReport:
    """Check the gradient of a loss function.  y, target: float64 arrays of the same shape."""
    y = y.copy()
    value, dy = loss(y, target)

    def L() -> float:
        return float(loss(y, target)[0])

    return GradientReport((compare("y", y, dy, L, resolution(float(value)), own_stream(0)),))


def own_stream(seed: int) -> np.random.Generator:
    """Return a generator whose random numbers differ from those that x may have been drawn from.

    If dy were equal to x, xᵀ dy would be symmetric, and a transposed dW would pass.
    """
    return np.random.default_rng([seed, 19])


def _float64_copy(net: Layer | Sequential) -> Any:
    net = copy.deepcopy(net)
    if isinstance(net, Sequential):
        net.dtype = np.dtype("float64")
        net.params, net.grads = net.params.astype("float64"), net.grads.astype("float64")
        net.bind()
    else:
        for name in net.param_names:
            if not hasattr(net, name):
                raise ValueError(f"{net!r} has no {name} yet: check Sequential({net!r}) instead")
            for key in (name, "d" + name):
                setattr(net, key, getattr(net, key).astype("float64"))
    for layer in _layers(net):
        for name in layer.buffer_names:
            setattr(layer, name, getattr(layer, name).astype("float64"))
    return net


def _layers(net: Layer | Sequential) -> tuple[Layer, ...]:
    return net.layers if isinstance(net, Sequential) else (net,)


def named_parameters(net: Layer | Sequential) -> list[tuple[str, Array, Array]]:
    if isinstance(net, Sequential):
        return list(net.named_parameters())
    return [(name, getattr(net, name), getattr(net, "d" + name)) for name in net.param_names]


def away_from_kinks(
    layers: tuple[Layer, ...], x: Array, rng: np.random.Generator, training: bool = True
) -> Array:
    """Return x, with rows moved at random until no unit is within KINK_MARGIN of a kink."""
    backend, start = backend_of(x), backend_of(x).to_numpy(x)
    for _ in range(100):
        near = _distance_to_kink(layers, x, training) <= KINK_MARGIN
        if not near.any():
            return x
        moved = start + 0.1 * rng.standard_normal(start.shape)
        redrawn = np.array(backend.to_numpy(x))  # a copy, because x may belong to the caller
        redrawn[near] = moved[near]
        x = backend.asarray(redrawn)
    raise ValueError(f"no input away from the kinks in 100 draws for x of shape {x.shape}")


def _distance_to_kink(layers: tuple[Layer, ...], x: Array, training: bool) -> Array:
    """Return, for each row of x, how near any unit comes to a kink: (N,), in main memory."""
    distance = np.full(len(x), math.inf)
    for layer in layers:
        for kink in layer.kinks:
            nearest = np.abs(x - kink).reshape(len(x), -1).min(axis=1)
            distance = np.minimum(distance, backend_of(x).to_numpy(nearest))
        x, _ = layer.forward(x) if training else layer.evaluate(x)
    return distance
