"""Figures that show whether the training is healthy; ``collapse`` looks for trouble in them.

They are computed every ``ROW_EVERY`` steps, from the gradients that the training step has left
behind, and from the images that G now makes of the fixed z.  The page docs/is-it-working.md
explains how to read them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minigan.backend import Array
from minigan.batch_norm import BatchNorm1d
from minigan.gan import GAN
from minigan.network import Sequential


class Health(NamedTuple):
    """The figures after one training step, for networks with any number of layers."""

    spread: float  # how much the images of different z differ; see ``spread``
    d_grads: tuple[float, ...]  # gradient norm of each layer of D that has parameters
    g_grads: tuple[float, ...]  # the same for G; a Linear and its BatchNorm1d share one norm


def measure_health(gan: GAN, fixed_z: Array) -> Health:
    """Return the figures after a training step; ``fixed_z`` is (N, latent_dim)."""
    backend = gan.generator.backend
    d_squares, g_squares = _squares(gan.discriminator), _squares(gan.generator)
    figures = [spread(gan.generator(backend.asarray(fixed_z))), *d_squares, *g_squares]
    values = backend.to_numpy(np.concatenate([f.reshape(1) for f in figures]))
    norms = np.sqrt(values[1:]).tolist()
    return Health(float(values[0]), tuple(norms[: len(d_squares)]), tuple(norms[len(d_squares) :]))


def spread(images: Array) -> Array:
    """Return how much the images (N, 784) differ: the mean of all pixels' standard deviations.

    MNIST in [-1, 1] has a spread of 0.39.  Its first 1000 images, which a run compares its own
    images with, have 0.38; images that are all alike have 0.
    """
    centred = images - images.mean(axis=0)
    return np.sqrt((centred * centred).mean(axis=0)).mean()  # type: ignore[no-any-return]


def gradient_groups(net: Sequential) -> list[list[Array]]:
    """Return the gradients of each layer that has parameters, one group for each.

    A BatchNorm1d belongs to the group of the layer before it.
    """
    groups: list[list[Array]] = []
    for layer in net.layers:
        gradients = [getattr(layer, "d" + name) for name in layer.param_names]
        if isinstance(layer, BatchNorm1d) and groups:
            groups[-1] += gradients
        elif gradients:
            groups.append(gradients)
    return groups


def _squares(net: Sequential) -> list[Array]:
    """Return |gradient|² of each group, on the device."""
    sums: list[Array] = []
    for first, *others in gradient_groups(net):
        total = (first * first).sum()
        for gradient in others:
            total = total + (gradient * gradient).sum()
        sums.append(total)
    return sums
