"""Multiply matrices with NVIDIA's cuBLAS, called directly.

CuPy's own matrix products use cuBLAS, too, but CuPy refuses to call it while a CUDA graph is being
captured (cupy/cupy#6290).  cuBLAS itself allows this if its workspace was set before.  Therefore
this module keeps its own cuBLAS handle with a workspace, and makes the one call that is needed, on
CuPy's arrays and in CuPy's current stream.
"""

from __future__ import annotations

import ctypes
from types import ModuleType
from typing import Any

import numpy as np

from minigan.backend.base import Array

WORKSPACE = 32 << 20  # bytes; NVIDIA recommends this size for Hopper
NO_TRANSPOSE, TRANSPOSE = 0, 1
DEFAULT_MATH, TF32_MATH = 0, 3  # values of cublasMath_t


def load_library() -> Any:
    """Load the libcublas that CuPy uses; raise an exception if there is none."""
    from cuda.pathfinder import load_nvidia_dynamic_lib  # installed with CuPy

    return ctypes.CDLL(load_nvidia_dynamic_lib("cublas").abs_path)


class CublasError(RuntimeError):
    """Raised when a call of cuBLAS fails."""


class Cublas:
    """A cuBLAS handle for the current device.  Raises an exception if cuBLAS cannot be loaded."""

    def __init__(self, cupy: ModuleType) -> None:
        self.cupy, self.library = cupy, load_library()
        self.handle = ctypes.c_void_p()
        self._call("cublasCreate_v2", ctypes.byref(self.handle))
        self.workspace = cupy.cuda.alloc(WORKSPACE)
        self.workspaces: dict[int, Any] = {}  # of streams that run beside others
        self.stream: int | None = None
        self.tf32 = False
        self._call("cublasSetMathMode", self.handle, DEFAULT_MATH)

    def use_tf32(self, on: bool) -> None:
        """Choose whether float32 products round their factors to ten bits (TF32), for speed."""
        if on != self.tf32:
            self._call("cublasSetMathMode", self.handle, TF32_MATH if on else DEFAULT_MATH)
            self.tf32 = on

    def give_workspace(self, stream: Any) -> None:
        """Give a stream a workspace of its own, so that its products can run beside others."""
        self.workspaces[stream.ptr] = self.cupy.cuda.alloc(WORKSPACE)

    def matmul(self, a: Array, b: Array, out: Array | None = None) -> Array:
        """Return a b for two float32 or two float64 matrices, which may be transposed views."""
        rows, inner, columns = *a.shape, b.shape[1]
        if out is None:
            out = self.cupy.empty((rows, columns), a.dtype)
        stream = self.cupy.cuda.get_current_stream().ptr
        if stream != self.stream:
            self._call("cublasSetStream_v2", self.handle, ctypes.c_void_p(stream))
            # cublasSetStream has reset the workspace
            workspace = ctypes.c_void_p(self.workspaces.get(stream, self.workspace).ptr)
            self._call("cublasSetWorkspace_v2", self.handle, workspace, ctypes.c_size_t(WORKSPACE))
            self.stream = stream
        # cuBLAS expects matrices that are stored column by column.  These are stored row by row, so
        # cuBLAS sees their transposes.  It therefore computes outᵀ = bᵀ aᵀ, with the factors in the
        # opposite order, and no data is moved.
        a, a_op, a_step = self._layout(a)
        b, b_op, b_step = self._layout(b)
        name, number = (
            ("cublasSgemm_v2", ctypes.c_float)
            if out.dtype == np.float32
            else ("cublasDgemm_v2", ctypes.c_double)
        )
        one, zero = number(1), number(0)
        self._call(
            name, self.handle, b_op, a_op, columns, rows, inner,
            ctypes.byref(one), _pointer(b), b_step, _pointer(a), a_step,
            ctypes.byref(zero), _pointer(out), columns,
        )  # fmt: skip
        return out

    def _layout(self, a: Array) -> tuple[Array, int, int]:
        """Return the matrix, whether cuBLAS must transpose it, and its stride from line to line."""
        (rows, columns), (down, right) = a.shape, (stride // a.itemsize for stride in a.strides)
        if (right == 1 or columns == 1) and (down >= columns or rows == 1):
            return a, NO_TRANSPOSE, max(down, columns)
        if (down == 1 or rows == 1) and (right >= rows or columns == 1):
            return a, TRANSPOSE, max(right, rows)
        return self._layout(self.cupy.ascontiguousarray(a))

    def _call(self, name: str, *args: Any) -> None:
        status = getattr(self.library, name)(*args)
        if status != 0:
            raise CublasError(f"{name} failed with status {status}")


def _pointer(a: Array) -> ctypes.c_void_p:
    return ctypes.c_void_p(a.data.ptr)  # type: ignore[attr-defined]
