"""What a run and its terminal exchange: lines of text, names of folders to type, and Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def say(text: str) -> None:
    """Print ``text``; go on without if standard output fails (a closed pipe, a full disk)."""
    try:
        print(text, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def typed(folder: Path) -> str:
    """Return the folder's name as it must be typed in a shell."""
    name = str(folder)
    return shlex.quote(f"./{name}" if name.startswith("-") else name)


@contextlib.contextmanager
def noted_signals() -> Iterator[list[int]]:
    """Until the ``with`` block ends, only note Ctrl-C and SIGTERM, as numbers in the list."""
    noted: list[int] = []
    old: dict[signal.Signals, Any] = {}
    if threading.current_thread() is threading.main_thread():  # Python allows handlers only there
        for number in (signal.SIGINT, signal.SIGTERM):
            old[number] = signal.signal(number, lambda number, frame: noted.append(number))
    try:
        yield noted
    finally:
        for number in old:
            signal.signal(number, old[number])
