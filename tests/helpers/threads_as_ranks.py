"""Ranks without MPI: threads that exchange arrays as mpi4py's communicator does."""

from __future__ import annotations

import threading
import types
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from minigan.backend.ranks import MPIRanks

Result = TypeVar("Result")
IN_PLACE = object()  # stands for MPI.IN_PLACE: the result overwrites the argument
MODULE = types.SimpleNamespace(IN_PLACE=IN_PLACE, COMM_TYPE_SHARED=0)


class Board:
    """Where the threads meet: each writes into its place, and all read when all have written."""

    def __init__(self, size: int) -> None:
        self.places: list[Any] = [None] * size
        self.barrier = threading.Barrier(size, timeout=60)

    def exchange(self, rank: int, value: Any) -> list[Any]:
        self.places[rank] = value
        self.barrier.wait()
        values = list(self.places)
        self.barrier.wait()  # nobody writes again before all have read
        return values


class ThreadComm:
    """The part of a communicator of mpi4py that minigan uses."""

    def __init__(self, board: Board, rank: int) -> None:
        self.board, self.rank = board, rank

    def Get_rank(self) -> int:
        return self.rank

    def Get_size(self) -> int:
        return len(self.board.places)

    def Split_type(self, kind: int) -> ThreadComm:
        return self

    def allgather(self, value: Any) -> list[Any]:
        return self.board.exchange(self.rank, value)

    def allreduce(self, value: Any) -> Any:
        return sum(self.allgather(value))

    def bcast(self, value: Any) -> Any:
        return self.allgather(value)[0]

    def Allreduce(self, where: Any, total: Any) -> None:
        assert where is IN_PLACE
        parts = self.allgather(np.array(total))
        total[...] = sum(parts[1:], start=parts[0])

    def Abort(self, status: int) -> None:
        self.board.barrier.abort()


def on_ranks(size: int, work: Callable[[MPIRanks], Result]) -> list[Result]:
    """Return what the work returns on each rank; an error of one ends the waiting of the others."""
    board, results = Board(size), dict[int, Result]()
    errors: dict[int, BaseException] = {}

    def run(rank: int) -> None:
        try:
            results[rank] = work(MPIRanks(ThreadComm(board, rank), MODULE))
        except BaseException as error:
            errors[rank] = error
            board.barrier.abort()

    threads = [threading.Thread(target=run, args=(rank,)) for rank in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for error in errors.values():
        if not isinstance(error, threading.BrokenBarrierError):
            raise error
    assert not errors
    return [results[rank] for rank in range(size)]
