"""The tensors of a network as PyTorch names and stores them.

The keys are those of the tutorial's classes, whose layers are ``self.model = nn.Sequential(...)``:
``model.0.weight``, ``model.0.bias`` and so on.  A weight of ``nn.Linear`` is (n_out, n_in), the
transpose of W.  D begins with ``nn.Flatten()``, so that its first ``Linear`` has the number 1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from minigan.backend import Array
from minigan.batch_norm import BatchNorm1d
from minigan.errors import InputError
from minigan.layers import Linear
from minigan.network import Sequential

PREFIX = "model."
AFTER_FLATTEN = 1  # the number of D's first layer
NAMES = {"W": "weight", "b": "bias", "gamma": "weight", "beta": "bias"}
COUNT = "num_batches_tracked"  # a number that PyTorch keeps and uses only without a momentum
KEY = re.compile(r"(.*?)(\d+)\.(\w+)")


def check_in_a_row(net: Sequential) -> None:
    """Raise InputError unless PyTorch has the network: ``Linear`` and ``BatchNorm1d`` in a row."""
    if type(net) is not Sequential:
        raise InputError(
            f"a {type(net).__name__} network is not a row of layers, as the keys of PyTorch "
            "expect it: `to` onnx writes it as a graph, and net.save as a file of minigan"
        )
    for layer in net.layers:
        if (layer.param_names or layer.buffer_names) and type(layer) not in (Linear, BatchNorm1d):
            raise InputError(
                f"every format names parameters as PyTorch does, which has no layer {layer!r}: in "
                "Python, mg.load_generator(run, layers=...).save(file) keeps it as it is"
            )


def tensors_of(net: Sequential, first: int = 0, batches: int = 0) -> dict[str, Array]:
    """Return the tensors of a network by their keys; its first layer has the number ``first``.

    ``batches`` is the number of training batches so far.  Raises as ``check_in_a_row`` does.
    """
    check_in_a_row(net)
    to_numpy = net.backend.to_numpy
    named = parameters_of(net, net.params)
    tensors = {}
    for i, layer in enumerate(net.layers):
        for name in layer.param_names:
            tensors[f"{PREFIX}{i + first}.{NAMES[name]}"] = named[f"{i}.{name}"]
        for name in layer.buffer_names:
            tensors[f"{PREFIX}{i + first}.{name}"] = to_numpy(getattr(layer, name)).copy()
        if isinstance(layer, BatchNorm1d):
            tensors[f"{PREFIX}{i + first}.{COUNT}"] = np.array(batches, np.int64)
    return tensors


def parameters_of(net: Sequential, vector: Array) -> dict[str, Array]:
    """Return the parts of a vector such as ``params``, by our names, as PyTorch stores them.

    They are copies, in the order of ``parameters()`` there.  Weights are transposed, and
    contiguous: safetensors 0.8.0 would write the numbers of others in a wrong order.
    """
    vector, parts, start = net.backend.to_numpy(vector), {}, 0
    for name, parameter, _ in net.named_parameters():
        part = vector[start : start + parameter.size].reshape(parameter.shape)
        parts[name] = np.array(part.T, order="C")  # the transpose of a vector is itself
        start += parameter.size
    return parts


def set_network(net: Sequential, tensors: Mapping[str, Array], what: str) -> None:
    """Copy tensors into a network.

    Their keys may have any prefix in place of ``model.``, and begin at any number.  Raises
    InputError, which begins with ``what``, unless they are those of the network's layers.
    """
    expected = tensors_of(net)
    found = _renumbered(tensors, expected, what)
    for key, want in expected.items():
        if key.endswith(COUNT):
            continue
        if key not in found:
            raise InputError(f"{what} has no {key}, expected {listed(expected)}")
        _check(f"{what}: {key}", found[key], want)
        if key.endswith("running_var") and (found[key] < 0).any():
            raise InputError(f"{what}: {key} has numbers below 0")
    if unknown := found.keys() - expected.keys():
        raise InputError(
            f"{what} has {key_shown(sorted(unknown)[0])}, expected {listed(expected)} only"
        )
    parts = []
    for i, layer in enumerate(net.layers):
        weights = [found[f"{PREFIX}{i}.{NAMES[name]}"] for name in layer.param_names]
        parts += [weight.T.reshape(-1) for weight in weights]
        for name in layer.buffer_names:
            getattr(layer, name)[...] = net.backend.asarray(found[f"{PREFIX}{i}.{name}"])
    net.params[...] = net.backend.asarray(np.concatenate(parts))
    net.weights_changed()


def set_vector(net: Sequential, vector: Array, parts: Sequence[Array], what: str) -> None:
    """Copy what belongs to each parameter, in PyTorch's order, into a vector such as Adam's m.

    Raises InputError, which begins with ``what``, unless the parts fit the parameters.
    """
    expected = parameters_of(net, vector)
    if len(parts) != len(expected):
        raise InputError(f"{what} has {len(parts)} tensors, expected {len(expected)}")
    for i, (part, want) in enumerate(zip(parts, expected.values(), strict=True)):
        _check(f"{what}: tensor {i}", part, want)
    vector[...] = net.backend.asarray(np.concatenate([part.T.reshape(-1) for part in parts]))


def first_weight(tensors: Mapping[str, Array]) -> Array | None:
    """Return the weight of the first ``Linear``, (n_out, n_in); None if there is none."""
    weights = [
        (int(match[2]), array)
        for key, array in tensors.items()
        if (match := KEY.fullmatch(key)) and array.ndim == 2 and len(match[2]) < 7
    ]
    return min(weights, key=lambda pair: pair[0])[1] if weights else None


def _renumbered(
    tensors: Mapping[str, Array], expected: Mapping[str, Array], what: str
) -> dict[str, Array]:
    """Return tensors with our prefix, and the first of them with the number that it has here."""
    keys = {key: KEY.fullmatch(key) for key in tensors}
    matches = [match for match in keys.values() if match is not None and len(match[2]) < 7]
    if not tensors or len(matches) < len(keys) or len({match[1] for match in matches}) > 1:
        raise InputError(f"{what} has {listed(tensors)}, expected {listed(expected)}")
    lowest = min(int(match[2]) for match in matches)
    start = min(int(match[2]) for key in expected if (match := KEY.fullmatch(key)))
    found = {
        f"{PREFIX}{int(match[2]) - lowest + start}.{match[3]}": array
        for match, array in zip(matches, tensors.values(), strict=True)
    }
    if len(found) < len(tensors):  # as 0.weight and 00.weight
        raise InputError(f"{what} has {listed(tensors)}, expected {listed(expected)}")
    return found


def _check(what: str, have: Array, want: Array) -> None:
    if have.shape != want.shape or have.dtype != want.dtype:
        raise InputError(f"{what} is {have.dtype} {have.shape}, expected {want.dtype} {want.shape}")
    if not np.isfinite(have).all():
        raise InputError(f"{what} has numbers that are not finite")


def key_shown(key: str) -> str:
    """Return a key for a message: without line breaks, and not too long."""
    return key[:60] if key.isprintable() else repr(key[:60])


def listed(keys: Iterable[str]) -> str:
    """Return the first few keys, for a message."""
    names = [key_shown(key) for key in keys]
    return ", ".join(names[:4]) + (f", … ({len(names)})" if len(names) > 4 else "") or "nothing"
