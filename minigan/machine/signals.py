"""Signals that ask a program to end: Ctrl-C, SIGTERM, and SIGHUP when the terminal is closed."""

from __future__ import annotations

import contextlib
import itertools
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def end_on_interrupt() -> None:
    """Let Ctrl-C end the command ``minigan`` without a traceback while its modules are imported.

    Python would raise KeyboardInterrupt in the middle of an import, where nothing can catch it.
    ``raise_on_interrupt`` takes this back.  In any other program that imports minigan, and where
    Ctrl-C is ignored or handled, this function does nothing.
    """
    program = sys.argv[0] if sys.argv else ""
    if program == "-m":  # what Python says as long as it imports the package of python -m
        is_command = ("-m", "minigan") in itertools.pairwise(sys.orig_argv)
    else:
        is_command = Path(program).stem == "minigan"
    if is_command and _handler(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def raise_on_interrupt() -> None:
    """Let Ctrl-C raise KeyboardInterrupt again after ``end_on_interrupt``."""
    if _handler(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def ignores_interrupt() -> bool:
    """Return whether Ctrl-C does nothing, as in a job that a script has started with ``&``."""
    return signal.getsignal(signal.SIGINT) is signal.SIG_IGN


@contextlib.contextmanager
def noted_signals() -> Iterator[list[int]]:
    """Until the ``with`` block ends, only note the signals that ask a program to end.

    The list gets the numbers of those that arrive: of Ctrl-C, of SIGTERM, and of SIGHUP, which is
    sent when the terminal is closed.  A signal that the program was started to ignore stays
    ignored, as SIGHUP under nohup, or SIGINT in a job that a script has started with ``&``.
    """
    noted: list[int] = []
    old: dict[int, Any] = {}
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and _handler(number) not in (None, signal.SIG_IGN):
            old[number] = signal.signal(number, lambda number, frame: noted.append(number))
    try:
        yield noted
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


def _handler(number: int) -> Any:
    """Return what handles a signal; None if it cannot be replaced from here.

    Python allows only its main thread to set handlers, and knows none that another library has set.
    """
    if threading.current_thread() is not threading.main_thread():
        return None
    return signal.getsignal(number)
