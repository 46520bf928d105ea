"""The figures of a run: one entry a training step, one row of ``history.csv`` a hundred steps."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from minigan.checkpoint import atomic_write

if TYPE_CHECKING:
    from minigan.health import Health
    from minigan.quality import Quality

ROW_EVERY = 100  # steps between two rows


class HistoryRow(NamedTuple):
    """Figures of the steps since the row before, at most ``ROW_EVERY`` of them: first means."""

    epoch: int
    step: int  # since the start of the run
    d_loss: float
    g_loss: float
    p_real: float  # mean D(x)
    p_fake: float  # mean D(G(z))
    seconds: float  # of training since the start of the run
    images_per_second: float
    # At the last of these steps: ``Health`` of the GAN, ``Quality`` of what draws the samples; nan
    # where not measured
    spread: float = math.nan
    d_grad_1: float = math.nan
    d_grad_2: float = math.nan
    d_grad_3: float = math.nan
    d_grad_4: float = math.nan
    g_grad_1: float = math.nan
    g_grad_2: float = math.nan
    g_grad_3: float = math.nan
    g_grad_4: float = math.nan
    ndb: float = math.nan
    js: float = math.nan
    classes: float = math.nan

    def with_health(self, health: Health) -> HistoryRow:
        return self._replace(**health._asdict())

    def with_quality(self, quality: Quality) -> HistoryRow:
        return self._replace(**quality._asdict())


class LogEntry(NamedTuple):
    """One training step of the current epoch."""

    d_loss: float
    g_loss: float
    p_real: float
    p_fake: float
    seconds: float
    images: float


def sum_up(log: Sequence[LogEntry], epoch: int, step: int, seconds: float = 0.0) -> HistoryRow:
    """The row for the steps in ``log``, which end at ``step``; ``seconds`` had passed before."""
    d_loss, g_loss, p_real, p_fake = np.mean([entry[:4] for entry in log], axis=0).tolist()
    took = sum(entry.seconds for entry in log)
    speed = sum(entry.images for entry in log) / took
    return HistoryRow(epoch, step, d_loss, g_loss, p_real, p_fake, seconds + took, speed)


def save_history(path: Path, history: Sequence[HistoryRow]) -> None:
    """Write ``history.csv``, six digits a figure; nan for what was not measured."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(HistoryRow._fields)
    writer.writerows((*row[:2], *(f"{x:.6g}" for x in row[2:])) for row in history)
    with atomic_write(path) as file:
        file.write(text.getvalue().encode())
