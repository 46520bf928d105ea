"""Read the IDX format of MNIST: a header of a few bytes, then the numbers."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import numpy.typing as npt

from minigan.errors import InputError


def read_idx(file: Path, ndim: int) -> npt.NDArray[np.uint8]:
    """Return the uint8 array in an IDX file, plain or ``.gz``; it must have ``ndim`` dimensions.

    An IDX file begins with two zero bytes, one byte for the type (8 means uint8) and one for the
    number of dimensions.  Then come the lengths of the dimensions, each as a big-endian 32-bit
    integer, and the data, row by row.

    Raises InputError if the file is missing, truncated, too long or corrupt, or if it holds another
    type or another number of dimensions.
    """
    try:
        with _open(file) as stream:
            magic = stream.read(4)
            if magic != bytes([0, 0, 8, ndim]):
                raise InputError(
                    f"{file} begins with 0x{magic.hex()}, expected 0x000008{ndim:02x} "
                    f"(an IDX file of uint8 in {ndim} dimension{'s' * (ndim > 1)})"
                )
            header = stream.read(4 * ndim)
            if len(header) < 4 * ndim:
                raise InputError(f"{file} is truncated: it ends within its header")
            shape = struct.unpack(f">{ndim}I", header)
            size = math.prod(shape)
            data = bytearray()  # grows while reading: a corrupt header must not claim all memory
            while chunk := stream.read(min(size + 1 - len(data), 1 << 20)):
                data += chunk
    except FileNotFoundError as error:
        raise InputError(f"{file} does not exist") from error
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{file} cannot be read: {error}") from error
    if len(data) != size:
        what = "is truncated" if len(data) < size else "is too long"
        have = f"{len(data):,}" if len(data) < size else "more"
        raise InputError(f"{file} {what}: its header promises {size:,} bytes, it has {have}")
    return np.frombuffer(data, np.uint8).reshape(shape)


def _open(file: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(file)) if file.suffix == ".gz" else file.open("rb")
