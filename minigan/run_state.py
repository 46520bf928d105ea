"""What a checkpoint keeps of a run, and how a run goes on from it.

The weights, their moving average, Adam's moments, the fixed z and the figures so far are arrays;
the options, the step and the random state are JSON.  Adam's t is the step: both networks move once
in each.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from minigan.backend import Array, backend_of
from minigan.checkpoint import (
    AVERAGE,
    check_arrays,
    load_checkpoint,
    network_arrays,
    save_checkpoint,
)
from minigan.config import TrainConfig
from minigan.errors import InputError
from minigan.history import HistoryRow, LogEntry
from minigan.run_folder import BEST, CHECKPOINT

if TYPE_CHECKING:
    from minigan.training import Trainer


Stamp: TypeAlias = tuple[int, int] | None


def stamp(file: Path) -> Stamp:
    """Tells a file from one that has taken its place; None if there is none."""
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns


def device_arrays(run: Trainer) -> dict[str, Array]:
    """The arrays that training changes, and the fixed z, where they are: on the device or not."""
    arrays = {"fixed_z": run.fixed_z}
    for name, adam in (("generator", run.gan.adam_g), ("discriminator", run.gan.adam_d)):
        arrays |= {**network_arrays(name, adam.net), f"{name}.m": adam.m, f"{name}.v": adam.v}
    if run.generator is not run.gan.generator:
        arrays |= network_arrays(AVERAGE, run.generator)
    return arrays


def save_run(run: Trainer) -> None:
    """Write the run's checkpoint.  Raises OSError."""
    to_numpy = run.gan.generator.backend.to_numpy
    arrays = {name: to_numpy(array) for name, array in device_arrays(run).items()}
    arrays["log"] = np.array(run.log, float).reshape(-1, len(LogEntry._fields))
    arrays["history"] = np.array(run.history, float).reshape(-1, len(HistoryRow._fields))
    meta = {
        "config": run.config.stored(),
        "step": run.step,
        "epoch": run.step // run.steps_per_epoch,  # complete ones
        "epoch_state": run.epoch_state,
        "data_crc32": run.data_crc32,
    }
    save_checkpoint(run.folder / CHECKPOINT, arrays, meta)
    run.checkpoint = stamp(run.folder / CHECKPOINT)


def save_best(run: Trainer) -> None:
    """Keep what draws as it is now, with the last row of the history.  Raises OSError."""
    G = run.generator
    arrays = {name: G.backend.to_numpy(a) for name, a in network_arrays("generator", G).items()}
    figures = {name: x for name, x in run.history[-1]._asdict().items() if x == x}  # not nan
    save_checkpoint(run.folder / BEST, arrays, {"config": run.config.stored(), "figures": figures})


def restore_run(run: Trainer) -> None:
    """Put the run where its checkpoint was written.

    Raises InputError if the checkpoint is damaged, or of a run with other options or other data.
    """
    path = run.folder / CHECKPOINT
    run.checkpoint = stamp(path)  # before it is read: the older one, if it changes now
    arrays, meta = load_checkpoint(path)
    try:
        run.config.check_resumes(TrainConfig.from_stored(meta["config"], path))
        if meta["data_crc32"] != run.data_crc32:
            raise InputError(f"{run.config.data} is not the data that the run was started on")
        device = device_arrays(run)
        check_arrays(path, arrays, device)
        for name, array in device.items():
            array[...] = backend_of(array).asarray(arrays[name])
        step, last = meta["step"], run.config.epochs * run.steps_per_epoch
        if type(step) is not int or not 0 <= step <= last:
            raise InputError(f"{path} is damaged: step {step!r} of {last}")
        if len(arrays["log"]) != step % run.steps_per_epoch:
            raise InputError(f"{path} is damaged: its log does not end at step {step}")
        run.step = run.gan.adam_g.t = run.gan.adam_d.t = step
        run.rng.bit_generator.state = run.epoch_state = meta["epoch_state"]
        run.log = [LogEntry(*row) for row in arrays["log"].tolist()]
        run.history = [
            HistoryRow(int(epoch), int(step), *row)
            for epoch, step, *row in arrays["history"].tolist()
        ]
    except InputError:
        raise
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{path} is damaged: {error!r}") from error
