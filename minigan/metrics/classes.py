"""Which digits are drawn, and how often, according to the classifier.

What it misses: all variety within a digit.  It also believes the classifier about images that are
not digits at all; therefore the share of images of which the classifier is sure is reported, too.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from minigan.backend import Array
from minigan.errors import InputError
from minigan.metrics.classifier import CLASSES
from minigan.metrics.ndb import kl
from minigan.metrics.pixels import as_points

PRESENT = 0.01  # a class with a smaller share counts as missing
SURE = 0.9


class Classes(NamedTuple):
    """The figures of a set of images."""

    shares: tuple[float, ...]  # of the digits 0 to 9
    present: int  # number of digits with a share of at least 1 %
    kl: float  # KL(shares ‖ shares in the test images), in nats: 0 if they are equal
    confident: float  # share of images of which the classifier is sure: one probability above 0.9


def count_classes(probabilities: Array, labels: npt.NDArray[Any]) -> Classes:
    """Return the figures for the classifier's probabilities, (N, 10), and real images' labels.

    Raises InputError for labels that are no digits, and for probabilities of another shape.
    """
    check_labels(labels)
    probabilities = as_points("probabilities", probabilities, CLASSES)
    found = shares(probabilities)
    return Classes(
        shares=tuple(found.tolist()),
        present=present(found),
        kl=kl(found, np.bincount(labels, minlength=CLASSES) / len(labels)),
        confident=float((probabilities.max(axis=1) > SURE).mean()),
    )


def check_labels(labels: npt.NDArray[Any]) -> None:
    """Raise InputError unless labels are whole numbers, (N,), which the classifier knows."""
    if labels.ndim != 1 or len(labels) == 0 or labels.dtype.kind not in "iu":
        raise InputError(f"labels are {labels.dtype} {labels.shape}, expected whole numbers, (N,)")
    if labels.min() < 0:
        raise InputError(f"labels reach down to {labels.min()}, expected digits")
    if labels.max() >= CLASSES:
        raise InputError(f"labels reach {labels.max()}, but the classifier knows {CLASSES} classes")


def shares(probabilities: Array) -> Array:
    """Return the share of the images, (10,), that the classifier takes for each digit."""
    labels = probabilities.argmax(axis=1)
    return np.bincount(labels, minlength=CLASSES) / len(labels)


def present(shares: Array) -> int:
    """Return how many classes have 1 % of the images or more."""
    return int((shares >= PRESENT).sum())
