"""Checks of arguments, at no cost: shape, dtype and device, never the values of a device array."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np

from minigan.backend import Array, backend_of

FLOATS = (np.dtype("float32"), np.dtype("float64"))


def check_dtype(dtype: Any) -> np.dtype[Any]:
    """``dtype`` as a NumPy dtype; ValueError unless it is float32 or float64."""
    if dtype is not None:  # which NumPy takes for float64
        with contextlib.suppress(TypeError):
            float_type: np.dtype[Any] = np.dtype(dtype)
            if float_type in FLOATS:
                return float_type
    raise ValueError(f"dtype is {dtype!r}, expected 'float32' or 'float64'")


def check_size(name: str, value: Any) -> int:
    """``value`` as an int; ValueError unless it is a whole number of at least 1."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise ValueError(f"{name} is {value!r}, expected a whole number of at least 1")
    return int(value)


def check_array(
    name: str, a: Any, shape: tuple[int | None, ...] | None = None, like: Array | None = None
) -> None:
    """Raise unless ``a`` is an array of that shape, on the device and in the dtype of ``like``.

    None in ``shape`` admits any length there and is called N in the message.  Without ``like``
    any float32 or float64 array will do.

    Raises
    ------
    TypeError
        for another type, dtype or device.
    ValueError
        for another shape.
    """
    device = backend_of(a, name).name
    if like is None:
        if a.dtype not in FLOATS:
            raise TypeError(f"{name} has dtype {a.dtype}, expected float32 or float64")
    else:
        expected = backend_of(like).name
        if device != expected:
            raise TypeError(f"{name} is a {device} array, expected a {expected} array")
        if a.device != like.device:  # of several GPUs
            raise TypeError(f"{name} is on {a.device}, expected on {like.device}")
        if a.dtype != like.dtype:
            raise TypeError(f"{name} has dtype {a.dtype}, expected {like.dtype}")
    if a.ndim == 0:
        raise ValueError(f"{name} has no dimensions, expected rows and columns")
    if shape is not None and not (
        len(shape) == a.ndim
        and all(want in (None, got) for want, got in zip(shape, a.shape, strict=True))
    ):
        want = ", ".join("N" if n is None else str(n) for n in shape)
        want += "," if len(shape) == 1 else ""
        raise ValueError(f"{name} has shape {a.shape}, expected ({want})")


def check_drawn(values: Any, layer: Any) -> tuple[Any, ...]:
    """What a layer's ``draw`` returned; ValueError unless there is a value for each parameter."""
    names = layer.param_names
    if not isinstance(values, tuple) or len(values) != len(names):
        got = f"{len(values)}" if isinstance(values, tuple) else f"a {type(values).__name__}"
        raise ValueError(
            f"{type(layer).__name__}.draw returned {got}, expected a tuple of {len(names)}, an "
            f"array for each of {', '.join(names)}"
        )
    return values


def check_layers(layers: tuple[Any, ...], kind: type[Any]) -> tuple[int | None, int | None]:
    """Raise unless the layers can stand in a row; the widths of their x and y (None: any)."""
    if not layers:
        raise ValueError("Sequential needs at least one layer")
    first = width = None
    for i, layer in enumerate(layers):
        if not isinstance(layer, kind):
            raise TypeError(f"layer {i} is a {type(layer).__name__}, expected a minigan Layer")
        if layer.bound:
            raise ValueError(f"layer {i}, {layer!r}, belongs to another network already")
        if any(layer is other for other in layers[:i]):
            raise ValueError(f"layer {i}, {layer!r}, stands twice in this network")
        if layer.n_in is not None and width is not None and layer.n_in != width:
            raise ValueError(f"layer {i}, {layer!r}, takes {layer.n_in} columns but gets {width}")
        first = layer.n_in if first is None else first
        width = layer.n_out if layer.n_out is not None else width
    return first, width
