"""The signs of a collapse."""

from __future__ import annotations

import math
from typing import Any

import pytest

from minigan.training.collapse import sign_of_collapse, warning_of_collapse
from minigan.training.history import HistoryRow
from minigan.training.recipes import RECIPES


def rows(**figures: float) -> list[HistoryRow]:
    """Two rows of epoch 1 and one of epoch 2, of a run that is well but for these figures."""
    healthy = HistoryRow(1, 1001, 1.1, 1.2, 0.6, 0.4, seconds=1, images_per_second=1, spread=0.36)
    changed: dict[str, Any] = dict(figures)
    row = healthy._replace(**changed)
    return [row, row, row._replace(epoch=2, step=1002)]


@pytest.mark.parametrize(
    ("figures", "sign"),
    [
        ({}, None),
        ({"spread": 0.02}, "G's images are nearly alike (spread 0.02; real images 0.38)"),
        (
            {"p_real": 0.998, "p_fake": 0.001},
            "D is certain of every image (D(x) 0.998, D(G(z)) 0.001)",
        ),
        (
            {"p_real": 1.0, "p_fake": 1.0, "spread": 0.01},
            "D takes every image for real (D(x) 1.000, D(G(z)) 1.000)",
        ),
        (
            {"p_real": 0.0, "p_fake": 0.0, "g_loss": 100.0},
            "D takes every image for fake (D(x) 0.000, D(G(z)) 0.000)",
        ),
        ({"g_loss": 9.1}, "G no longer deceives D (g_loss 9.1; 0.7 if D were only guessing)"),
        ({"spread": math.nan}, None),  # of a run from before it was measured
    ],
)
def test_signs_of_collapse(figures: dict[str, float], sign: str | None) -> None:
    assert sign_of_collapse(rows(**figures), 1, real_spread=0.38) == sign


def test_three_epochs_in_a_row_are_a_warning_and_more_are_not() -> None:
    def warned(spreads: list[float]) -> list[int]:
        history = [
            HistoryRow(epoch, 1000 + epoch, 1.1, 1.2, 0.6, 0.4, 1, 1, spread=value)
            for epoch, value in enumerate(spreads, 1)
        ]
        epochs = range(1, len(spreads) + 1)
        recipe = RECIPES["tutorial"]
        return [e for e in epochs if warning_of_collapse(history[:e], e, 0.38, recipe) is not None]

    assert warned([0.36] * 5) == []
    assert warned([0.02, 0.02, 0.36, 0.02, 0.02]) == []  # it came back
    assert warned([0.02] * 6) == [3]
    assert warned([0.02] * 4 + [0.36] + [0.02] * 5) == [3, 8]  # and then collapsed again


@pytest.mark.parametrize(
    ("name", "advice", "guessing"),
    [
        ("tutorial", "the recipe averaged", "0.7"),
        ("batch-norm", "the recipe averaged", "0.7"),
        ("averaged", "another learning rate", "0.7"),
        ("least-squares", "another learning rate", "0.25"),
    ],
)
def test_the_warning_knows_the_recipe(name: str, advice: str, guessing: str) -> None:
    row = HistoryRow(1, 1001, 1.1, 9.0, 0.6, 0.4, 1, 1, spread=0.36)
    history = [row._replace(epoch=epoch) for epoch in (1, 2, 3)]
    warning = warning_of_collapse(history, 3, 0.38, RECIPES[name]) or ""
    assert f"(g_loss 9.0; {guessing} if D were only guessing)" in warning
    assert f"try another seed, or {advice}; minigan evaluate" in warning


def test_the_first_thousand_steps_are_not_judged() -> None:
    early = [row._replace(step=1000) for row in rows(spread=0.0)]
    assert sign_of_collapse(early, 1, real_spread=0.38) is None


def test_only_the_epoch_itself_counts() -> None:
    history = [*rows()[:2], *rows(spread=0.0)[2:]]
    assert sign_of_collapse(history, 1, 0.38) is None
    assert sign_of_collapse(history, 2, 0.38) is not None
