"""A small digit classifier, which other metrics use to look at images.

The network has 784, 256, 64 and 10 units, ReLU between them, and ten sigmoids at the end, one for
each digit.  It was trained by ``examples/digit_classifier.py`` and comes with the package.  The
Fréchet distance, precision and recall are computed on the output of its last hidden layer, 64
numbers for each image.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from minigan.activations import ReLU, Sigmoid
from minigan.backend import Array, Backend
from minigan.data import SHIPPED, check_arrays, load_archive
from minigan.layers import Linear, Seed
from minigan.models import IMAGE_SIZE
from minigan.network import Sequential

CLASSES = 10
PRETRAINED = SHIPPED / "digit_classifier.npz"
CHUNK = 2000  # images at a time


def digit_classifier(seed: Seed = None, backend: str | Backend = "numpy") -> Sequential:
    """Return the untrained network: images in [-1, 1], (N, 784), to probabilities, (N, 10)."""
    return Sequential(
        Linear(IMAGE_SIZE, 256),
        ReLU(),
        Linear(256, 64),
        ReLU(),
        Linear(64, CLASSES),
        Sigmoid(),
        seed=seed,
        backend=backend,
    )


def load_classifier(path: str | Path | None = None) -> Sequential:
    """Return the trained classifier of the package, or one from a file of the same kind.

    Raises InputError if the file is missing, damaged, or of another network.
    """
    file = PRETRAINED if path is None else Path(path)
    net = digit_classifier(seed=0)
    arrays, _ = load_archive(file)
    check_arrays(file, arrays, {"classifier": net.params})
    net.params[...] = arrays["classifier"]
    return net


def features_and_probabilities(net: Sequential, images: Array) -> tuple[Array, Array]:
    """Return features, (N, 64), and probabilities, (N, 10), of images in [-1, 1], (N, 784).

    Both are float64.
    """
    features, probabilities = [], []
    for start in range(0, len(images), CHUNK):
        x = images[start : start + CHUNK].astype(np.float32, copy=False)
        for layer in net.layers[:4]:
            x = layer(x)
        features.append(x)
        for layer in net.layers[4:]:
            x = layer(x)
        probabilities.append(x)
    return np.concatenate(features).astype(float), np.concatenate(probabilities).astype(float)
