"""Arrays on an NVIDIA GPU, computed by CuPy.

NumPy's functions hand their work to CuPy when they are given CuPy's arrays (NEP 13 and 18), so the
formulas of ``minigan.layers`` run here unchanged.  This module holds what NumPy cannot hand on, and
what a GPU should do in another way: it runs each element-wise formula as one kernel, and multiplies
matrices in a way that a CUDA graph can capture.
"""

from __future__ import annotations

import contextlib
import importlib
import warnings
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from minigan.backend.base import Array, Backend
from minigan.backend.branches import Branches
from minigan.backend.cublas import Cublas, CublasError
from minigan.backend.cuda_graph import CompiledStep, HostWork
from minigan.backend.kernel_source import Source, formula_source, update_source
from minigan.backend.transcript import readable
from minigan.errors import InputError

THREADS, MAX_BLOCKS = 256, 8192  # for one launch of a kernel
INSTALL = "pip install 'minigan[cuda12]' (or 'minigan[cuda13]')"

SIGNS = {  # words in CuPy's errors, and what they mean
    "InsufficientDriver": "the NVIDIA driver is missing, or older than this CUDA",
    "cudaErrorNoDevice": "the NVIDIA driver finds no CUDA device",
    "OutOfMemory": "the GPU has no memory left",
    "cudaErrorMemoryAllocation": "the GPU has no memory left",
    "libnvrtc": f"a CUDA library is missing, {INSTALL} brings it",
    "libcublas": f"a CUDA library is missing, {INSTALL} brings it",
    "libcudart": f"a CUDA library is missing, {INSTALL} brings it",
}


def nccl_library() -> Any:
    """Return CuPy's module of NCCL, which lets several GPUs talk to each other, or None."""
    try:
        nccl = importlib.import_module("cupy.cuda.nccl")
    except (ImportError, OSError):  # NCCL comes in a wheel of its own, for Linux only
        return None
    return nccl if getattr(nccl, "available", False) else None


def why_unavailable() -> str | None:
    """Return None if CuPy can compute here, and otherwise the reason in a few words.

    CuPy can be imported on machines without a GPU, so more is tested: CuPy must find a device, and
    it must be able to allocate, compile a kernel (NVRTC) and multiply (cuBLAS) on it.
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
    except Exception as error:  # CuPy's own classes of error exist only where it is installed
        report = f"{type(error).__name__}: {' '.join(str(error).split())}"
        reasons = (reason for sign, reason in SIGNS.items() if sign in report)
        return f"{next(reasons, 'CuPy cannot use a CUDA device')} ({report})"
    return None


def gpu_failure(error: BaseException) -> str | None:
    """Return in one line what CuPy or cuBLAS reports, such as a full GPU; None for other errors."""
    # CuPy's own classes of error exist only where it is installed.
    if not isinstance(error, CublasError) and not type(error).__module__.startswith("cupy"):
        return None
    return f"the GPU failed: {type(error).__name__}: {' '.join(str(error).split())}"


class CupyBackend(Backend):
    """The backend for the current CUDA device, which is used through CuPy."""

    name = "cupy"

    def __init__(self) -> None:
        reason = why_unavailable()
        if reason is not None:
            raise InputError(f"backend 'cupy' cannot be used: {reason}")
        self.kernels: dict[Any, tuple[Any, Source]] = {}
        self.ones: dict[Any, Array] = {}  # for sums of rows
        self.host_work = HostWork()
        self.branches: Branches | None = None  # made with the first step that is compiled
        self.tf32 = False  # if True, float32 products round their factors to ten bits
        try:
            self.cublas: Cublas | None = Cublas(self.xp)
        except Exception as error:  # without cuBLAS steps still run, but none can be captured
            self.cublas = None
            warnings.warn(f"cuBLAS cannot be called directly: {error}", stacklevel=2)

    @property
    def xp(self) -> ModuleType:
        return importlib.import_module("cupy")

    def asarray(self, a: Any, dtype: Any = None) -> Array:
        return self.xp.asarray(a, dtype)  # type: ignore[no-any-return]

    def to_numpy(self, a: Array) -> Array:
        return self.xp.asnumpy(a)  # type: ignore[no-any-return]

    def write(self, array: Array, values: Any) -> None:
        array.set(np.ascontiguousarray(values, array.dtype))  # type: ignore[attr-defined]

    def matmul(self, a: Array, b: Array, out: Array | None = None) -> Array:
        fits = (
            a.ndim == b.ndim == 2
            and a.shape[1] == b.shape[0]
            and a.dtype == b.dtype
            and a.dtype in (np.float32, np.float64)
            and a.size * b.size > 0
            and (out is None or _is_fit(out, (len(a), b.shape[1]), a.dtype))
        )
        if self.cublas is None or not fits:
            return self.xp.matmul(a, b, out=out)  # type: ignore[no-any-return]
        self.cublas.use_tf32(self.tf32)
        return self.cublas.matmul(a, b, out)

    def sum_rows(self, a: Array, out: Array) -> None:
        """Multiply by a row of ones: CuPy's own sum takes longer than a product of that size."""
        if self.cublas is None or a.size == 0:
            super().sum_rows(a, out)
            return
        key = len(a), a.dtype
        if key not in self.ones:
            self.ones[key] = self.xp.zeros((1, len(a)), a.dtype)
            self.ones[key][...] = 1
        self.cublas.use_tf32(False)  # a sum has no factors that may be rounded
        self.cublas.matmul(self.ones[key], a, out.reshape(1, -1))

    def elementwise(self, formula: Callable[..., Any], *args: Any) -> Any:
        """Run the formula as one kernel, which is compiled when the formula is first used."""
        xp = self.xp
        arrays = [xp.ascontiguousarray(a) for a in args if isinstance(a, xp.ndarray)]
        first = arrays[0]
        if first.size == 0:
            return formula(*args)
        constants = [None if isinstance(a, xp.ndarray) else a for a in args]
        key = formula, first.dtype, *map(readable, constants)
        if key not in self.kernels:
            self.kernels[key] = self._compile(formula_source(formula, constants, first.dtype))
        kernel, source = self.kernels[key]
        outputs = [xp.empty_like(first) for _ in source.transcript.stores]
        self._launch(kernel, first.size, *arrays, *outputs)
        return source.transcript.picked(outputs)

    def adam(
        self,
        update: Callable[..., Any],
        vectors: Sequence[Array],
        next_step: Callable[[], tuple[float, ...]],
        numbers: Array,
    ) -> None:
        """Run one kernel over all four vectors, which loads and stores each element once.

        The step's numbers are written to the device for it: as arguments they would be fixed when
        the step is captured.
        """
        self.host_work.each_step(lambda: self.write(numbers, next_step()))
        key = update, numbers.dtype
        if key not in self.kernels:
            self.kernels[key] = self._compile(update_source(update, numbers.size, numbers.dtype))
        self._launch(self.kernels[key][0], vectors[0].size, *vectors, numbers)

    def compile(self, step: Callable[..., Any]) -> Callable[..., Any]:
        if self.branches is None and self.cublas is not None:
            self.branches = Branches(self.xp.cuda, self.cublas)
        return CompiledStep(self, self.host_work, step)

    def branching(self) -> contextlib.AbstractContextManager[None]:
        if self.branches is None or self.host_work.noted is None:  # no graph is being captured
            return super().branching()
        return self.branches.joined()

    def branch(self, work: Callable[..., None], *args: Any) -> None:
        if self.branches is None or not self.branches.open:
            work(*args)
        else:
            self.branches.run(work, *args)

    def take_device(self, number: int) -> None:
        cuda = self.xp.cuda
        cuda.Device(number % cuda.runtime.getDeviceCount()).use()

    def connect(self, comm: Any, neighbours: int) -> Callable[[Array], None] | None:
        nccl, cuda = nccl_library(), self.xp.cuda
        ready = nccl is not None and neighbours <= cuda.runtime.getDeviceCount()
        if not all(comm.allgather(ready)):  # NCCL needs a GPU of its own for each rank
            return None
        number = comm.bcast(nccl.get_unique_id() if comm.Get_rank() == 0 else None)
        gpus = nccl.NcclCommunicator(comm.Get_size(), number, comm.Get_rank())
        kinds = {"float32": nccl.NCCL_FLOAT32, "float64": nccl.NCCL_FLOAT64}

        def add(a: Any) -> None:
            where, stream = a.data.ptr, cuda.get_current_stream().ptr
            gpus.allReduce(where, where, a.size, kinds[a.dtype.name], nccl.NCCL_SUM, stream)

        return add

    def decide(self, question: Callable[[], bool]) -> bool:
        return self.host_work.decide(question)

    def describe(self) -> dict[str, str]:
        runtime = self.xp.cuda.runtime
        name = runtime.getDeviceProperties(runtime.getDevice())["name"].decode()
        cuda, driver = (
            f"{version // 1000}.{version % 1000 // 10}"
            for version in (runtime.runtimeGetVersion(), runtime.driverGetVersion())
        )
        versions = f"CuPy {self.xp.__version__}, CUDA {cuda}, driver for CUDA {driver}"
        return {"gpu": f"{name}, {versions}"}

    def synchronize(self) -> None:
        self.xp.cuda.get_current_stream().synchronize()

    def _compile(self, source: Source) -> tuple[Any, Source]:
        # --fmad=false: a * b + c is rounded twice, as in NumPy: + - * / and √ give the same bits.
        return self.xp.RawKernel(source.text, source.name, options=("--fmad=false",)), source

    def _launch(self, kernel: Any, n: int, *arrays: Array) -> None:
        blocks = min((n + THREADS - 1) // THREADS, MAX_BLOCKS)
        kernel((blocks,), (THREADS,), (*arrays, np.int64(n)))


def _is_fit(out: Array, shape: tuple[int, int], dtype: Any) -> bool:
    return out.shape == shape and out.dtype == dtype and out.flags.c_contiguous
