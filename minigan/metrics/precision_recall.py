"""Precision and recall of samples (Kynkäänniemi et al. 2019), in the features of the classifier.

Each set of images gets a body: a ball around each of its points, whose radius is the distance to
the k-th nearest neighbour in the set.  Precision is the share of samples that lie in the body of
the real images: are they good?  Recall is the share of real images that lie in the body of the
samples: are all kinds drawn?

What it misses: how often each kind is drawn within the body, and whether the images are copies.  A
single odd real image has a large ball.  More images make smaller balls: compare only figures of
equal numbers of images.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minigan.backend import Array
from minigan.errors import InputError, check_whole
from minigan.metrics.distances import squared_distances
from minigan.metrics.pixels import as_points

K = 3


class PrecisionRecall(NamedTuple):
    """Precision and recall, both from 0 to 1; larger is better."""

    precision: float
    recall: float


def precision_and_recall(real: Array, samples: Array, k: int = K) -> PrecisionRecall:
    """Return both for the features of real images, (N, n), and of samples, (M, n).

    Raises InputError unless k is at least 1 and both sets have more than k rows, for other shapes,
    and for numbers that are not finite.
    """
    check_whole("k", k, 1)
    real = as_points("the features of real images", real)
    samples = as_points("the features of samples", samples, real.shape[1])
    if min(len(real), len(samples)) <= k:
        raise InputError(
            f"expected more than k = {k} images in each set, got {len(real)} and {len(samples)}"
        )
    return PrecisionRecall(
        precision=covered(samples, real, radii(real, k)),
        recall=covered(real, samples, radii(samples, k)),
    )


def radii(points: Array, k: int) -> Array:
    """Return the squared distance from each point to its k-th nearest neighbour."""
    result = np.empty(len(points))
    for where, d in squared_distances(points, points):
        result[where] = np.partition(d, k, axis=1)[:, k]  # the nearest, at 0, is the point itself
    return result


def covered(points: Array, centres: Array, squared_radii: Array) -> float:
    """Return the share of the points that lie in the ball of at least one centre."""
    inside = [(d <= squared_radii).any(axis=1) for _, d in squared_distances(points, centres)]
    return float(np.concatenate(inside).mean())
