"""What a run and its terminal exchange: lines of text, names of folders to type, and Ctrl-C."""

from __future__ import annotations

import contextlib
import functools
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


@functools.cache
def say_once(text: str) -> None:
    """Print ``text``, unless this process has printed it before."""
    say(text)


def typed(folder: Path) -> str:
    """Return the folder's name as it must be typed in a shell."""
    name = str(folder)
    return shlex.quote(f"./{name}" if name.startswith("-") else name)


@contextlib.contextmanager
def noted_signals() -> Iterator[list[int]]:
    """Until the ``with`` block ends, only note the signals that ask a program to end.

    The list gets the numbers of those that arrive: of Ctrl-C, of SIGTERM, and of SIGHUP, which is
    sent when the terminal is closed.  A signal that the program was started to ignore stays
    ignored, as SIGHUP under nohup.
    """
    noted: list[int] = []
    old: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():  # Python allows handlers only there
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)  # Windows has no SIGHUP
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                old[number] = signal.signal(number, lambda number, frame: noted.append(number))
    try:
        yield noted
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


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
