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
