"""A tape of a training step, and how to find rows and lines on it."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from helpers.small_gan import batch

import minigan as mg
from minigan.backend import Array
from minigan.tape import Line, Row, Trace, first_step


@functools.cache
def first_tape() -> Trace:
    """The first step of ``minigan train --batch-size 16``."""
    return mg.trace(*first_step("averaged", 16, 0))


def line(row: Row, name: str) -> Line:
    """The line of that name."""
    (found,) = [one for one in row.lines if one.name == name]
    return found


def rows_of(tape: Trace, step: str, phase: str) -> list[Row]:
    """The rows of one phase, in their order."""
    return [row for row in tape.rows if (row.step, row.phase) == (step, phase)]


class Slope(mg.Layer):
    """y = x s, with <b>one</b> factor a column."""  # an equation in the first line is prose

    param_names = ("s",)
    s: Array
    ds: Array

    def __init__(self, n: int) -> None:
        self.n_in = self.n_out = n

    def draw(self, rng: np.random.Generator) -> tuple[Array, ...]:
        return (rng.uniform(0.5, 1.5, self.n_in),)

    def forward(self, x: Array) -> tuple[Array, Any]:
        return x * self.s, (x, len(x))

    def input_grad(self, dy: Array, cache: Any) -> Array:
        return dy * self.s

    def param_grads(self, dy: Array, cache: Any) -> None:
        self.ds[...] = (dy * cache[0]).sum(axis=0)

    def __repr__(self) -> str:
        return "</script><b>Slope" + "s" * 80  # that it is long must only make the tape wide


def tape_with_an_own_layer() -> Trace:
    """Of a GAN with a ``Slope`` in G and another in D."""
    rng = np.random.default_rng(2)
    G = mg.Sequential(mg.Linear(3, 5), Slope(5), mg.Tanh(), seed=rng)
    D = mg.Sequential(Slope(5), mg.Linear(5, 1), mg.Sigmoid(), seed=rng)
    return mg.trace(mg.GAN(G, D), *batch(8))
