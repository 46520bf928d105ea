"""The exception for mistakes that a user can put right: a bad option, file, folder or device."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any

# A name of an argument in a message: it stands alone, and not after another one, where a value is.
NAME = re.compile(r"(?<![^\s(])(?<!` )`([a-z0-9_]+)`(?![^\s,;:.)])")


class InputError(ValueError):
    """Raised for bad input.  The message says what is wrong and what was expected.

    In the text that is given to the error, names of arguments stand in backquotes.  Python shows
    the names without them (``batch_size is 0``).  The command line prints the message as one line,
    with each name as the option that a user types (``--batch-size is 0``), and exits with status 2.
    Backquotes in a user's own text, such as the name of a file, stay.
    """

    def __str__(self) -> str:
        return self.spelled(lambda name: name)

    def spelled(self, spell: Callable[[str], str]) -> str:
        """Return the message, with each name of an argument written as ``spell`` returns it."""
        return NAME.sub(lambda found: spell(found[1]), super().__str__())


def counted(n: int, noun: str) -> str:
    """Return ``n`` with its noun: ``1 image``, ``2 images``, ``60,000 images``."""
    return f"{n:,} {noun}" + "s" * (n != 1)


def check_whole(name: str, value: Any, least: int, most: int | None = None) -> int:
    """Return ``value`` as an int.

    Raises InputError unless it is a whole number from ``least`` to ``most`` (None: any above).
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or int(value) < least:
        raise InputError(f"`{name}` is {value!r}, expected a whole number of at least {least}")
    if most is not None and int(value) > most:
        raise InputError(f"`{name}` is {value!r}, expected a whole number up to {most:,}")
    return int(value)


def to_float(value: Any) -> float:
    """Return a number as a float; nan, which no comparison accepts, for what is no number."""
    if isinstance(value, Real) and not isinstance(value, bool):
        with contextlib.suppress(OverflowError):
            return float(value)
    return math.nan
