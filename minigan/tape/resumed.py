"""The next step of a run that is stored: what ``minigan trace RUN`` takes apart."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from minigan.backend import get_backend
from minigan.data import ARRAYS, pixel_values
from minigan.errors import InputError
from minigan.tape.start import Start
from minigan.training import Run, draw_epoch
from minigan.training.class_names import words_of_classes
from minigan.training.folder import CHECKPOINT
from minigan.training.images import TrainingData, read_data, training_data
from minigan.training.stored_page import whole_run


def next_step(
    run: str | Path, data: str | None = None, layers: Mapping[str, type] | None = None
) -> Start:
    """Return the step that a stored run would take if it went on, on the CPU.

    The GAN has the run's weights and the state of its Adams, and gets the images and z that the run
    would draw next.  Nothing in the folder changes.  ``run`` is the folder of the run, or the
    ``checkpoint.npz`` in it; ``data`` is where the run's data lies now, if it has moved; ``layers``
    are the classes of layers that are not minigan's, by name.

    Raises InputError if the checkpoint is missing or damaged, or holds a generator alone, and if
    the data cannot be read or is not what the run was trained on.
    """
    file = Path(run) / CHECKPOINT if Path(run).is_dir() else Path(run)
    stored = whole_run(file, layers)
    images = _images_of(stored, file, data)
    rng, config = np.random.default_rng(), stored.config
    rng.bit_generator.state = stored.epoch_state
    columns = stored.gan.z_columns or config.latent_dim
    draws = draw_epoch(rng, len(images.images), config.batch_size, columns, config.dtype)
    indices, z = next(itertools.islice(draws, stored.steps_of_epoch, None))
    labels = None if images.labels is None else images.labels[indices]
    real = pixel_values(images.images[indices], config.dtype)
    names = words_of_classes(stored.classes, stored.names)
    return Start((stored.gan, real, z, labels), stored.shape, tuple(names))


def _images_of(run: Run, file: Path, data: str | None) -> TrainingData:
    """Return what the run was trained on, which lies where ``data`` says, if it says so."""
    config = run.config if data is None else replace(run.config, data=data)
    try:
        dataset = read_data(config)
    except InputError as error:
        if data is not None or config.data == ARRAYS:  # this message says what to do
            raise
        raise InputError(
            f"{error}: if the data of {file} has moved, name it with `data`"
        ) from error
    images = training_data(dataset, config, get_backend("numpy"))
    if images.crc32 != run.data_crc32 or dataset.shape != run.shape:
        what = f"{config.data} has changed since" if data is None else f"`data` {data} is not what"
        raise InputError(
            f"{what} the run of {file} was trained on{' it' * (data is None)}: name its images "
            "with `data`, or trace the first step of a new run, without one"
        )
    return images
