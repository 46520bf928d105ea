"""Copies of a network to be checked: in another precision, and where no value is special."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from minigan.backend import Array, Backend, backend_of
from minigan.layers import Layer
from minigan.network import Sequential

EXTENDED = "longdouble"  # 19 digits on most PCs instead of 16; on others the same as float64


def has_more_digits(backend: Backend) -> bool:
    """Return whether extended precision has more digits than float64 here."""
    return backend.name == "numpy" and bool(np.finfo(EXTENDED).eps < np.finfo("float64").eps)


def copy_in(net: Layer | Sequential, dtype: str) -> Any:
    """Return a copy of ``net`` whose parameters, gradients and buffers have this dtype.

    Parameters with special values have others in the copy: see ``leave_special_values``.
    """
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
            buffer = getattr(layer, name)
            if buffer.dtype.kind == "f":  # not the numbers of columns
                setattr(layer, name, buffer.astype(dtype))
    leave_special_values(net)
    return net


def leave_special_values(net: Layer | Sequential) -> None:
    """Move parameters whose entries are all alike, as those of γ and β are before the first step.

    There a wrong rule may be right by chance: one that forgets γ where γ is 1, or takes the entries
    of s in another order where all are the same.  A parameter of one entry is moved if that is 0, 1
    or -1.  All others stay where they are.
    """
    rng = np.random.default_rng(0)
    for _, parameter, _ in named_parameters(net):
        backend = backend_of(parameter)
        values = backend.to_numpy(parameter)
        alike = bool((values == values.flat[0]).all())
        if alike and (values.size > 1 or values.flat[0] in (-1, 0, 1)):
            part = rng.uniform(0.7, 0.95, values.shape)
            moved = values * part if values.any() else 1 - part
            backend.write(parameter, moved.astype(values.dtype))


def layers_of(net: Layer | Sequential) -> tuple[Layer, ...]:
    """Return the layers of a network, or the one layer that ``net`` is."""
    return net.layers if isinstance(net, Sequential) else (net,)


def named_parameters(net: Layer | Sequential) -> list[tuple[str, Array, Array]]:
    """Return (name, parameter, gradient) for each parameter of a network or of a single layer.

    A parameter without entries is left out, because there is nothing to check.
    """
    if isinstance(net, Sequential):
        return [named for named in net.named_parameters() if named[1].size]
    named = [(name, getattr(net, name), getattr(net, "d" + name)) for name in net.param_names]
    return [(name, p, gradient) for name, p, gradient in named if p.size]
