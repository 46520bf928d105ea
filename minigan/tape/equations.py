"""Read the equations in docstrings, so that ``minigan.trace`` shows what the source says.

An equation stands on a line of its own below the first line; a remark may follow, three spaces or
more away:

    y  = x W + b
    db = Σₙ dy[n]     b is added to every row
"""

from __future__ import annotations

import inspect
import re
import unicodedata
from typing import Any

EQUATION = re.compile(r"\s*(\S+?)\s*([=←] .*?)(?:\s{3,}(\S.*?)(?:\s{3,}.*)?)?")


def equations_of(of: Any) -> dict[str, tuple[str, str]]:
    """Return all equations in the docstring of a class or function: left side -> (right, remark).

    The right side begins with = or ←.
    """
    found: dict[str, tuple[str, str]] = {}
    own = inspect.cleandoc(of.__doc__ or "")  # not inherited: the base's rules may differ
    for text in own.splitlines()[1:]:
        match = EQUATION.fullmatch(text)
        if match is not None:
            found.setdefault(match[1], (" ".join(match[2].split()), match[3] or ""))
    return found


def equation(of: Any, name: str) -> tuple[str, str, str]:
    """Return the equation of one value: its name there (dγ for dgamma), the equation, the remark.

    If the docstring has no such equation, the equation is the name alone.
    """
    found = equations_of(of)
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
    """Return the equations of all but y, gradients and θ, with their remarks: Adam's means, say."""
    found = equations_of(of).items()
    return tuple((f"{left} {right}", note) for left, (right, note) in found if left[0] not in "ydθ")
