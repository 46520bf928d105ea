"""The tape of ``minigan.trace`` as text, and the words that go with its parts."""

from __future__ import annotations

import itertools
import re
import sys
import textwrap
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from minigan.tape.rows import Line, Row, Tape

WIDTH = 100
BREAKS = re.compile(r"(?<= ·) | (?=\+ \(1 - t\))| (?== 1/n \(σ)")  # where a long formula may break
STEPS = {
    "D": "Step of D: D should call real images real, and fake images fake",
    "G": "Step of G: the updated D should call the same fake images real",
}
PHASES = {  # in the order of ``GAN.train_step``
    ("D", "G forward"): "G makes fake images from z. Its caches wait for the step of G.",
    ("D", "D forward"): "D judges the real and the fake images as one batch, [real; fake].",
    ("D", "loss"): "The target is t = 1 for real images and t = 0 for fake images. The two losses "
    "are added; the two gradients, one below the other, are the dy of D's last layer.",
    ("D", "D backward"): "The gradient goes from the last layer to the first: each layer is given "
    "dy, computes its own dW and db, and hands dx on.",
    ("D", "R1 forward"): "The penalty R1 begins: the real images alone go through D once more.",
    (
        "D",
        "R1 backward",
    ): "Back to the images, with 1 as the dy of each logit. The last dx is g, the "
    "slope of D at each image.",
    (
        "D",
        "R1 upward",
    ): "Back through this pass, so in the other direction: t is γ/N g at first, and "
    "dR/d(dy) of each layer is the t of the next. Each dW gets its part of the penalty's gradient.",
    (
        "D",
        "R1 downward",
    ): "D has layers whose slopes depend on x. What R gains by that goes back in the usual way.",
    ("D", "R1"): "The penalty's gradient is added to that of the loss.",
    ("D", "Adam D"): "D's weights move. Its caches are stale from here on; G's are still valid.",
    ("G", "D forward"): "The same fake images go through D again, whose weights have just moved.",
    ("G", "loss"): "Now the target for the fake images is t = 1: G wants D to call them real.",
    ("G", "D backward"): "D only hands the gradient on to G. The last dx tells how each pixel "
    "should change to deceive D.",
    ("G", "G backward"): "The last dx of D is the dy of G's last layer. The caches are those of "
    "G's only forward pass, in the step of D.",
    ("G", "Adam G"): "G's weights move.",
}
WHY = {  # why something is left out in a phase
    ("D", "D backward"): "The first layer's dx is left out by input_grad=False: nobody trains the "
    "images, so it has no use. (In PyTorch: fake.detach().)",
    ("D", "R1 backward"): "All dW and db are left out by param_grads=False: only the slope at the "
    "images is wanted.",
    ("G", "D backward"): "All dW and db are left out by param_grads=False: D is frozen in this "
    "step, so they have no use.",
    ("G", "G backward"): "The first layer's dx is left out by input_grad=False: nobody trains z, "
    "so it has no use.",
}
LEGEND = """\
forward    The y of each row is the x of the next row. The column "kept" shows what the cache holds
           for the way back. An array that another row keeps as well, as in "x = y of 2", or a view
           of one or of the parameters takes no more memory.
backward   The dx of each row is the dy of the next row; x, y and x̂ come from the cache. dW stands
           for dL/dW, and |dW| for its L2 norm.
MFLOP      Millions of operations of the row's matrix product; in brackets if it was skipped."""
STYLES = """\
styles     The Linear above each ModulatedLinear and each Shift is given w, the last y of the
           mapping network, and makes s. The x of the layer below it is [y, s]: the y of the row
           above both, with s beside it. The x of Noise is [y, ε]. On the way back, dx is taken
           apart again."""


class Part(NamedTuple):
    """One phase of the step as a table."""

    step: str
    title: str
    about: str
    head: tuple[str, ...]
    rows: list[tuple[str, ...]]  # cells: name, formula, shape, what is kept or the norm, MFLOP
    why: str  # why something is left out; "" if nothing is


def parts(tape: Tape) -> Iterator[Part]:
    """Yield the phases of the tape, one by one, as tables."""
    grouped = itertools.groupby(tape.rows, lambda row: (row.step, row.phase))
    for number, (key, rows) in enumerate(grouped, 1):
        kept = "kept" if key[1].endswith("forward") else ""
        head = "", "", "shape", kept, "MFLOP" if key[1].endswith("ward") else ""
        cells = [cells for row in rows for cells in _cells(row)]
        about, why = PHASES.get(key, ""), WHY.get(key, "")
        yield Part(key[0], f"{number}  {key[1]}", about, head, cells, why)


def tape_text(tape: Tape) -> str:
    """Return the whole tape, 100 columns wide unless a layer has a long name or cache."""
    lines = [f"One training step of a GAN: {tape.title}", "", LEGEND]
    if any(" ModulatedLinear(" in row.name for row in tape.rows):
        lines.append(STYLES)
    tables = list(parts(tape))
    names = max(len(row.name) for row in tape.rows)
    step = ""
    for part in tables:
        if part.step != step:
            step = part.step
            lines += ["", "", STEPS[step], "=" * WIDTH]
        lines += ["", *_wrapped(f"{part.title}. {part.about}")]
        alike = [cells for other in tables if other.head[3] == part.head[3] for cells in other.rows]
        shapes = max(len(cells[2]) for cells in alike)
        ends = max(22, *(len(f"{cells[3]} {cells[4]}") for cells in alike))
        room = max(20, WIDTH - (names + 2 + 2 + shapes + 2 + ends))  # columns for the formula
        for name, formula, shape, last, cost in [part.head, *part.rows]:
            if len(formula) > room:
                formula = BREAKS.sub("\n", formula)
            first, *more = [line for text in formula.split("\n") for line in _wrapped(text, room)]
            cells = _padded(name, names), _padded(first, room), _padded(shape, shapes)
            lines.append("  ".join(cells) + f"  {_padded(last, ends - len(cost))}{cost}")
            lines += [" " * (names + 7) + line.strip() for line in more]
        lines += _wrapped(part.why) if part.why else []
    lines += ["", "", "In all", "=" * WIDTH]
    lines += [f"{name:10}{value}" for name, value in sums(tape)]
    return "\n".join(line.rstrip() for line in lines)


def sums(tape: Tape) -> list[tuple[str, str]]:
    """Return the losses, the matrix products and the caches' memory: a name and a text for each."""
    products = [line for row in tape.rows for line in row.lines if line.flop]

    def count(lines: list[Line]) -> str:
        products = "matrix product" + "s" * (len(lines) != 1)
        return f"{len(lines):2} {products}, {sum(line.flop for line in lines) / 1e9:.3f} GFLOP"

    done = [line for line in products if not line.skipped]
    no_dx = [line for line in products if line.skipped and line.name == "dx"]
    no_dw = [line for line in products if line.skipped and line.name != "dx"]
    d_loss, g_loss, p_real, p_fake = map(float, tape.result)
    no_docs = "none: python -OO leaves out the docstrings that they stand in"
    return [
        *([("formulas", no_docs)] if sys.flags.optimize > 1 else []),
        ("losses", f"d_loss {d_loss:.4f}, g_loss {g_loss:.4f}"),
        ("answers", f"D(x) {p_real:.3f}, D(G(z)) {p_fake:.3f}, means in the step of D"),
        ("done", count(done)),
        ("skipped", f"{count(no_dx)}, by input_grad=False"),
        ("", f"{count(no_dw)}, by param_grads=False"),
        *_penalty(done, tape),
        ("kept", f"{sum(row.kept_bytes for row in tape.rows) / 1e6:.2f} MB in caches"),
    ]


def _penalty(done: list[Line], tape: Tape) -> list[tuple[str, str]]:
    """Return what the penalty R1 costs, if the step has paid it."""
    paid = [line for row in tape.rows if row.phase.startswith("R1") for line in row.lines]
    flop = sum(line.flop for line in paid if not line.skipped)
    if not flop:
        return []
    share = flop / sum(line.flop for line in done)
    return [("R1", f"{flop / 1e9:.3f} GFLOP of these, {share:.0%}; not in every step")]


def figure(line: Line) -> str:
    """Return the norm of a gradient, or the value of a loss, with its name."""
    if line.skipped:
        return "skipped"
    if line.size is None:
        return ""
    name = line.name.removeprefix("dL/")
    name = {"L": "L", "R": "R", "θ": "|Δθ|"}.get(name, f"|{name}|")
    return f"{name:4} {line.size:.3g}"


def kept(row: Row) -> str:
    """Return what a forward row's cache holds, and its size."""
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
    """Pad a text to ``width`` columns; the hat of x̂ takes no column of its own."""
    return text + " " * (width - sum(not unicodedata.combining(letter) for letter in text))
