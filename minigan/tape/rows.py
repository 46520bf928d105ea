"""A training step as plain data: a row for each layer and direction, each loss and optimizer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from minigan.backend import Array
from minigan.gan import StepResult


class Bars(NamedTuple):
    """How the values of an array are spread: a histogram of those that are finite and not 0."""

    low: float  # where the first bar begins
    high: float  # where the last bar ends
    counts: tuple[int, ...]  # the values in each bar, or in the only one if all are equal
    size: int  # values that were looked at
    zeros: int  # of these
    not_finite: int
    every: int = 1  # of a large array, every so many values were looked at


class Line(NamedTuple):
    """One value of a row: y of a forward pass; dW, db or dx of a backward pass."""

    name: str
    formula: str  # as in the layer's docstring: "dW = xᵀ dy"; only the name if there is none
    remark: str  # the remark beside the formula
    shape: tuple[int, ...]
    size: float | None  # L2 norm of a gradient, value of a loss; None for y, and if skipped
    flop: int = 0  # of its matrix products; if skipped, what they would have cost
    skipped: bool = False
    bars: Bars | None = None  # how the values of y or of the gradient are spread


@dataclass(frozen=True)
class Row:
    """One layer in one direction; or a loss, or an optimizer."""

    step: str  # "D" or "G": the step that the row belongs to
    phase: str  # "G forward", "D forward", "loss", "D backward", "Adam D", …
    name: str  # "0 Linear(784, 1024)"
    given: tuple[int, ...]  # shape of x in a forward pass, of dy in a backward pass
    lines: tuple[Line, ...]
    kept: str = ""  # forward: what the cache holds
    kept_bytes: int = 0  # without memory of the parameters or of earlier rows
    partner: int | None = None  # number of the row that uses the cache (forward) or made it
    where: tuple[tuple[str, str], ...] = ()  # other equations of the docstring, with remarks


class Pictures(NamedTuple):
    """The first images of a step, in main memory, one in each row."""

    real: Array  # (k, n)
    fakes: Array  # (k, n)
    gradient: Array  # (k, n): of G's loss with respect to each fake, from which G learns
    answers: tuple[Array, ...]  # of D: to the real images; to the fakes, before and after its step
    probable: bool  # whether the answers are probabilities
    labels: tuple[int, ...] = ()  # the columns of their classes, if the GAN has classes


@dataclass(frozen=True)
class Tape:
    """All rows of one training step, in order."""

    title: str
    rows: tuple[Row, ...]
    result: StepResult  # what ``train_step`` returned
    # None if a network was not seen at work, as in a step of your own
    pictures: Pictures | None = field(default=None, compare=False)
