"""Precision and recall of samples (Kynkäänniemi et al. 2019), in the features of the classifier.

Each set is given a body: a ball around each point, whose radius is the distance to its k-th
neighbour in the set.  Precision is the share of samples in the body of the real images: are they
good?  Recall is the share of real images in the body of the samples: are all kinds drawn?

What it misses: how often each kind is drawn, within the body, and whether the images are copies.  A
single odd real image has a large ball.  More images make smaller balls: compare figures of equal
numbers of images only.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minigan.backend import Array
from minigan.errors import InputError
from minigan.metrics.distances import squared_distances

K = 3


class PrecisionRecall(NamedTuple):
    """Both from 0 to 1, the larger the better."""

    precision: float
    recall: float


def precision_recall(real: Array, samples: Array, k: int = K) -> PrecisionRecall:
    """Of features (N, n) and (M, n).  Raises InputError unless both have more than k rows."""
    if min(len(real), len(samples)) <= k:
        raise InputError(f"k is {k}: expected more images than {len(real)} and {len(samples)}")
    return PrecisionRecall(
        precision=covered(samples, real, radii(real, k)),
        recall=covered(real, samples, radii(samples, k)),
    )


def radii(points: Array, k: int) -> Array:
    """Each point's squared distance to its k-th nearest other."""
    result = np.empty(len(points))
    for where, d in squared_distances(points, points):
        result[where] = np.partition(d, k, axis=1)[:, k]  # the nearest, at 0, is the point itself
    return result


def covered(points: Array, centres: Array, squared_radii: Array) -> float:
    """Share of the points that lie in the ball of at least one centre."""
    inside = [(d <= squared_radii).any(axis=1) for _, d in squared_distances(points, centres)]
    return float(np.concatenate(inside).mean())
