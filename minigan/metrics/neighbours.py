"""Samples beside the training images that are nearest to them: does the generator copy?

What it misses: the distance between pixels takes a shifted or slanted digit for another one, and
finds smooth, pale images near to everything.  A mean distance hides copies if there are only a few.
"""

from __future__ import annotations

import numpy as np

from minigan.backend import Array
from minigan.errors import InputError
from minigan.metrics.distances import nearest
from minigan.metrics.pixels import as_points


def beside_nearest(samples: Array, train: Array) -> tuple[Array, Array]:
    """Return samples paired with their nearest images of ``train``, and the distances.

    The pairs, (2 N, n), are in the order of a picture: a sample, its nearest image, the next
    sample, …  The distances, (N,), are root mean squares over the pixels.  ``samples`` and
    ``train`` are (N, n) and (M, n), with pixels in the same range.  Raises InputError for other
    shapes, and for numbers that are not finite.
    """
    if samples.ndim != 2 or train.ndim != 2 or samples.shape[1] != train.shape[1] or not len(train):
        raise InputError(
            f"expected two sets of images, (N, n) and (M, n), got {samples.shape} and {train.shape}"
        )
    samples, train = as_points("samples", samples), as_points("training images", train)
    index, squared = nearest(samples, train)
    pairs = np.stack([samples, train[index]], axis=1).reshape(-1, samples.shape[1])
    return pairs, np.sqrt(squared / samples.shape[1])
