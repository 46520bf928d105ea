"""Save a run to its checkpoint and restore it: what the file keeps, and how the run goes on.

The weights, their moving average, Adam's moments, the fixed z and the figures so far are stored as
arrays; the options, the step and the random state are stored as JSON.  Adam's t is the step,
because each training step moves both networks once, unless the run began in another program.
"""

from __future__ import annotations

import math
import os
import reprlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from minigan.backend import Array, backend_of, get_backend
from minigan.data import ARRAYS, load_archive, save_archive
from minigan.errors import InputError, to_float
from minigan.training.class_names import stored_names
from minigan.training.config import WHOLE, TrainConfig
from minigan.training.history import HistoryRow, LogEntry, column_names
from minigan.training.networks import Networks, check_same
from minigan.training.run import Run, new_run
from minigan.training.trained import (
    AVERAGE,
    GENERATOR,
    check_networks,
    image_shape,
    network_arrays,
    networks_of,
    stored_classes,
    stored_texts,
)

# columns in which nan means unknown
UNMEASURED = ("images_per_second", "ndb", "js", "classes", "d_train", "d_test")
NEWER = (1, 3)  # how many of the last columns older runs lack: lr, or d_train, d_test and lr
LARGEST = 1e100  # of the figures: more is none of a run, and no curve can show it
LONGEST_NAME = 4096  # characters of the name of a file
DISCRIMINATOR = "discriminator"  # its name in the file, beside GENERATOR and AVERAGE

Stamp: TypeAlias = tuple[int, int] | None


def stamp(file: Path) -> Stamp:
    """Return a mark that changes when another file replaces this one; None if there is no file."""
    try:
        found = file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_ino, found.st_mtime_ns


def save_run(run: Run, file: Path) -> None:
    """Write the run's checkpoint.  Raises OSError if it cannot be written."""
    to_numpy = run.gan.generator.backend.to_numpy
    arrays = {name: to_numpy(array) for name, array in stored_arrays(run).items()}
    width = len(column_names(*run.layer_counts))
    rows = [row.values() for row in run.history]
    arrays["log"] = np.array(run.log, float).reshape(-1, len(LogEntry._fields))
    arrays["history"] = np.array(rows, float).reshape(-1, width)
    meta = {
        "config": run.config.stored(),
        "step": run.step,
        "adam_t": run.gan.adam_g.t,
        "epoch": run.step // run.steps_per_epoch,  # epochs that are complete
        "steps_per_epoch": run.steps_per_epoch,
        "epoch_state": run.epoch_state,
        "data_crc32": run.data_crc32,
        "threads": run.threads,
        "lrs": run.lrs,
        "classes": run.classes,
        "names": run.names,
        "shape": run.shape,
        "networks": run.texts,
        "model": run.model,
    }
    save_archive(file, arrays, meta)


def restore_run(run: Run, file: Path) -> None:
    """Set a new run to the state that the checkpoint holds.

    Raises InputError if the checkpoint is damaged, belongs to a run with other options or other
    data, or is further than the run is to go.
    """
    arrays, meta = load_archive(file)
    try:
        before = TrainConfig.from_stored(meta["config"], file)
        run.config.check_resumes(before)
        if meta["data_crc32"] != run.data_crc32 or image_shape(file, meta) != run.shape:
            what = "these images are" if run.config.data == ARRAYS else f"{run.config.data} is"
            raise InputError(f"{what} not the data that the run was started on")
        if stored_classes(file, meta, run.config) != run.classes:
            raise InputError(f"{run.config.data} has other classes than the run was started with")
        if "names" in meta:  # else the run is older, and takes those of the data
            run.names = stored_names(file, meta, run.classes)
        if texts := stored_texts(file, meta):  # older runs have none
            check_same(run.texts, texts)
        _copy_arrays(file, arrays, run)
        step = meta["step"]
        if stored_steps(file, meta) not in (None, run.steps_per_epoch):
            raise InputError(
                f"{file} is damaged: its epochs have {meta['steps_per_epoch']} steps, but those of "
                f"its data {run.steps_per_epoch}"
            )
        last_step = before.epochs * run.steps_per_epoch
        if type(step) is not int or not 0 <= step <= last_step:
            raise InputError(f"{file} is damaged: step {step!r} of {last_step}")
        if meta["epoch"] != step // run.steps_per_epoch:
            raise InputError(f"{file} is damaged: step {step} after epoch {meta['epoch']!r}")
        if step > run.last_step:
            epoch = -(-step // run.steps_per_epoch)
            raise InputError(
                f"`epochs` is {run.config.epochs}, but the run has come to epoch {epoch}: expected "
                f"at least {epoch}"
            )
        log = _table(file, arrays, "log", len(LogEntry._fields), may_be_nan=())
        names = column_names(*run.layer_counts)
        lacking = [n for n in NEWER if arrays["history"].shape[1:] == (len(names) - n,)]
        names = names[: len(names) - sum(lacking)]
        unknown = [names.index(name) for name in UNMEASURED if name in names]
        history = _table(file, arrays, "history", len(names), unknown)
        if len(log) != step % run.steps_per_epoch or (len(history) and history[-1, 1] > step):
            raise InputError(f"{file} is damaged: its figures do not end at step {step}")
        threads = [(first, number) for first, number in meta.get("threads", [])]
        most = WHOLE["threads"][1] or 0
        right = all(type(x) is int and x > 0 for pair in threads for x in pair)
        if not right or any(number > most for _, number in threads):
            raise InputError(f"{file} is damaged: it ran with {threads} threads")
        lrs = [(first, lr) for first, lr in meta.get("lrs", [(1, before.lr)])]
        right = all(type(x) is int and x > 0 and 0 < to_float(lr) < math.inf for x, lr in lrs)
        if not right or (lacking and not lrs):  # an imported run has none
            raise InputError(f"{file} is damaged: it ran with the learning rates {lrs}")
        run.step = step
        run.gan.adam_g.t = run.gan.adam_d.t = _adam_t(file, meta)
        run.rng.bit_generator.state = run.epoch_state = meta["epoch_state"]
        run.threads, run.lrs = threads, lrs
        run.log = [LogEntry(*row) for row in log.tolist()]
        run.history = [HistoryRow.of_columns(row, *run.layer_counts) for row in history.tolist()]
        if lacking:  # an older run, which had one learning rate
            run.history = [row._replace(lr=lrs[0][1]) for row in run.history]
    except InputError:
        raise
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{file} is damaged: {error!r}") from error


def stored_networks(file: Path, layers: Mapping[str, type] | None = None) -> Networks | None:
    """Return the networks of a checkpoint, to make them again; None for those of its recipe.

    ``layers`` are the classes of layers that are not minigan's, by name.  Raises InputError if the
    file is missing or damaged.
    """
    arrays, meta = load_archive(file)
    return networks_of(file, meta, arrays, layers)


def stored_run(file: Path, layers: Mapping[str, type] | None = None) -> tuple[Run, int] | None:
    """Return a run without its data and its figures, and the epochs that it has completed.

    The result is None if the file holds a generator alone.  As no data is read, the run counts its
    steps as if the data were a single batch.  ``layers`` are the classes of layers that are not
    minigan's, by name.  Raises InputError if the file is missing or damaged.
    """
    arrays, meta = load_archive(file)
    if DISCRIMINATOR not in arrays:
        return None
    config = TrainConfig.from_stored(meta.get("config"), file)
    classes = stored_classes(file, meta, config)
    try:
        crc32, step, epochs = (meta[name] for name in ("data_crc32", "step", "epoch"))
        if not all(type(x) is int and x >= 0 for x in (crc32, step, epochs)):
            raise InputError(f"{file} is damaged: it stands at step {step!r} of epoch {epochs!r}")
    except KeyError as error:
        raise InputError(f"{file} is damaged: {error!r}") from error
    backend, shape = get_backend("numpy"), image_shape(file, meta)
    networks = networks_of(file, meta, arrays, layers)
    run = new_run(config, config.batch_size, crc32, backend, classes, shape, networks)
    _copy_arrays(file, arrays, run)
    run.model, run.names = stored_model(file, meta), stored_names(file, meta, classes)
    run.step, run.gan.adam_g.t, run.gan.adam_d.t = step, *[_adam_t(file, meta)] * 2
    return run, epochs


def stored_steps(file: Path, meta: dict[str, Any]) -> int | None:
    """Return how many steps each epoch of a run has; None if the file is older and does not say."""
    steps = meta.get("steps_per_epoch", 1)
    if type(steps) is not int or not 0 < steps < 1 << 53:
        raise InputError(f"{file} is damaged: its epochs have {reprlib.repr(steps)} steps")
    return steps if "steps_per_epoch" in meta else None


def stored_model(file: Path, meta: dict[str, Any]) -> str | None:
    """Return the name of the file of code that made a run's networks, if there was one."""
    model = meta.get("model")
    if model is None:
        return None
    if not isinstance(model, str) or len(model) > LONGEST_NAME or not _names_a_file(model):
        raise InputError(f"{file} is damaged: its networks come from {model!r}")
    return model


def _names_a_file(name: str) -> bool:
    try:
        return b"\0" not in os.fsencode(name)
    except UnicodeEncodeError:  # a surrogate that stands for no byte
        return False


def _copy_arrays(file: Path, arrays: dict[str, Array], run: Run) -> None:
    """Copy the arrays of a file into a run.  Raises InputError unless they fit."""
    device = stored_arrays(run)
    check_networks(file, arrays, device)
    for name, array in device.items():
        array[...] = backend_of(array).asarray(arrays[name])


def _adam_t(file: Path, meta: dict[str, Any]) -> int:
    """Return how many steps Adam has taken; raise InputError unless it is such a number."""
    t = meta.get("adam_t", meta["step"])  # older runs have none
    if type(t) is not int or not 0 <= t < 1 << 53:
        raise InputError(f"{file} is damaged: Adam took {t!r} steps")
    return t


def _table(
    file: Path, arrays: dict[str, Array], name: str, width: int, may_be_nan: Sequence[int]
) -> Array:
    """Return one of the tables of figures; raise InputError unless it is one, and finite."""
    table = arrays[name]
    if table.ndim != 2 or table.shape[1] != width or table.dtype != np.float64:
        raise InputError(f"{file} is damaged: {name!r} is {table.dtype} {table.shape}")
    must = np.ones(width, bool)
    must[list(may_be_nan)] = False
    if not np.isfinite(table[:, must]).all() or np.isinf(table).any():
        raise InputError(f"{file} is damaged: {name!r} has numbers that are not finite")
    if len(table) and np.nanmax(np.abs(table)) > LARGEST:
        raise InputError(f"{file} is damaged: {name!r} has numbers beyond {LARGEST:g}")
    return table


def stored_arrays(run: Run) -> dict[str, Array]:
    """Return the arrays that training changes, and the fixed z, not copied from their device."""
    arrays: dict[str, Any] = {"fixed_z": run.fixed_z}
    for name, adam in ((GENERATOR, run.gan.adam_g), (DISCRIMINATOR, run.gan.adam_d)):
        arrays |= {**network_arrays(name, adam.net), f"{name}.m": adam.m, f"{name}.v": adam.v}
    if run.average is not None:
        arrays |= network_arrays(AVERAGE, run.average)
    return arrays
