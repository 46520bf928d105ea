"""Which digits are drawn, and how often, in the eyes of the classifier.

What it misses: all variety within a digit; and it takes the classifier's word for images that are
no digits at all, wherefore it also says how many it is sure of.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from minigan.backend import Array
from minigan.metrics.classifier import CLASSES
from minigan.metrics.ndb import kl

PRESENT = 0.01  # a class with a smaller share counts as missing
SURE = 0.9


class Classes(NamedTuple):
    """Figures of a set of images."""

    shares: tuple[float, ...]  # of the digits 0 to 9
    present: int  # digits with a share of at least 1 %
    kl: float  # KL(shares ‖ shares in the test images), in nats: 0 for equal ones
    confident: float  # share of images of which the classifier is sure: one probability above 0.9


def count_classes(probabilities: Array, test_labels: npt.NDArray[Any]) -> Classes:
    """From the classifier's probabilities, (N, 10), and the labels of the test images."""
    shares = _shares(probabilities.argmax(axis=1))
    return Classes(
        shares=tuple(shares.tolist()),
        present=int((shares >= PRESENT).sum()),
        kl=kl(shares, _shares(test_labels)),
        confident=float((probabilities.max(axis=1) > SURE).mean()),
    )


def _shares(labels: npt.NDArray[Any]) -> Array:
    return np.bincount(labels, minlength=CLASSES) / len(labels)
