"""Parzen-window log-likelihood, as in Goodfellow et al. 2014 (after Breuleux et al. 2011).

The generator has no density, so it is given one: a small Gaussian around each of its samples.  The
figure is the mean log-density of the test images, in nats; the window's width σ is chosen on other
images.

What it misses is much: Theis et al. 2016, "A note on the evaluation of generative models", show
that in so many dimensions it says little about the true likelihood, and ranks centroids of k-means
above real images.  It is here because a table of it was published.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from minigan.backend import Array
from minigan.errors import InputError
from minigan.metrics.distances import squared_distances

SIGMAS = np.logspace(-1, 0, 10)


class Parzen(NamedTuple):
    """The result, in nats an image."""

    log_likelihood: float  # mean over the test images
    standard_error: float  # of that mean
    sigma: float


def parzen(samples: Array, test: Array, validation: Array) -> Parzen:
    """Mean log-likelihood of ``test`` with ``samples`` as centres; σ is best on ``validation``.

        log p(x) = log 1/N Σᵢ exp(-|x - sᵢ|² / 2σ²) - n/2 log(2πσ²)

    All are (N, n) with pixels in [0, 1]: a tanh output y is (y + 1) / 2.  Raises InputError for
    pixels beyond, which would shift the result by hundreds of nats.
    """
    for name, images in (("samples", samples), ("test", test), ("validation", validation)):
        if images.min() < 0 or images.max() > 1:
            raise InputError(
                f"pixels of {name} reach from {images.min():.3g} to {images.max():.3g}, "
                "expected 0 to 1"
            )
    centres = samples.astype(float)
    scores = [log_density(validation.astype(float), centres, s).mean() for s in SIGMAS]
    sigma = float(SIGMAS[int(np.argmax(scores))])
    values = log_density(test.astype(float), centres, sigma)
    return Parzen(float(values.mean()), float(values.std(ddof=1) / math.sqrt(len(values))), sigma)


def log_density(x: Array, centres: Array, sigma: float) -> Array:
    """log p(x) of each row."""
    values = np.empty(len(x))
    for where, d in squared_distances(x, centres):
        d /= -2 * sigma**2
        top = d.max(axis=1)
        d -= top[:, None]
        values[where] = top + np.log(np.exp(d, out=d).mean(axis=1))
    values -= x.shape[1] / 2 * math.log(2 * math.pi * sigma**2)
    return values
