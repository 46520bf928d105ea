"""The figures of a run: an entry for each step, a row of ``history.csv`` for every 100 steps."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minigan.machine.files import atomic_write

ROW_EVERY = 100  # steps between two rows


class LogEntry(NamedTuple):
    """The figures of one training step of the current epoch."""

    d_loss: float
    g_loss: float
    p_real: float
    p_fake: float
    seconds: float
    images: float


class HistoryRow(NamedTuple):
    """The figures of the steps since the previous row, at most ``ROW_EVERY`` of them.

    Losses and probabilities are means over these steps.  The figures from ``spread`` on were
    measured after the last of them: the ``Health`` of the GAN, and the ``Quality`` of the generator
    that draws the samples.  A figure that was not measured is nan.
    """

    epoch: int
    step: int  # since the start of the run
    d_loss: float
    g_loss: float
    p_real: float  # mean D(x)
    p_fake: float  # mean D(G(z))
    seconds: float  # training time since the start of the run
    images_per_second: float
    spread: float = math.nan
    d_grads: tuple[float, ...] = ()
    g_grads: tuple[float, ...] = ()
    ndb: float = math.nan
    js: float = math.nan
    classes: float = math.nan

    def columns(self) -> dict[str, float]:
        """Return the figures by column name; the norms become ``d_grad_1``, … ``g_grad_1``, …"""
        flat: dict[str, float] = {}
        for name, value in self._asdict().items():
            if isinstance(value, tuple):
                letter = name[0]
                flat |= {f"{letter}_grad_{i}": norm for i, norm in enumerate(value, 1)}
            else:
                flat[name] = value
        return flat

    @classmethod
    def of_columns(cls, values: Sequence[float], d_layers: int, g_layers: int) -> HistoryRow:
        """Return the row whose ``columns`` have these values, for networks with so many layers."""
        start = cls._fields.index("d_grads")
        middle, end = start + d_layers, start + d_layers + g_layers
        norms: tuple[Any, ...] = tuple(values[start:middle]), tuple(values[middle:end])
        row: list[Any] = [*values[:start], *norms, *values[end:]]
        return cls(*row)._replace(epoch=int(values[0]), step=int(values[1]))


def column_names(d_layers: int, g_layers: int) -> list[str]:
    """Return the names of the columns of ``history.csv`` for networks with so many layers."""
    row = HistoryRow(0, 0, 0, 0, 0, 0, 0, 0, 0, (0,) * d_layers, (0,) * g_layers)
    return list(row.columns())


def sum_up(log: Sequence[LogEntry], epoch: int, step: int, seconds: float = 0.0) -> HistoryRow:
    """Return the row for the steps in ``log``, the last of which is ``step``.

    ``seconds`` is how long the run had trained before these steps.
    """
    d_loss, g_loss, p_real, p_fake = np.mean([entry[:4] for entry in log], axis=0).tolist()
    took = sum(entry.seconds for entry in log)
    speed = sum(entry.images for entry in log) / took
    return HistoryRow(epoch, step, d_loss, g_loss, p_real, p_fake, seconds + took, speed)


def save_history(path: Path, history: Sequence[HistoryRow], columns: Sequence[str]) -> None:
    """Write ``history.csv``, with six digits a figure; nan stands for what was not measured."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    for row in history:
        epoch, step, *figures = row.columns().values()
        writer.writerow((epoch, step, *(f"{x:.6g}" for x in figures)))
    with atomic_write(path) as file:
        file.write(text.getvalue().encode())
