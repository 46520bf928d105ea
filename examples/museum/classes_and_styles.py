"""Fifth room: classes and styles.  Each row of a batch has its own, and these bugs mix the rows."""

from __future__ import annotations

from typing import Any

import numpy as np

import minigan as mg
from minigan.style import Constant, ModulatedLinear
from minigan.styled import Styled

from .exhibit import Edit, Exhibit


def into_table(dy: Any, labels: Any, classes: int) -> Any:
    """Return dT of the look-up y = T[labels].  dy: (N, n), labels: (N,), dT: (classes, n)"""
    dT = np.zeros((classes, dy.shape[1]), dy.dtype)
    np.add.at(dT, labels, dy)
    return dT


def rows_of_ten_classes() -> str:
    """Return how far they are from their targets, on average, after 300 steps on noisy points."""
    rng = np.random.default_rng(0)
    targets, table = rng.standard_normal((10, 5)), np.zeros((10, 5))
    for _ in range(300):
        labels = rng.integers(0, 10, 64)
        real = targets[labels] + 0.3 * rng.standard_normal((64, 5))
        _, dy = mg.mse(table[labels], real)
        table -= 0.5 * into_table(dy, labels, 10)
    return f"{np.linalg.norm(table - targets, axis=1).mean():.2f}"


repeated_label = Exhibit(
    name="repeated-label",
    bug="of the rows with the same label, only the last one counts",
    edits=(Edit(into_table, "np.add.at(dT, labels, dy)", "dT[labels] += dy"),),
    figure="rows of ten classes, how far from their targets",
    symptom=rows_of_ten_classes,
    check="examples/test_museum.py::test_a_table_gets_what_one_hot_rows_give",
    arguments=(),
    mend="Write np.add.at(dT, labels, dy), or multiply one-hot rows by T.",
)


def image_beside_another() -> str:
    """Return how much an image changes if the other image of its batch gets another style."""
    rng = np.random.default_rng(0)
    synthesis = (
        Constant(16), ModulatedLinear(16, 16), mg.ReLU(),
        ModulatedLinear(16, 16), mg.ReLU(), mg.Linear(16, 64), mg.Tanh(),
    )  # fmt: skip
    G = Styled([mg.Linear(4, 8)], synthesis, seed=0, dtype="float64")
    x, w = rng.standard_normal((2, 4)), rng.standard_normal((2, 8))
    before = G.images([w, w], x)[0]
    w[1] = rng.standard_normal(8)
    after = G.images([w, w], x)[0]
    return f"{np.linalg.norm(after - before) / np.linalg.norm(before):.0%}"


styles_of_the_batch = Exhibit(
    name="styles-of-the-batch",
    bug="demodulation divides by the mean of all rows instead of each row's own number",
    edits=(
        Edit(
            ModulatedLinear.forward,
            "d = 1 / np.sqrt(matmul(scale * scale, self.W * self.W) + EPS)",
            "d = 1 / np.sqrt(matmul(scale * scale, self.W * self.W).mean(axis=0) + EPS)",
        ),
    ),
    figure="change of an image if its neighbour's style changes",
    symptom=image_beside_another,
    check="mathematics/test_style.py::test_each_row_has_weights_of_its_own",
    arguments=(),
    mend="Take means over columns, never over rows, and test each row alone.",
)

ROOM = (repeated_label, styles_of_the_batch)
