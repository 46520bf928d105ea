"""NDB, the number of statistically different bins (Richardson & Weiss 2018, "On GANs and GMMs").

K-means on their pixels puts the training images into K bins.  A perfect generator would fill each
bin as often as the training images do.  So a test asks for each bin whether the two shares differ
by more than chance explains, and NDB is the number of bins where they do.

How much does chance explain?  The authors' code allows 5 % of false alarms for each bin by default,
which calls about 5 of 100 bins different in real images.  An example beside their published figures
allows 3 standard errors; the figures are 0, 4 and 11 bins for held-out training images, test images
and images without the digit 9.  Here all bins together share the 5 % (Bonferroni), which is 3.48
standard errors for 100 bins and gives 0, 5 and 10.  An NDB from elsewhere may have another limit;
JS needs no limit.

What it misses: whether an image is a good one (a blurred 3 falls into the bin of the 3s), and
copies of training images, which pass perfectly.  With more images, smaller differences become
significant: compare only figures of equal numbers of images.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from minigan.backend import Array
from minigan.errors import InputError, check_whole
from minigan.metrics.distances import k_means, nearest
from minigan.metrics.pixels import check_pixels

BINS = 100
PER_BIN = 10  # images for each bin at least, on average
FALSE_ALARMS = 0.05  # chance that at least one bin is called different although none is


def bins_for(images: int) -> int:
    """Return how many bins so many images fill: 100, or fewer, with ten images each on average.

    Raises InputError for fewer than 20 images.
    """
    if images < 2 * PER_BIN:
        raise InputError(f"NDB needs at least {2 * PER_BIN} training images, got {images}")
    return min(BINS, images // PER_BIN)


class NDB(NamedTuple):
    """The result of ``Bins.compare``."""

    different: int  # bins whose share differs significantly
    share: float  # the share of all bins that differ: NDB/K
    js: float  # Jensen-Shannon divergence of the two histograms, in nats; chance alone gives about
    # (K - 1)/8 (1/N + 1/M), which is 0.0015 for K = 100, N = 50,000 and M = 10,000
    bins: int = BINS  # K


class Bins:
    """K bins of training images, (N, n) with pixels in [0, 1]; the same seed gives the same bins.

    Raises InputError for fewer than K images, other shapes or other pixels.
    """

    def __init__(self, train: Array, bins: int = BINS, seed: int = 0) -> None:
        check_whole("bins", bins, 1)
        if len(train) < bins:
            raise InputError(
                f"NDB needs at least {bins} training images for its {bins} bins, got {len(train)}"
            )
        check_pixels("training images", train)
        x = train.astype(np.float32, copy=False)
        self.centroids = k_means(x, bins, np.random.default_rng(seed))
        self.train_counts = self.count(x)

    def count(self, images: Array) -> Array:
        """Return how many of the images fall into each bin."""
        owner, _ = nearest(images.astype(np.float32, copy=False), self.centroids)
        return np.bincount(owner, minlength=len(self.centroids)).astype(float)

    def compare(self, images: Array) -> NDB:
        """Return how the bins' shares of these images differ from those of the training images.

        Each bin has a two-proportion z-test at 5 % / K, where P is its share of both sets together:

            z = (p - q) / √(P (1 - P) (1/N + 1/M))

        Raises InputError for fewer images than bins, other shapes or other pixels.
        """
        bins = len(self.centroids)
        if len(images) < bins:
            raise InputError(
                f"NDB needs at least {bins} images for its {bins} bins, got {len(images)}"
            )
        check_pixels("images", images, self.centroids.shape[1])
        counts = self.count(images)
        n, m = self.train_counts.sum(), counts.sum()
        p, q = self.train_counts / n, counts / m
        both = (self.train_counts + counts) / (n + m)
        error = np.sqrt(both * (1 - both) * (1 / n + 1 / m))
        limit = NormalDist().inv_cdf(1 - FALSE_ALARMS / bins / 2)  # 3.48 for 100 bins
        different = int((np.abs(p - q) > limit * error).sum())
        return NDB(different, different / bins, jensen_shannon(p, q), bins)


def jensen_shannon(p: Array, q: Array) -> float:
    """Return ½ KL(p ‖ m) + ½ KL(q ‖ m) with m = ½ (p + q), in nats: from 0 to ln 2."""
    m = (p + q) / 2
    return float((kl(p, m) + kl(q, m)) / 2)


def kl(p: Array, q: Array) -> float:
    """Return KL(p ‖ q) = Σ p log(p / q), in nats; a term with p = 0 counts as 0."""
    some = p > 0
    with np.errstate(divide="ignore"):
        return float((p[some] * np.log(p[some] / q[some])).sum())
