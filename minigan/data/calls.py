"""A network as text: calls of constructors, such as ``Sequential(Linear(2, 1), Sigmoid())``.

``repr(layer)`` is the call that makes the layer.  A file of weights keeps the calls of all layers,
and whoever reads it sees Python.  ``read_call`` turns the text into plain data, and nothing in it
is executed.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from minigan.backend import backend_of
from minigan.errors import InputError

LONGEST = 100_000  # characters: a longer text names no network that anybody wrote


class Call(NamedTuple):
    """A call as plain data: the arguments are numbers, strings, None, tuples and other calls."""

    name: str
    args: tuple[Any, ...]
    options: dict[str, Any]


def network_text(name: str, parts: Sequence[Any], indent: str = "") -> str:
    """Return the call that makes a network; the parts are layers, or tuples of layers.

    Raises InputError for a layer that could not be made again from its ``repr``.
    """
    inner = indent + "    "
    rows = [
        network_text("", part, inner) if isinstance(part, tuple) else layer_text(part)
        for part in parts
    ]
    return "\n".join([f"{name}(", *(f"{inner}{row}," for row in rows), f"{indent})"])


def layer_text(layer: Any) -> str:
    """Return ``repr(layer)``.  Raises InputError unless this call makes a layer of the same kind.

    The layer that the call makes must have the same parameters and buffers, with the same shapes,
    and the same numbers, strings and other arrays in its attributes.
    """
    text, kind = repr(layer), type(layer)
    try:
        call = read_call(text)
        if call.name != kind.__name__:
            raise InputError(f"it calls {call.name}")
        difference = _difference(layer, kind(*call.args, **call.options))
    except Exception as error:  # whatever the constructor of a layer of the user's own raises
        difference = " ".join(str(error).split()) or type(error).__name__
    if difference is not None:
        raise InputError(
            f"a layer of the class {kind.__name__} has the repr {text}, which does not make it "
            f"again ({difference}): give it a __repr__ that returns the call of its constructor"
        )
    return text


def _difference(layer: Any, made: Any) -> str | None:
    """Return in which attribute two layers differ, other than in the values of their parameters."""
    trained = (*layer.param_names, *layer.buffer_names)
    for name in trained:
        shape = getattr(layer, name).shape
        if getattr(made, name, np.empty(shape)).shape != shape:  # some layers are drawn later
            return f"its {name} would have another shape"
    others = vars(layer).keys() - {*trained, *(f"d{name}" for name in trained), "bound", "drawn"}
    for name in sorted(others):
        value, other = vars(layer)[name], vars(made).get(name)
        if hasattr(value, "dtype") and value.shape:
            if not np.array_equal(_host(value), _host(other)):
                return f"its {name} would have other numbers, and is not in buffer_names"
        elif _is_plain(value) and value != other:
            return f"its {name} is {value!r} and would be {other!r}"
    return None


def _host(value: Any) -> Any:
    return backend_of(value).to_numpy(value) if hasattr(value, "dtype") else value


def _is_plain(value: Any) -> bool:
    if isinstance(value, (tuple, list)):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, (bool, int, float, str))


def read_call(text: str) -> Call:
    """Return the call that a text holds.  Raises InputError if it holds anything else."""
    if len(text) > LONGEST:
        raise InputError(f"a text of {len(text):,} characters names no network")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Python, about odd but valid text
            value = _value(ast.parse(text.strip(), mode="eval").body)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = str(error) if isinstance(error, InputError) else "it is not Python"
        raise InputError(f"{text[:60]!r} is not a call of a constructor ({reason})") from None
    if not isinstance(value, Call):
        raise InputError(f"{text[:60]!r} is not a call of a constructor")
    return value


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Constant) and isinstance(
        node.value, (bool, int, float, str, type(None))
    ):
        return node.value
    if isinstance(node, (ast.Tuple, ast.List)):
        return tuple(map(_value, node.elts))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        options = {word.arg: _value(word.value) for word in node.keywords if word.arg is not None}
        if len(options) == len(node.keywords):
            return Call(node.func.id, tuple(map(_value, node.args)), options)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        number = _value(node.operand)
        if isinstance(number, (int, float)) and not isinstance(number, bool):
            return -number
    raise InputError("expected numbers, strings and layers")
