"""Flat storage: many named arrays that are views into one vector of values and one of gradients."""

from __future__ import annotations

import copy
import warnings
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

from minigan.backend.base import Array, Backend
from minigan.backend.dispatch import backend_of


class FlatViews:
    """The attributes of several objects that look into a network's two vectors.

    Each name, such as ``W``, stands for a view into ``params``, and ``dW`` for the same part of
    ``grads``.  ``check`` notices if another array was put in the place of one of them.
    """

    def __init__(self) -> None:
        self.slots: list[tuple[str, Any, str, slice, tuple[int, ...]]] = []
        self.size = 0
        self.made: list[tuple[Any, str, Array, str]] = []  # what ``bind`` made: owner, name, array

    def add(self, key: str, owner: Any, name: str, shape: tuple[int, ...], size: int) -> None:
        """Reserve the next ``size`` elements for ``owner.name``."""
        where = slice(self.size, self.size + size)
        self.slots.append((key, owner, name, where, shape))
        self.size += size

    def bind(self, net: Any) -> None:
        """Make every attribute a view into ``net.params`` or ``net.grads``.

        Raises TypeError for a shallow copy of a network: its weights would be those of the first,
        but each would count its own changes, and would take stale caches for new ones.
        """
        if self.made and self.made[0][0] is not net:
            raise TypeError("copy.copy of a network shares its weights: use copy.deepcopy")
        self.made = [(net, name, getattr(net, name), f"net.{name}") for name in ("params", "grads")]
        for key, owner, name, where, shape in self.slots:
            for d, vector in (("", net.params), ("d", net.grads)):
                view = vector[where].reshape(shape)
                setattr(owner, d + name, view)
                self.made.append((owner, d + name, view, f"net[{key.split('.')[0]}].{d}{name}"))

    def check(self) -> None:
        """Raise RuntimeError unless every attribute is still the array that ``bind`` made."""
        for owner, name, made, key in self.made:
            if getattr(owner, name) is not made:
                raise RuntimeError(
                    f"{key} is no longer the network's own array: write {key}[...] = … instead of "
                    f"{key} = …, which puts another array in its place"
                )

    def __iter__(self) -> Iterator[tuple[str, Array, Array]]:
        for key, owner, name, _, _ in self.slots:
            yield key, getattr(owner, name), getattr(owner, "d" + name)

    def of(self, owner: Any) -> list[tuple[str, tuple[int, ...], int]]:
        """Return (name, shape, number of elements) of the attributes of one object."""
        return [
            (name, shape, where.stop - where.start)
            for _, one, name, where, shape in self.slots
            if one is owner
        ]


def checksum(arrays: Iterable[Array]) -> int:
    """Return a number by which one can tell later whether a value has changed."""
    return zlib.crc32(b"".join(backend_of(array).to_numpy(array).tobytes() for array in arrays))


def prepare_weights(layer: Any, i: int, keep: bool, rng: Any, dtype: Any, backend: Backend) -> None:
    """Draw the arrays of layer i, or keep them in this dtype and on this backend.

    Warns if weights that were set are drawn anew.  Raises ValueError if an array that is kept has
    another shape than the one that would be drawn.
    """
    has_weights = all(hasattr(layer, name) for name in layer.param_names)
    if keep and has_weights:
        drawn = copy.copy(layer)  # its arrays become others than those of the layer
        drawn.allocate(0)
        for name in (*layer.param_names, *layer.buffer_names):
            array, expected = getattr(layer, name), getattr(drawn, name).shape
            if array.shape != expected:
                raise ValueError(
                    f"layer {i}, {layer!r}: {name} has shape {array.shape}, expected {expected}"
                )
            setattr(layer, name, backend.asarray(backend_of(array).to_numpy(array), dtype))
        return
    if has_weights and checksum(layer.arrays()) != layer.drawn:
        warnings.warn(
            f"layer {i}, {layer!r}, has weights that were set, and they are drawn anew: "
            "Sequential(..., keep_weights=True) keeps them",
            stacklevel=3,
        )
    layer.allocate(rng, dtype, backend)


def check_holds_no_layers(what: str, layer: Any) -> None:
    """Raise ValueError if an attribute of ``layer`` holds a network, or a layer with parameters."""
    for name, value in vars(layer).items():
        items = list(value.values()) if isinstance(value, dict) else value
        for item in items if isinstance(items, (list, tuple)) else (items,):
            if getattr(item, "param_names", ()) or hasattr(item, "named_parameters"):
                raise ValueError(
                    f"{what} holds layers in its attribute {name}, which would be neither trained "
                    "nor checked: put them into the network itself"
                )
