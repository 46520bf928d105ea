"""A stand-in for CuPy that runs on the CPU and is stricter than CuPy itself.

Its arrays refuse to become NumPy arrays unless asked (``asnumpy``), refuse to mix with them, keep
0-d results on the "device", know only the functions that the project relies on, and count every
transfer, wait and allocation.  Code that runs on it keeps its arrays where they belong.

Streams can be captured as on a GPU: while one is, no work is done, a transfer, a wait or a product
by CuPy itself is an error, and the graph's launch then does all the work, in the arrays that the
capture met.  Kernels are the text that the GPU would get, read line by line.  ``FakeCublas`` is
called as the library is, with addresses and strides.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import itertools
import re
import threading
import time
import types
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

HOST_SCALARS = (bool, int, float, np.generic)
UFUNCS = set(
    "absolute add divide equal exp greater isfinite less log log1p logaddexp matmul maximum "
    "minimum multiply negative sqrt subtract tanh".split()
)
FUNCTIONS = {"concatenate", "empty_like", "mean", "stack", "sum", "where", "zeros", "zeros_like"}
METHODS = ("sum", "mean", "min", "max", "all", "any", "astype", "copy")


class Counts:
    """How often the host waited for the "device", what went to and fro, what was allocated."""

    to_device = to_host = waits = allocations = launches = 0
    gpus = 1  # that there are
    devices: ClassVar[list[int]] = []  # that were chosen

    @classmethod
    def reset(cls) -> None:
        cls.gpus, cls.devices = 1, []
        cls.to_device = cls.to_host = cls.waits = cls.allocations = cls.launches = 0


class CudaError(RuntimeError):
    """What CUDA says of a call that a capture does not allow."""


# ---------------------------------------------------------------- work, now or in a graph


class Graph:
    """Work that was captured, to be done at each launch."""

    captured: list[Callable[[], None]] | None = None  # while a stream is being captured
    temporaries: ClassVar[list[npt.NDArray[Any]]] = []  # arrays that were made during the capture

    def __init__(self, work: list[Callable[[], None]]) -> None:
        self.work, self.memory = work, list(Graph.temporaries)

    def launch(self, stream: Any) -> None:
        """Do the work, with the memory of its arrays as others have left it.

        In a graph's pool the memory of an array that is not alive yet belongs to an earlier one.
        So what the host wrote into it before the launch is lost.
        """
        Counts.launches += 1
        for array in self.memory:
            array[...] = np.nan if array.dtype.kind == "f" else 0
        for work in self.work:
            work()


def device_work(work: Callable[[], None]) -> None:
    if Graph.captured is not None:
        Graph.captured.append(work)
    else:
        work()


def host_must_not(what: str) -> None:
    if Graph.captured is not None:
        raise CudaError(f"cudaErrorStreamCaptureUnsupported: {what}")


def result_of(compute: Callable[[], Any]) -> StrictArray:
    """A new array for the result; captured, its values are undefined until the graph runs."""
    Counts.allocations += 1
    with np.errstate(all="ignore") if Graph.captured is not None else contextlib.nullcontext():
        result = StrictArray(np.array(compute()))
    if Graph.captured is not None:
        result.inside[...] = np.nan if result.dtype.kind == "f" else 0
        Graph.temporaries.append(result.inside)
        Graph.captured.append(lambda: np.copyto(result.inside, compute()))
    return result


class Event:
    def __init__(self, stream: Stream) -> None:
        self.stream, self.time = stream, time.perf_counter()

    def synchronize(self) -> None:
        Counts.waits += 1


class Stream:
    """A stream; the ``with`` block of one within the block of another that is captured is a branch.

    It is one from when it waits for an event of the captured stream.  Its work is put where the
    captured stream waits for it again, the latest place where a GPU may do it: whatever the other
    stream does in between with the same arrays then shows.
    """

    numbers = itertools.count(1)
    entered = threading.local()  # the streams of the ``with`` blocks of this thread
    branches: ClassVar[list[Stream]] = []  # that the captured stream has not waited for

    def __init__(self, non_blocking: bool = False) -> None:
        self.non_blocking, self.ptr = non_blocking, next(Stream.numbers)
        self.work: list[Callable[[], None]] = []  # that is captured in this branch

    @classmethod
    def current(cls) -> Stream:
        return stack[-1] if (stack := getattr(cls.entered, "stack", [])) else DEFAULT

    def __enter__(self) -> Stream:
        Stream.entered.stack = [*getattr(Stream.entered, "stack", []), self]
        if self in Stream.branches:
            self.outside, Graph.captured = Graph.captured, self.work
        return self

    def __exit__(self, *error: object) -> None:
        if self in Stream.branches:
            Graph.captured = self.outside
        Stream.entered.stack.pop()

    def begin_capture(self) -> None:
        assert self.non_blocking
        Graph.captured = []
        Graph.temporaries.clear()

    def end_capture(self) -> Graph:
        assert Graph.captured is not None
        graph, Graph.captured = Graph(Graph.captured), None
        if Stream.branches:
            Stream.branches.clear()
            raise CudaError("cudaErrorStreamCaptureUnjoined: a branch was not waited for")
        return graph

    def synchronize(self) -> None:
        host_must_not("synchronize")
        Counts.waits += 1

    def record(self) -> Event:
        return Event(self)

    def wait_event(self, event: Event) -> None:
        if Graph.captured is None:
            return
        if event.stream in Stream.branches:
            Graph.captured += event.stream.work
            event.stream.work = []
            Stream.branches.remove(event.stream)
        elif self is not Stream.current() and self not in Stream.branches:
            assert self.non_blocking
            Stream.branches.append(self)


DEFAULT = Stream()


# ---------------------------------------------------------------- arrays


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
    device = "<strict stand-in>"

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
        return self._call(ufunc, inputs, kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if func.__name__ not in FUNCTIONS:
            raise TypeError(f"{func.__name__} is not among what CuPy is relied on for")
        if "out" in kwargs and func.__name__ != "sum":
            raise TypeError(f"CuPy has no out= for {func.__name__}")
        return self._call(func, args, kwargs)

    @staticmethod
    def _call(func: Any, args: Any, kwargs: Any) -> Any:
        out = kwargs.pop("out", None)
        args, kwargs = unwrap(args), {key: unwrap(value) for key, value in kwargs.items()}
        if out is None:
            return result_of(lambda: func(*args, **kwargs))
        out = out[0] if isinstance(out, tuple) else out
        device_work(lambda: func(*args, out=out.inside, **kwargs))
        return out

    def __float__(self) -> float:
        host_must_not("float")
        Counts.waits += 1
        return float(self.inside)

    def __bool__(self) -> bool:
        host_must_not("bool")
        Counts.waits += 1
        return bool(self.inside)

    def __len__(self) -> int:
        return len(self.inside)

    def __getitem__(self, index: Any) -> StrictArray:
        if isinstance(index, StrictArray):  # gathers; all else is a view
            return result_of(lambda: self.inside[index.inside])
        return StrictArray(self.inside[unwrap(index)])

    def __setitem__(self, index: Any, value: Any) -> None:
        index, value = unwrap(index), unwrap(value)
        device_work(lambda: self.inside.__setitem__(index, value))

    def set(self, values: Any) -> None:
        host_must_not("a transfer")
        assert isinstance(values, np.ndarray)
        assert (values.shape, values.dtype) == (self.shape, self.dtype)
        Counts.to_device += 1
        self.inside[...] = values

    @property
    def T(self) -> StrictArray:
        return StrictArray(self.inside.T)

    @property
    def data(self) -> Any:
        return types.SimpleNamespace(ptr=self.inside.ctypes.data)

    def reshape(self, *shape: Any) -> StrictArray:
        return StrictArray(self.inside.reshape(*shape))

    def __getattr__(self, name: str) -> Any:
        if name in ("shape", "dtype", "ndim", "size", "nbytes", "strides", "itemsize", "flags"):
            return getattr(self.inside, name)
        if name in METHODS:
            method = getattr(self.inside, name)
            return lambda *args, **kwargs: self._call(lambda *a, **k: method(*a, **k), args, kwargs)
        raise AttributeError(name)

    def __deepcopy__(self, memo: Any) -> Any:
        return self.copy()


def asarray(a: Any, dtype: Any = None) -> StrictArray:
    if isinstance(a, StrictArray):
        return a if dtype in (None, a.dtype) else a.astype(dtype)
    host_must_not("a transfer")
    Counts.to_device += 1
    return StrictArray(np.array(a, dtype))


def asnumpy(a: Any) -> Any:
    if not isinstance(a, StrictArray):
        return np.asarray(a)
    host_must_not("a transfer")
    Counts.to_host += 1
    return a.inside.copy()


def matmul(a: Any, b: Any, out: Any = None) -> Any:
    if Graph.captured is not None:
        raise NotImplementedError("calling cuBLAS API during stream capture is unsupported")
    return np.matmul(a, b, out=out)


def ascontiguousarray(a: StrictArray) -> StrictArray:
    return a if a.inside.flags.c_contiguous else a.copy()


def empty(shape: Any, dtype: Any) -> StrictArray:
    Counts.allocations += 1
    array = StrictArray(np.full(shape, np.nan, dtype))
    if Graph.captured is not None:
        Graph.temporaries.append(array.inside)
    return array


# ---------------------------------------------------------------- kernels


class RawKernel:
    """Runs a kernel's text: each ``const T v = …;`` on whole arrays, with i for all indices."""

    compiled: list[tuple[str, str]] = []  # noqa: RUF012  (name, text) of all that were made

    def __init__(self, text: str, name: str, options: tuple[str, ...] = ()) -> None:
        self.compiled.append((name, text))
        self.empty = text.endswith("void nothing() {}")
        if self.empty:
            return
        (parameters,) = re.findall(rf"{name}\((.*), const long long n\)", text)
        self.pointers = [parameter.split("* ")[1] for parameter in parameters.split(", ")]
        body = text[text.index("i += step) {") :]
        self.lines = re.findall(r"const T (\w+) = (.*);", body)
        self.stores = re.findall(r"^ +(\w+)\[i\] = (\w+);", body, re.MULTILINE)
        self.type = {"float": np.float32, "double": np.float64}[
            re.findall(r"typedef (\w+) T;", text)[0]
        ]

    def __call__(self, grid: tuple[int], block: tuple[int], args: tuple[Any, ...]) -> None:
        assert grid[0] * block[0] > 0
        if self.empty:
            assert args == ()
            device_work(lambda: None)
            return
        *arrays, n = args
        for array in arrays:
            assert array.dtype == self.type
            assert array.inside.flags.c_contiguous
        memory = dict(zip(self.pointers, (a.inside.reshape(-1) for a in arrays), strict=True))
        assert all(memory[name].size == n for name, _ in self.stores)
        device_work(lambda: self._run(memory))

    def _run(self, memory: dict[str, Any]) -> None:
        functions = ("maximum", "minimum", "logaddexp", "exp", "log", "log1p", "sqrt", "tanh")
        names: dict[str, Any] = {name: getattr(np, name) for name in functions}
        names |= memory | {"T": self.type, "i": slice(None)}
        with np.errstate(all="ignore"):  # a GPU does not warn
            for name, expression in self.lines:
                names[name] = eval(in_python(expression), {}, names)
        for pointer, name in self.stores:
            memory[pointer][...] = names[name]


@functools.cache
def in_python(expression: str) -> types.CodeType:
    """Return the expression of a kernel, compiled once however often the kernel runs."""
    return compile(expression, "<kernel>", "eval")


# ---------------------------------------------------------------- cuBLAS


class FakeCublas:
    """libcublas, as far as it is called: products of matrices that lie column by column."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.workspaces: dict[int, int | None] = {}  # of the streams, once they are set
        self.stream = 0

    def cublasCreate_v2(self, handle: Any) -> int:
        return 0

    def cublasSetStream_v2(self, handle: Any, stream: Any) -> int:
        self.stream = stream.value
        self.workspaces[self.stream] = None
        return 0

    def cublasSetWorkspace_v2(self, handle: Any, workspace: Any, size: Any) -> int:
        assert workspace.value % 256 == 0
        self.workspaces[self.stream] = workspace.value
        return 0

    def cublasSetMathMode(self, handle: Any, mode: int) -> int:
        self.calls.append(f"math mode {mode}")
        return 0

    def cublasSgemm_v2(self, handle: Any, *args: Any) -> int:
        return self._product(np.dtype("float32"), *args)

    def cublasDgemm_v2(self, handle: Any, *args: Any) -> int:
        return self._product(np.dtype("float64"), *args)

    def _product(
        self, dtype: Any, a_op: int, b_op: int, m: int, n: int, k: int, one: Any,
        a: Any, a_step: int, b: Any, b_step: int, zero: Any, c: Any, c_step: int,
    ) -> int:  # fmt: skip
        memory = self.workspaces.get(self.stream)
        if memory is None:
            return 1
        assert self.stream == Stream.current().ptr
        if Stream.current() in Stream.branches:  # what runs at the same time has its own memory
            assert list(self.workspaces.values()).count(memory) == 1
        first = by_columns(a.value, (m, k) if a_op == 0 else (k, m), a_step, dtype)
        second = by_columns(b.value, (k, n) if b_op == 0 else (n, k), b_step, dtype)
        out = by_columns(c.value, (m, n), c_step, dtype)
        first, second = first.T if a_op else first, second.T if b_op else second
        self.calls.append("gemm")
        device_work(lambda: np.copyto(out, first @ second))
        return 0


def by_columns(address: int, shape: tuple[int, int], step: int, dtype: Any) -> Any:
    """The matrix at an address whose columns begin ``step`` elements after one another."""
    rows, columns = shape
    assert step >= max(1, rows), "cuBLAS: an invalid leading dimension"
    size = (step * (columns - 1) + rows) * dtype.itemsize
    memory = np.frombuffer((ctypes.c_char * size).from_address(address), dtype)
    strides = (dtype.itemsize, step * dtype.itemsize)
    return np.lib.stride_tricks.as_strided(memory, shape, strides)


# ---------------------------------------------------------------- NCCL


class NcclCommunicator:
    """What adds up arrays over GPUs, which are threads here that have drawn the same number."""

    meetings: ClassVar[dict[object, tuple[threading.Barrier, list[Any]]]] = {}
    sums = 0  # that were made

    def __init__(self, size: int, number: object, rank: int) -> None:
        meeting = threading.Barrier(size, timeout=60), [None] * size
        self.barrier, self.places = self.meetings.setdefault(number, meeting)
        self.rank = rank

    def allReduce(
        self, source: int, target: int, count: int, kind: int, operation: int, stream: int
    ) -> None:
        assert (operation, stream) == (0, Stream.current().ptr)
        dtype: Any = np.dtype({7: "float32", 8: "float64"}[kind])
        memory = (ctypes.c_char * (count * dtype.itemsize)).from_address(source)
        self.places[self.rank] = np.frombuffer(memory, dtype).copy()
        self.barrier.wait()
        total = sum(self.places[1:], start=self.places[0])
        self.barrier.wait()
        into = (ctypes.c_char * (count * dtype.itemsize)).from_address(target)
        np.frombuffer(into, dtype)[...] = total
        NcclCommunicator.sums += 1


def make_nccl() -> types.ModuleType:
    """What ``import cupy.cuda.nccl`` is to give where NCCL is installed."""
    module = types.ModuleType("cupy.cuda.nccl")
    nccl: Any = module
    nccl.available, nccl.NCCL_SUM, nccl.NCCL_FLOAT32, nccl.NCCL_FLOAT64 = True, 0, 7, 8
    nccl.get_unique_id = lambda: (time.perf_counter_ns(),)
    nccl.NcclCommunicator = NcclCommunicator
    return module


# ---------------------------------------------------------------- the module


class MemoryPool:
    def malloc(self, size: int) -> Any:
        raise NotImplementedError


@contextlib.contextmanager
def using_allocator(malloc: Any) -> Iterator[None]:
    yield


def make_module() -> types.ModuleType:
    """What ``import cupy`` is to give."""
    module = types.ModuleType("cupy")
    cupy: Any = module
    addresses = itertools.count(1 << 20, 1 << 25)
    cupy.__version__ = "strict stand-in"
    cupy.ndarray = StrictArray
    cupy.asarray, cupy.asnumpy = asarray, asnumpy
    cupy.zeros = lambda *args: StrictArray(np.zeros(*args))
    cupy.empty, cupy.ascontiguousarray, cupy.matmul = empty, ascontiguousarray, matmul
    cupy.empty_like = lambda a: empty(a.shape, a.dtype)
    cupy.RawKernel = RawKernel
    runtime = types.SimpleNamespace(
        getDeviceCount=lambda: Counts.gpus,
        getDevice=lambda: 0,
        getDeviceProperties=lambda device: {"name": b"strict stand-in"},
        runtimeGetVersion=lambda: 12090,
        driverGetVersion=lambda: 12080,
    )
    cupy.cuda = types.SimpleNamespace(
        Device=lambda number: types.SimpleNamespace(use=lambda: Counts.devices.append(number)),
        runtime=runtime,
        Stream=Stream,
        get_current_stream=Stream.current,
        get_elapsed_time=lambda start, end: 1e3 * (end.time - start.time),
        MemoryPool=MemoryPool,
        using_allocator=using_allocator,
        alloc=lambda size: types.SimpleNamespace(ptr=next(addresses)),
    )
    return module
