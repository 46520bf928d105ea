"""Turn bytes into the numbers that networks take, and an epoch into minibatches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from minigan.backend import Array, backend_of


def pixel_values(images: npt.NDArray[Any], dtype: Any = "float32") -> Array:
    """Return grey levels from 0 to 255 as numbers from -1 to 1, in an array of the same shape.

        x = level / 127.5 - 1

    The results are those of torchvision's ``ToTensor`` and ``Normalize((0.5,), (0.5,))``, which
    compute (level / 255 - 0.5) / 0.5, bit for bit.
    """
    levels = images.astype(dtype)
    return backend_of(levels).elementwise(_scaled, levels)  # type: ignore[no-any-return]


def _scaled(level: Array) -> Array:
    return level / 127.5 - 1


def batches(n: int, batch_size: int, rng: np.random.Generator) -> Iterator[npt.NDArray[np.int64]]:
    """Yield the indices 0 … n-1 of one epoch in random order, ``batch_size`` at a time.

    The last batch is smaller if ``batch_size`` does not divide n, as in the tutorial.
    """
    order = rng.permutation(n)
    for start in range(0, n, batch_size):
        yield order[start : start + batch_size]
