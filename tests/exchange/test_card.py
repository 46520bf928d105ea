"""The card of an export quotes the measures of ``minigan evaluate``, if they are of this file."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from minigan.exchange.card import Exported, _measures, model_card
from minigan.training import find_generator, stored_generator

GENERATOR = {
    "ndb": {"different": 2, "js": 0.0036, "bins": 15},
    "frechet": 4.94,
    "precision_recall": {"precision": 0.83, "recall": 0.76},
}
REPORT: dict[str, Any] = {
    "samples": 10_000,
    "figures": {"generator": GENERATOR, "real": GENERATOR | {"frechet": 1.7}},
}


def card_of(source: Path, report: Any, name: str = "metrics.json", age: float = 0) -> str:
    source.touch()
    file = source.with_name(name)
    file.write_text(report if isinstance(report, str) else json.dumps(report))
    when = source.stat().st_mtime - age
    os.utime(file, (when, when))
    return "\n".join(_measures(source))


def test_measures(tmp_path: Path) -> None:
    text = card_of(tmp_path / "checkpoint.npz", REPORT)
    assert "Of 10,000 images:" in text
    assert "| bins that differ (NDB), of 15; lower is better | 2 | 2 |" in text
    assert "| Fréchet distance (not an FID); lower is better | 4.9 | 1.7 |" in text
    assert "| recall; higher is better | 0.76 | 0.76 |" in text
    assert text == card_of(tmp_path / "best.npz", REPORT, "best_metrics.json")


@pytest.mark.parametrize("report", ["", "[]", "[" * 100_000, {"samples": 1}, {"figures": {}}])
def test_a_file_that_is_no_report_is_as_good_as_none(report: Any, tmp_path: Path) -> None:
    assert card_of(tmp_path / "checkpoint.npz", report) == ""


def test_measures_of_an_earlier_epoch_are_not_quoted(tmp_path: Path) -> None:
    assert card_of(tmp_path / "checkpoint.npz", REPORT, age=60) == ""


def test_names_that_are_not_utf_8_are_shown(tmp_path: Path) -> None:
    """A name of Linux may have any bytes; Python keeps those that are no UTF-8 as surrogates."""
    source = find_generator(None, classes=True)
    trained = stored_generator(source)
    config = replace(trained.config, data="/nobody/k\udcff.npz")
    names = ("\udcff", "\ud800b", *"cdefghij")
    trained = trained._replace(config=config, names=names)
    card = model_card(Exported(trained, source, "torch", ["generator.pt"], 1, None))
    assert "- data: k\\udcff.npz\n" in card
    assert "0 (\\udcff), 1 (\\ud800b), 2 (c)" in card
    assert "the data set k\\udcff.npz." in card
    card.encode()


@pytest.mark.parametrize(
    ("settle_after", "words"),
    [
        (0, "learning rate 0.0005, batches"),
        (300, "learning rate 0.0005 (times 300 / step from step 300 on), batches"),
    ],
)
def test_a_learning_rate_that_falls_is_named(settle_after: int, words: str) -> None:
    source = find_generator(None)
    trained = stored_generator(source)
    config = replace(trained.config, lr=5e-4, settle_after=settle_after)
    exported = Exported(trained._replace(config=config), source, "torch", ["g.pt"], 1, None)
    assert words in model_card(exported)
