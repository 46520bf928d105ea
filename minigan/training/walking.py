"""Walks between latent points, on which each image differs from the next by about as much."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from minigan.backend import Array

LEG = 8  # images from one corner of a walk to the next, about
FINE = 8  # images that are drawn on each step of a walk, to see how far it leads
AT_ONCE = 1000  # of these images

Way = Callable[[Array], Array]  # a point for each time: (n,) -> (n, latent_dim)


def random_way(rng: np.random.Generator, n: int, latent_dim: int) -> Way:
    """Return the way of a walk of n images, which turns to a new random point at each whole time.

    An image takes 1 / ``LEG`` of the time from one such corner to the next.
    """
    return great_circles(rng.standard_normal((-(-n // LEG) + 1, latent_dim)))


def great_circles(corners: Array) -> Way:
    """Return the way from corner to corner: at time 0 it is at the first one, at 1 at the second.

    It follows great circles (Shoemake 1985, "slerp") instead of straight lines: nearly all points
    of N(0, 1) lie near the sphere of radius √latent_dim, and a straight line between two of them
    would cut through the empty inside of the sphere, where G was never trained.
    """
    lengths = np.linalg.norm(corners, axis=1)
    cosines = (corners[:-1] * corners[1:]).sum(axis=1) / (lengths[:-1] * lengths[1:])
    # a corner, the next one and 0 may lie on one line, as they always do if latent_dim is 1
    straight = np.abs(cosines) > 0.9999
    angles = np.arccos(np.where(straight, 0, cosines))

    def way(t: Array) -> Array:
        leg = np.minimum(t.astype(int), len(corners) - 2)
        s = t - leg
        a, b = 1 - s, s
        a = np.where(straight[leg], a, np.sin(a * angles[leg]) / np.sin(angles[leg]))
        b = np.where(straight[leg], b, np.sin(b * angles[leg]) / np.sin(angles[leg]))
        points: Array = a[:, None] * corners[leg] + b[:, None] * corners[leg + 1]
        return points

    return way


def even_times(draw: Callable[[Array], Array], start: float, end: float, n: int) -> Array:
    """Return n times from ``start`` on, before ``end``, between which images change equally much.

    How much two images differ is the L2 norm of their difference.  ``draw`` draws the images of
    many times, (m,) -> (m, n); ``FINE`` of them for each step show how long the way is in the space
    of images, and the times divide it into equal parts.  Equal steps in z would not: G hardly
    changes an image here, and makes another digit of it there.
    """
    fine = np.linspace(start, end, n * FINE + 1)
    parts = [np.zeros(1)]
    for first in range(0, n * FINE, AT_ONCE - 1):
        images = draw(fine[first : first + AT_ONCE]).astype(np.float64)
        parts.append(np.linalg.norm(np.diff(images, axis=0), axis=1))
    length = np.cumsum(np.concatenate(parts))
    if not 0 < length[-1] < np.inf:  # G draws one image only
        return fine[:-1:FINE]
    times: Array = np.interp(np.arange(n) * length[-1] / n, length, fine)
    return times
