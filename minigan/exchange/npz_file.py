"""Files of NumPy: the same arrays by the same names, which need no other library."""

from __future__ import annotations

import io
from pathlib import Path

from minigan.data import load_archive, write_archive
from minigan.errors import InputError
from minigan.exchange.bundle import Bundle, bundle_of_generator, flat, unflattened
from minigan.weights import load


def npz_bytes(bundle: Bundle) -> bytes:
    """Return the file."""
    arrays, rest = flat(bundle)
    stream = io.BytesIO()
    write_archive(stream, arrays, {"tensors": rest})
    return stream.getvalue()


def read_npz(file: Path) -> Bundle:
    """Return what a file holds that ``npz_bytes`` has made, or ``net.save`` has written.

    Raises InputError if it is damaged or holds something else.
    """
    arrays, meta = load_archive(file)
    if "network" in meta:
        return bundle_of_generator(load(file), {})
    if "tensors" not in meta:
        what = "a run of minigan already" if "config" in meta else "something else"
        raise InputError(f"{file} holds {what}, expected a file of weights")
    try:
        return unflattened(arrays, meta["tensors"])
    except InputError as error:
        raise InputError(f"{file}: {error}") from error
