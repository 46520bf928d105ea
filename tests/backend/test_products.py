"""The products of a step, noted: what is counted, and that nothing of it stays behind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigan as mg
from minigan.backend import Backend, Product, matmul, noted_products


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_a_product_costs(dtype: str) -> None:
    a, b, out = np.ones((5, 3), dtype), np.ones((3, 4), dtype), np.ones((5, 4), dtype)
    product = Product(a, b, out)
    assert product.flop == 2 * 5 * 3 * 4
    assert product.nbytes == (5 * 3 + 3 * 4 + 5 * 4) * np.dtype(dtype).itemsize
    assert Product(b.T, a.T, out.T).flop == product.flop  # of views, too


def test_products_are_noted_with_their_arrays(backend: Backend) -> None:
    a = backend.asarray(np.arange(6, dtype="float32").reshape(2, 3))
    out = backend.asarray(np.zeros((2, 2), "float32"))
    noted: list[Product] = []
    with noted_products(backend, noted.append):
        result = matmul(a, a.T)
        assert matmul(a, a.T, out=out) is out
        assert backend.matmul(a, a.T).shape == (2, 2)
    matmul(a, a.T)  # outside: not noted
    assert len(noted) == 3
    assert noted[0].a is a
    assert noted[0].out is result
    assert noted[1].out is out
    assert [product.flop for product in noted] == [2 * 2 * 3 * 2] * 3
    expected = backend.to_numpy(a) @ backend.to_numpy(a).T
    for product in noted:  # noted when it is worked out
        np.testing.assert_array_equal(backend.to_numpy(product.out), expected)


def test_the_method_is_restored(backend: Backend) -> None:
    with noted_products(backend, lambda product: None):
        assert "matmul" in vars(backend)
    assert "matmul" not in vars(backend)


def test_the_method_is_restored_after_an_error(backend: Backend) -> None:
    a = backend.asarray(np.ones((2, 3), "float32"))
    noted: list[Product] = []
    with (
        pytest.raises(ValueError, match="mismatch|size|shape"),
        noted_products(backend, noted.append),
    ):
        matmul(a, a)
    assert noted == []  # a product that was refused is none
    assert "matmul" not in vars(backend)

    def refuse(product: Product) -> None:
        raise KeyError

    with pytest.raises(KeyError), noted_products(backend, refuse):
        matmul(a, a.T)
    assert "matmul" not in vars(backend)


def test_the_products_of_a_step_on_every_backend(backend: Backend) -> None:
    """A Linear multiplies three times: for y, for dW and for dx."""
    layer = mg.Linear(4, 3, seed=0, backend=backend)
    x = backend.asarray(np.ones((5, 4), "float32"))
    noted: list[Product] = []
    with noted_products(backend, noted.append):
        y, cache = layer.forward(x)
        layer.backward(y, cache)
    shapes: list[tuple[Any, ...]] = [(p.a.shape, p.b.shape, p.out.shape) for p in noted]
    assert shapes == [
        ((5, 4), (4, 3), (5, 3)),
        ((4, 5), (5, 3), (4, 3)),
        ((5, 3), (3, 4), (5, 4)),
    ]
    assert noted[1].out is layer.dW
    assert sum(product.flop for product in noted) == 3 * 2 * 5 * 4 * 3


def test_noting_within_noting(backend: Backend) -> None:
    """As when ``mg.trace`` runs while somebody counts products."""
    a = backend.asarray(np.ones((2, 2)))
    outer: list[Product] = []
    inner: list[Product] = []
    with noted_products(backend, outer.append):
        with noted_products(backend, inner.append):
            backend.matmul(a, a)
        backend.matmul(a, a)
    backend.matmul(a, a)
    assert (len(outer), len(inner)) == (2, 1)
