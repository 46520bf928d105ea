"""IDX files for tests that need a data set of their own."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt


def write_idx(file: Path, array: npt.NDArray[np.uint8]) -> None:
    """Write an IDX file, compressed if its name ends in ``.gz``."""
    header = struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    data = header + array.tobytes()
    file.write_bytes(gzip.compress(data) if file.suffix == ".gz" else data)
