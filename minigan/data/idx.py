"""Read the IDX format of MNIST: a header of a few bytes, then the numbers."""

from __future__ import annotations

import io
import math
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from minigan.data.kinds import check_unpacked, unpacked
from minigan.errors import InputError, counted
from minigan.machine.files import open_regular

# as the third byte of the file names them
TYPES: dict[int, np.dtype[Any]] = {8: np.dtype(np.uint8), 12: np.dtype(">i4")}


def read_idx(file: Path, item: tuple[int, ...] = ()) -> npt.NDArray[np.uint8]:
    """Return the uint8 array of N items in an IDX file: (N, *item).

    ``item`` is the shape of each: (28, 28) for images of MNIST, () for labels.

    Raises InputError as ``read_any_idx`` does, and if the file holds another type or another shape.
    """
    return read_any_idx(file, item)


def read_any_idx(file: Path, item: tuple[int, ...] | None = None) -> npt.NDArray[Any]:
    """Return the array in an IDX file, plain or packed with gzip: uint8, or 32-bit integers.

    An IDX file begins with two zero bytes, one byte for the type (8 means uint8) and one for the
    number of dimensions.  Then come the lengths of the dimensions, each as a big-endian 32-bit
    integer, and the data, row by row.  If ``item`` is given, the array must be uint8, (N, *item).

    Raises InputError if the file is missing, truncated, too long or corrupt, or if it holds another
    type.  The header is checked before any data are read, so that a file takes no more memory than
    the data that it can hold.
    """
    try:
        with open_regular(file) as stored:
            most = stored.seek(0, io.SEEK_END)
            stored.seek(0)
            stream, packed = unpacked(stored)
            magic = stream.read(4)
            _check_magic(file, magic, item)
            dtype, ndim = TYPES[magic[2]], magic[3]
            header = stream.read(4 * ndim)
            if len(header) < 4 * ndim:
                raise InputError(f"{file} is truncated: it ends within its header")
            shape = struct.unpack(f">{ndim}I", header)
            size = math.prod(shape) * dtype.itemsize
            if item is not None and shape[1:] != item:
                found, expected = (" x ".join(map(str, lengths)) for lengths in (shape[1:], item))
                raise InputError(
                    f"{file}: the images are {found}, expected {expected} (the networks' size)"
                )
            if packed:
                check_unpacked(file, most, size)
            elif size > most:
                raise InputError(
                    f"{file} is truncated: its header promises {counted(size, 'byte')}, but it "
                    f"has {most:,}"
                )
            data = bytearray()  # grows while reading: the header may promise more than there is
            while chunk := stream.read(min(size + 1 - len(data), 1 << 20)):
                data += chunk
    except FileNotFoundError as error:
        raise InputError(f"{file} does not exist") from error
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{file} cannot be read: {error}") from error
    if len(data) != size:
        what = "is truncated" if len(data) < size else "is too long"
        have = f"{len(data):,}" if len(data) < size else "more"
        raise InputError(
            f"{file} {what}: its header promises {counted(size, 'byte')}, it has {have}"
        )
    array: npt.NDArray[Any] = np.frombuffer(data, dtype).reshape(shape)
    return array


def _check_magic(file: Path, magic: bytes, item: tuple[int, ...] | None) -> None:
    """Raise InputError unless the first four bytes are those of an IDX file that can be read."""
    if item is not None:
        ndim = 1 + len(item)
        if magic != bytes([0, 0, 8, ndim]):
            raise InputError(
                f"{file} begins with 0x{magic.hex()}, expected 0x000008{ndim:02x} "
                f"(an IDX file of uint8 in {ndim} dimension{'s' * (ndim > 1)})"
            )
    elif len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in TYPES or not 1 <= magic[3] <= 4:
        raise InputError(
            f"{file} begins with 0x{magic.hex()}, expected 0x000008 or 0x00000c and the number of "
            "dimensions (an IDX file of uint8 or of 32-bit integers)"
        )
