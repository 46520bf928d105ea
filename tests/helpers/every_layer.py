"""One of each kind of layer, to run a test with all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minigan as mg
from minigan.backend import Array

LAYERS: dict[str, Callable[..., Any]] = {
    "Linear": lambda **kw: mg.Linear(4, 3, seed=1, **kw),
    "ReLU": lambda **kw: mg.ReLU(),
    "LeakyReLU": lambda **kw: mg.LeakyReLU(0.2),
    "Tanh": lambda **kw: mg.Tanh(),
    "Sigmoid": lambda **kw: mg.Sigmoid(),
    "BatchNorm1d": lambda **kw: mg.BatchNorm1d(4, **kw),
}
every_layer = pytest.mark.parametrize("name", LAYERS)
every_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])


def normal(*shape: int, seed: int = 0, dtype: str = "float64") -> Array:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)
