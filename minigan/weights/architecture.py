"""Build a network from its text, which ``net.architecture`` returns.

The text is a call such as ``Sequential(Linear(784, 256), LeakyReLU(0.2), BatchNorm1d(256))``.  It
is read, not executed: all that it can do is to make the layers of minigan, and those classes that
the caller names.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from minigan.activations import LeakyReLU, ReLU, Sigmoid, Tanh
from minigan.batch_norm import BatchNorm1d
from minigan.data import Call, read_call
from minigan.errors import InputError
from minigan.layers import Layer, Linear
from minigan.network import Sequential, widths
from minigan.style import Constant, ModulatedLinear, Noise, Shift
from minigan.styled import Styled

LAYERS: dict[str, type[Layer]] = {
    kind.__name__: kind
    for kind in (
        BatchNorm1d, Constant, LeakyReLU, Linear, ModulatedLinear, Noise, ReLU, Shift, Sigmoid,
        Tanh,
    )
}  # fmt: skip
NETWORKS: dict[str, type[Sequential]] = {"Sequential": Sequential, "Styled": Styled}
MOST_PARAMETERS = 1 << 30  # in a network that is built from a text alone


def build(
    text: str,
    layers: Mapping[str, Any] | None = None,
    *,
    most: int = MOST_PARAMETERS,
    **options: Any,
) -> Sequential:
    """Return the network that the text describes, with new parameters.

    ``layers`` names the classes that are not minigan's, ``{"Swish": Swish}``: layers, or networks
    derived from ``Sequential``.  ``options`` are those of ``Sequential``: ``seed``, ``dtype`` and
    ``backend``.  ``most`` is the largest number of parameters that minigan's layers may have
    together; nothing larger is allocated.

    Raises InputError for a text that describes no network, names an unknown class, or gives
    arguments that the class does not take.
    """
    own = dict(layers or {})
    call = read_call(text)
    kind = own.get(call.name) or NETWORKS.get(call.name)
    if kind is None or not issubclass(kind, Sequential):
        known = ", ".join([*NETWORKS, *own])
        raise InputError(f"the text describes a {call.name}, expected a network: {known}")
    if call.options:
        raise InputError(f"{call.name} is given {', '.join(call.options)}, expected layers alone")
    room = _Room(own, most)
    parts: list[Any] = [
        tuple(map(room.layer, p)) if type(p) is tuple else room.layer(p) for p in call.args
    ]
    try:
        if issubclass(kind, Styled):
            room.take_styles(*parts)
        return kind(*parts, **options)
    except (TypeError, ValueError, AttributeError) as error:
        raise _wrong(call.name, error) from error


def own_classes(net: Sequential) -> dict[str, type]:
    """Return the classes of a network's layers, and its own, that are not minigan's, by name.

    Raises InputError if a text could not tell two of them apart, or one of them from minigan's.
    """
    own: dict[str, type] = {}
    known: dict[str, type] = {**LAYERS, **NETWORKS}
    for kind in (type(net), *map(type, net.layers)):
        name = kind.__name__
        if known.get(name) is kind:
            continue
        if name in known or own.setdefault(name, kind) is not kind:
            whose = "minigan's" if name in known else "another"
            raise InputError(f"the class {name} of a layer has the name of {whose}: rename it")
    return own


class _Room:
    """Makes layers as long as there is room for their parameters."""

    def __init__(self, own: Mapping[str, Any], left: int) -> None:
        self.own, self.left = own, left

    def layer(self, call: Any) -> Layer:
        """Return the layer that a call makes."""
        if not isinstance(call, Call):
            raise InputError(f"the network holds {call!r}, expected layers")
        kind = self.own.get(call.name) or LAYERS.get(call.name)
        if kind is None:
            raise InputError(
                f"the network has a layer {call.name}, which minigan does not know: give its "
                f'class, as in layers={{"{call.name}": {call.name}}}, or its file, as in --model '
                "my_gan.py"
            )
        if call.name not in self.own:
            sizes = [n for n in call.args if type(n) is int]
            self.take(math.prod(sizes) if sizes and kind.param_names else 0)
            if any(type(value) is not float for value in call.options.values()):
                raise InputError(f"{call.name} is given options other than numbers")
        try:
            made = kind(*call.args, **call.options)
        except (TypeError, ValueError, AttributeError) as error:
            raise _wrong(call.name, error) from error
        if not isinstance(made, Layer):
            raise InputError(f"{call.name} makes a {type(made).__name__}, expected a Layer")
        return made

    def take_styles(self, mapping: Any, synthesis: Any) -> None:
        """Make room for the ``Linear`` that ``Styled`` puts before each layer with a style."""
        _, n_w = widths(mapping)
        self.take(sum((n_w or 1) * layer.n for layer in synthesis if layer.beside == "style"))

    def take(self, parameters: int) -> None:
        self.left -= max(parameters, 0)
        if self.left < 0:
            raise InputError("the layers have more parameters than there are numbers for them")


def _wrong(name: str, error: Exception) -> InputError:
    return InputError(f"{name} cannot be made: {' '.join(str(error).split())}")
