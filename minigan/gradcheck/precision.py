"""Copies of a network in another precision, and the names of what is in them."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from minigan.backend import Array, Backend
from minigan.layers import Layer
from minigan.network import Sequential

EXTENDED = "longdouble"  # 19 digits on most PCs instead of 16; on others the same as float64


def has_more_digits(backend: Backend) -> bool:
    """Return whether extended precision has more digits than float64 here."""
    return backend.name == "numpy" and bool(np.finfo(EXTENDED).eps < np.finfo("float64").eps)


def copy_in(net: Layer | Sequential, dtype: str) -> Any:
    """Return a copy of ``net`` whose parameters, gradients and buffers have this dtype."""
    net = copy.deepcopy(net)
    if isinstance(net, Sequential):
        net.dtype = np.dtype(dtype)
        net.params, net.grads = net.params.astype(dtype), net.grads.astype(dtype)
        net.bind()
    else:
        for name in net.param_names:
            if not hasattr(net, name):
                raise ValueError(f"{net!r} has no {name} yet: check Sequential({net!r}) instead")
            for key in (name, "d" + name):
                setattr(net, key, getattr(net, key).astype(dtype))
    for layer in layers_of(net):
        for name in layer.buffer_names:
            setattr(layer, name, getattr(layer, name).astype(dtype))
    return net


def layers_of(net: Layer | Sequential) -> tuple[Layer, ...]:
    """Return the layers of a network, or the one layer that ``net`` is."""
    return net.layers if isinstance(net, Sequential) else (net,)


def named_parameters(net: Layer | Sequential) -> list[tuple[str, Array, Array]]:
    """Return (name, parameter, gradient) for each parameter of a network or of a single layer."""
    if isinstance(net, Sequential):
        return list(net.named_parameters())
    return [(name, getattr(net, name), getattr(net, "d" + name)) for name in net.param_names]
