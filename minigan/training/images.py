"""What a run trains on: the images and labels of its data set, on the device."""

from __future__ import annotations

import zlib
from typing import NamedTuple

import numpy as np

from minigan.backend import Array, Backend
from minigan.data import load_data, pixel_values
from minigan.models import IMAGE_SIZE
from minigan.training.config import TrainConfig
from minigan.training.health import spread
from minigan.training.recipes import RECIPES


class TrainingData(NamedTuple):
    """The training images, which never leave the device, and what a run keeps of them."""

    images: Array  # (N, 784) uint8
    levels: Array  # (256,): the pixel that each grey value becomes, in [-1, 1]
    spread: float  # of the first 1000 images
    crc32: int  # checksum: of the labels, too, if the run is told them
    labels: Array | None = None  # (N,), as numbers of their classes, if the run is told them
    classes: tuple[int, ...] = ()  # the label of each class


def read_training_data(config: TrainConfig, backend: Backend) -> TrainingData:
    """Return what a run with these options trains on.  Raises InputError as ``load_mnist`` does."""
    images, labels = load_data(config.data)
    rows, levels = images.reshape(len(images), IMAGE_SIZE), pixel_values(config.dtype)
    data = TrainingData(
        images=backend.asarray(rows),
        levels=backend.asarray(levels),
        spread=float(spread(levels[rows[:1000]])),
        crc32=zlib.crc32(images.tobytes()),
    )
    if not RECIPES[config.recipe].conditional:
        return data
    values, numbers = np.unique(labels, return_inverse=True)
    return data._replace(
        crc32=zlib.crc32(labels.tobytes(), data.crc32),
        labels=backend.asarray(numbers),
        classes=tuple(values.tolist()),
    )
