"""What tyro says about a command line in a box of several lines, minigan says in one."""

from __future__ import annotations

import sys
from typing import Any

import pytest
import tyro

from minigan.cli import main
from minigan.cli.mistakes import in_one_line

CASES = {
    "sample --digits": "Missing value for argument '--digits'. Expected 1 value.",
    "train --betas 0.5": "Missing value for argument '--betas'. Expected 2 values.",
    "sample --dgits 3": "Unrecognized options: --dgits, 3. Perhaps you meant --digits.",
    "sample one two": "Unrecognized options: two.",
    "gradcheck --model x": "Unrecognized or misplaced options: --model x.",
    "train --epochs x": "--epochs is 'x', expected a whole number.",
    "train --epochs 2.5": "--epochs is '2.5', expected a whole number.",
    "train --lr fast": "--lr is 'fast', expected a number.",
    "sample --truncation no": "--truncation is 'no', expected a number.",
    "sample --n 3.5": "--n is '3.5', expected a whole number.",
    "train --seeds a 2": "--seeds is 'a', '2', expected two whole numbers.",
    "train --betas 1 x": "--betas is '1', 'x', expected two numbers.",
}


@pytest.mark.parametrize("columns", ["40", "200"])
@pytest.mark.parametrize("typed", CASES)
def test_one_line(typed: str, columns: str, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    command, *rest = typed.split()
    assert main([command, *rest]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"minigan: {CASES[typed]} All options: minigan {command} --help\n"


def test_a_command_that_there_is_not(capsys: Any) -> None:
    assert main(["trian"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("minigan: Unrecognized options: trian. Available subcommands: train, ")
    assert err.endswith("info. All options: minigan --help\n")
    assert err.count("\n") == 1


def test_a_warning_is_not_lost(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    parse = tyro.cli

    def cli(*args: Any, **options: Any) -> Any:
        print("look out", file=sys.stderr)
        return parse(*args, **options)

    monkeypatch.setattr("tyro.cli", cli)
    assert main(["info"]) == 0
    assert capsys.readouterr().err == "look out\n"


def test_a_box_in_ascii_or_in_colours() -> None:
    ascii_box = " Title   \n -------\n  It is\n  wrong\n  ----- \n  Look there\n \n"
    assert in_one_line(ascii_box, "here") == "It is wrong. All options: here"
    box = "╭─ \x1b[1mTitle\x1b[0m ─╮\n│ It is \x1b[31mwrong\x1b[0m. │\n╰───────╯\n"
    assert in_one_line(box, "here") == "It is wrong. All options: here"
    assert in_one_line("All in one line", "here") == "All in one line. All options: here"
