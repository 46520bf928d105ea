"""The directions of latent space along which a generator's images change most.

The principal components of many images say in which ways they differ: the first is the one with the
largest variance.  Each image has a coordinate along each component.  Least squares then find the
direction in z that such a coordinate follows best: for z from N(0, 1), that is the mean over all z
of the gradient of the coordinate (Stein's lemma).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from minigan.backend import Array

SAMPLES = 1024  # latent points that are drawn
ROUNDS = 4  # of subspace iteration: the first components of digits are found to three digits


def principal_directions(
    draw: Callable[[Array], Array], latent_dim: int, count: int = 6, groups: int = 1, seed: int = 0
) -> tuple[Array, list[float]]:
    """Return directions in z, and what share of the images' variance each of them explains.

    ``draw`` maps z, (N, latent_dim), to images, (N, n).  The directions, (count, latent_dim), have
    the length 1 and stand at right angles to each other.  With ``groups``, the images of the rows
    k, k + groups, k + 2 groups, … are compared with each other only: they show one class.
    """
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((SAMPLES, latent_dim))
    images = np.nan_to_num(np.array(draw(z), np.float32))  # huge weights overflow
    for k in range(groups):
        images[k::groups] -= images[k::groups].mean(axis=0)
    count = min(count, latent_dim, images.shape[1])
    basis = rng.standard_normal((images.shape[1], 2 * count)).astype(np.float32)
    for _ in range(ROUNDS):
        basis, _ = np.linalg.qr(images.T @ (images @ basis))
    left, _, _ = np.linalg.svd(basis.T @ (images.T @ (images @ basis)))
    coordinates = images @ (basis @ left[:, :count])
    slopes, *_ = np.linalg.lstsq(z - z.mean(axis=0), coordinates, rcond=None)
    directions, _ = np.linalg.qr(slopes)
    directions = directions * np.sign((directions * slopes).sum(axis=0) + 1e-30)
    total = float((images * images).sum()) or 1.0
    shares = (coordinates * coordinates).sum(axis=0) / total
    return directions.T, [float(share) for share in shares]
