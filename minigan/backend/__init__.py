"""Where arrays live and how the few heavy operations run.

The mathematics stands once, in ``minigan.layers`` and its neighbours, written with NumPy's
functions.  A backend holds only what must differ between main memory and a GPU: creating and
moving arrays, the matrix product, the walk of Adam over its vectors, and waiting.
"""

from __future__ import annotations

import functools
import sys
from typing import Any

import numpy as np

from minigan.backend.cupy_backend import CupyBackend, why_unavailable
from minigan.backend.numpy_backend import Array, NumpyBackend
from minigan.errors import InputError

OTHER_ALGEBRA = (np.matrix, np.ma.MaskedArray)  # subclasses whose * or sums mean something else
Backend = NumpyBackend  # what a backend must answer for is written down in NumPy's

__all__ = ["Array", "Backend", "CupyBackend", "NumpyBackend", "backend_of", "get_backend", "matmul"]


def get_backend(name: str | Backend = "numpy") -> Backend:
    """The backend of that name; a backend is returned as it is.

    Parameters
    ----------
    name : {"numpy", "cupy", "auto"}
        ``"auto"`` is CuPy where it can be used and NumPy elsewhere.

    Returns
    -------
    An object with ``name``, ``xp`` (the array module), ``asarray``, ``to_numpy``,
    ``matmul(a, b, out=None)``, ``adam`` and ``synchronize``.

    Raises
    ------
    InputError
        (a ValueError) for an unknown name, or for ``"cupy"`` where it cannot be used: the
        message says why and what to install.
    """
    if isinstance(name, NumpyBackend):
        return name
    if name == "auto":
        name = "numpy" if why_unavailable() else "cupy"
    if name == "numpy":
        return _numpy()
    if name == "cupy":
        return _cupy()
    raise InputError(f"unknown backend {name!r}: expected 'numpy', 'cupy' or 'auto'")


@functools.cache
def _numpy() -> Backend:
    return NumpyBackend()


@functools.cache
def _cupy() -> Backend:
    return CupyBackend()


def backend_of(a: Any, name: str = "the argument") -> Backend:
    """The backend that the array ``a`` lives on; TypeError (naming it) if it is no array."""
    if isinstance(a, np.ndarray) and not isinstance(a, OTHER_ALGEBRA):
        return _numpy()
    cupy = sys.modules.get("cupy")
    if cupy is not None and isinstance(a, cupy.ndarray):
        return _cupy()
    raise TypeError(f"{name} is a {type(a).__name__}, expected a NumPy or CuPy array")


def matmul(a: Array, b: Array, out: Array | None = None) -> Array:
    """The matrix product a b on the backend where ``a`` lives."""
    return backend_of(a).matmul(a, b, out)
