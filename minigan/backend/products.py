"""Note the matrix products of a step, as the backend computes them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

from minigan.backend.base import Array, Backend


class Product(NamedTuple):
    """One matrix product: its factors a (N, n) and b (n, m), and its result out (N, m)."""

    a: Array
    b: Array
    out: Array

    @property
    def flop(self) -> int:
        """The number of operations, 2 N n m: each of the N m results is a sum of n products."""
        inner: int = self.a.shape[-1]
        return 2 * inner * self.out.size

    @property
    def nbytes(self) -> int:
        """The number of bytes that the product reads and writes."""
        return self.a.nbytes + self.b.nbytes + self.out.nbytes


@contextlib.contextmanager
def noted_products(backend: Backend, note: Callable[[Product], None]) -> Iterator[None]:
    """Until the ``with`` block ends, call ``note`` with each product that the backend computes."""
    multiply, own = backend.matmul, vars(backend).get("matmul")

    def noted(a: Array, b: Array, out: Array | None = None) -> Array:
        result = multiply(a, b, out)
        note(Product(a, b, result))
        return result

    backend.matmul = noted  # type: ignore[method-assign]
    try:
        yield
    finally:
        if own is None:
            del backend.matmul  # the method of the class shows again
        else:
            backend.matmul = own  # type: ignore[method-assign]
