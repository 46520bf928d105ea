"""A training step captured as a CUDA graph: recorded once, then replayed as a whole.

A step of a small network consists of about a hundred kernels of a few microseconds each.  Launching
them one by one from Python takes many times as long as running them.  Hand-written backprop calls
the same kernels on the same memory in every step, so the GPU can be given the whole sequence at
once.

A graph always replays the same kernels with the same addresses and numbers.  Therefore:

- Inputs are copied into arrays that stay where they are.
- Results are arrays that stay where they are; each replay overwrites them.
- Memory for the values in between comes from a pool that serves nothing else.
- Work of the host that differs from step to step, such as counting Adam's steps and writing the
  numbers that depend on the count, goes through ``HostWork.each_step`` and is done before each
  replay.
- Where a step asks the host whether to do something, as ``HostWork.decide`` does, each answer gets
  a graph of its own, and the question is asked again before each call.
"""

from __future__ import annotations

import contextlib
import ctypes
import warnings
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np

from minigan.backend.base import Backend

Answer: TypeAlias = tuple[Callable[[], bool], bool]  # a question, and what it was answered


class HostWork:
    """The host's work in every step: done at once, or noted while a graph is being captured."""

    def __init__(self) -> None:
        self.noted: list[Callable[[], None]] | None = None  # None while no graph is being captured
        self.answers: list[Answer] | None = None  # of the compiled step that runs now, if any

    def each_step(self, work: Callable[[], None]) -> None:
        if self.noted is None:
            work()
        else:
            self.noted.append(work)  # every replay of the graph will do it

    def decide(self, question: Callable[[], bool]) -> bool:
        answer = question()
        if self.answers is not None:
            self.answers.append((question, answer))
        return answer

    @contextlib.contextmanager
    def answering(self) -> Iterator[list[Answer]]:
        """Collect the questions that are decided, and their answers, until the block ends."""
        answers: list[Answer] = []
        self.answers = answers
        try:
            yield answers
        finally:
            self.answers = None

    @contextlib.contextmanager
    def noting(self) -> Iterator[list[Callable[[], None]]]:
        """Note work in a list, instead of doing it, until the ``with`` block ends."""
        noted: list[Callable[[], None]] = []
        self.noted = noted
        try:
            yield noted
        finally:
            self.noted = None


class CompiledStep:
    """A step of device work: the first call runs it, the second captures it, later ones replay it.

    It is called with arrays, as ``step(*arrays)``.  Each combination of shapes, dtypes and answers
    of ``HostWork.decide`` has a graph of its own.  Results are valid until the next call.  If a
    capture fails, a RuntimeWarning gives the reason, and all calls run the step eagerly.
    """

    def __init__(self, backend: Backend, host_work: HostWork, step: Callable[..., Any]) -> None:
        self.backend, self.host_work, self.step = backend, host_work, step
        self.stream = backend.xp.cuda.Stream(non_blocking=True)  # only such streams can be captured
        self.graphs: dict[Any, list[Graph]] = {}
        self.eager = False

    def __call__(self, *args: Any) -> Any:
        key = tuple((a.shape, str(a.dtype)) for a in args)
        graphs = self.graphs.setdefault(key, [])
        graph = next((one for one in graphs if one.fits()), None)
        if graph is None:
            graph = Graph(self.backend, self.host_work)
            graphs.append(graph)
        caller = self.backend.xp.cuda.get_current_stream()
        self.stream.wait_event(caller.record())  # wait for what the caller computed so far
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
        with self.host_work.answering() as answers:
            result = self.step(*map(self.backend.asarray, args))
        # It went through to its end: all kernels are compiled, the pool is filled, and all
        # questions were asked.
        graph.answers, graph.warm = answers, True
        return result


class Graph:
    """The captured step for one combination of shapes, dtypes and answers, and its memory."""

    def __init__(self, backend: Backend, host_work: HostWork) -> None:
        self.backend, self.host_work = backend, host_work
        self.pool = backend.xp.cuda.MemoryPool()
        self.warm = False
        self.answers: list[Answer] = []
        self.before_replay: list[Callable[[], None]] = []
        self.executable: Any = None
        self.launches: int | None = None  # number of kernels and copies; None if unknown

    def fits(self) -> bool:
        """Return whether all questions of the step are still answered as when it first ran."""
        return all(question() == answer for question, answer in self.answers)

    @contextlib.contextmanager
    def memory(self) -> Iterator[None]:
        """Allocate arrays in the graph's pool until the ``with`` block ends."""
        with self.backend.xp.cuda.using_allocator(self.pool.malloc):
            yield

    def capture(self, stream: Any, step: Callable[..., Any], args: tuple[Any, ...]) -> str | None:
        """Record the step without running it; return None, or the reason why that is impossible."""
        error: Exception | None = None
        self.inputs = [self.backend.asarray(a).copy() for a in args]
        with self.host_work.noting() as self.before_replay:
            stream.begin_capture()
            try:
                self.outputs = step(*self.inputs)
            except Exception as caught:  # any function in the step may refuse, in its own way
                error = caught
            finally:
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
        for work in self.before_replay:
            work()
        self.executable.launch(stream)
        return self.outputs


def _nodes(executable: Any) -> int | None:
    """Return the number of kernels and copies in a captured graph, or None if it is unknown."""
    handle, count = getattr(executable, "graph", 0), ctypes.c_size_t()
    try:
        driver = ctypes.CDLL("libcuda.so.1")
        failed = driver.cuGraphGetNodes(ctypes.c_void_p(handle), None, ctypes.byref(count))
    except (OSError, AttributeError):  # not Linux, or another driver API
        return None
    return count.value if handle and not failed else None
