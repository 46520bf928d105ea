"""Arrays on an NVIDIA GPU, computed by CuPy.

NumPy's functions hand their work to CuPy when they are given its arrays (NEP 13 and 18), so the
formulas of ``minigan.layers`` run here as they stand.  Only what NumPy cannot hand on is below.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from minigan.backend.numpy_backend import Array, NumpyBackend
from minigan.errors import InputError

INSTALL = "pip install 'minigan[cuda12]' (or 'minigan[cuda13]')"


def why_unavailable() -> str | None:
    """None if CuPy can compute here, else the reason in a few words.

    CuPy imports on machines without a GPU, so "usable" means more: it imports, it counts a
    device, and it can allocate, compile a kernel (NVRTC) and multiply (cuBLAS) there.
    """
    try:
        cupy = importlib.import_module("cupy")
    except ImportError as error:
        if error.name == "cupy":
            return f"CuPy is not installed: {INSTALL}"
        return f"CuPy is installed but does not import ({error}): {INSTALL} brings all it needs"
    try:
        if cupy.cuda.runtime.getDeviceCount() == 0:
            return "CuPy finds no CUDA device"
        one = cupy.zeros((1, 1)) + 1
        float(cupy.matmul(one, one)[0, 0])
    except Exception as error:  # CuPy's own classes of error exist only where CuPy does
        reason = " ".join(str(error).split())
        return f"CuPy cannot use a CUDA device ({type(error).__name__}: {reason})"
    return None


class CupyBackend(NumpyBackend):
    """The current CUDA device, through CuPy."""

    name = "cupy"

    def __init__(self) -> None:
        reason = why_unavailable()
        if reason is not None:
            raise InputError(f"backend 'cupy' cannot be used: {reason}")

    @property
    def xp(self) -> ModuleType:
        return importlib.import_module("cupy")

    def asarray(self, a: Any, dtype: Any = None) -> Array:
        return self.xp.asarray(a, dtype)  # type: ignore[no-any-return]

    def to_numpy(self, a: Array) -> Array:
        return self.xp.asnumpy(a)  # type: ignore[no-any-return]

    def matmul(self, a: Array, b: Array, out: Array | None = None) -> Array:
        return self.xp.matmul(a, b, out=out)  # type: ignore[no-any-return]

    def adam(
        self, update: Callable[..., Any], vectors: Sequence[Array], scalars: tuple[Any, ...]
    ) -> None:
        """The whole vectors at once: a GPU wants few, large kernels."""
        p, g, m, v = vectors
        p[...], m[...], v[...] = update(p, g, m, v, scalars)

    def synchronize(self) -> None:
        self.xp.cuda.get_current_stream().synchronize()
