"""Move an input away from the points where a layer has no derivative."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigan.backend import Array, backend_of, through
from minigan.gradcheck.precision import layers_of
from minigan.gradcheck.problem import natural_sizes
from minigan.gradcheck.watch import watched
from minigan.layers import Layer
from minigan.network import Sequential

MARGIN = 1e-5  # no unit should be closer to a kink, as a part of the unit's largest value


def away_from_kinks(
    nets: Sequence[Layer | Sequential], x: Array, rng: np.random.Generator, training: bool = True
) -> Array:
    """Return x, with the rows that bring a unit close to a kink moved at random, a little.

    x goes through the layers and networks ``nets``, one after the other.  No entry leaves the range
    of x.  If a hundred draws find no better input, x is returned as it is; where this matters, the
    verdict will be NOT RESOLVED.
    """
    backend, start = backend_of(x), backend_of(x).to_numpy(x)
    step = 0.1 * natural_sizes("x", x)
    moved = x
    for _ in range(100):
        near = _distance_to_kink(nets, moved, training) <= MARGIN
        if not near.any():
            return moved
        redrawn = np.array(backend.to_numpy(moved))  # a copy, because x may belong to the caller
        fresh = start + step * rng.standard_normal(start.shape)
        redrawn[near] = fresh.clip(start.min(), start.max())[near] if np.ptp(start) else fresh[near]
        moved = backend.asarray(redrawn)
    return x


def _distance_to_kink(nets: Sequence[Layer | Sequential], x: Array, training: bool) -> Array:
    """Return, for each row of x, how near any unit comes to a kink: (N,), in main memory."""
    distance = np.full(len(x), math.inf)

    def note(layer: Layer, run: Callable[[Array], Any], x: Array) -> Any:
        nonlocal distance
        if not isinstance(layer.kinks, (tuple, list)):
            raise TypeError(
                f"{layer!r} has kinks = {layer.kinks!r}, expected a tuple, as in (0.0,)"
            )
        for kink in layer.kinks:
            units = np.abs(backend_of(x).to_numpy(x) - kink).reshape(len(x), -1)
            size = units.max(axis=0 if len(x) > 1 else None)
            nearest = (units / np.where(size > 0, size, 1)).min(axis=1)
            distance = np.minimum(distance, nearest)
        return run(x)

    method = "forward" if training else "evaluate"
    with watched((layer for net in nets for layer in layers_of(net)), **{method: note}):
        for net in nets:
            x, _ = through(net, method, x)
            backend_of(x, f"y of {net!r}")
    return distance
