"""What a program writes to its terminal: lines of text, and names to type."""

from __future__ import annotations

import contextlib
import errno
import functools
import io
import os
import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TextIO

from minigan.machine.colour import is_terminal, painted, takes_colour


def shown(text: str) -> str:
    r"""Return ``text`` with each character that would act on a terminal as an escape like \x1b.

    Names of files may hold such characters.  Line breaks stay.
    """
    return "".join(c if c.isprintable() or c == "\n" else _escape(c) for c in text)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def say(
    text: str,
    paint: Mapping[str, str] | Callable[[str], str] | None = None,
    *,
    needed: bool = False,
) -> None:
    """Print ``text`` as ``shown`` returns it.

    ``paint`` gives words their colours, as in ``{"PASS": "green"}``; ``painted`` says where they
    are painted.  Or it is the function that adds colours to the text.  If standard output fails (a
    closed pipe, a full disk), go on without it, or raise OSError if the text is ``needed``: if it
    is all that a command has to give.
    """
    text = shown(text)
    if paint and takes_colour(sys.stdout):
        text = paint(text) if callable(paint) else painted(text, paint)
    try:
        print(text, flush=True)
    except OSError:
        if needed:
            raise
        drop(sys.stdout)


@functools.cache
def say_once(text: str) -> None:
    """Print ``text``, unless this process has printed it before."""
    say(text)


def complain(text: str) -> None:
    """Print ``text``, as ``shown`` returns it, on standard error; go on without if that fails."""
    try:
        if sys.stderr is not None:  # print would take standard output instead
            print(shown(text), file=sys.stderr, flush=True)
    except OSError:
        drop(sys.stderr)


def note(text: str) -> None:
    """Print ``text`` on standard error if that is a terminal, where somebody waits."""
    if is_terminal(sys.stderr):
        complain(text)


def typed(folder: Path) -> str:
    """Return the folder's name as it must be typed in a shell.

    A name with control characters becomes bash's ``$'...'``, in which they are escapes.
    """
    name = str(folder)
    name = f"./{name}" if name.startswith("-") else name
    if name.isprintable():
        return shlex.quote(name)
    return "$'" + "".join(map(_in_dollar_quotes, name)) + "'"


def _in_dollar_quotes(character: str) -> str:
    if character in "\\'":
        return "\\" + character
    if character.isprintable():
        return character
    return "".join(f"\\x{byte:02x}" for byte in os.fsencode(character))


class ClosedStream(io.TextIOBase):
    """Stands for a standard stream that was closed before Python started: writing fails."""

    encoding = "utf-8"

    def write(self, text: str) -> int:
        """Raise OSError, as a write to the closed file would."""
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))


def prepare_streams() -> None:
    """Make standard output and standard error ready for any text and any surroundings."""
    closed = [name for name in ("stdout", "stderr") if getattr(sys, name) is None]
    for name in closed:
        setattr(sys, name, ClosedStream())
    if closed:
        # Take their numbers, 1 and 2: else a file of a run would get one of them, and what a
        # library prints would be written into this file.
        while (number := os.open(os.devnull, os.O_RDWR)) < 3:
            pass
        os.close(number)
    for stream in (sys.stdout, sys.stderr):  # a name that cannot be encoded must not end a command
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def fails(stream: TextIO | ClosedStream) -> bool:
    """Return whether the stream cannot be written, or a line that waits in its buffer cannot."""
    try:
        stream.write("")
        stream.flush()
    except (OSError, ValueError):
        return True
    return False


def drop(stream: TextIO | ClosedStream) -> None:
    """Let what is still written to the stream go nowhere, so that no later write fails."""
    with contextlib.suppress(OSError, ValueError):  # a stream without a file
        number = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(number, stream.fileno())
        finally:
            os.close(number)


def duration(seconds: float) -> str:
    """Return a time in words that are exact enough for waiting: ``40 seconds``, ``1 h 20 min``."""
    if seconds < 90:
        return f"{max(round(seconds), 1)} second{'s' * (round(seconds) > 1)}"
    minutes = round(seconds / 60)
    return f"{minutes} minutes" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
