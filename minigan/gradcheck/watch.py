"""Watch the layers of a network while it runs: each call goes through a function of the check."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from minigan.layers import Layer


@contextlib.contextmanager
def watched(layers: Iterable[Layer], **notes: Callable[..., Any]) -> Iterator[None]:
    """Inside the block, ``layer.method(…)`` runs ``notes[method](layer, method, …)`` instead.

    The second argument is the layer's own method.  Each layer is put back as it was.
    """
    before = [(layer, dict(vars(layer))) for layer in layers]
    for layer, _ in before:  # an attribute of the layer itself goes before the method of its class
        for name, note in notes.items():
            setattr(layer, name, partial(note, layer, getattr(layer, name)))
    try:
        yield
    finally:
        for layer, attributes in before:
            for name in notes:
                vars(layer).pop(name, None)
                if name in attributes:
                    setattr(layer, name, attributes[name])
