"""Several processes that train one GAN together, each with its share of every batch.

MPI numbers the processes that ``mpiexec -n 4`` starts from 0 to 3; these numbers are their ranks.
Every rank has the same networks and sees other rows of the batch.  A loss is a mean over all rows,
so its gradient is a sum of what the ranks' rows give, and this sum is all that they have to
exchange: one ``Allreduce`` over the vector ``net.grads`` before each step of Adam.  Where a layer
looks at other rows, as ``BatchNorm1d`` does, its means are taken over the rows of all ranks, too.
"""

from __future__ import annotations

import contextlib
import io
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from minigan.backend.base import Array, Backend
from minigan.backend.dispatch import backend_of
from minigan.errors import InputError


class Ranks:
    """The processes that share out every batch.  This class is a process that is alone.

    ``rank`` is the number of this process, and ``size`` is how many there are.  ``neighbours`` of
    them run on the machine of this one, which has the number ``place`` among them.
    """

    rank, size, neighbours, place = 0, 1, 1, 0

    def slice_of(self, rows: int) -> slice:
        """Return which of so many rows are this rank's."""
        return slice(rows * self.rank // self.size, rows * (self.rank + 1) // self.size)

    def take_device(self, backend: Backend) -> None:
        """Let this rank use a GPU of its own, as far as there are any."""

    def connect(self, backend: Backend) -> None:
        """Let the GPUs of all ranks know one another, if they can.  All ranks have to call it."""

    def rows(self, n: int) -> int:
        """Return how many rows all ranks have, of which this one has n."""
        return n

    def mean(self, x: Array) -> Array:
        """Return the mean of each column over the rows of all ranks.  x: (N, n), mean: (n,)"""
        mean: Array = x.mean(axis=0)
        return mean

    def add(self, a: Array) -> None:
        """Set each element of ``a`` to the sum of what it is on all ranks."""

    def part_of(self, loss: Callable[..., Any]) -> Callable[..., Any]:
        """Return the loss of which this rank's rows give a part, with the gradient of this part.

        All parts together are ``loss``, a mean over the rows of all ranks.
        """
        return loss

    def figures(self, *figures: Any, rows: int) -> tuple[Any, ...]:
        """Return two losses of all ranks, of which each has a part, and means over all rows.

        The other figures are means over the rows of this rank, which has so many.
        """
        return figures

    def most(self, number: int) -> int:
        """Return the largest of the numbers that the ranks have."""
        return number

    def lead(self, work: Callable[[], Any]) -> Any:
        """Let rank 0 do something, and return on all ranks what it returned there.

        If it raises an error there, this error passes on, and the other ranks end by SystemExit.
        """
        return work()

    @contextlib.contextmanager
    def agreeing(self) -> Iterator[None]:
        """Let all ranks fail if the block fails with an InputError or OSError on one of them.

        Each raises the error of the first rank that has one.
        """
        yield

    @contextlib.contextmanager
    def together(self, known: type[Exception]) -> Iterator[None]:
        """End all processes at once if the block fails on this one alone.

        An error of the kind ``known`` is one that all ranks have, in the same step.
        """
        yield

    def quiet(self) -> contextlib.AbstractContextManager[Any]:
        """Return a context in which nothing is printed, except by rank 0."""
        return contextlib.nullcontext()


ALONE = Ranks()


class MPIRanks(Ranks):
    """The processes that mpiexec has started, by way of mpi4py.

    Arrays on GPUs are added up by NCCL if it is there and each rank has a GPU of its own, and
    through main memory otherwise.
    """

    def __init__(self, comm: Any, mpi: Any) -> None:
        self.comm, self.in_place = comm, mpi.IN_PLACE
        self.rank, self.size = comm.Get_rank(), comm.Get_size()
        here = comm.Split_type(mpi.COMM_TYPE_SHARED)
        self.neighbours, self.place = here.Get_size(), here.Get_rank()
        self.between_gpus: Callable[[Array], None] | None = None
        self.shared: BaseException | None = None  # an error that all ranks know of

    def __deepcopy__(self, memo: Any) -> MPIRanks:
        return self

    def take_device(self, backend: Backend) -> None:
        backend.take_device(self.place)

    def connect(self, backend: Backend) -> None:
        with self.together(InputError):
            self.between_gpus = backend.connect(self.comm, self.neighbours)

    def rows(self, n: int) -> int:
        total: int = self.comm.allreduce(n)
        return total

    def mean(self, x: Array) -> Array:
        sums = np.concatenate([x.sum(axis=0), np.zeros(1, x.dtype, like=x) + len(x)])
        self.add(sums)
        mean: Array = sums[:-1] / sums[-1]
        return mean

    def add(self, a: Array) -> None:
        if self.between_gpus is not None:
            self.between_gpus(a)
            return
        backend = backend_of(a)
        host = backend.to_numpy(a)
        self.comm.Allreduce(self.in_place, host)
        if host is not a:  # a copy, because a is on a GPU
            backend.write(a, host)

    def part_of(self, loss: Callable[..., Any]) -> Callable[..., Any]:
        def part(p: Array, target: Any) -> tuple[Any, Array]:
            share = len(p) / self.rows(len(p))
            mean, dp = loss(p, target)
            return share * mean, share * dp

        return part

    def figures(self, *figures: Any, rows: int) -> tuple[Any, ...]:
        d_loss, g_loss, *means = figures
        share = rows / self.rows(rows)
        sums = np.stack([d_loss, g_loss, *(share * mean for mean in means)])
        self.add(sums)
        return tuple(sums)

    def most(self, number: int) -> int:
        largest: int = max(self.comm.allgather(int(number)))
        return largest

    def lead(self, work: Callable[[], Any]) -> Any:
        result, error = None, None
        if self.rank == 0:
            try:
                result = work()
            except BaseException as caught:
                error = caught
        result, failed = self.comm.bcast((result, error is not None))
        if error is not None:
            self.shared = error
            raise error
        if failed:
            raise SystemExit(2)
        return result

    @contextlib.contextmanager
    def agreeing(self) -> Iterator[None]:
        error: Exception | None = None
        try:
            yield
        except (InputError, OSError) as caught:
            error = caught
        text = None if error is None else f"{error.args[0] if error.args else error}"
        texts = self.comm.allgather(text)
        if any(one is not None for one in texts):
            first = next(rank for rank, one in enumerate(texts) if one is not None)
            same = all(one == texts[first] for one in texts)
            self.shared = InputError(texts[first] if same else f"process {first}: {texts[first]}")
            raise self.shared from error

    @contextlib.contextmanager
    def together(self, known: type[Exception]) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            if isinstance(error, known) or error is self.shared:
                raise
            lines = traceback.format_exc()
            text = f"{error}\n" if isinstance(error, InputError) else lines
            sys.stderr.write(f"minigan: process {self.rank}: {text}")
            sys.stderr.flush()
            time.sleep(0.5)  # in which mpiexec passes the line on
            self.comm.Abort(2)
            raise

    def quiet(self) -> contextlib.AbstractContextManager[Any]:
        if self.rank == 0:
            return contextlib.nullcontext()
        return contextlib.redirect_stdout(io.StringIO())
