"""A network is copied in another precision, with all that it holds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigan as mg
from minigan.backend import Backend, get_backend
from minigan.gradcheck import precision
from minigan.gradcheck.precision import EXTENDED, copy_in, has_more_digits, named_parameters


@pytest.mark.parametrize("dtype", ["float64", EXTENDED])
@pytest.mark.parametrize("alone", [True, False])
def test_a_copy_has_all_its_arrays_in_the_new_precision(dtype: str, alone: bool) -> None:
    norm = mg.BatchNorm1d(3)
    net: Any = mg.Sequential(norm, seed=0)
    net.params[...] = np.arange(6)
    copied = copy_in(norm if alone else net, dtype)
    layer = copied if alone else copied.layers[0]
    for name in (*layer.param_names, *layer.buffer_names):
        assert getattr(layer, name).dtype == dtype, name
        assert getattr(norm, name).dtype == "float32"
        np.testing.assert_array_equal(getattr(layer, name), getattr(norm, name))
    for name, parameter, gradient in named_parameters(copied):
        assert parameter.dtype == gradient.dtype == dtype, name


def test_extended_precision_is_that_of_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    here = get_backend("numpy")
    more = bool(np.finfo("longdouble").eps < np.finfo("float64").eps)
    assert has_more_digits(here) == more
    monkeypatch.setattr(precision, "EXTENDED", "float64")  # which it is on some processors
    assert not has_more_digits(here)


def test_a_gpu_has_no_extended_precision(stand_in: Backend) -> None:
    assert not has_more_digits(stand_in)


def test_values_that_are_special_are_moved_and_others_are_not() -> None:
    first = np.array([[0, 0, 0], [1, 1, 1], [-1, -1, -1], [0.5, 0.5, 0.5], [0, 1, 0], [2, 3, 4.0]])
    net = mg.Sequential(*(mg.BatchNorm1d(3) for _ in range(3)), seed=0)
    net.params[...] = first.ravel()
    moved, again = (copy_in(net, "float64").params.reshape(6, 3) for _ in range(2))
    np.testing.assert_array_equal(moved, again)  # the same in every copy
    np.testing.assert_array_equal(moved[4:], first[4:])
    np.testing.assert_array_equal(net.params, first.ravel())
    for values, start in zip(moved[:4], first[:4], strict=True):
        assert len(set(values)) == 3
        far = abs(values - start)
        assert (far > 0.02).all()
        assert (far < 0.31).all()
        assert (values * start >= 0).all()  # what has to be positive stays so


@pytest.mark.parametrize(("b", "stays"), [(0.0, False), (1.0, False), (-1.0, False), (0.7, True)])
def test_a_single_value_is_moved_where_it_is_special(b: float, stays: bool) -> None:
    net = mg.Sequential(mg.Linear(2, 1), seed=0, dtype="float64")
    net.params[-1] = b
    copied = copy_in(net, "float64").params
    np.testing.assert_array_equal(copied[:-1], net.params[:-1])
    assert (copied[-1] == b) == stays
