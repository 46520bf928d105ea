"""Parzen-window log-likelihood, as in Goodfellow et al. 2014 (after Breuleux et al. 2011).

A generator has no density, so this measure gives it one: a small Gaussian around each of its
samples.  The figure is the mean log-density of the test images, in nats; the width σ of the
Gaussians is chosen on other images.

What it misses is a lot: Theis et al. 2016, "A note on the evaluation of generative models", show
that in so many dimensions the figure says little about the true likelihood, and ranks centroids of
k-means above real images.  It is here because a table of it was published.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from minigan.backend import Array
from minigan.errors import InputError
from minigan.metrics.distances import squared_distances
from minigan.metrics.pixels import check_pixels

SIGMAS = np.logspace(-1, 0, 10)


class Parzen(NamedTuple):
    """The result; the log-likelihood is in nats for each image."""

    log_likelihood: float  # mean over the test images
    standard_error: float  # of that mean
    sigma: float


def parzen_log_likelihood(samples: Array, test: Array, validation: Array) -> Parzen:
    """Return the mean log-likelihood of ``test`` under Gaussians around ``samples``.

        log p(x) = log 1/N Σᵢ exp(-|x - sᵢ|² / 2σ²) - n/2 log(2πσ²)

    The width σ is the one that is best on ``validation``.  All three sets are (N, n), for any N,
    with pixels in [0, 1]: a tanh output y is given as (y + 1) / 2.  Raises InputError for other
    pixels, which would shift the result by hundreds of nats, for other shapes, and for fewer than
    two test images, whose mean has no standard error.
    """
    check_pixels("samples", samples)
    check_pixels("test images", test, samples.shape[1])
    check_pixels("validation images", validation, samples.shape[1])
    if len(test) < 2:
        raise InputError("a standard error needs at least 2 test images, got 1")
    centres = samples.astype(float)
    scores = log_density(validation.astype(float), centres, SIGMAS).mean(axis=1)
    sigma = float(SIGMAS[scores.argmax()])
    (values,) = log_density(test.astype(float), centres, [sigma])
    return Parzen(float(values.mean()), float(values.std(ddof=1) / math.sqrt(len(values))), sigma)


def log_density(x: Array, centres: Array, sigmas: Sequence[float] | Array) -> Array:
    """Return log p(x) of each row, for each σ: (σs, N).  All σ use the same distances."""
    values = np.empty((len(sigmas), len(x)))
    for where, d in squared_distances(x, centres):
        for of_sigma, sigma in zip(values, sigmas, strict=True):
            exponents = d / (-2 * sigma**2)
            top = exponents.max(axis=1)
            exponents -= top[:, None]
            of_sigma[where] = top + np.log(np.exp(exponents, out=exponents).mean(axis=1))
    values -= x.shape[1] / 2 * np.log(2 * math.pi * np.square(sigmas))[:, None]
    return values
