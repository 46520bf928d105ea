"""Read the IDX format of MNIST: a header of a few bytes, then the numbers."""

from __future__ import annotations

import gzip
import io
import math
import struct
import zlib
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import numpy.typing as npt

from minigan.errors import InputError, counted
from minigan.machine.files import open_regular

DEFLATE = 1032  # a byte of a .gz file becomes at most so many


def read_idx(file: Path, item: tuple[int, ...] = ()) -> npt.NDArray[np.uint8]:
    """Return the uint8 array of N items in an IDX file, plain or ``.gz``: (N, *item).

    ``item`` is the shape of each: (28, 28) for images of MNIST, () for labels.  An IDX file begins
    with two zero bytes, one byte for the type (8 means uint8) and one for the number of dimensions.
    Then come the lengths of the dimensions, each as a big-endian 32-bit integer, and the data, row
    by row.

    Raises InputError if the file is missing, truncated, too long or corrupt, or if it holds another
    type or another shape.  The header is checked before any data are read, so that a file takes no
    more memory than the data that it can hold.
    """
    ndim = 1 + len(item)
    try:
        with open_regular(file) as packed:
            most = packed.seek(0, io.SEEK_END)
            packed.seek(0)
            stream: BinaryIO = packed
            if file.suffix == ".gz":
                stream, most = cast(BinaryIO, gzip.GzipFile(fileobj=packed)), most * DEFLATE
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
            if shape[1:] != item:
                found, expected = (" x ".join(map(str, lengths)) for lengths in (shape[1:], item))
                raise InputError(
                    f"{file}: the images are {found}, expected {expected} (the networks' size)"
                )
            if size > most:
                raise InputError(
                    f"{file} is truncated: its header promises {counted(size, 'byte')}, but it can "
                    f"hold {most:,} at most"
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
    return np.frombuffer(data, np.uint8).reshape(shape)
