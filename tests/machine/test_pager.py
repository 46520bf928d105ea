"""Long text on a terminal: which pager shows it, and what happens if there is none, or it stops."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from minigan.machine.pager import say_long

LONG = "\n".join(f"line {i}" for i in range(100))

pytestmark = pytest.mark.skipif(os.name != "posix", reason="commands of a POSIX shell")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Standard output from here on: a terminal of 40 lines with 80 columns."""
    for name in ("NO_COLOR", "FORCE_COLOR", "LESS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in (("TERM", "xterm"), ("COLUMNS", "80"), ("LINES", "40")):
        monkeypatch.setenv(name, value)
    stream = Terminal()
    monkeypatch.setattr("sys.stdout", stream)
    return stream


def bold(text: str) -> str:
    return f"\x1b[1m{text}\x1b[0m"


@pytest.mark.parametrize("command", ["tee {}", "tee '{}'", "cat > {}", "cat | tee {} >&2"])
def test_the_pager_of_the_user(
    command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    out = terminal(monkeypatch)
    monkeypatch.setenv("PAGER", command.format(tmp_path / "paged"))
    say_long(LONG + "\x07", bold)
    assert (tmp_path / "paged").read_text() == bold(LONG + "\\x07") + "\n"
    assert out.getvalue() == ""
    monkeypatch.setenv("NO_COLOR", "1")
    say_long(LONG, bold)
    assert (tmp_path / "paged").read_text() == LONG + "\n"


@pytest.mark.parametrize(
    "command", ["", " ", "cat", "/no/such/pager", "nosuch | nosuch", "less 'x", "/"]
)
def test_without_a_pager_the_text_is_printed(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    out = terminal(monkeypatch)
    monkeypatch.setenv("PAGER", command)
    say_long(LONG, bold)
    assert out.getvalue() == bold(LONG) + "\n"


@pytest.mark.parametrize(
    ("text", "paged"),
    [
        ("\n".join("x" * 38), False),
        ("\n".join("x" * 39), False),
        ("\n".join("x" * 40), True),
        ("\n".join(["x" * 80] * 39), False),
        ("\n".join(["x" * 81] * 20), True),
    ],
)
def test_only_what_is_longer_than_the_terminal_is_paged(
    text: str, paged: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    out = terminal(monkeypatch)
    monkeypatch.setenv("PAGER", f"tee {tmp_path / 'paged'}")
    say_long(text)
    assert (tmp_path / "paged").exists() is paged
    assert out.getvalue() == ("" if paged else text + "\n")


def test_nobody_reads_a_pipe_or_a_dumb_terminal(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    out = terminal(monkeypatch)
    monkeypatch.setenv("PAGER", f"tee {tmp_path / 'paged'}")
    monkeypatch.setenv("TERM", "dumb")
    say_long(LONG, bold)
    assert out.getvalue() == LONG + "\n"
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("sys.stdout", pipe := io.StringIO())
    say_long(LONG, bold)
    assert pipe.getvalue() == LONG + "\n"
    assert not (tmp_path / "paged").exists()


@pytest.mark.parametrize("command", ["true", "false", "head -1 > /dev/null", "kill -INT $PPID"])
def test_a_pager_that_is_closed_or_interrupted_is_no_error(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The text is longer than a pipe holds.  The last one sends Ctrl-C's signal to this process."""
    out = terminal(monkeypatch)
    monkeypatch.setenv("PAGER", f"sh -c '{command}'" if "PPID" not in command else f"{command}")
    say_long(LONG * 1000)
    assert out.getvalue() == ""
