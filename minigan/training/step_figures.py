"""The figures of the training steps: read from the device, checked, and added to the history."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minigan.backend import Array
from minigan.training.failures import diverged
from minigan.training.health import measure_health
from minigan.training.history import ROW_EVERY, LogEntry, sum_up
from minigan.training.run import Run


class LastSteps(NamedTuple):
    """What was read of the last steps: the losses of the latest one, and their time."""

    d_loss: float
    g_loss: float
    seconds: float  # of one step, on average
    steps: int


class StepFigures:
    """Keeps the figures of a run's steps on the device, and reads them now and then.

    Reading waits for the GPU, so there a row of the history is read at once; on a CPU each step is.
    """

    def __init__(self, run: Run) -> None:
        self.run, backend = run, run.gan.generator.backend
        # d_loss, g_loss, p_real and p_fake of the steps since the last reading, a row for each
        self.rows = backend.asarray(np.zeros((ROW_EVERY, 4), run.config.dtype))
        self.read_every = ROW_EVERY if backend.name == "cupy" else 1
        self.begin()

    def begin(self) -> None:
        """Let the steps begin whose figures are read together: their time counts from now on."""
        self.sizes: list[int] = []  # their batch sizes
        self.start = time.perf_counter()

    def keep(self, row: Array, batch_size: int) -> None:
        """Keep the four figures of one step, which stay on the device."""
        self.rows[len(self.sizes)] = row
        self.sizes.append(batch_size)

    def read(self, epoch: int, checkpoint: Path) -> LastSteps:
        """Add the steps since the last reading to the run's log, and a row to its history if due.

        Raises InputError, which names the checkpoint, at the first loss that is not finite.
        """
        rows = self.run.gan.generator.backend.to_numpy(self.rows[: len(self.sizes)]).tolist()
        seconds = (time.perf_counter() - self.start) / len(rows)  # reading waited for the last step
        for step, (d_loss, g_loss, *_) in enumerate(rows, self.run.step - len(rows) + 1):
            if not (math.isfinite(d_loss) and math.isfinite(g_loss)):
                what = f"d_loss is {d_loss} and g_loss is {g_loss}"
                raise diverged(self.run, step, what, checkpoint)
        self._record(epoch, rows, seconds)
        return LastSteps(rows[-1][0], rows[-1][1], seconds, len(rows))

    def _record(self, epoch: int, rows: list[list[float]], seconds: float) -> None:
        """Add the figures to the log; every ``ROW_EVERY`` steps make a row, and so do the steps
        that are left at the end of an epoch."""
        run = self.run
        for row, size in zip(rows, self.sizes, strict=True):
            run.log.append(LogEntry._make((*row, seconds, size)))
        left = len(run.log) % ROW_EVERY
        if left == 0 or len(run.log) == run.steps_per_epoch:
            before = run.history[-1].seconds if run.history else 0.0
            new = sum_up(run.log[-(left or ROW_EVERY) :], epoch, run.step, before)
            health = measure_health(run.gan, run.fixed_z)
            run.history.append(new._replace(**health._asdict(), lr=run.gan.adam_g.lr))
