"""The names of a run's classes: how they are kept, checked, shown and asked for.

G and D are told numbers.  The names are words for people, such as the folders that the pictures
of the classes lay in, so they may hold any characters.
"""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from minigan.errors import InputError
from minigan.machine.terminal import shown

LONGEST = 255  # characters of a name that a run keeps: a folder's name has no more
SHOWN = 40  # characters of a name that are shown, and classes of a list


def names_of(known: Sequence[str], classes: Sequence[int]) -> tuple[str, ...]:
    """Return the name of each class of a run; none if the labels 0, 1, 2, … have no names.

    ``known`` are the names of these labels, of which a run keeps the first 255 characters.
    """
    return tuple(known[label][:LONGEST] for label in classes) if known else ()


def stored_names(file: Path, meta: dict[str, Any], classes: Sequence[int]) -> tuple[str, ...]:
    """Return the names of a run's classes that are in ``meta``; none in older files.

    Raises InputError, which names ``file``, unless they are texts, one for each class.
    """
    names = meta.get("names", [])
    right = isinstance(names, list) and all(
        isinstance(name, str) and len(name) <= LONGEST for name in names
    )
    if not right or len(names) not in (0, len(classes)):
        raise InputError(f"{file} is damaged: the names of its classes are {reprlib.repr(names)}")
    return tuple(names)


def one_line(name: str) -> str:
    r"""Return a name as it is shown: control characters as escapes like \x1b, the end left out."""
    text = shown(name).replace("\n", "\\n")
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def words_of_classes(classes: Sequence[int], names: Sequence[str]) -> list[str]:
    """Return what each class is called: its name if it has one, else its label."""
    return [
        one_line(names[k]) if names and names[k].strip() else str(label)
        for k, label in enumerate(classes)
    ]


def listed(classes: Sequence[int], names: Sequence[str]) -> str:
    """Return labels in one line, with the names that they have: ``0 (cats), 1 (dogs)``."""
    if not names:
        return ", ".join(map(str, classes))
    some = [f"{label} ({one_line(name)})" for label, name in zip(classes, names, strict=True)]
    return ", ".join(some[:SHOWN]) + ", …" * (len(some) > SHOWN)


def columns_by_name(names: Sequence[str]) -> dict[str, int]:
    """Return the column of each class by its name, as it is and as it is shown."""
    columns: dict[str, int] = {}
    for text in (str.strip, one_line):
        for column, name in enumerate(names):
            columns.setdefault(text(name), column)
    columns.pop("", None)
    return columns
