"""Ctrl-C and SIGTERM, held back until the work in hand is done."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any


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
