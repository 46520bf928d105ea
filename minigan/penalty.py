"""R1, a penalty on D's slope at the real images: the gradient of a gradient, by hand.

The loss of a GAN asks D for answers only.  R1 (Mescheder et al. 2018) also asks that D be flat at
the real images: where G has arrived at the data, D should no longer push it away.  The penalty is
the squared length of a gradient, and D's weights are moved along the gradient of that.

No new kind of mathematics is needed for this.  Backprop computes a gradient by formulas as plain as
those of the forward pass: dx = dy Wᵀ is a product of matrices like y = x W.  So the gradient can
itself be taken for a forward pass, and the chain rule goes back through it, in the other direction:
from the image up to the logit.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigan.activations import Sigmoid
from minigan.backend import Array, check_array
from minigan.errors import to_float
from minigan.layers import Layer
from minigan.network import Sequential


def r1(net: Sequential, x: Array, gamma: float, of: Array | None = None) -> Any:
    """Return the penalty R of a network with one output, and set ``net.grads`` to dR/d(params).

        R    = γ/2 · 1/N Σₙ |g[n]|²             g[n] = ∇ₓ D(x[n]), the slope of D at image n

    D(x) is the output of ``net``, (N, 1), which must be a logit: the slope of a probability
    vanishes wherever D is sure.  x is (N, n_in), and γ is ``gamma``.  Three passes compute R and
    its gradient, shown here for Linear and LeakyReLU layers l = 1 … L with slopes mₗ:

        forward     x → D(x)
        backward    δ_L = 1,   δₗ₋₁ = (δₗ Wₗᵀ) mₗ₋₁,   g = δ₁ W₁ᵀ     g is the dx of plain backprop
        upward      t₀ = dR/dg = γ/N g,   tₗ = (tₗ₋₁ Wₗ) mₗ,   dR/dWₗ = tₗ₋₁ᵀ δₗ,   dR/db = 0

    The pass upward is backprop through the pass backward; the rule of each layer for it is called
    ``double_backward``.  The slope of a layer such as Tanh depends on its x, and so on all weights
    before it: then a second pass backward follows, which starts with the dR/dx of these layers.

    If the network has several outputs, ``of``, (N, n_out), says of which one each row is: D(x) is
    then Σₖ y[:, k] of[:, k], and of a conditional GAN these rows are the labels' one-hot vectors.

    A ``BatchNorm1d`` is refused, because with it D(x[n]) would depend on all other images: its
    slope at one image means nothing (Gulrajani et al. 2017, section 4, for the same reason).

    The penalty is a 0-d value on x's device.  Matches PyTorch's ``autograd.grad(…,
    create_graph=True)`` followed by ``backward()``.

    Raises TypeError if ``net`` is not a Sequential; ValueError if it ends in Sigmoid, if one of its
    layers has no ``double_backward``, if it has several outputs and there is no ``of``, or if gamma
    is negative or not finite; TypeError or ValueError if x or ``of`` do not fit, or are empty.
    """
    check_penalised(net, several=of is not None)
    check_array("x", x, (None, net.n_in), like=net.params)
    if of is not None:
        check_array("of", of, (len(x), net.n_out), like=net.params)
    if not 0 <= to_float(gamma) < math.inf:
        raise ValueError(f"gamma is {gamma!r}, expected a finite number of at least 0")
    if len(x) == 0:
        raise ValueError(f"x has shape {x.shape}: the mean of no images is not defined")
    logits, cache = net.forward(x)

    dy = np.zeros_like(logits) + 1  # each row's own logit, not their mean
    if of is not None:
        dy = of
    dys = []
    for layer, kept in zip(reversed(net.layers), reversed(cache.layers), strict=True):
        dys.append(dy)
        dy = layer.backward(dy, kept, param_grads=False)
    g = dy

    N = net[0].ranks.rows(len(x))  # more than len(x) if other processes have other images
    t, dxs = gamma / N * g, []
    for layer, kept, dy in zip(net.layers, cache.layers, reversed(dys), strict=True):
        t, dx = layer.double_backward(t, dy, kept)
        dxs.append(dx)
    if any(dx is not None for dx in dxs):
        _add_effect_of_slopes(net, cache.layers, dxs)
    return gamma / 2 / N * (g * g).sum()


def _add_effect_of_slopes(net: Sequential, caches: list[Any], dxs: list[Array | None]) -> None:
    """Add what the weights change in R through the layers' x: plain backprop of each dR/dx."""
    so_far = net.grads.copy()
    net.grads[...] = 0
    dy: Array | None = None
    for layer, kept, dx in zip(reversed(net.layers), reversed(caches), reversed(dxs), strict=True):
        through = None if dy is None else layer.backward(dy, kept)
        dy = through if dx is None else dx if through is None else through + dx
    net.grads += so_far


def check_penalised(net: Sequential, several: bool) -> None:
    """Raise TypeError or ValueError unless ``r1`` can be taken of this network.

    Without ``several`` it must have one output.
    """
    if not isinstance(net, Sequential):
        raise TypeError(f"net is a {type(net).__name__}, expected a Sequential")
    if isinstance(net[-1], Sigmoid):
        raise ValueError("R1 is a penalty on logits, but the network ends in Sigmoid")
    for i, layer in enumerate(net.layers):
        if type(layer).double_backward is Layer.double_backward:
            raise ValueError(
                f"R1 needs the gradient of D's gradient, but layer {i}, {layer!r}, has no "
                "double_backward"
            )
    if not several and net.n_out != 1:
        raise ValueError(f"R1 needs a network with 1 output, this one has {net.n_out}")
