"""What a run trains on: the images and labels of its data set, on the device."""

from __future__ import annotations

import zlib
from typing import Any, NamedTuple

import numpy as np

from minigan.backend import Array, Backend, get_backend
from minigan.data import Dataset, dataset_of, load_images, pixel_values
from minigan.errors import InputError
from minigan.training.class_names import names_of
from minigan.training.config import TrainConfig
from minigan.training.health import spread
from minigan.training.recipes import RECIPES


class TrainingData(NamedTuple):
    """The training images, which never leave the device, and what a run keeps of them."""

    images: Array  # (N, n) uint8
    spread: float  # of the first 1000 images
    crc32: int  # checksum: of the labels, too, if the run is told them
    labels: Array | None = None  # (N,), as numbers of their classes, if the run is told them
    classes: tuple[int, ...] = ()  # the label of each class
    names: tuple[str, ...] = ()  # the name of each class, if they have names


def read_data(config: TrainConfig, images: Any = None, labels: Any = None) -> Dataset:
    """Return the data set of a run: the arrays that were given, or else what ``data`` names.

    Raises InputError as ``load_images`` does.
    """
    if images is not None:
        return dataset_of(images, labels, resize=config.resize, hold_out=config.hold_out)
    if labels is not None:
        raise InputError("`labels` are given without `images`")
    return load_images(config.data, resize=config.resize, hold_out=config.hold_out)


def is_data_of(dataset: Dataset, config: TrainConfig, crc32: int) -> bool:
    """Return whether a run with these options and this checksum was trained on the data set."""
    try:
        return training_data(dataset, config, get_backend("numpy")).crc32 == crc32
    except InputError:  # there are no labels
        return False


def training_data(dataset: Dataset, config: TrainConfig, backend: Backend) -> TrainingData:
    """Return what a run with these options trains on.

    Raises InputError if the recipe needs labels and there are none.
    """
    images, labels = dataset.train
    rows = images.reshape(len(images), -1)
    data = TrainingData(
        images=backend.asarray(rows),
        spread=float(spread(pixel_values(rows[:1000], config.dtype))),
        crc32=zlib.crc32(images.tobytes()),
    )
    if not RECIPES[config.recipe].conditional:
        return data
    if labels is None:
        raise InputError(
            f"`recipe` is {config.recipe}, which needs labels, but there are none in "
            f"{dataset.source}: choose another recipe, or put the pictures into a folder for each "
            "class"
        )
    values, numbers = np.unique(labels, return_inverse=True)
    classes = tuple(values.tolist())
    return data._replace(
        crc32=zlib.crc32(labels.tobytes(), data.crc32),
        labels=backend.asarray(numbers),
        classes=classes,
        names=names_of(dataset.names, classes),
    )
