"""What no difference can show: a layer that changes its arguments, throws dice, moves its arrays.

Such a layer may return the right gradient when it is asked alone and once, and ruin a training run.
So each layer is run twice, and all that it was given is compared with a copy.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigan.backend import Array, backend_of
from minigan.gradcheck.precision import layers_of, named_parameters
from minigan.gradcheck.verdict import FAIL, UNRESOLVED, ArrayCheck
from minigan.layers import Layer
from minigan.network import Sequential


def find_faults(
    net: Layer | Sequential, x: Array, training: bool, rng: np.random.Generator
) -> list[ArrayCheck]:
    """Return a record for each fault of a layer; ``net`` is a copy that may be spoilt."""
    faults: list[ArrayCheck] = []
    parameters = named_parameters(net)
    kept = [parameter.copy() for _, parameter, _ in parameters]

    def expect_same(name: str, method: str, what: str, array: Array, before: Array) -> None:
        if not _same(array, before):
            faults.append(ArrayCheck(name, FAIL, f"{method} changes {what}"))

    passed = []
    for i, layer in enumerate(layers_of(net)):
        name = f"layer {i}, {layer!r}"
        run = layer.forward if training else layer.evaluate
        before = x.copy()
        y, cache = run(x)
        expect_same(name, "forward", "its argument x", x, before)
        if not _same(run(before.copy())[0], y):
            faults.append(ArrayCheck(name, UNRESOLVED, DICE))
        passed.append((name, layer, cache, x, before, y, y.copy()))
        x = y

    dy: Any = backend_of(x).asarray(rng.standard_normal(x.shape), x.dtype)
    for name, layer, cache, x, x_before, y, y_before in reversed(passed):
        before = dy.copy()
        dx = layer.backward(dy, cache)
        expect_same(name, "backward", "its argument dy", dy, before)
        expect_same(name, "backward", "the x that forward was given", x, x_before)
        expect_same(name, "backward", "the y that forward returned", y, y_before)
        for (key, parameter, _), copy in zip(parameters, kept, strict=True):
            expect_same(key, "forward or backward", "this parameter", parameter, copy)
        faults += _replaced(net, parameters)
        if any(fault.verdict == FAIL for fault in faults):  # a second call might be misled
            return faults
        again = layer.backward(before.copy(), cache)
        if dx is not None and (again is None or not _same(dx, again)):
            faults.append(ArrayCheck(name, FAIL, "backward gives another dx at the second call"))
        dy = dx
    return faults


def _replaced(
    net: Layer | Sequential, parameters: list[tuple[str, Array, Array]]
) -> list[ArrayCheck]:
    """Return a record for each array that is another one than it was."""
    return [
        ArrayCheck(name, FAIL, f"a new array stands in the place of its {what}: write into the old")
        for (name, *then), (_, *now) in zip(parameters, named_parameters(net), strict=True)
        for what, a, b in zip(("values", "gradient"), then, now, strict=True)
        if a is not b  # the optimizer uses the old array
    ]


DICE = (
    "forward gives another y for the same x, so no difference of two losses is a slope: check the "
    "layer with the same dice at each call"
)


def _same(a: Array, b: Array) -> bool:
    """Return whether two arrays are equal, except for the last digits of their largest numbers."""
    if a.shape != b.shape:
        return False
    a, b = backend_of(a).to_numpy(a), backend_of(b).to_numpy(b)
    largest = np.abs(b[np.isfinite(b)]).max(initial=0)
    return bool(np.allclose(a, b, 0, 1e-13 * largest, equal_nan=True))
