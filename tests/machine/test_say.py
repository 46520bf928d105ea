"""Lines of text for a terminal: nothing in them acts on it, and a stream that fails is no end."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from minigan.machine.terminal import (
    ClosedStream,
    complain,
    drop,
    fails,
    note,
    prepare_streams,
    say,
    shown,
    typed,
)

EVIL = "a\x1b[31m\r\x07\u202e\udcff\x9b\tz"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_control_characters_are_shown_as_escapes() -> None:
    assert shown(EVIL) == r"a\x1b[31m\r\x07\u202e\udcff\x9b\tz"
    assert shown("zwei\nZeilen, 두 줄, x̂ = y − 1, \\n") == "zwei\nZeilen, 두 줄, x̂ = y − 1, \\n"


def test_escapes_come_from_the_paint_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("WT_SESSION", "1")
    say(f"{EVIL}  right\nb  \x1b[32mright\x1b[0m", {"right": "green"})
    out = capsys.readouterr().out
    assert out == f"{shown(EVIL)}  \x1b[32mright\x1b[0m\nb  \\x1b[32mright\\x1b[0m\n"
    monkeypatch.delenv("FORCE_COLOR")
    say("b  right", {"right": "green"})  # not a terminal
    complain(EVIL)
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("b  right\n", f"{shown(EVIL)}\n")


def test_a_note_is_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream, expected in ((Terminal(), "wait\n"), (io.StringIO(), "")):
        monkeypatch.setattr("sys.stderr", stream)
        note("wait")
        assert stream.getvalue() == expected


def test_plain_names_are_typed_as_they_are() -> None:
    assert typed(Path("runs/mnist")) == "runs/mnist"
    assert typed(Path("-dash")) == "./-dash"
    assert typed(Path("with space")) == "'with space'"


@pytest.mark.skipif(os.name != "posix", reason="bash")
@pytest.mark.parametrize("name", [EVIL, "-\x1b", "it's \\ \n a", "\x01f", "line\nbreak"])
def test_names_with_control_characters_can_be_typed_in_bash(name: str) -> None:
    word = typed(Path(name))
    assert word.isprintable()
    result = subprocess.run(
        ["bash", "-c", f"printf %s {word}"], capture_output=True, check=True, env={"LC_ALL": "C"}
    )
    assert result.stdout in (os.fsencode(name), b"./" + os.fsencode(name))


class Failing(io.StringIO):
    """A stream on a full disk."""

    def flush(self) -> None:
        raise OSError(28, "No space left on device")


def test_a_failing_stream_ends_nothing_unless_the_text_is_needed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for stream in (Failing(), ClosedStream()):
        monkeypatch.setattr("sys.stdout", stream)
        monkeypatch.setattr("sys.stderr", stream)
        say("lost")
        complain("lost")
        assert fails(stream)
        drop(stream)  # which has no file: nothing to do
        with pytest.raises(OSError, match="No space|Bad file"):
            say("lost", needed=True)
    assert not fails(io.StringIO())


def test_what_is_dropped_is_never_written(tmp_path: Path) -> None:
    with (tmp_path / "file").open("w") as stream:
        stream.write("kept\n")
        stream.flush()
        stream.write("waits in the buffer")
        drop(stream)
        print("more", file=stream, flush=True)
    assert (tmp_path / "file").read_text() == "kept\n"


def test_streams_that_are_closed_get_one_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", None)
    monkeypatch.setattr("sys.stderr", None)
    complain("goes nowhere, and not to standard output")
    prepare_streams()
    assert fails(sys.stdout)
    assert fails(sys.stderr)


@pytest.mark.skipif(os.name != "posix", reason="POSIX shell")
def test_a_file_never_gets_the_number_of_a_closed_stream(tmp_path: Path) -> None:
    """Else what a library prints to its number 2 would be written into a checkpoint."""
    code = (
        "import os; from minigan.machine.terminal import prepare_streams; prepare_streams(); "
        f"file = open({str(tmp_path / 'file')!r}, 'w'); os.write(2, b'noise'); "
        "file.write(str(file.fileno()))"
    )
    subprocess.run(
        '"$PYTHON" -c "$CODE" <&- >&- 2>&-',
        shell=True,
        check=True,
        env=os.environ | {"PYTHON": sys.executable, "CODE": code},
    )
    assert int((tmp_path / "file").read_text()) > 2
