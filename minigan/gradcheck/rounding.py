"""What rounding does to L and to its gradients, found out by rounding every number otherwise."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigan.backend import Array, backend_of
from minigan.gradcheck.problem import Problem, natural_sizes
from minigan.gradcheck.watch import watched
from minigan.layers import Layer


@dataclass(frozen=True)
class Rounding:
    """What the rounding of all arrays does to L and to its gradients."""

    L: float  # how far a value of L may be off
    gradients: list[dict[str, Array]]  # what backprop returns when its input is rounded otherwise
    floor: float  # what rounding does at least: gradient times natural size of an array


def imitate_rounding(problem: Problem, rng: np.random.Generator) -> Rounding:
    """Move every number by its last digit, up or down at random, a few times.

    This goes for the arrays, and for all that the layers hand on, forward and backward: what a
    layer computes is rounded even where its input is not.
    """

    up = 1.0

    def shaken(array: Array) -> Array:
        signs = rng.choice([-1.0, up], array.shape).astype(array.dtype)
        return array * backend_of(array).asarray(1 + np.finfo(array.dtype).eps * signs)

    def L_and_gradients() -> tuple[Any, dict[str, Array]]:
        for array in arrays:
            array[...] = shaken(array)
        try:
            return problem.L(), problem.backprop()
        finally:
            for array, before in zip(arrays, kept, strict=True):
                array[...] = before

    L0, arrays = problem.L(), (*problem.arrays.values(), *problem.others)
    kept = [array.copy() for array in arrays]
    moved, gradients = [0.0], []
    with _results_through(shaken, problem.layers):
        # The largest of many entries is found in a few draws.
        for _ in range(8 if sum(array.size for array in arrays) < 100_000 else 2):
            try:
                L, gradient = L_and_gradients()
            except ValueError:  # a number that went up left the range of the loss, as 1 in bce
                up = 0.0
                L, gradient = L_and_gradients()
            moved.append(abs(float(L - L0)))
            gradients.append(gradient)
    effects = [0.0]  # on L, of moving an entry by its natural size
    for name, array in problem.arrays.items():
        if getattr(gradients[0][name], "shape", None) == array.shape:
            b = backend_of(array).to_numpy(gradients[0][name])
            effects.append(float(np.abs(b * natural_sizes(name, array)).max()))
    eps = float(np.finfo(kept[0].dtype).eps)
    last_digit = float(np.finfo(np.result_type(L0)).eps) * problem.size
    floor = 20 * eps * min(max(effects), problem.size)
    return Rounding(4 * max(moved) + last_digit, gradients, floor)


def _results_through(
    change: Callable[[Array], Array], layers: tuple[Layer, ...]
) -> contextlib.AbstractContextManager[None]:
    """Let each layer's y and dx go through a function until the ``with`` block ends."""

    def changed(layer: Layer, method: Callable[..., Any], *args: Any) -> Any:
        result = method(*args)
        if isinstance(result, tuple):
            return change(result[0]), *result[1:]
        return change(result) if hasattr(result, "shape") else result  # perhaps a return is missing

    methods = "forward", "evaluate", "input_grad", "double_backward"
    return watched(layers, **dict.fromkeys(methods, changed))
