"""Colour for words and lines, where the text goes to a terminal that can show it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import TextIO

CODES = {"bold": 1, "pale": 2, "red": 31, "green": 32, "yellow": 33, "magenta": 35, "cyan": 36}


def is_terminal(stream: TextIO | None) -> bool:
    """Return whether somebody sees at once what is written to the stream."""
    try:
        return stream is not None and stream.isatty()
    except (OSError, ValueError):  # the stream is closed
        return False


def takes_colour(stream: TextIO | None) -> bool:
    """Return whether text with colours may be written to the stream.

    The first of these rules that applies decides, in the order of Python's own tools: none if
    NO_COLOR is set (https://no-color.org), colours if FORCE_COLOR is set, none if TERM is dumb, and
    else colours on a terminal only.  A variable that is set to nothing counts as not set.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    if os.environ.get("TERM") == "dumb" or (os.name == "nt" and "WT_SESSION" not in os.environ):
        return False  # Windows' older terminal prints the codes instead of obeying them
    return is_terminal(stream)


def in_colour(text: str, colour: str) -> str:
    """Return ``text`` with the codes around it that let a terminal show it in this colour."""
    return f"\x1b[{CODES[colour]}m{text}\x1b[0m"


def painted(text: str, colours: Mapping[str, str]) -> str:
    """Return ``text`` with the words in ``colours`` painted, where one ends a row of a table.

    Such a row begins at the left edge, and two spaces stand before its last column.  Lines between
    the rows, which may hold a user's own words, are indented.
    """
    words = "|".join(map(re.escape, colours))

    def paint(row: re.Match[str]) -> str:
        return row[1] + in_colour(row[2], colours[row[2]])

    return re.sub(rf"^(\S.*  )({words})$", paint, text, flags=re.MULTILINE)
