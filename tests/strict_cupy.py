"""A stand-in for CuPy that runs on the CPU and is stricter than CuPy itself.

Its arrays refuse to become NumPy arrays unless asked (``asnumpy``), refuse to mix with them, keep
0-d results on the "device", know only the functions that the project relies on, and count every
transfer and every wait.  Code that runs on it keeps its arrays where they belong.
"""

from __future__ import annotations

import types
from typing import Any

import numpy as np

HOST_SCALARS = (bool, int, float, np.generic)
UFUNCS = set(
    "absolute add divide equal exp greater isfinite less log log1p logaddexp matmul maximum "
    "minimum multiply negative sqrt subtract tanh".split()
)
FUNCTIONS = {"concatenate", "empty_like", "mean", "sum", "where", "zeros", "zeros_like"}


class Counts:
    """How often the host waited for the "device", what went to and fro, what was allocated."""

    to_device = to_host = waits = allocations = 0

    @classmethod
    def reset(cls) -> None:
        cls.to_device = cls.to_host = cls.waits = cls.allocations = 0


def unwrap(value: Any) -> Any:
    """The ndarray inside; TypeError for a NumPy array, which a real device could not reach."""
    if isinstance(value, StrictArray):
        return value.inside
    if isinstance(value, (list, tuple)):
        return type(value)(unwrap(item) for item in value)
    if isinstance(value, np.ndarray):
        raise TypeError("a host array among device arrays")
    return value


class StrictArray(np.lib.mixins.NDArrayOperatorsMixin):
    def __init__(self, inside: Any) -> None:
        self.inside = np.asarray(inside)

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("implicit conversion of a device array to a host array")

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if ufunc.__name__ not in UFUNCS or method != "__call__":
            raise TypeError(f"{ufunc.__name__}.{method} is not among what CuPy is relied on for")
        for value in inputs:
            if not isinstance(value, (StrictArray, *HOST_SCALARS)):
                raise TypeError(f"{ufunc.__name__} of a device array and a {type(value).__name__}")
        out = kwargs.pop("out", None)
        if out is not None:
            kwargs["out"] = unwrap(out)
        result = getattr(ufunc, method)(*unwrap(inputs), **kwargs)
        Counts.allocations += out is None
        return out[0] if out is not None else StrictArray(result)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if func.__name__ not in FUNCTIONS:
            raise TypeError(f"{func.__name__} is not among what CuPy is relied on for")
        if "out" in kwargs and func.__name__ != "sum":
            raise TypeError(f"CuPy has no out= for {func.__name__}")
        result = func(*unwrap(args), **{key: unwrap(value) for key, value in kwargs.items()})
        Counts.allocations += kwargs.get("out") is None
        return kwargs["out"] if kwargs.get("out") is not None else StrictArray(result)

    def __float__(self) -> float:
        Counts.waits += 1
        return float(self.inside)

    def __bool__(self) -> bool:
        Counts.waits += 1
        return bool(self.inside)

    def __len__(self) -> int:
        return len(self.inside)

    def __getitem__(self, index: Any) -> StrictArray:
        return StrictArray(self.inside[unwrap(index)])

    def __setitem__(self, index: Any, value: Any) -> None:
        self.inside[unwrap(index)] = unwrap(value)

    @property
    def T(self) -> StrictArray:
        return StrictArray(self.inside.T)

    def __getattr__(self, name: str) -> Any:
        if name in ("shape", "dtype", "ndim", "size", "nbytes"):
            return getattr(self.inside, name)
        if name in ("sum", "mean", "min", "max", "all", "any", "astype", "reshape", "copy"):
            method = getattr(self.inside, name)
            return lambda *args, **kwargs: StrictArray(method(*unwrap(args), **kwargs))
        raise AttributeError(name)

    def __deepcopy__(self, memo: Any) -> StrictArray:
        return self.copy()


def asarray(a: Any, dtype: Any = None) -> StrictArray:
    if isinstance(a, StrictArray):
        return a if dtype in (None, a.dtype) else StrictArray(a.inside.astype(dtype))
    Counts.to_device += 1
    return StrictArray(np.array(a, dtype))


def asnumpy(a: Any) -> Any:
    if not isinstance(a, StrictArray):
        return np.asarray(a)
    Counts.to_host += 1
    return a.inside.copy()


def wait() -> None:
    Counts.waits += 1


def make_module() -> types.ModuleType:
    """What ``import cupy`` is to give."""
    cupy: Any = types.ModuleType("cupy")
    cupy.__version__ = "strict stand-in"
    cupy.ndarray = StrictArray
    cupy.asarray, cupy.asnumpy = asarray, asnumpy
    cupy.zeros = lambda *args: StrictArray(np.zeros(*args))
    cupy.matmul = lambda a, b, out=None: np.matmul(a, b, out=out)
    runtime = types.SimpleNamespace(
        getDeviceCount=lambda: 1,
        getDeviceProperties=lambda device: {"name": b"strict stand-in"},
    )
    stream = types.SimpleNamespace(synchronize=wait)
    cupy.cuda = types.SimpleNamespace(runtime=runtime, get_current_stream=lambda: stream)
    return cupy
