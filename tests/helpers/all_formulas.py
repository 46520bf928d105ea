"""Every element-wise formula of the library, and arguments with the hard cases among them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import minigan as mg
from minigan.activations import sigmoid
from minigan.losses import _bce, _bce_with_logits, _mse


def formulas() -> list[tuple[str, Callable[..., Any], tuple[Any, ...]]]:
    """(name, formula, arguments with None for an array) of all kernels that the library has."""
    result: list[tuple[str, Callable[..., Any], tuple[Any, ...]]] = []
    for layer in (mg.ReLU(), mg.LeakyReLU(0.2), mg.Tanh(), mg.Sigmoid()):
        cls: Any = type(layer)
        name = cls.__name__
        result.append((f"{name}.forward", cls.forward.__wrapped__, (layer, None)))
        result.append((f"{name}.input_grad", cls.input_grad.__wrapped__, (layer, None, None)))
    for layer in (mg.Tanh(), mg.Sigmoid()):  # that of the others is their input_grad
        cls = type(layer)
        formula, name = cls.double_backward.__wrapped__, f"{cls.__name__}.double_backward"
        result.append((name, formula, (layer, None, None, None)))
    result += [
        (
            "what no layer has",
            lambda a, b: (np.minimum(a, b), a * (a < b), np.sqrt(b)),
            (None, None),
        ),
        ("sigmoid of logits", sigmoid, (None,)),
        ("bce, target 1", _bce, (None, 1.0, 12)),
        ("bce, targets", _bce, (None, None, 12)),
        ("bce_with_logits, target 1", _bce_with_logits, (None, 1.0, 12)),
        ("bce_with_logits, target 0", _bce_with_logits, (None, 0.0, 12)),
        ("bce_with_logits, targets", _bce_with_logits, (None, None, 12)),
        ("mse, target 1", _mse, (None, 1.0, 12)),
        ("mse, targets", _mse, (None, None, 12)),
    ]
    return result


def arguments(name: str, args: Sequence[Any], dtype: str, size: int = 12) -> list[Any]:
    """Values for the arrays, with the hard cases among them."""
    rng = np.random.default_rng(0)
    result = list(args)
    for k, arg in enumerate(args):
        if arg is None:
            a = rng.standard_normal(size) * 30
            a[:5] = 0, -0.0, np.inf, -np.inf, np.nan
            if name.startswith("bce,") or (k == 1 and "targets" in name):
                a = rng.uniform(0, 1, size)
                a[:3] = 0, 1, 1e-30
            result[k] = a.astype(dtype)
    return result


def in_tuple(result: Any) -> tuple[Any, ...]:
    """Return what a formula returned, as a tuple in any case."""
    return result if isinstance(result, tuple) else (result,)
