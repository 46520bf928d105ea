"""A small digit classifier: the eyes with which other metrics look at images.

784-256-64-10 with ReLU between and ten sigmoids at the end, one for each digit, trained by
``examples/digit_classifier.py`` and shipped.  Its last hidden layer, 64 numbers an image, is the
space in which the Fréchet distance, precision and recall are taken.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from minigan.backend import Array, Backend
from minigan.checkpoint import check_arrays, load_checkpoint
from minigan.layers import Linear, ReLU, Seed, Sigmoid
from minigan.models import IMAGE_SIZE
from minigan.network import Sequential

CLASSES = 10
SHIPPED = Path(__file__).parent / "digit_classifier.npz"
CHUNK = 2000  # images at a time


def digit_classifier(seed: Seed = None, backend: str | Backend = "numpy") -> Sequential:
    """The untrained network: images in [-1, 1], (N, 784), to ten probabilities, (N, 10)."""
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
    """The trained classifier that is shipped, or one from a file of the same kind.

    Raises InputError if the file is missing, damaged, or of another network.
    """
    file = SHIPPED if path is None else Path(path)
    net = digit_classifier(seed=0)
    arrays, _ = load_checkpoint(file)
    check_arrays(file, arrays, {"classifier": net.params})
    net.params[...] = arrays["classifier"]
    return net


def look(net: Sequential, images: Array) -> tuple[Array, Array]:
    """Features (N, 64) and probabilities (N, 10) of images in [-1, 1], (N, 784), both float64."""
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
