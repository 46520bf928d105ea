"""The equations in docstrings, for the tape of ``minigan.trace``: what is shown cannot drift.

They stand on lines of their own below the first, a remark three spaces or more away:

    y  = x W + b
    db = Σₙ dy[n]     b is added to every row
"""

from __future__ import annotations

import inspect
import re
import unicodedata
from typing import Any

EQUATION = re.compile(r"\s*(\S+?)\s*([=←] .*?)(?:\s{3,}(\S.*?)(?:\s{3,}.*)?)?")


def equations(of: Any) -> dict[str, tuple[str, str]]:
    """All of a class's or function's docstring: left side -> (right side with its =, remark)."""
    found: dict[str, tuple[str, str]] = {}
    own = inspect.cleandoc(of.__doc__ or "")  # a class without one may differ from its base
    for text in own.splitlines()[1:]:
        match = EQUATION.fullmatch(text)
        if match is not None:
            found.setdefault(match[1], (" ".join(match[2].split()), match[3] or ""))
    return found


def equation(of: Any, name: str) -> tuple[str, str, str]:
    """The one for a value: its name there (dγ for dgamma), the equation, and the remark.

    Without one the equation is the name alone.
    """
    found = equations(of)
    d, letter = ("d", name[1:]) if name.startswith("d") else ("", name)
    try:
        symbol = d + unicodedata.lookup(f"GREEK SMALL LETTER {letter}")
    except KeyError:
        symbol = name
    if symbol not in found and name in found:
        symbol = name
    right, remark = found.get(symbol, ("", ""))
    return symbol, f"{symbol} {right}".rstrip(), remark


def other_equations(of: Any) -> tuple[tuple[str, str], ...]:
    """Those of neither y nor a gradient nor θ, with their remarks: the means of Adam, say."""
    found = equations(of).items()
    return tuple((f"{left} {right}", note) for left, (right, note) in found if left[0] not in "ydθ")
