"""The classification accuracy score of labelled images (Ravuri & Vinyals 2019).

A classifier is trained on generated images and their labels only, and then reads real ones.  It
reads them as well as one that was trained on real images if the generator draws every kind of every
digit, and draws the digit that it was asked for.

What it misses: images that teach nothing new, such as copies of training images, do no harm; and a
smudged image among a thousand good ones costs nothing.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from minigan.backend import Array
from minigan.data import batches
from minigan.errors import InputError, check_whole
from minigan.losses import bce
from minigan.metrics.classes import check_labels
from minigan.metrics.classifier import CLASSES, digit_classifier, features_and_probabilities
from minigan.metrics.pixels import check_pixels
from minigan.models import IMAGE_SIZE
from minigan.optim import Adam

Labels = npt.NDArray[Any]
EPOCHS = 10
BATCH_SIZE = 128


def accuracy_score(
    images: Array, labels: Labels, test: Array, test_labels: Labels, epochs: int = EPOCHS
) -> float:
    """Return the share of test images that a classifier reads which was trained on ``images``.

    Both kinds of images are in [0, 1], (N, 784), and labels are digits.  The classifier is that of
    the package, untrained, and always begins with the same weights.

    Raises InputError for other pixels and labels, and unless each image has a label.
    """
    check_whole("epochs", epochs, 1)
    for name, some, known in (("images", images, labels), ("test images", test, test_labels)):
        check_pixels(name, some, IMAGE_SIZE)
        check_labels(known)
        if len(some) != len(known):
            raise InputError(f"there are {len(some):,} {name} and {len(known):,} labels for them")
    rng = np.random.default_rng(0)
    net = digit_classifier(seed=rng)
    optimizer = Adam(net, lr=1e-3)
    targets = np.eye(CLASSES, dtype="float32")[labels]
    x = images.astype("float32") * 2 - 1
    for epoch in range(epochs):
        optimizer.lr = 1e-3 * 0.5 * (1 + math.cos(math.pi * epoch / epochs))
        for indices in batches(len(x), BATCH_SIZE, rng):
            p, cache = net.forward(x[indices])
            _, dp = bce(p, targets[indices])
            net.backward(dp, cache, input_grad=False)
            optimizer.step()
    _, p = features_and_probabilities(net, test * 2 - 1)
    return float((p.argmax(axis=1) == test_labels).mean())
