"""What a run writes to its terminal: lines of text, a bar, and names of folders to type."""

from __future__ import annotations

import functools
import os
import shlex
import sys
from pathlib import Path
from typing import Any


def say(text: str) -> None:
    """Print ``text``; go on without if standard output fails (a closed pipe, a full disk)."""
    try:
        print(text, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@functools.cache
def say_once(text: str) -> None:
    """Print ``text``, unless this process has printed it before."""
    say(text)


def typed(folder: Path) -> str:
    """Return the folder's name as it must be typed in a shell."""
    name = str(folder)
    return shlex.quote(f"./{name}" if name.startswith("-") else name)


def duration(seconds: float) -> str:
    """Return a time in words that are exact enough for waiting: ``40 seconds``, ``1 h 20 min``."""
    if seconds < 90:
        return f"{max(round(seconds), 1)} second{'s' * (round(seconds) > 1)}"
    minutes = round(seconds / 60)
    return f"{minutes} minutes" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def progress_bar(total: int, initial: int = 0, *, desc: str = "", unit: str = "it") -> Any:
    """Return a tqdm bar."""
    from tqdm import tqdm

    return tqdm(
        total=total,
        initial=initial,
        desc=desc,
        unit=unit,
        leave=False,
        disable=True if sys.stderr is None else None,  # None shows it on terminals only
    )
