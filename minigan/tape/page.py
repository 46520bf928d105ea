"""The tape of ``minigan.trace`` in a browser: a table for a notebook, and a page to click through.

The page is ``page.html``, which holds the style and the script; the tape is inserted as JSON.
"""

from __future__ import annotations

import json
import math
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Any

from minigan.tape.rows import Line, Row, Tape
from minigan.tape.text import PHASES, STEPS, WHY, figure, kept, parts, sums

TEMPLATE = Path(__file__).with_name("page.html")


def tape_page(tape: Tape) -> str:
    """Return the page as one HTML file that needs no other file."""
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
    content = {
        "title": tape.title,
        "steps": STEPS,
        "phases": phases,
        "rows": rows,
        "sums": sums(tape),
    }
    # without "<", no text can end the script
    data = json.dumps(content, ensure_ascii=False).replace("<", "\\u003c")
    return TEMPLATE.read_text(encoding="utf-8").replace("TAPE", data, 1)


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
