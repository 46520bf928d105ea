"""Which streams get colours, and which words."""

from __future__ import annotations

import io

import pytest

from minigan.machine.colour import is_terminal, painted, takes_colour

COLOURS = {"PASS": "green", "FAIL": "red", "NOT RESOLVED": "yellow"}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("WT_SESSION", "1")  # on Windows, in its terminal that knows colours


def test_a_terminal_gets_colours_and_nothing_else_does() -> None:
    assert takes_colour(Terminal())
    assert not any(map(takes_colour, (io.StringIO(), None)))
    assert not is_terminal(io.StringIO())
    closed = io.StringIO()
    closed.close()
    assert not is_terminal(closed)  # isatty raises ValueError


@pytest.mark.parametrize(
    ("variables", "on_terminal", "in_file"),
    [
        ({"NO_COLOR": "1"}, False, False),
        ({"NO_COLOR": ""}, True, False),  # https://no-color.org: an empty one does not count
        ({"FORCE_COLOR": "1"}, True, True),
        ({"FORCE_COLOR": ""}, True, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False, False),
        ({"TERM": "dumb"}, False, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, True, True),
    ],
)
def test_variables(
    variables: dict[str, str], on_terminal: bool, in_file: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert (takes_colour(Terminal()), takes_colour(io.StringIO())) == (on_terminal, in_file)


def test_only_verdicts_at_the_end_of_rows_are_painted() -> None:
    text = "\n".join(
        [
            "Tanh()  1e-12  PASS",
            "PASS  the name of a row  FAIL",
            "ReLU()  2e-7  NOT RESOLVED",
            "    a user's own words  PASS",
            "15 of 15 PASS",
            "Tanh()  PASSED",
            "PASS",
        ]
    )
    assert painted(text, COLOURS).split("\n") == [
        "Tanh()  1e-12  \x1b[32mPASS\x1b[0m",
        "PASS  the name of a row  \x1b[31mFAIL\x1b[0m",
        "ReLU()  2e-7  \x1b[33mNOT RESOLVED\x1b[0m",
        *text.split("\n")[3:],
    ]
