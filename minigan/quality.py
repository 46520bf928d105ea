"""How good is a generator, in a few seconds: what ``minigan train --evaluate-every`` measures."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minigan.data import load_mnist
from minigan.metrics import Bins, count_classes, load_classifier, look
from minigan.models import IMAGE_SIZE
from minigan.network import Sequential
from minigan.sampling import draw_samples

SAMPLES = 10_000


class Quality(NamedTuple):
    """Figures of ``SAMPLES`` images; see ``minigan.metrics`` for what they mean and miss."""

    ndb: float  # bins, of 100, that differ from the training images'
    js: float  # Jensen-Shannon divergence of the bins, in nats: the smaller, the better
    classes: float  # digits that make up 1 % of the images or more


class QualityCheck:
    """Measures any number of generators with the same z and the same bins.

    ``data`` is ``mnist`` or a folder, as in ``TrainConfig``.  Raises InputError for data that
    cannot be used.
    """

    def __init__(self, data: str = "mnist") -> None:
        path = None if data == "mnist" else data
        images, self.labels = load_mnist("train", path=path)
        self.bins = Bins(images.reshape(len(images), IMAGE_SIZE) / np.float32(255))
        self.classifier = load_classifier()

    def measure(self, net: Sequential) -> Quality:
        """The figures of a generator.  Its own random numbers: the run's stay as they are."""
        z = np.random.default_rng(0).standard_normal((SAMPLES, net.n_in or 1))
        images = draw_samples(net, z)
        _, probabilities = look(self.classifier, images)
        ndb = self.bins.compare((images.astype(np.float32) + 1) / 2)
        return Quality(ndb.different, ndb.js, count_classes(probabilities, self.labels).present)
