"""The interface of a backend: where its arrays live, and the operations that depend on this."""

from __future__ import annotations

import abc
import contextlib
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

# A NumPy array, or an array of another library that NumPy's functions accept, such as CuPy's.
Array = npt.NDArray[np.floating[Any]]


class Backend(abc.ABC):
    """The base class of the backends.

    It holds no mathematics, which is written once, in ``minigan.layers`` and its neighbours.
    """

    name: str

    @property
    @abc.abstractmethod
    def xp(self) -> ModuleType:
        """The module of the arrays: ``numpy`` or ``cupy``."""

    @abc.abstractmethod
    def asarray(self, a: Any, dtype: Any = None) -> Array:
        """Return ``a`` as an array of this backend; it is copied only if that is necessary."""

    @abc.abstractmethod
    def to_numpy(self, a: Array) -> Array:
        """Return ``a`` as an array in main memory."""

    @abc.abstractmethod
    def write(self, array: Array, values: Any) -> None:
        """Write values from main memory into an array of this backend."""

    @abc.abstractmethod
    def matmul(self, a: Array, b: Array, out: Array | None = None) -> Array:
        """Return the matrix product a b, written into ``out`` if that is given."""

    @abc.abstractmethod
    def elementwise(self, formula: Callable[..., Any], *args: Any) -> Any:
        """Return ``formula(*args)`` for a formula that treats every element alike.

        All arrays among the arguments have the same shape; the other arguments are constants.  The
        formula returns one array of this shape, or a tuple of such arrays.
        """

    @abc.abstractmethod
    def adam(
        self,
        update: Callable[..., Any],
        vectors: Sequence[Array],
        next_step: Callable[[], tuple[float, ...]],
        numbers: Array,
    ) -> None:
        """Set ``θ, m, v = update(θ, g, m, v, *next_step())``, element by element, in place.

        ``vectors`` are θ, g, m and v.  ``next_step`` is called once in each step, also in each
        replay of a compiled step; it returns the numbers that are the same for all elements.  The
        backend packs them into the array ``numbers``, which belongs to the optimizer: a captured
        step reads them there in every replay, when all other memory of the step is in use again.
        """

    @abc.abstractmethod
    def compile(self, step: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that does what ``step`` does, on a GPU by replaying a CUDA graph."""

    @abc.abstractmethod
    def decide(self, question: Callable[[], bool]) -> bool:
        """Return ``question()``, the answer to which changes what a step does.

        A step that was compiled asks again before each call, and has a graph for each answer.
        """

    def sum_rows(self, a: Array, out: Array) -> None:
        """Set ``out``, (n,), to the sum of the rows of a, (N, n)."""
        np.sum(a, axis=0, out=out)

    def branching(self) -> contextlib.AbstractContextManager[None]:
        """Until the ``with`` block ends, allow ``branch``; at its end all branches are done."""
        return contextlib.nullcontext()

    def branch(self, work: Callable[..., None], *args: Any) -> None:
        """Do ``work(*args)``, if possible beside what follows in the block of ``branching``.

        What follows must neither read what the work writes nor change what it reads.
        """
        work(*args)

    @abc.abstractmethod
    def take_device(self, number: int) -> None:
        """Let this process use a GPU of its own: the one of this number, counted round."""

    def connect(self, comm: Any, neighbours: int) -> Callable[[Array], None] | None:
        """Return what adds up an array over the GPUs of all ranks, or None if nothing does.

        ``comm`` is MPI's communicator, through which the GPUs get to know one another.
        ``neighbours`` of its ranks run on this machine.
        """
        return None

    @abc.abstractmethod
    def synchronize(self) -> None:
        """Wait until the device has finished all the work that it was given."""

    @abc.abstractmethod
    def describe(self) -> dict[str, str]:
        """Return a name and a line of text for each part that computes here, such as ``"gpu"``."""

    def __repr__(self) -> str:
        return f"<backend {self.name}>"
