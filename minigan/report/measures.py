"""The measures of ``minigan evaluate`` as the rows of a table, read from its ``metrics.json``.

The file may have been edited, or come from somebody else: a figure that is not there as a number is
left out, and a file that is no such report is as good as none.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from minigan.machine.files import open_regular

LONGEST = 1_000_000  # bytes: a longer metrics.json is none

# What a row is called, where its figure stands, how it is written, and how to read it.
ROWS = (
    ("NDB, bins that differ", "ndb.different", "{:.0f}", "of {bins} kinds: lower is better"),
    ("JS of the bins", "ndb.js", "{:.4f}", "lower is better"),
    ("Classes present", "classes.present", "{:.0f}", "of 10 digits, each at least 1 %"),
    ("KL of the classes", "classes.kl", "{:.3f}", "how unevenly digits are drawn: lower is better"),
    ("Confident", "classes.confident", "{:.0%}", "how often the classifier is sure of the digit"),
    ("Fréchet distance", "frechet", "{:.1f}", "lower is better; not an FID"),
    ("Precision", "precision_recall.precision", "{:.2f}", "are the images good?"),
    ("Recall", "precision_recall.recall", "{:.2f}", "are all kinds drawn?"),
    ("Parzen log-likelihood", "parzen.log_likelihood", "{:.0f}", "higher is better, with care"),
    ("Asked digit drawn", "share", "{:.1%}", "as far as the classifier can read it"),
    ("Accuracy score", "score", "{:.1%}", "of a classifier trained on such images alone"),
)


def measures_of(file: Path) -> dict[str, Any] | None:
    """Return the table of a ``metrics.json``: ``"rows"``, and ``"digits"``, the shares of classes.

    The result is None if there is no such file, or if it holds no figures.
    """
    try:
        with open_regular(file) as stream:
            text = stream.read(LONGEST + 1)
        stored = json.loads(text.decode()) if len(text) <= LONGEST else None
    except (OSError, ValueError, RecursionError):
        return None
    figures = stored.get("figures") if isinstance(stored, dict) else None
    if not isinstance(figures, dict):
        return None
    rows, bins = [], int(_number(figures, "generator", "ndb.bins") or 100)
    for name, where, form, note in ROWS:
        asked = where in ("share", "score")
        own, real = ("asked", "asked_real") if asked else ("generator", "real")
        pair = _number(figures, own, where), _number(figures, real, where)
        rows.append((name, form, *pair, note.format(bins=bins)))
    nearest = _number(figures, "", "nearest"), _number(figures, "", "nearest_real")
    note = "of real images: test images; copies would be much nearer"
    rows.append(("To the nearest training image", "{:.3f}", *nearest, note))
    table = [
        [name, _words(form, own), _words(form, real), note]
        for name, form, own, real, note in rows
        if own is not None
    ]
    digits = [_shares(figures, name) for name in ("generator", "real")]
    samples = _number(stored, "", "samples")
    return (
        {
            "rows": table,
            "digits": digits if all(digits) else None,
            "samples": None if samples is None else int(samples),
        }
        if table
        else None
    )


def _words(form: str, number: float | None) -> str:
    return "" if number is None else form.format(number).replace("%", " %")


def _number(tree: Any, first: str, where: str) -> float | None:
    """Return the finite number at a place such as ``ndb.js``; None if there is none."""
    for name in ([first] if first else []) + where.split("."):
        tree = tree.get(name) if isinstance(tree, dict) else None
    right = isinstance(tree, int | float) and not isinstance(tree, bool) and abs(tree) < 1e15
    return float(tree) if right and math.isfinite(tree) else None


def _shares(figures: dict[str, Any], name: str) -> list[str] | None:
    """Return the shares of the ten digits in words; None unless there are ten numbers."""
    own = figures.get(name)
    classes = own.get("classes") if isinstance(own, dict) else None
    shares = classes.get("shares") if isinstance(classes, dict) else None
    if not isinstance(shares, list) or len(shares) != 10:
        return None
    values = [_number({"share": share}, "", "share") for share in shares]
    return [_words("{:.1%}", value) for value in values] if None not in values else None
