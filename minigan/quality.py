"""How good is a generator, in a few seconds: what ``minigan train --evaluate-every`` measures.

The bins are made of all training images.  ``minigan evaluate``, which keeps 10,000 of them aside as
its anchor, has bins of its own, so its NDB and JS of the same generator are a little different.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from minigan.data import load_mnist
from minigan.metrics import Bins, load_classifier, look
from minigan.metrics.classes import present, shares
from minigan.models import IMAGE_SIZE
from minigan.network import Sequential
from minigan.sampling import unit_samples

SAMPLES = 10_000


class Quality(NamedTuple):
    """Figures of ``SAMPLES`` images; see ``minigan.metrics`` for what they mean and miss."""

    ndb: float  # bins, of 100, that differ from the training images'
    js: float  # Jensen-Shannon divergence of the bins, in nats: lower is better
    classes: float  # digits that make up 1 % of the images or more; nan for other data than MNIST


class QualityCheck:
    """Measures any number of generators with the same z and the same bins.

    ``data`` is ``mnist`` or a folder, as in ``TrainConfig``.  Raises InputError for data that
    cannot be used.
    """

    def __init__(self, data: str = "mnist") -> None:
        path = None if data == "mnist" else data
        images, _ = load_mnist("train", path=path)
        self.bins = Bins(images.reshape(len(images), IMAGE_SIZE) / np.float32(255))
        self.classifier = load_classifier() if path is None else None  # it knows digits only

    def measure(self, net: Sequential) -> Quality:
        """The figures of a generator.  Its own random numbers: the run's stay as they are."""
        images = unit_samples(net, SAMPLES, seed=0)
        ndb = self.bins.compare(images)
        if self.classifier is None:
            return Quality(ndb.different, ndb.js, math.nan)
        _, probabilities = look(self.classifier, images * 2 - 1)
        return Quality(ndb.different, ndb.js, present(shares(probabilities)))
