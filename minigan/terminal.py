"""What passes between a run and its terminal: lines, names to type, Ctrl-C."""

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
    """Print; where standard output is gone (a closed pipe, a full disk), go on without it."""
    try:
        print(text, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def typed(folder: Path) -> str:
    """The folder's name as it is typed in a shell."""
    name = str(folder)
    return shlex.quote(f"./{name}" if name.startswith("-") else name)


@contextlib.contextmanager
def noted_signals() -> Iterator[list[int]]:
    """While inside, Ctrl-C and SIGTERM only put their number on the list, for the loop to see."""
    noted: list[int] = []
    old: dict[signal.Signals, Any] = {}
    if threading.current_thread() is threading.main_thread():  # only there Python allows it
        for number in (signal.SIGINT, signal.SIGTERM):
            old[number] = signal.signal(number, lambda number, frame: noted.append(number))
    try:
        yield noted
    finally:
        for number in old:
            signal.signal(number, old[number])
