"""The page of a run that is stored in a folder: what ``minigan report`` writes."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

from minigan.backend import get_backend
from minigan.data import load_archive
from minigan.errors import InputError
from minigan.machine.files import atomic_write
from minigan.training.checkpoint import restore_run, stored_networks, stored_run, stored_steps
from minigan.training.folder import CHECKPOINT, PAGE
from minigan.training.images import TrainingData, read_data, training_data
from minigan.training.page import RunPage
from minigan.training.run import Run, new_run

RUNS = Path("runs")  # where minigan train puts new runs


def write_page(run: str | Path | None = None, layers: Mapping[str, type] | None = None) -> Path:
    """Write the page of a run that is stored in a folder, and return its file.

    ``run`` is the folder, or the ``checkpoint.npz`` in it; None stands for the newest run in the
    folder ``runs``.  ``layers`` are the classes of layers that are not minigan's, by name.  If the
    run's data cannot be read, the page does without what needs it.

    Raises InputError if there is no run, or if its checkpoint is damaged; OSError if the page
    cannot be written.
    """
    checkpoint = _newest() if run is None else Path(run)
    checkpoint = checkpoint / CHECKPOINT if checkpoint.is_dir() else checkpoint
    stored = whole_run(checkpoint, layers)
    data = _data_of(stored)
    real_spread = None if data is None else data.spread
    page = RunPage(stored, checkpoint.parent, real_spread)
    file = checkpoint.parent / PAGE
    content = page.html(live=False)
    with atomic_write(file) as stream:
        stream.write(content)
    return file


def _newest() -> Path:
    """Return the checkpoint in the folder ``runs`` that was written last."""
    found = list(RUNS.glob(f"*/{CHECKPOINT}"))
    if not found:
        raise InputError(f"there is no run in the folder {RUNS}: name the folder of one")
    return max(found, key=lambda file: file.stat().st_mtime)


def _data_of(run: Run) -> TrainingData | None:
    """Return what the run was trained with, or None if it cannot be read, or is not the same."""
    with contextlib.suppress(InputError, OSError):
        data = training_data(read_data(run.config), run.config, get_backend("numpy"))
        if data.crc32 == run.data_crc32:  # it may have changed, or have been given as arrays
            return data
    return None


def whole_run(file: Path, layers: Mapping[str, type] | None = None) -> Run:
    """Return the run that a checkpoint holds, with its figures, on the CPU and without its data.

    An older file does not say how many steps an epoch has: this follows from the steps that were
    taken or, if the run was stopped in its first epoch, from the data.

    Raises InputError if the file is missing or damaged, or holds a generator alone, as ``best.npz``
    does, or if only the data could tell how long an epoch is, and cannot be read.
    """
    found = stored_run(file, layers)
    if found is None:
        raise InputError(f"{file} holds a generator alone, expected the checkpoint of a run")
    bare, epochs = found
    arrays, meta = load_archive(file)
    log = arrays.get("log")
    left = 0 if log is None or log.ndim == 0 else len(log)
    steps_per_epoch = stored_steps(file, meta)
    if steps_per_epoch is None and epochs:
        steps_per_epoch = (bare.step - left) // epochs
    elif steps_per_epoch is None:
        steps_per_epoch = _steps_of_first_epoch(file, bare)
    if bare.step != epochs * steps_per_epoch + left or left >= steps_per_epoch:
        raise InputError(
            f"{file} is damaged: {bare.step} steps, {left} of them after epoch {epochs}"
        )
    images = steps_per_epoch * bare.config.batch_size
    backend = get_backend("numpy")
    networks = stored_networks(file, layers)
    run = new_run(bare.config, images, bare.data_crc32, backend, bare.classes, bare.shape, networks)
    restore_run(run, file)
    run.model = bare.model
    return run


def _steps_of_first_epoch(file: Path, bare: Run) -> int:
    """Return how many steps the first epoch has, in which the run was stopped."""
    if bare.step == 0:
        return 1
    data = _data_of(bare)
    if data is None:
        raise InputError(
            f"{file} is of a run that has not ended its first epoch, and its data, which tells how "
            "long that is, cannot be read or has changed"
        )
    return -(-len(data.images) // bare.config.batch_size)
