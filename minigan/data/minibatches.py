"""Turn bytes into the numbers that networks take, and an epoch into minibatches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from minigan.backend import Array


def pixel_values(dtype: Any = "float32") -> Array:
    """Return the values in [-1, 1] of the 256 grey levels, (256,), for ``pixel_values()[images]``.

    The operations are those of torchvision's ``ToTensor`` and ``Normalize((0.5,), (0.5,))``, in the
    same order, so that the float32 values are equal bit for bit.
    """
    x = np.arange(256, dtype=dtype) / 255
    return (x - 0.5) / 0.5


def batches(n: int, batch_size: int, rng: np.random.Generator) -> Iterator[npt.NDArray[np.int64]]:
    """Yield the indices 0 … n-1 of one epoch in random order, ``batch_size`` at a time.

    The last batch is smaller if ``batch_size`` does not divide n, as in the tutorial.
    """
    order = rng.permutation(n)
    for start in range(0, n, batch_size):
        yield order[start : start + batch_size]
