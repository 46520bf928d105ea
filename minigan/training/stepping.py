"""One training step of a run, on images that never leave the device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigan.backend import Array
from minigan.data import pixel_values
from minigan.gan import GAN
from minigan.training.images import TrainingData
from minigan.weights import own_classes


class Stepping:
    """Takes steps of a GAN on the images with given indices: ``Stepping(gan, data)(indices, z)``.

    The result has four figures in a row, on the device: d_loss, g_loss, p_real and p_fake.
    """

    def __init__(self, gan: GAN, data: TrainingData) -> None:
        self.gan, self.data = gan, data

    def __call__(self, indices: Any, z: Array) -> Array:
        data, indices = self.data, self.gan.generator.backend.asarray(indices)
        labels = None if data.labels is None else data.labels[indices]
        real = pixel_values(data.images[indices], z.dtype)
        result = self.gan.train_step(real, z, labels)
        return np.concatenate([figure.reshape(1) for figure in result])

    def compiled(self) -> Callable[[Any, Array], Array]:
        """Return the step as fast as it can be: on a GPU as a captured graph.

        What a graph would not repeat is run as it is: a layer of one's own, which may draw random
        numbers, and what several processes tell one another.
        """
        nets = self.gan.generator, self.gan.discriminator
        if self.gan.ranks.size > 1 or any(map(own_classes, nets)):
            return self
        return self.gan.generator.backend.compile(self)
