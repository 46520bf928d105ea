"""A run's state in one file: written so that a crash cannot spoil it, checked when it is read.

The file is a NumPy ``.npz`` archive of plain arrays, one of them a JSON text with all that is no
array.  Nothing in it is ever unpickled, and the archive keeps a CRC of every entry, so that
truncation and flipped bits are found when it is read.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any
from zipfile import ZipFile

import numpy as np

from minigan.backend import Array
from minigan.errors import InputError
from minigan.network import Sequential

FORMAT = "minigan checkpoint 1"
AVERAGE = "average"  # beside "generator" in the checkpoints of a run whose recipe averages


@contextlib.contextmanager
def atomic_write(path: Path) -> Iterator[IO[bytes]]:
    """Open ``path`` for writing so that at every moment it holds its old content or all the new.

    Writes beside it to ``<name>.tmp``, syncs that to the disk, and renames.  A process that is
    killed leaves at worst the temporary file, which the next write replaces.  Raises OSError.
    """
    temporary = path.with_name(path.name + ".tmp")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):
            error.filename = str(path)  # what the user asked for, not the temporary name
        raise
    if os.name == "posix":  # the rename itself must reach the disk too
        with contextlib.suppress(OSError):  # some systems cannot; the file is there all the same
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


def save_checkpoint(path: Path, arrays: Mapping[str, Array], meta: Mapping[str, Any]) -> None:
    """Write NumPy arrays and a JSON-able ``meta`` to ``path``, atomically."""
    text = json.dumps({"format": FORMAT, "arrays": list(arrays), **meta})
    with atomic_write(path) as file:  # before NumPy 2.2, allow_pickle=False would be an array
        np.savez(file, meta=np.frombuffer(text.encode(), np.uint8), **arrays)  # type: ignore[arg-type]


def load_checkpoint(path: Path) -> tuple[dict[str, Array], dict[str, Any]]:
    """The arrays and the ``meta`` of a checkpoint.

    Raises InputError if the file is missing, truncated, damaged, or not a checkpoint of minigan.
    """
    try:
        with ZipFile(path) as archive:
            arrays = {
                name.removesuffix(".npy"): np.lib.format.read_array(
                    io.BytesIO(archive.read(name)),  # whole, so that its CRC is checked
                    allow_pickle=False,
                )
                for name in archive.namelist()
            }
        meta = json.loads(arrays.pop("meta").tobytes())
        found, names = meta.pop("format"), meta.pop("arrays")
    except FileNotFoundError as error:
        raise InputError(f"checkpoint {path} does not exist") from error
    except OSError as error:
        raise InputError(f"checkpoint {path} cannot be read: {error.strerror}") from error
    except Exception as error:  # a flipped bit can break any step of the way, in many ways
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{path} is damaged or not a checkpoint of minigan ({reason})") from error
    if found != FORMAT:
        raise InputError(f"{path} has format {found!r}, expected {FORMAT!r}")
    if names != list(arrays):  # a flipped bit can hide an entry
        raise InputError(f"{path} is damaged: it holds {list(arrays)}, expected {names}")
    return arrays, meta


def network_arrays(name: str, net: Sequential) -> dict[str, Array]:
    """What is kept of a network, on its device: its parameters, and arrays beside them."""
    buffers = {f"{name}.{buffer}": array for buffer, array in net.named_buffers()}
    return {name: net.params, **buffers}


def check_arrays(path: Path, arrays: Mapping[str, Array], expected: Mapping[str, Array]) -> None:
    """InputError unless ``arrays`` has all that is in ``expected``, in its shapes and dtypes."""
    for name, want in expected.items():
        have = arrays.get(name)
        if have is None:
            raise InputError(f"{path} has no {name!r}: it comes from another architecture")
        if have.shape != want.shape or have.dtype != want.dtype:
            raise InputError(
                f"{path}: {name!r} is {have.dtype} {have.shape}, expected {want.dtype} "
                f"{want.shape}: it comes from another architecture"
            )
