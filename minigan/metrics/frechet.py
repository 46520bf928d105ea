"""Fréchet distance between two clouds of features, each taken for a Gaussian (Heusel et al. 2017).

It is known as FID if the features are those of an Inception network, which was trained on
photographs and cannot make sense of digits.  Here the features are the digit classifier's, so the
figures can be compared only with other figures of this project.  (As with FID, the figure is
strictly the square of the distance.)

What it misses: everything that mean and covariance do not see; and copies of training images, which
pass as good.  With few images it comes out larger than it is: compare only figures of equal numbers
of images.
"""

from __future__ import annotations

import numpy as np

from minigan.backend import Array
from minigan.errors import InputError
from minigan.metrics.pixels import as_points


def frechet_distance(a: Array, b: Array) -> float:
    """Return |μₐ - μ_b|² + tr(A + B - 2 (A B)^½) of the features a, (N, n), and b, (M, n).

    (A B)^½ has the same trace as (A^½ B A^½)^½, which is symmetric, so that its eigenvalues are
    real.

    Raises InputError for fewer than two rows, other shapes, and numbers that are not finite.
    """
    a = as_points("the first features", a)
    b = as_points("the other features", b, a.shape[1])
    if min(len(a), len(b)) < 2:
        raise InputError(f"a covariance needs at least 2 images, got {len(a)} and {len(b)}")
    A, B = np.atleast_2d(np.cov(a, rowvar=False)), np.atleast_2d(np.cov(b, rowvar=False))
    values, vectors = np.linalg.eigh(A)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    cross = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ B @ root), 0)).sum()
    return float(((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(A) + np.trace(B) - 2 * cross)
