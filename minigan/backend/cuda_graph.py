"""A training step captured as a CUDA graph: recorded once, then replayed as a whole.

A small network's step is some hundred kernels of a few microseconds each; launching them one by one
from Python takes many times as long as they run.  Hand-written backprop calls the same kernels on
the same memory in every step, so the GPU can be handed the whole sequence at once.

What a graph replays is fixed: kernels, addresses, numbers.  Hence inputs are copied into arrays
that stay, the results are arrays that stay (each replay overwrites them), memory in between comes
from a pool that serves nothing else, and what changes from step to step on the host, Adam's count
of steps and its learning rate, is done by ``backend.each_step`` before each replay.
"""

from __future__ import annotations

import contextlib
import ctypes
import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from minigan.backend.cupy_backend import CupyBackend


class CompiledStep:
    """``step(*arrays)`` of device work: eager at first, captured the second time, then replayed.

    Each combination of shapes and dtypes has a graph of its own.  Results are valid until the next
    call.  If a capture fails, a RuntimeWarning says why, and all calls run eagerly.
    """

    def __init__(self, backend: CupyBackend, step: Callable[..., Any]) -> None:
        self.backend, self.step = backend, step
        self.stream = backend.xp.cuda.Stream(non_blocking=True)  # others cannot be captured
        self.graphs: dict[Any, Graph] = {}
        self.eager = False

    def __call__(self, *args: Any) -> Any:
        key = tuple((a.shape, str(a.dtype)) for a in args)
        if key not in self.graphs:
            self.graphs[key] = Graph(self.backend)
        graph = self.graphs[key]
        caller = self.backend.xp.cuda.get_current_stream()
        self.stream.wait_event(caller.record())  # what was computed there so far
        with self.stream, graph.memory():
            result = self._run(graph, args)
        caller.wait_event(self.stream.record())
        return result

    def _run(self, graph: Graph, args: tuple[Any, ...]) -> Any:
        if graph.executable is None and graph.warm and not self.eager:
            reason = graph.capture(self.stream, self.step, args)
            if reason is not None:
                self.eager = True
                warnings.warn(
                    f"the step could not be captured as a CUDA graph and runs eagerly: {reason}",
                    RuntimeWarning,
                    stacklevel=3,
                )
        if graph.executable is not None:
            return graph.replay(self.stream, args)
        graph.warm = True  # kernels are compiled, memory is in the pool
        return self.step(*map(self.backend.asarray, args))


class Graph:
    """The captured step for arguments of certain shapes, and the memory that it works in."""

    def __init__(self, backend: CupyBackend) -> None:
        self.backend = backend
        self.pool = backend.xp.cuda.MemoryPool()
        self.warm = False
        self.host_work: list[Callable[[], None]] = []
        self.executable: Any = None
        self.launches: int | None = None  # kernels and copies; None if the driver does not tell

    @contextlib.contextmanager
    def memory(self) -> Iterator[None]:
        """While inside, arrays are allocated in the graph's pool."""
        with self.backend.xp.cuda.using_allocator(self.pool.malloc):
            yield

    def capture(self, stream: Any, step: Callable[..., Any], args: tuple[Any, ...]) -> str | None:
        """Record the step, which does not run yet; None, or the reason why it cannot be done."""
        error: Exception | None = None
        self.inputs = [self.backend.asarray(a).copy() for a in args]
        self.backend.recorded = self.host_work = []
        stream.begin_capture()
        try:
            self.outputs = step(*self.inputs)
        except Exception as caught:  # whatever the step calls may refuse in words of its own
            error = caught
        finally:
            self.backend.recorded = None
            try:
                self.executable = stream.end_capture()
            except Exception as caught:
                error = error or caught
        if error is None:
            self.launches = _nodes(self.executable)
            return None
        self.executable = None
        return f"{type(error).__name__}: {' '.join(str(error).split())}"

    def replay(self, stream: Any, args: tuple[Any, ...]) -> Any:
        for array, value in zip(self.inputs, args, strict=True):
            if isinstance(value, np.ndarray):
                self.backend.write(array, value)
            else:
                array[...] = value
        for work in self.host_work:
            work()
        self.executable.launch(stream)
        return self.outputs


def _nodes(executable: Any) -> int | None:
    """How many kernels and copies a captured graph consists of."""
    handle, count = getattr(executable, "graph", 0), ctypes.c_size_t()
    try:
        driver = ctypes.CDLL("libcuda.so.1")
        failed = driver.cuGraphGetNodes(ctypes.c_void_p(handle), None, ctypes.byref(count))
    except (OSError, AttributeError):  # not Linux, or another driver API
        return None
    return count.value if handle and not failed else None
