"""The chapter on the tutorial quotes its lines by name and in order, and they run.

The left column of its tables is held against the PyTorch code of the page, which the tests run, and
the middle column against ``examples/mnist_gan.py``.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "the-tutorial.md"
SPAN = re.compile(r"`([^`]+)`")
# of the left column: the lines that the page cannot run without torchvision and a window
NOT_RUN = re.compile(
    r"torchvision|transforms\.|DataLoader|datasets\.|epoch|enumerate|imgs = imgs|randn|plt|permute"
)


def rows(title: str) -> list[list[str]]:
    """Return the cells of the tables in the section with this title, without heads."""
    (section,) = re.findall(
        rf"^## {title}.*?(?=^## )", PAGE.read_text(encoding="utf-8"), re.M | re.S
    )
    lines = re.findall(r"^\| .*\|$(?!\n\|-)", section, re.MULTILINE)
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def stands_in_order(spans: list[str], text: str) -> None:
    """Each span is in the text, behind the span before it; ``...`` stands for anything."""
    at, text = 0, " ".join(text.split())
    for span in spans:
        pattern = re.escape(" ".join(span.split())).replace(r"\.\.\.", ".*?")
        found = re.search(pattern, text[at:])
        assert found, span
        at += found.end()


SECTIONS = ["Data", "Generator and discriminator", "Loss and optimizers", "Training"]


@pytest.mark.parametrize("title", SECTIONS)
def test_minigans_lines_are_those_of_the_program(title: str) -> None:
    cells = [row[1] for row in rows(title)]
    spans = [span for cell in cells for span in SPAN.findall(cell) if not cell.startswith("the ")]
    program = (ROOT / "examples" / "mnist_gan.py").read_text(encoding="utf-8")
    if title == "Data":  # of which the tutorial makes the transform first
        stands_in_order(spans[:1], program)
        stands_in_order(spans[1:], program)
    elif title == "Training":  # the loops around the step, then the step, then the picture
        stands_in_order(spans, program)
    else:
        for span in spans:
            stands_in_order([span], program)


@pytest.mark.parametrize("title", SECTIONS)
def test_the_tutorials_lines_run(title: str) -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    spans = [span for row in rows(title) for span in SPAN.findall(row[0])]
    stands_in_order([span for span in spans if not NOT_RUN.search(span)], blocks[0])
    assert title in ("Data", "Training") or not any(map(NOT_RUN.search, spans))


def test_no_line_is_quoted_that_the_tutorial_has_not() -> None:
    quoted = " ".join(row[0] for title in SECTIONS for row in rows(title))
    for name in ("fixed_z", "manual_seed", "cuda", "save_image", "d_optimizer", "real_label "):
        assert name not in quoted


@pytest.mark.torch
def test_make_grid_fails_as_it_is_printed() -> None:
    pytest.importorskip("torchvision")
    names: dict[str, object] = {}
    exec("import torch\nfrom torchvision import datasets, transforms", names)
    line = "torchvision.utils.make_grid(torch.zeros(64, 1, 28, 28), nrow=8, normalize=True)"
    with pytest.raises(NameError, match="name 'torchvision' is not defined"):
        exec(line, names)
    exec(f"import torchvision\nassert {line}.shape == (3, 242, 242)", names)
