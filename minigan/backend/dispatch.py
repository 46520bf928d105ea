"""Find a backend by its name, or by an array that lives on it."""

from __future__ import annotations

import copyreg
import functools
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from minigan.backend.base import Array, Backend
from minigan.backend.cupy_backend import CupyBackend, why_unavailable
from minigan.backend.numpy_backend import NumpyBackend
from minigan.errors import InputError

OTHER_ALGEBRA = (np.matrix, np.ma.MaskedArray)  # subclasses whose * or sums mean something else


def get_backend(name: str | Backend = "numpy") -> Backend:
    """Return the backend of this name; a ``Backend`` is returned as it is.

    Parameters
    ----------
    name : {"numpy", "cupy", "auto"}
        ``"auto"`` means CuPy where it can be used and NumPy elsewhere.

    Returns
    -------
    Backend
        An object with ``name``, ``xp`` (the array module), ``asarray``, ``to_numpy``,
        ``matmul(a, b, out=None)``, ``adam`` and ``synchronize``.

    Raises
    ------
    InputError
        If the name is unknown, or if it is ``"cupy"`` and CuPy cannot be used; the message says
        why, and what to install.  (InputError is a ValueError.)
    """
    if isinstance(name, Backend):
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


def _by_name(backend: Backend) -> tuple[Any, ...]:
    return get_backend, (backend.name,)


for kind in (NumpyBackend, CupyBackend):
    copyreg.pickle(kind, _by_name)  # copies and pickles of a network share its backend


def backend_of(a: Any, name: str = "the argument") -> Backend:
    """Return the backend on which ``a`` lives; raise TypeError, with ``name``, if it has none."""
    if isinstance(a, np.ndarray) and not isinstance(a, OTHER_ALGEBRA):
        return _numpy()
    cupy = sys.modules.get("cupy")
    if cupy is not None and isinstance(a, cupy.ndarray):
        return _cupy()
    raise TypeError(f"{name} is a {type(a).__name__}, expected a NumPy or CuPy array")


def matmul(a: Array, b: Array, out: Array | None = None) -> Array:
    """Return the matrix product a b, computed on the backend where ``a`` lives."""
    return backend_of(a).matmul(a, b, out)


def branch(work: Callable[..., None], a: Array, *args: Any) -> None:
    """Do ``work(a, *args)``, if possible beside what follows: see ``Backend.branch``."""
    backend_of(a).branch(work, a, *args)


def sum_rows(a: Array, out: Array) -> None:
    """Set ``out``, (n,), to the sum of the rows of a, (N, n), on the backend where ``a`` lives."""
    backend_of(a).sum_rows(a, out)
