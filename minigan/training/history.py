"""The figures of a run: an entry for each step, a row of ``history.csv`` for every 100 steps."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np

from minigan.machine.files import atomic_write, sync

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
    measured after the last of them: the ``Health`` of the GAN, the ``Quality`` of the generator
    that draws the samples, and the ``Memory`` of D.  A figure that was not measured is nan.  ``lr``
    is the learning rate that was given for the last of the steps, before it falls.
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
    d_train: float = math.nan
    d_test: float = math.nan
    lr: float = math.nan

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

    def values(self) -> list[float]:
        """Return the values of ``columns`` in their order, in a tenth of the time.

        A checkpoint holds all rows, and is written after every epoch.
        """
        start = self._fields.index("d_grads")
        before, after = cast("list[float]", self[:start]), cast("list[float]", self[start + 2 :])
        return [*before, *self.d_grads, *self.g_grads, *after]

    @classmethod
    def of_columns(cls, values: Sequence[float], d_layers: int, g_layers: int) -> HistoryRow:
        """Return the row whose ``columns`` have these values, for networks with so many layers.

        The last columns may be missing, as in runs from before they were measured.
        """
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
    speed = sum(entry.images for entry in log) / took if took > 0 else math.nan  # the clock stood
    return HistoryRow(epoch, step, d_loss, g_loss, p_real, p_fake, seconds + took, speed)


class HistoryFile:
    """``history.csv``, which follows the history of a run.

    The file is written whole at first, and whenever it is not as this object has left it: it was
    removed, or a spreadsheet has saved it.  Otherwise the new rows are appended, so that the work
    does not grow with the length of the run.
    """

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self.path, self.columns = path, columns
        self.rows = 0  # that the file holds
        self.left: tuple[int, ...] | None = None  # what ``_mark`` returned after the last writing

    def follow(self, history: Sequence[HistoryRow]) -> None:
        """Make the file hold these rows.  Raises OSError if it cannot be written."""
        if self.left is not None and self.left == _mark(self.path) and self.rows <= len(history):
            with self.path.open("ab") as file:
                file.write(_lines([_cells(row) for row in history[self.rows :]]))
                sync(file)
        else:
            with atomic_write(self.path) as file:
                file.write(_lines([self.columns, *map(_cells, history)]))
        self.rows, self.left = len(history), _mark(self.path)


def _mark(path: Path) -> tuple[int, ...] | None:
    """Return what tells whether another program has changed or replaced a file; None without one.

    A link is not followed.
    """
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_mode, found.st_size, found.st_mtime_ns


def _cells(row: HistoryRow) -> Sequence[Any]:
    """Return a row with six digits a figure; nan stands for what was not measured."""
    epoch, step, *figures = row.values()
    return epoch, step, *(f"{x:.6g}" for x in figures)


def _lines(rows: Sequence[Sequence[Any]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
