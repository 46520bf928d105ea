"""Samples beside the training images that are nearest to them: does the generator copy?

What it misses: distance between pixels takes a digit that is shifted or slanted for another one.
"""

from __future__ import annotations

import numpy as np

from minigan.backend import Array
from minigan.metrics.distances import nearest


def beside_nearest(samples: Array, train: Array) -> tuple[Array, Array]:
    """Pairs for a picture, (2 N, n): sample, its nearest of ``train``, next sample, …; distances.

    Both are (N, n) with pixels in one range.  The distances, (N,), are root mean squares a pixel.
    """
    index, squared = nearest(samples, train)
    pairs = np.stack([samples, train[index]], axis=1).reshape(-1, samples.shape[1])
    return pairs, np.sqrt(squared / samples.shape[1])
