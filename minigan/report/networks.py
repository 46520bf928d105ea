"""Networks as data: the layers of a trained network, for the page to compute with.

The weights are most of the page's size, so 16 bits are kept of each: a row of W is a row of whole
numbers times one scale, which is a few times as exact as float16.  An image then changes by less
than a tenth of a grey value, as tests/report shows.  Vectors are short, and stay float32.
"""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from minigan.activations import LeakyReLU, ReLU, Sigmoid, Tanh
from minigan.backend import Array
from minigan.batch_norm import BatchNorm1d
from minigan.layers import Layer, Linear
from minigan.network import Sequential
from minigan.style import Constant, ModulatedLinear, Noise, Shift
from minigan.styled import Styled

KNOWN = (
    Linear, BatchNorm1d, ReLU, LeakyReLU, Tanh, Sigmoid, ModulatedLinear, Shift, Noise, Constant,
)  # fmt: skip
LARGEST_NETWORK = 6_000_000  # numbers: a larger one would make a page of more than 30 MB
LARGEST = 32767  # of the whole numbers of 16 bits


def network_of(net: Sequential) -> Any:
    """Return the network as the page needs it.

    The result is None if the network is too large, or has a layer that the page has no class for.

    Layers in a row are a list.  A ``Styled`` network is a dict: ``"mapping"`` and ``"synthesis"``
    are lists of layers, and ``"affine"`` has, for each layer of the latter, the ``Linear`` that
    makes its style, or None.
    """
    small = net.params.size <= LARGEST_NETWORK
    found = [_layer_of(net, layer) for layer in net.layers] if small else [None]
    if None in found:
        return None
    if not isinstance(net, Styled):
        return found
    return {
        "mapping": found[: len(net.mapping)],
        "synthesis": [found[i] for i in net.way],
        "affine": [found[i - 1] if net.layers[i].beside == "style" else None for i in net.way],
    }


def _layer_of(net: Sequential, layer: Layer) -> dict[str, Any] | None:
    if type(layer) not in KNOWN:
        return None
    kind: dict[str, Any] = {"kind": type(layer).__name__}
    for name in ("n", "n_in", "n_out", "eps", "negative_slope"):
        if getattr(layer, name, None):
            kind[name] = getattr(layer, name)
    for name in (*layer.param_names, *layer.buffer_names):
        array = net.backend.to_numpy(getattr(layer, name))
        kind[name] = packed_matrix(array) if array.ndim == 2 else packed(array)
    return kind


def packed(array: Array) -> str:
    """Return an array's numbers, row by row, as float32 in base64."""
    return _base64(np.asarray(array), "<f4")


def packed_matrix(W: Array) -> dict[str, str]:
    """Return a matrix as whole numbers of 16 bits, and the scale of each row, in base64."""
    scale = np.abs(W).max(axis=1, keepdims=True).astype(np.float32) / np.float32(LARGEST)
    scale[scale == 0] = 1
    return {"whole": _base64(np.rint(W / scale), "<i2"), "scale": _base64(scale, "<f4")}


def _base64(array: Array, kind: str) -> str:
    return base64.b64encode(np.ascontiguousarray(array, kind).tobytes()).decode()
