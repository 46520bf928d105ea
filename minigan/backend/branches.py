"""Branches of a CUDA graph: work that runs beside other work.

A graph that is captured from one stream is a chain: each kernel waits for the one before, even if
it needs nothing of it.  In a layer's backward rule dW, db and dx all come from dy, and none of them
from another.  If dW and db are computed in a second stream while the first goes on with dx, the
graph has branches, and the GPU runs both at once where one does not fill it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from minigan.backend.cublas import Cublas

STREAMS = 2  # that take the branches in turns


class Branches:
    """The streams in which branches are captured, beside the stream of the graph.

    Branches are taken only within ``joined``, at whose end the graph waits for all of them.
    """

    def __init__(self, cuda: Any, cublas: Cublas) -> None:
        self.cuda = cuda
        self.streams = [cuda.Stream(non_blocking=True) for _ in range(STREAMS)]
        for stream in self.streams:
            cublas.give_workspace(stream)
        self.open = False
        self.kept: list[tuple[Any, ...]] = []  # arrays whose memory must not be used again so soon

    @contextlib.contextmanager
    def joined(self) -> Iterator[None]:
        self.open = True
        try:
            yield
        finally:
            main = self.cuda.get_current_stream()
            for stream in self.streams[: len(self.kept)]:
                main.wait_event(stream.record())
            self.open = False
            self.kept.clear()

    def run(self, work: Callable[..., None], *args: Any) -> None:
        """Capture ``work(*args)`` as a branch, which begins when all work so far is done."""
        stream = self.streams[len(self.kept) % STREAMS]
        stream.wait_event(self.cuda.get_current_stream().record())
        with stream:
            work(*args)
        self.kept.append(args)
