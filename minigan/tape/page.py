"""The tape of ``minigan.trace`` in a browser: a table for a notebook, and a page to click through.

The files in the folder ``page/`` are the source of the page; the tape is inserted as JSON.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Any

from minigan.report import page_html
from minigan.tape.images import images_for_page
from minigan.tape.rows import Bars, Line, Row, Tape
from minigan.tape.text import PHASES, STEPS, WHY, figure, kept, parts, sums

SOURCE = Path(__file__).with_name("page")
# Rows that show images: the last one of a phase, and which images these are
SHOWS = {
    ("D", "G forward"): ["fakes"],
    ("G", "D backward"): ["fakes", "changes"],
}


def tape_page(tape: Tape, shape: tuple[int, ...] | None = None, classes: Sequence[str] = ()) -> str:
    """Return the page as one HTML file that needs no other file.

    ``shape`` is that of an image, if images are no squares; ``classes`` are the classes' names.
    """
    rows = [_row(row) for row in tape.rows]
    phases = [
        {
            "step": key[0],
            "name": key[1],
            "about": PHASES.get(key, ""),
            "rows": [number for number, _ in group],
        }
        for key, group in groupby(enumerate(tape.rows), lambda item: (item[1].step, item[1].phase))
    ]
    for phase in phases:
        rows[phase["rows"][-1]]["shows"] = SHOWS.get((phase["step"], phase["name"]), [])
    content = {
        "title": f"minigan trace: {tape.title}",
        "step": tape.title,
        "steps": STEPS,
        "phases": phases,
        "rows": rows,
        "sums": sums(tape),
        "images": images_for_page(tape.pictures, shape, classes),
    }
    return page_html(content, SOURCE).decode()


def tape_table(tape: Tape) -> str:
    """Return the tape as one HTML table."""
    lines, step = ["<table>"], ""
    for part in parts(tape):
        if part.step != step:
            step = part.step
            lines.append(
                f"<tr><th colspan=5 style='text-align:left'>{escape(STEPS[step])}</th></tr>"
            )
        lines.append(
            "<tr><td colspan=5 style='text-align:left; padding-top:1em'>"
            f"<b>{escape(part.title)}.</b> {escape(part.about)} {escape(part.why)}</td></tr>"
        )
        for tag, cells in [("th", part.head), *(("td", cells) for cells in part.rows)]:
            texts = (f"<{tag} style='text-align:left'>{escape(cell)}</{tag}>" for cell in cells)
            lines.append(f"<tr>{''.join(texts)}</tr>")
    texts = (f"{name} {value}".strip() for name, value in sums(tape))
    lines.append(
        f"<tr><td colspan=5 style='text-align:left'>{'<br>'.join(map(escape, texts))}</td></tr>"
    )
    return "\n".join([*lines, "</table>"])


def _row(row: Row) -> dict[str, Any]:
    return {
        "name": row.name,
        "given": str(row.given),
        "lines": [_line(row, line) for line in row.lines],
        "kept": kept(row),
        "partner": row.partner,
        "where": row.where,
    }


def _line(row: Row, line: Line) -> dict[str, Any]:
    return {
        "name": line.name,
        "formula": line.formula,
        "remark": line.remark,
        "shape": str(line.shape) if line.shape else "",
        "figure": figure(line),
        "product": _product(row, line) if line.flop else "",
        "why": WHY.get((row.step, row.phase), "Nothing uses it.") if line.skipped else "",
        "bars": None if line.bars is None else _bars(line.bars),
    }


def _product(row: Row, line: Line) -> str:
    """Return in words what the matrix product costs, or would cost: 2 N n_in n_out."""
    N, *columns = row.given
    forward, back = (*columns, *line.shape[1:]), (*line.shape[1:], *columns)
    widths = {"y": forward, "dR/d(dy)": forward, "dx": back}
    sizes = N, *widths.get(line.name, line.shape)
    cost = f"{line.flop / 1e6:,.2f} million operations"
    if 2 * math.prod(sizes) == line.flop:
        cost = f"2 · {' · '.join(map(str, sizes))} = {cost}"
    return f"{'skipped: ' * line.skipped}a matrix product, {cost}"


def _bars(bars: Bars) -> dict[str, Any]:
    """Return a histogram for the page, with the words that go with it."""
    words = []
    if bars.counts:
        words.append(
            f"{bars.low:.2g} to {bars.high:.2g}" if bars.high > bars.low else f"all {bars.low:.2g}"
        )
    if bars.zeros:
        words.append(f"{bars.zeros / bars.size:.0%} are 0")
    if bars.not_finite:
        words.append(f"{bars.not_finite:,} are not finite")
    return {
        "low": bars.low,
        "high": bars.high,
        "counts": bars.counts,
        "words": ", ".join(words),
        "about": f"every {bars.every}th value" if bars.every > 1 else "",
    }
