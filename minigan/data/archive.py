"""Store arrays and JSON in one file, which a crash cannot damage and which is checked when read.

The file is a NumPy ``.npz`` archive of plain arrays.  One of them is a JSON text with everything
that is not an array.  Nothing in the file is ever unpickled.  The archive keeps a checksum (CRC) of
every entry, so that truncation and flipped bits are found when the file is read.  Reading takes no
more memory than the file has bytes: entries are not compressed, and every size that the file states
is compared with what is there before anything is read.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any
from zipfile import ZIP_STORED, ZipFile

import numpy as np

from minigan.backend import Array
from minigan.errors import InputError
from minigan.machine.files import atomic_write, open_regular

FORMAT = "minigan checkpoint 1"
HEADERS = {  # what reads the header of an array, for each version of NumPy's format
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def save_archive(path: Path, arrays: Mapping[str, Array], meta: Mapping[str, Any]) -> None:
    """Write NumPy arrays, and ``meta`` as JSON, to ``path``; the file is never half written."""
    with atomic_write(path) as file:
        write_archive(file, arrays, meta)


def write_archive(file: IO[bytes], arrays: Mapping[str, Array], meta: Mapping[str, Any]) -> None:
    """Write NumPy arrays, and ``meta`` as JSON, to an open file."""
    text = json.dumps({"format": FORMAT, "arrays": list(arrays), **meta})
    # NumPy before 2.2 takes allow_pickle for an array
    np.savez(file, meta=np.frombuffer(text.encode(), np.uint8), **arrays)  # type: ignore[arg-type]


def load_archive(path: Path) -> tuple[dict[str, Array], dict[str, Any]]:
    """Return the arrays and the ``meta`` of an archive.

    Raises InputError if the file is missing, truncated, damaged, or not a checkpoint of minigan.
    """
    try:
        with open_regular(path) as file, ZipFile(file) as archive:
            entries = archive.infolist()
            size = sum(entry.file_size for entry in entries)
            packed = any(entry.compress_type != ZIP_STORED for entry in entries)
            if packed or size > file.seek(0, io.SEEK_END):
                raise ValueError(f"it claims to hold {size:,} bytes{', compressed' * packed}")
            arrays = {
                entry.filename.removesuffix(".npy"): array_of(archive.read(entry))  # checks the CRC
                for entry in entries
            }
        meta = json.loads(arrays.pop("meta").tobytes())
        found, names = meta.pop("format"), meta.pop("arrays")
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    except Exception as error:  # a flipped bit can make any of these lines fail
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{path} is damaged or not a checkpoint of minigan ({reason})") from error
    if found != FORMAT:
        raise InputError(f"{path} has format {found!r}, expected {FORMAT!r}")
    if names != list(arrays):  # a flipped bit can hide an entry
        raise InputError(f"{path} is damaged: it holds {list(arrays)}, expected {names}")
    return arrays, meta


def array_of(content: bytes) -> Array:
    """Return the array in a file of NumPy's format ``.npy``, without copying its numbers.

    Raises ValueError if it holds Python objects, or more or fewer bytes than its header promises.
    """
    stream = io.BytesIO(content)
    shape, fortran_order, dtype = read_header(stream)
    start = stream.tell()
    if dtype.hasobject:
        raise ValueError("it holds pickled objects, which are never read")
    if dtype.itemsize == 0:  # any number of them would take no bytes
        raise ValueError(f"an array of {dtype}, whose items have no bytes")
    if math.prod(shape) * dtype.itemsize != len(content) - start:
        raise ValueError(f"an array of {dtype} {shape} in {len(content) - start:,} bytes")
    return np.ndarray(shape, dtype, content, start, order="F" if fortran_order else "C")


def read_header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return the shape, the order and the dtype of the array in a file of NumPy's format ``.npy``.

    Raises ValueError if the file begins otherwise.
    """
    version = np.lib.format.read_magic(stream)
    if version not in HEADERS:
        major, minor = version
        raise ValueError(f"version {major}.{minor} of NumPy's format, expected 1.0 or 2.0")
    return HEADERS[version](stream)  # type: ignore[no-any-return, unused-ignore]


def check_arrays(path: Path, arrays: Mapping[str, Array], expected: Mapping[str, Array]) -> None:
    """Raise InputError unless ``arrays`` has each expected array: its shape and dtype, finite."""
    for name, want in expected.items():
        have = arrays.get(name)
        if have is None:
            raise InputError(f"{path} has no {name!r}: it comes from another architecture")
        if have.shape != want.shape or have.dtype != want.dtype:
            raise InputError(
                f"{path}: {name!r} is {have.dtype} {have.shape}, expected {want.dtype} "
                f"{want.shape}: it comes from another architecture"
            )
        if not np.isfinite(have).all():
            raise InputError(f"{path} is damaged: {name!r} has numbers that are not finite")
