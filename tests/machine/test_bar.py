"""The progress bar: on terminals only, and whatever happens to it, the work goes on."""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Iterator

import pytest

from minigan.machine import bar
from minigan.machine.bar import progress_bar
from minigan.machine.terminal import ClosedStream


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Gone(Terminal):
    """A terminal whose window was closed."""

    def write(self, text: str) -> int:
        raise OSError(5, "Input/output error")


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in [name for name in os.environ if name.startswith("TQDM_")]:
        monkeypatch.delenv(name)
    bar._tqdm_works.cache_clear()
    yield
    bar._tqdm_works.cache_clear()


def work(total: int = 3) -> None:
    with progress_bar(total, initial=1, desc="Epoch 1/2", unit="step") as shown:
        for _ in range(1, total):
            shown.update()
            shown.set_postfix_str("d_loss 1.20", refresh=True)
            shown.set_description("Epoch 2/2")
            shown.clear()


def test_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr("sys.stderr", stream)
    work()
    text = stream.getvalue()
    for part in ("Epoch 1/2:", " 1/3 ", "3/3 ", "d_loss 1.20", "Epoch 2/2:"):
        assert part in text
    assert text.split("\r")[-2].strip() == ""  # the bar has gone
    with progress_bar(100, desc="sorting", unit="%") as shown:
        shown.update(25)
        shown.set_description("measuring")
    last = stream.getvalue()
    assert "measuring:  25%|" in last
    assert "%/s" not in last


@pytest.mark.parametrize("stream", [io.StringIO(), None, ClosedStream(), Gone()])
def test_elsewhere(stream: io.StringIO | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", stream)
    work()
    if type(stream) is io.StringIO:
        assert stream.getvalue() == ""


def test_a_stream_that_was_closed_in_python(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    stream.close()
    monkeypatch.setattr("sys.stderr", stream)
    work()


@pytest.mark.parametrize(("name", "value"), [("NCOLS", "abc"), ("BAR_FORMAT", "{nonsense}")])
def test_settings_of_tqdm_that_make_no_sense(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """tqdm raises ValueError for the first while it is imported, and KeyError for the other."""
    for loaded in [loaded for loaded in sys.modules if loaded.split(".")[0] == "tqdm"]:
        monkeypatch.delitem(sys.modules, loaded)
    monkeypatch.setenv(f"TQDM_{name}", value)
    stream = Terminal()
    monkeypatch.setattr("sys.stderr", stream)
    threads = set(threading.enumerate())
    work()
    work()
    assert set(threading.enumerate()) <= threads  # one of tqdm's would wait for ever at the end
    (line,) = stream.getvalue().splitlines()  # one line, once
    assert line.startswith(f"minigan: no progress bar is shown, look at TQDM_{name}: ")
