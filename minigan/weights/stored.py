"""Load a network from the file that ``net.save(path)`` has written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from minigan.backend import FLOATS, Backend
from minigan.data import check_arrays, load_archive
from minigan.errors import InputError
from minigan.layers import Layer
from minigan.network import Sequential
from minigan.weights.architecture import build


def load(
    path: str | Path,
    layers: Mapping[str, type[Layer]] | None = None,
    backend: str | Backend = "numpy",
) -> Sequential:
    """Return the network in a file that ``net.save(path)`` wrote: layers, parameters and buffers.

    ``layers`` names the classes of layers that are not minigan's: ``{"Swish": Swish}``.  The file
    is checked, and nothing in it is executed or unpickled.

    Raises InputError if the file is missing, damaged, or holds no network, if a layer is unknown,
    or if an array does not fit its layer or is not finite.
    """
    file = Path(path)
    arrays, meta = load_archive(file)
    text, params = meta.get("network"), arrays.get("params")
    if not isinstance(text, str) or params is None:
        what = "a run, whose generator load_generator returns" if "config" in meta else "no network"
        raise InputError(f"{file} holds {what}, expected a file that net.save has written")
    if params.dtype not in FLOATS:
        raise InputError(f"{file} is damaged: its numbers are {params.dtype}")
    dtype = params.dtype.name
    try:
        net = build(text, layers, most=params.size, seed=0, dtype=dtype, backend=backend)
    except InputError as error:
        raise InputError(f"{file}: {error}") from error
    state = net.state()
    check_arrays(file, arrays, state)
    if unknown := arrays.keys() - state.keys():
        raise InputError(f"{file} holds {sorted(unknown)[0]!r}, which no layer has")
    for name, array in state.items():
        if name.endswith("running_var") and (arrays[name] < 0).any():
            raise InputError(f"{file} is damaged: {name!r} has numbers below 0")
        array[...] = net.backend.asarray(arrays[name])
    return net
