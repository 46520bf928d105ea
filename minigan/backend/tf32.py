"""Products of float32 matrices on a GPU's tensor cores, with their factors rounded: TF32."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from minigan.backend.base import Backend
from minigan.backend.cupy_backend import CupyBackend
from minigan.errors import InputError


@contextlib.contextmanager
def tf32_products(backend: Backend, on: bool = True) -> Iterator[None]:
    """Let float32 products round their factors to ten bits of mantissa, until the block ends.

    If ``on`` is False, the products stay as they are.  Raises InputError as ``check_tf32`` does.
    """
    if not on:
        yield
        return
    gpu = check_tf32(backend)
    before, gpu.tf32 = gpu.tf32, True
    try:
        yield
    finally:
        gpu.tf32 = before


def check_tf32(backend: Backend) -> CupyBackend:
    """Return the backend; raise InputError unless its products can round their factors."""
    if not isinstance(backend, CupyBackend):
        raise InputError(
            f"`tf32` needs a GPU, whose products it rounds, but the backend is {backend.name}"
        )
    if backend.cublas is None:
        raise InputError("`tf32` needs cuBLAS, which cannot be called directly here")
    return backend
