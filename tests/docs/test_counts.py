"""Numbers in the prose of the docs that can be counted: files, chapters, steps, units."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import minigan as mg

ROOT = Path(__file__).parents[2]
WORDS = "zero one two three four five six seven eight nine ten eleven twelve".split()
WORDS += "thirteen fourteen fifteen".split()


def files(pattern: str) -> int:
    return len(
        [file for file in ROOT.glob(pattern) if file.name not in ("__init__.py", "__main__.py")]
    )


def chapters() -> int:
    text = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    return len(re.findall(r"^\| \d+ \[", text, re.MULTILINE))


def units() -> int:
    """Return how many ReLUs and LeakyReLUs three passes of 64 images have: G, D, D."""
    widths = [
        sum(layer.n_out or 0 for layer in net.layers[:-2] if isinstance(layer, mg.Linear))
        for net in (mg.generator(seed=0), mg.discriminator(seed=1))
    ]
    return 64 * (widths[0] + 2 * widths[1])


MATHEMATICS = files("minigan/*.py") - 1  # errors.py is none


@pytest.mark.parametrize(
    ("page", "words", "count"),
    [
        ("README.md", "the {} files at the top of `minigan/`", MATHEMATICS),
        ("docs/architecture.md", "{} files in reading order", MATHEMATICS),
        ("docs/README.md", "{} small files with blanks", files("examples/exercises/ex*.py")),
        ("docs/README.md", "The {} chapters", chapters()),
        ("docs/the-tutorial.md", "{:,} steps, the last with 32 images", -(-60_000 // 64)),
        ("docs/the-tutorial.md", "1000 epochs are {:,} steps", 1000 * -(-60_000 // 64)),
        ("docs/the-tutorial.md", "hold {:,} of these units", units()),
    ],
)
def test_what_can_be_counted(page: str, words: str, count: int) -> None:
    text = " ".join((ROOT / page).read_text(encoding="utf-8").lower().split())
    named = WORDS[count] if count < len(WORDS) and ":" not in words else count
    assert words.format(named).lower() in text
