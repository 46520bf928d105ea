"""Samples beside the training images that are nearest to them: does the generator copy?

What it misses: distance between pixels takes a digit that is shifted or slanted for another one,
and finds smooth, pale images near to everything.  A mean distance hides copies if they are few.
"""

from __future__ import annotations

import numpy as np

from minigan.backend import Array
from minigan.errors import InputError
from minigan.metrics.distances import nearest


def beside_nearest(samples: Array, train: Array) -> tuple[Array, Array]:
    """Pairs for a picture, (2 N, n): sample, its nearest of ``train``, next sample, …; distances.

    Both are (N, n) with pixels in one range.  The distances, (N,), are root mean squares a pixel.
    Raises InputError for other shapes.
    """
    if samples.ndim != 2 or train.ndim != 2 or samples.shape[1] != train.shape[1] or not len(train):
        raise InputError(f"expected two sets (N, n), got {samples.shape} and {train.shape}")
    index, squared = nearest(samples, train)
    pairs = np.stack([samples, train[index]], axis=1).reshape(-1, samples.shape[1])
    return pairs, np.sqrt(squared / samples.shape[1])
