"""Check arguments at no cost: shape, dtype and device, but never the values of a device array."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np

from minigan.backend.base import Array
from minigan.backend.dispatch import backend_of

FLOATS = (np.dtype("float32"), np.dtype("float64"))
CHECKED_IN = np.dtype("longdouble")  # arrays may also have this dtype, in the gradient check only


def check_dtype(dtype: Any) -> np.dtype[Any]:
    """Return ``dtype`` as a NumPy dtype; raise ValueError unless it is float32 or float64."""
    if dtype is not None:  # NumPy would read None as float64
        with contextlib.suppress(TypeError):
            float_type: np.dtype[Any] = np.dtype(dtype)
            if float_type in FLOATS:
                return float_type
    raise ValueError(f"dtype is {dtype!r}, expected 'float32' or 'float64'")


def check_size(name: str, value: Any) -> int:
    """Return ``value`` as an int; raise ValueError unless it is a whole number of at least 1."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise ValueError(f"{name} is {value!r}, expected a whole number of at least 1")
    return int(value)


def check_count(name: str, value: Any) -> int:
    """Return ``value`` as an int; raise ValueError unless it is a whole number of at least 0."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 0:
        raise ValueError(f"{name} is {value!r}, expected a whole number of at least 0")
    return int(value)


def check_array(
    name: str, a: Any, shape: tuple[int | None, ...] | None = None, like: Array | None = None
) -> None:
    """Raise unless ``a`` is an array of this shape, on the device and in the dtype of ``like``.

    None in ``shape`` allows any length in its place, and the message calls it N.  Without ``like``,
    any float32 or float64 array passes.

    Raises
    ------
    TypeError
        If ``a`` is not an array, or if it has another dtype or lives on another device.
    ValueError
        If ``a`` has another shape, or no dimensions at all.
    """
    device = backend_of(a, name).name
    if like is None:
        if a.dtype not in (*FLOATS, CHECKED_IN):
            raise TypeError(f"{name} has dtype {a.dtype}, expected float32 or float64")
    else:
        expected = backend_of(like).name
        if device != expected:
            raise TypeError(f"{name} is a {device} array, expected a {expected} array")
        if a.device != like.device:  # they may be on two GPUs
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


def through(layer: Any, method: str, x: Array) -> tuple[Array, Any]:
    """Return y and the cache of ``layer.forward(x)``, or of another method that gives both.

    Raises TypeError if the method returns anything but the pair (y, cache).
    """
    result = getattr(layer, method)(x)
    if isinstance(result, (tuple, list)) and len(result) == 2:
        return result[0], result[1]
    kind = type(result).__name__
    raise TypeError(f"{layer!r}.{method} returned a {kind}, expected the pair (y, cache)")


def check_range(name: str, a: Array, low: float, high: float) -> None:
    """Raise ValueError if a value lies outside [low, high]; NaN passes.  On a GPU this waits."""
    least, most = float(a.min()), float(a.max())
    if least < low or most > high:
        raise ValueError(
            f"{name} reaches from {least:.6g} to {most:.6g}, expected {low:g} to {high:g}"
        )


def check_labels(labels: Any, n: int, classes: int) -> None:
    """Raise unless ``labels`` are n whole numbers from 0 to classes - 1.

    On a GPU their range is not looked at.  Raises TypeError for other numbers, else ValueError.
    """
    on_host = backend_of(labels, "labels").name == "numpy"
    if labels.dtype.kind not in "iu":
        raise TypeError(f"labels are {labels.dtype}, expected whole numbers")
    if labels.shape != (n,):
        raise ValueError(f"labels have shape {labels.shape}, expected ({n},)")
    if on_host and n and not (labels.min() >= 0 and labels.max() < classes):
        raise ValueError(
            f"labels reach from {labels.min()} to {labels.max()}, expected 0 to {classes - 1}"
        )
