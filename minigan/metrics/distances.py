"""Squared distances between many points, computed block by block, and k-means built on them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from minigan.backend import Array

BLOCK = 1000  # rows of the first set at a time


def squared_distances(a: Array, b: Array) -> Iterator[tuple[slice, Array]]:
    """Yield the squared distances |aᵢ - bⱼ|² of the rows of a, (N, n), and of b, (M, n), in blocks.

    Each block is the slice of its rows in a, and their distances, (block, M).  They are computed as
    |a|² - 2 a·b + |b|², with one matrix product a block, in the dtype of the arguments.  float64
    keeps small differences of large numbers.  float32 is enough to find the nearest bin or image:
    rounding could only decide otherwise between two that are almost equally near.  A distance that
    rounding makes negative becomes 0.
    """
    b_norms = (b * b).sum(axis=1)
    for start in range(0, len(a), BLOCK):
        where = slice(start, start + BLOCK)
        block = a[where]
        d = block @ b.T
        d *= -2
        d += (block * block).sum(axis=1)[:, None]
        d += b_norms
        yield where, np.maximum(d, 0, out=d)


def nearest(a: Array, b: Array) -> tuple[npt.NDArray[np.int64], Array]:
    """Return for each row of a the number of the nearest row of b, and its squared distance."""
    index = np.empty(len(a), np.int64)
    distance = np.empty(len(a), a.dtype)
    for where, d in squared_distances(a, b):
        index[where], distance[where] = d.argmin(axis=1), d.min(axis=1)
    return index, distance


def k_means(x: Array, k: int, rng: np.random.Generator, iterations: int = 20) -> Array:
    """Return k centroids of the rows of x, (k, n), by Lloyd's algorithm from k different rows.

    Each row belongs to its nearest centroid, and each centroid becomes the mean of its rows, until
    no row changes to another centroid or ``iterations`` rounds are done.  A centroid that loses all
    its rows moves to the row that is farthest from its own centroid.
    """
    centroids = x[rng.choice(len(x), k, replace=False)].copy()
    owner, distance = np.full(len(x), -1), np.empty(len(x), x.dtype)
    for _ in range(iterations):
        sums, before = np.zeros((k, x.shape[1])), owner.copy()
        for where, d in squared_distances(x, centroids):
            owner[where], distance[where] = d.argmin(axis=1), d.min(axis=1)
            order = owner[where].argsort(kind="stable")  # puts rows of one centroid side by side
            groups, starts = np.unique(owner[where][order], return_index=True)
            sums[groups] += np.add.reduceat(x[where][order], starts, axis=0)
        if (owner == before).all():
            break
        counts = np.bincount(owner, minlength=k)
        full = counts > 0
        centroids[full] = sums[full] / counts[full, None]
        centroids[~full] = x[np.argsort(distance)[::-1][: (~full).sum()]]
    return centroids
