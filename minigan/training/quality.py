"""The quality of a generator, measured in a few seconds for ``minigan train --evaluate-every``.

The bins are made of all training images.  ``minigan evaluate`` sets 10,000 of them aside as its
anchor and makes its own bins of the others, so its NDB and JS of the same generator are a little
different.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from minigan.data import MNIST, load_data
from minigan.metrics import Bins, features_and_probabilities, load_classifier
from minigan.metrics.classes import present, shares
from minigan.models import IMAGE_SIZE
from minigan.network import Sequential
from minigan.training.sampling import SAMPLE_COUNT, unit_samples


class Quality(NamedTuple):
    """Figures of ``SAMPLE_COUNT`` images; ``minigan.metrics`` tells what they mean and miss."""

    ndb: float  # how many of the 100 bins differ from the training images
    js: float  # Jensen-Shannon divergence of the bins, in nats: lower is better
    classes: float  # how many digits have 1 % of the images or more; nan for other data than MNIST


class QualityCheck:
    """Measures any number of generators with the same z and the same bins.

    ``data`` is ``mnist`` or a folder, as in ``TrainConfig``; ``classes`` is how many the generators
    can be asked for, all of which get the same share.  Raises InputError for data that cannot be
    used.
    """

    def __init__(self, data: str = MNIST, classes: int = 0) -> None:
        self.classes = classes
        images, _ = load_data(data)
        self.bins = Bins(images.reshape(len(images), IMAGE_SIZE) / np.float32(255))
        self.classifier = load_classifier() if data == MNIST else None  # that knows digits only

    def measure(self, net: Sequential) -> Quality:
        """Return the figures of a generator, without using the run's random numbers."""
        images = unit_samples(net, SAMPLE_COUNT, seed=0, classes=self.classes)
        ndb = self.bins.compare(images)
        if self.classifier is None:
            return Quality(ndb.different, ndb.js, math.nan)
        _, probabilities = features_and_probabilities(self.classifier, images * 2 - 1)
        return Quality(ndb.different, ndb.js, present(shares(probabilities)))
