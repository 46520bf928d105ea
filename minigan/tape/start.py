"""The first step of a run of ``minigan train``: what ``minigan trace`` takes apart."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from minigan.backend import Array
from minigan.data import MNIST, load_images, pixel_values
from minigan.errors import InputError
from minigan.gan import GAN
from minigan.models import LATENT_DIM
from minigan.training import RECIPES, draw_epoch, draw_start, read_model
from minigan.training.class_names import names_of, words_of_classes


class Start(NamedTuple):
    """A step of a run: what ``minigan.trace`` takes, and what its page calls the images."""

    step: tuple[GAN, Array, Array, Any]  # the GAN, real images, z, and the labels or None
    shape: tuple[int, ...]  # of an image: (h, w), or (h, w, 3) in colour
    classes: tuple[str, ...]  # what the classes are called that G and D are told


def first_step(
    recipe: str,
    batch_size: int,
    seed: int,
    data: str = MNIST,
    resize: int | None = None,
    model: str | None = None,
) -> tuple[GAN, Array, Array, Any]:
    """Return the GAN, and what its first step gets in ``minigan train`` with these options.

    These are the real images, z, and the labels or None.  Raises what ``start_of`` raises.
    """
    return start_of(recipe, batch_size, seed, data, resize, model).step


def start_of(
    recipe: str,
    batch_size: int,
    seed: int,
    data: str = MNIST,
    resize: int | None = None,
    model: str | None = None,
) -> Start:
    """Return the first step of ``minigan train`` with these options.

    ``model`` is a file with networks of one's own.  Raises InputError as ``load_images`` does, for
    fewer images than the step takes, and for a conditional recipe without labels.
    """
    rng, dataset = np.random.default_rng(seed), load_images(data, resize=resize)
    images, labels = dataset.train
    if len(images) < batch_size:
        raise InputError(
            f"`batch_size` is {batch_size}, but the data has only {len(images)} images"
        )
    classes: tuple[str, ...] = ()
    numbers: Any = None
    if RECIPES[recipe].conditional:
        if labels is None:
            raise InputError(f"`recipe` is {recipe}, which needs labels, but the data have none")
        values, numbers = np.unique(labels, return_inverse=True)
        labels_told = values.tolist()
        classes = tuple(words_of_classes(labels_told, names_of(dataset.names, labels_told)))
    gan, _ = draw_start(
        RECIPES[recipe],
        rng,
        classes=len(classes),
        image_size=math.prod(dataset.shape),
        networks=None if model is None else read_model(model).networks,
    )
    indices, z = next(draw_epoch(rng, len(images), batch_size, gan.z_columns or LATENT_DIM))
    real = pixel_values(images[indices].reshape(len(indices), -1))
    of_batch = None if numbers is None else numbers[indices]
    return Start((gan, real, z, of_batch), dataset.shape, classes)
