"""The tape of ``minigan.trace`` as text, and the words that go with its parts."""

from __future__ import annotations

import itertools
import re
import sys
import textwrap
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from minigan.trace import Line, Row, Trace

WIDTH = 100
BREAKS = re.compile(r"(?<= ·) | (?=\+ \(1 - t\))| (?== 1/n \(σ)")  # where a long formula may break
STEPS = {
    "D": "Step of D: real images should be called real, fake ones fake",
    "G": "Step of G: the same fake images should be called real by the updated D",
}
PHASES = {  # in the order of ``GAN.train_step``
    ("D", "G forward"): "G makes fake images of z. Its caches wait for the step of G.",
    ("D", "D forward"): "D judges the real and the fake images as one batch, [real; fake].",
    ("D", "loss"): "Real images should be called real, t = 1, and fake ones fake, t = 0. Both "
    "losses are added; both gradients, one below the other, are the dy of D's last layer.",
    ("D", "D backward"): "From the last layer to the first: each is given dy, finds its own dW and "
    "db, and hands dx on.",
    ("D", "Adam D"): "D moves. Its caches are stale from here on; those of G still hold.",
    ("G", "D forward"): "The fake images once more, through the D that has just moved.",
    ("G", "loss"): "Now the fake images should be called real, t = 1: that is what G wants.",
    ("G", "D backward"): "D is only the way to G. The last dx says how each pixel should change to "
    "deceive D.",
    ("G", "G backward"): "That dx is the dy of G's last layer. The caches are those of the very "
    "first pass.",
    ("G", "Adam G"): "G moves.",
}
WHY = {  # something is left out in a phase
    ("D", "D backward"): "Left out by input_grad=False: nobody trains the images, so the first "
    "layer's dx has no use. (PyTorch: fake.detach().)",
    ("G", "D backward"): "Left out by param_grads=False: D is frozen in this step, so its dW and "
    "db have no use.",
    ("G", "G backward"): "Left out by input_grad=False: nobody trains z, so the first layer's dx "
    "has no use.",
}
LEGEND = """\
forward    y of a row is the x of the next. kept: what its cache holds for the way back; where it
           is the same array as another row's, as in "x = y of 2", or a view of one or of the
           parameters, it takes no memory
backward   dx of a row is the dy of the next; x, y and x̂ come from the cache. dW stands for dL/dW,
           |dW| for its L2 norm
MFLOP      million operations of the matrix product; in brackets: of one that was skipped"""


class Part(NamedTuple):
    """One phase of the step as a table."""

    step: str
    title: str
    about: str
    head: tuple[str, ...]
    rows: list[tuple[str, ...]]  # cells: name, formula, shape, what is kept or the norm, MFLOP
    why: str  # something is left out; "" if nothing is


def parts(trace: Trace) -> Iterator[Part]:
    """The tape, phase by phase."""
    grouped = itertools.groupby(trace.rows, lambda row: (row.step, row.phase))
    for number, (key, rows) in enumerate(grouped, 1):
        kept = "kept" if key[1].endswith("forward") else ""
        head = "", "", "shape", kept, "MFLOP" if key[1].endswith("ward") else ""
        cells = [cells for row in rows for cells in _cells(row)]
        about, why = PHASES.get(key, ""), WHY.get(key, "")
        yield Part(key[0], f"{number}  {key[1]}", about, head, cells, why)


def text(trace: Trace) -> str:
    """The whole tape, 100 columns wide, if no layer has an uncommonly long name."""
    lines = [f"One training step of a GAN: {trace.title}", "", LEGEND]
    tables = list(parts(trace))
    names = max(len(row.name) for row in trace.rows)
    step = ""
    for part in tables:
        if part.step != step:
            step = part.step
            lines += ["", "", STEPS[step], "=" * WIDTH]
        lines += ["", *_wrapped(f"{part.title}. {part.about}")]
        alike = (cells for other in tables if other.head[3] == part.head[3] for cells in other.rows)
        shapes = max(len(cells[2]) for cells in alike)
        room = max(20, WIDTH - (names + 2 + 2 + shapes + 2 + 22))  # for the formula
        for name, formula, shape, last, cost in [part.head, *part.rows]:
            if len(formula) > room:
                formula = BREAKS.sub("\n", formula)
            first, *more = [line for text in formula.split("\n") for line in _wrapped(text, room)]
            cells = _padded(name, names), _padded(first, room), _padded(shape, shapes)
            lines.append("  ".join(cells) + f"  {_padded(last, 22 - len(cost))}{cost}")
            lines += [" " * (names + 7) + line.strip() for line in more]
        lines += _wrapped(part.why) if part.why else []
    lines += ["", "", "In all", "=" * WIDTH]
    lines += [f"{name:10}{value}" for name, value in sums(trace)]
    return "\n".join(line.rstrip() for line in lines)


def sums(trace: Trace) -> list[tuple[str, str]]:
    """Losses, matrix products done and skipped, memory of the caches: a name and a text each."""
    products = [line for row in trace.rows for line in row.lines if line.flop]

    def count(lines: list[Line]) -> str:
        return f"{len(lines):2} matrix products, {sum(line.flop for line in lines) / 1e9:.3f} GFLOP"

    done = [line for line in products if not line.skipped]
    no_dx = [line for line in products if line.skipped and line.name == "dx"]
    no_dw = [line for line in products if line.skipped and line.name != "dx"]
    d_loss, g_loss, p_real, p_fake = map(float, trace.result)
    no_docs = "none: python -OO leaves out the docstrings that they stand in"
    return [
        *([("formulas", no_docs)] if sys.flags.optimize > 1 else []),
        ("losses", f"d_loss {d_loss:.4f}, g_loss {g_loss:.4f}"),
        ("answers", f"D(x) {p_real:.3f}, D(G(z)) {p_fake:.3f}, means in the step of D"),
        ("done", count(done)),
        ("skipped", f"{count(no_dx)}, by input_grad=False"),
        ("", f"{count(no_dw)}, by param_grads=False"),
        ("kept", f"{sum(row.kept_bytes for row in trace.rows) / 1e6:.2f} MB in caches"),
    ]


def figure(line: Line) -> str:
    """The norm of a gradient, or the value of a loss, with its name."""
    if line.skipped:
        return "skipped"
    if line.size is None:
        return ""
    name = line.name.removeprefix("dL/").replace("θ", "Δθ")
    name = "L" if name == "L" else f"|{name}|"
    return f"{name:5}{line.size:.3g}"


def kept(row: Row) -> str:
    """What a forward row's cache holds, and its size."""
    size, words = row.kept_bytes, row.kept.replace(f" of {row.phase[0]} ", " of ")
    if size == 0:
        return words
    if size < 1000:
        return f"{words} {size} B"
    return f"{words} {size / 1e3:.0f} kB" if size < 1e6 else f"{words} {size / 1e6:.1f} MB"


def _cells(row: Row) -> Iterator[tuple[str, ...]]:
    forward = row.phase.endswith("forward")
    for i, line in enumerate(row.lines):
        cost = f"{line.flop / 1e6:,.{2 if line.flop < 1e9 else 0}f}" if line.flop else ""
        yield (
            row.name if i == 0 else "",
            line.formula,
            f"{row.given} → {line.shape}" if forward else f"{line.shape}" if line.shape else "",
            kept(row) if forward else figure(line),
            f"({cost})" if line.skipped and cost else cost,
        )


def _wrapped(text: str, width: int = WIDTH) -> list[str]:
    return textwrap.wrap(text, width, subsequent_indent="   ", break_long_words=False) or [""]


def _padded(text: str, width: int) -> str:
    """To ``width`` columns; the hat of x̂ takes none of its own."""
    return text + " " * (width - sum(not unicodedata.combining(letter) for letter in text))
