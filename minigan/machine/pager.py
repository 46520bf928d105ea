"""Show a long text page by page, where somebody reads it on a terminal."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable

from minigan.machine.colour import is_terminal, takes_colour
from minigan.machine.terminal import say, shown

FOR_A_SHELL = set("|&;<>()$`")  # a command with one of these needs a shell
NOT_FOUND = 126, 127  # what a shell returns for a command that cannot be run


def say_long(text: str, paint: Callable[[str], str] | None = None) -> None:
    """Print a needed text as ``shown`` returns it, in a pager if it is longer than the terminal.

    The pager is the command in PAGER, or else ``less -R``; there is none if PAGER is empty or
    ``cat``, if it cannot be run, or if the terminal is a dumb one.  ``paint`` adds colours where
    standard output takes them.  Ctrl-C belongs to the pager while it runs, and a pager that is
    closed early is no error.  Raises OSError if there is no pager and the text cannot be printed.
    """
    command = os.environ.get("PAGER", "less -R").strip()
    wanted = command not in ("", "cat") and os.environ.get("TERM") != "dumb"
    if wanted and is_terminal(sys.stdout) and _is_long(shown(text)):
        text = shown(text)
        if _paged(paint(text) if paint and takes_colour(sys.stdout) else text, command):
            return
    say(text, paint, needed=True)


def _is_long(text: str) -> bool:
    """Return whether the text and a prompt below it need more lines than the terminal has."""
    columns, lines = shutil.get_terminal_size()
    return sum(-(-len(line) // columns) or 1 for line in text.splitlines()) >= lines


def _paged(text: str, command: str) -> bool:
    """Show the text in the pager, and return whether the pager could be started."""
    shell = os.name == "nt" or bool(FOR_A_SHELL & set(command))
    encoding = sys.stdout.encoding or "utf-8"
    defaults = {"LESS": "FRX"}  # as git does: quit if it fits, keep colours, leave the text there
    if encoding.lower() == "utf-8":
        defaults["LESSCHARSET"] = "utf-8"
    # a handler that does nothing, and not SIG_IGN, which the pager would inherit
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        with subprocess.Popen(
            command if shell else shlex.split(command),
            shell=shell,
            stdin=subprocess.PIPE,
            env=defaults | os.environ,
        ) as pager:
            pager.communicate((text + "\n").encode(encoding, "backslashreplace"))
    except (OSError, ValueError):  # ValueError: quotes in PAGER that are not closed
        return False
    finally:
        signal.signal(signal.SIGINT, before)
    return not (shell and pager.returncode in NOT_FOUND)
