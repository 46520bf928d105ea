"""A training step as plain data: a row for each layer and direction, each loss and optimizer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from minigan.gan import StepResult


class Line(NamedTuple):
    """One value of a row: y of a forward pass; dW, db or dx of a backward pass."""

    name: str
    formula: str  # as in the layer's docstring: "dW = xᵀ dy"; only the name if there is none
    remark: str  # the remark beside the formula
    shape: tuple[int, ...]
    size: float | None  # L2 norm of a gradient, value of a loss; None for y, and if skipped
    flop: int = 0  # of its matrix products; if skipped, what they would have cost
    skipped: bool = False


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


@dataclass(frozen=True)
class Tape:
    """All rows of one training step, in order."""

    title: str
    rows: tuple[Row, ...]
    result: StepResult  # what ``train_step`` returned
