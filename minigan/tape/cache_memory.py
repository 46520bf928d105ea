"""What the caches of a step hold, in words and bytes, for the tape of ``minigan.trace``."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from minigan.backend import Array
from minigan.batch_norm import BatchNorm1d
from minigan.layers import Layer
from minigan.style import ModulatedLinear

# Names of cached arrays that are neither x nor y
NAMES = {BatchNorm1d: ("x̂", "1/σ"), ModulatedLinear: ("x", "1 + s", "v", "d")}


class CacheMemory:
    """Counts the memory of caches; each array, and each piece of memory, counts once."""

    def __init__(self, *parameters: Array) -> None:  # their memory exists without any cache
        self.places: dict[int, str] = {}  # by the id of a kept array: "y of D 1"
        self.counted = {id(a): a.nbytes for a in parameters}  # bytes, by the id of their owner
        self.alive: list[Any] = []  # the caches, so that no new cache gets the id of an old one

    def note(self, place: str, layer: Layer, x: Array, y: Array, cache: Any) -> tuple[str, int]:
        """Return what the cache holds, in words, and the bytes of it that are not counted yet."""
        self.alive.append(cache)
        names = [name for kind, names in NAMES.items() if isinstance(layer, kind) for name in names]
        words, size = [], 0
        for a in _arrays(cache):
            name = names.pop(0) if names else "x" if a is x else "y" if a is y else str(a.shape)
            if id(a) in self.places:  # an earlier layer keeps the same array
                name = f"{name} = {self.places[id(a)]}"
            else:
                size += self._new_bytes(a)
            self.places.setdefault(id(a), f"{name} of {place}")
            words.append(name)
        return ", ".join(words), size

    def _new_bytes(self, a: Array) -> int:
        """Return how many bytes of an array, or of the base that it views, are not counted yet."""
        owner: Any = a
        base: Any = a
        while (base := getattr(base, "base", None)) is not None:
            owner = base if hasattr(base, "nbytes") else owner
        before = self.counted.get(id(owner), 0)
        repeated = math.prod(n for n, step in zip(a.shape, a.strides, strict=True) if step == 0)
        new: int = min(a.nbytes // max(1, repeated), owner.nbytes - before)
        self.counted[id(owner)] = before + new
        return new


def _arrays(cache: Any) -> Iterator[Array]:
    """Yield the arrays in a cache: an array, or a tuple or list that may hold other things, too."""
    if isinstance(cache, (tuple, list)):
        for item in cache:
            yield from _arrays(item)
    elif getattr(cache, "ndim", 0):
        yield cache
