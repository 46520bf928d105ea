"""The quality of a generator, measured in a few seconds for ``minigan train --evaluate-every``.

The bins are made of all training images, or of as many as ``unit_rows`` takes.  ``minigan
evaluate`` sets 10,000 of them aside as its anchor and makes its own bins of the others, so its NDB
and JS of the same generator are a little different.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from minigan.data import Dataset, load_images
from minigan.metrics import Bins, features_and_probabilities, load_classifier
from minigan.metrics.classes import present, shares
from minigan.metrics.ndb import bins_for
from minigan.metrics.pixels import most_images, unit_rows
from minigan.network import Sequential
from minigan.training.sampling import SAMPLE_COUNT, unit_samples


class Quality(NamedTuple):
    """Figures of ``SAMPLE_COUNT`` images, or of fewer if they are large.

    ``minigan.metrics`` tells what they mean and miss.
    """

    ndb: float  # how many of the bins (100, or fewer) differ from the training images
    js: float  # Jensen-Shannon divergence of the bins, in nats: lower is better
    classes: float  # how many digits have 1 % of the images or more; nan for other data than MNIST


class QualityCheck:
    """Measures any number of generators with the same z and the same bins.

    ``data`` is the data set, MNIST if none is given; ``classes`` is how many the generators can be
    asked for, all of which get the same share.  The digits are counted for MNIST only.  Raises
    InputError for fewer images than two bins need.
    """

    def __init__(self, data: Dataset | None = None, classes: int = 0) -> None:
        self.classes, data = classes, load_images() if data is None else data
        images = unit_rows(data.train.images)
        self.bins = Bins(images, bins_for(len(images)))
        self.samples = min(SAMPLE_COUNT, most_images(images.shape[1]))
        self.classifier = load_classifier() if data.digits else None  # that knows digits only

    def measure(self, net: Sequential) -> Quality:
        """Return the figures of a generator, without using the run's random numbers."""
        images = unit_samples(net, self.samples, seed=0, classes=self.classes)
        ndb = self.bins.compare(images)
        if self.classifier is None:
            return Quality(ndb.different, ndb.js, math.nan)
        _, probabilities = features_and_probabilities(self.classifier, images * 2 - 1)
        return Quality(ndb.different, ndb.js, present(shares(probabilities)))
