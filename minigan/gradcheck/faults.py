"""What no difference can show: a layer that changes its arguments, throws dice, moves its arrays.

Such a layer may return the right gradient when it is asked alone and once, and ruin a training run.
So each layer is run twice, and all that it was given is compared with a copy.  Before its backward,
it is run forward on another x, as D is, which sees two batches before it goes back through them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np

from minigan.backend import Array, backend_of
from minigan.gradcheck.precision import layers_of, named_parameters
from minigan.gradcheck.verdict import FAIL, UNRESOLVED, ArrayCheck
from minigan.gradcheck.watch import watched
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

    names = {id(layer): f"layer {i}, {layer!r}" for i, layer in enumerate(layers_of(net))}
    passed: dict[int, tuple[Array, ...]] = {}  # of each layer: x and y, and copies of both
    runs: dict[int, Callable[[Array], Any]] = {}  # and its forward

    def forward(layer: Layer, run: Callable[[Array], Any], x: Array) -> Any:
        before = x.copy()
        y, cache = run(x)
        expect_same(names[id(layer)], "forward", "its argument x", x, before)
        if not _same(run(before.copy())[0], y):
            faults.append(ArrayCheck(names[id(layer)], UNRESOLVED, DICE))
        if y.dtype != before.dtype:
            reason = f"forward gives {y.dtype} for an x of {before.dtype}, too few digits to check"
            faults.append(ArrayCheck(names[id(layer)], UNRESOLVED, reason))
        y_before = y.copy()
        passed[id(layer)], runs[id(layer)] = (x, before, y, y_before), run
        run(0.75 * before)
        expect_same(names[id(layer)], "a second forward", "the y of the first", y, y_before)
        return y, cache

    def backward(
        layer: Layer, run: Callable[..., Any], dy: Array, cache: Any, **flags: bool
    ) -> Any:
        name, before, (x, x_before, y, y_before) = names[id(layer)], dy.copy(), passed[id(layer)]
        now = [getattr(layer, f"d{key}") for key in layer.param_names]
        for gradient in now:
            gradient[...] = 0  # in case that backward only adds to it, which is found elsewhere
        dx = run(dy, cache)
        gradients = [gradient.copy() for gradient in now]
        expect_same(name, "backward", "its argument dy", dy, before)
        expect_same(name, "backward", "the x that forward was given", x, x_before)
        expect_same(name, "backward", "the y that forward returned", y, y_before)
        for (key, parameter, _), copy in zip(parameters, kept, strict=True):
            expect_same(key, "forward or backward", "this parameter", parameter, copy)
        faults.extend(_replaced(net, parameters))
        if any(fault.verdict == FAIL for fault in faults):  # a second call might be misled
            raise _Stop
        again = run(before.copy(), cache)
        if dx is not None and (again is None or not _same(dx, again)):
            faults.append(ArrayCheck(name, FAIL, "backward gives another dx at the second call"))
        if not faults:  # else the layer throws dice
            _, own = runs[id(layer)](x_before.copy())
            for gradient in now:
                gradient[...] = 0
            alone = run(before.copy(), own)
            if dx is not None and alone is not None:
                now, gradients = [*now, alone], [*gradients, dx]
            if not all(map(_same, now, gradients)):
                faults.append(ArrayCheck(name, FAIL, BETWEEN))
        return dx

    method = "forward" if training else "evaluate"
    with (
        contextlib.suppress(_Stop),
        watched(layers_of(net), **{method: forward}, backward=backward),
    ):
        y, cache = getattr(net, method)(x)
        replaced = _replaced(net, parameters)  # by a forward; the network would raise an error
        faults += replaced
        if not replaced:
            dy: Any = backend_of(x).asarray(rng.standard_normal(y.shape), y.dtype)
            net.backward(dy, cache)
    return faults


class _Stop(Exception):  # noqa: N818  (it is no error: a layer that has failed is not run again)
    """Ends a pass through a network."""


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


BETWEEN = (
    "backward gives something else if forward has seen another x before it: what backward needs "
    "belongs into the cache, not into the layer"
)
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
