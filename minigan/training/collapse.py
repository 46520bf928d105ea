"""The signs of a collapse, read from the history of a run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minigan.losses import mse
from minigan.training.history import HistoryRow
from minigan.training.recipes import Recipe

FIRST_STEPS = 1000
PATIENCE = 3  # epochs in a row that must show a sign before a warning, here and in memory.py


def warning_of_collapse(
    history: Sequence[HistoryRow], epoch: int, real_spread: float, recipe: Recipe
) -> str | None:
    """Return a warning if an epoch is the ``PATIENCE``-th in a row with a sign of collapse.

    One or two such epochs are common and pass, so the warning comes once, when it is time to worry.
    For all other epochs the result is None.
    """
    squared = recipe.loss is mse
    signs = [
        sign_of_collapse(history, epoch - k, real_spread, squared) for k in range(PATIENCE + 1)
    ]
    if signs[-1] is not None or None in signs[:-1]:
        return None
    other = "another learning rate" if recipe.averaged else "the recipe averaged"
    return (
        f"Warning: {PATIENCE} epochs in a row with signs of collapse: {signs[0]}.  If that lasts, "
        f"try another seed, or {other}; minigan evaluate measures the images."
    )


def sign_of_collapse(
    history: Sequence[HistoryRow], epoch: int, real_spread: float, squared: bool = False
) -> str | None:
    """Return in words what is wrong with the means over an epoch; None if nothing is wrong.

    The first thousand steps are not judged, because an untrained G draws nearly the same image for
    all z.  ``squared`` says that the losses are squared errors.
    """
    rows = [row for row in history if row.epoch == epoch and row.step > FIRST_STEPS]
    if not rows:
        return None
    g_loss, p_real, p_fake, alike = np.mean(
        [(row.g_loss, row.p_real, row.p_fake, row.spread) for row in rows], axis=0
    ).tolist()
    if p_real > 0.99 and p_fake > 0.99:  # where Sigmoid rounds to 1, its gradient is 0 and stays 0
        return f"D takes every image for real (D(x) {p_real:.3f}, D(G(z)) {p_fake:.3f})"
    if p_real < 0.01 and p_fake < 0.01:
        return f"D takes every image for fake (D(x) {p_real:.3f}, D(G(z)) {p_fake:.3f})"
    if p_real > 0.99 and p_fake < 0.01:
        return f"D is certain of every image (D(x) {p_real:.3f}, D(G(z)) {p_fake:.3f})"
    if g_loss > 7:
        guessing = 0.25 if squared else 0.7  # (1/2)², or ln 2
        return f"G no longer deceives D (g_loss {g_loss:.1f}; {guessing} if D were only guessing)"
    if alike < real_spread / 4:
        return f"G's images are nearly alike (spread {alike:.2f}; real images {real_spread:.2f})"
    return None
