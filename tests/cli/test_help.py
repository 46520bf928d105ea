"""The help: what may be left out, what happens then, and examples that can be typed."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from minigan.cli import main
from minigan.cli.commands import COMMANDS
from minigan.cli.entry import _parse
from minigan.cli.examples import EXAMPLES, examples_of


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("FORCE_COLOR", raising=False)


def help_of(capsys: pytest.CaptureFixture[str], *command: str) -> str:
    with pytest.raises(SystemExit) as caught:
        main([*command, "--help"])
    assert caught.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = help_of(capsys, command)
    words = " ".join(re.sub("[│╭╮╰╯─]", " ", text).split())
    assert "default: None" not in words
    assert "default: False" not in words
    assert not re.search(r"(?<!\[)\b(RUN|PATH)\b", text)  # always [RUN], for it may be left out
    _, *lines = text.splitlines()  # tyro does not break the line of the usage
    assert max(map(len, lines)) <= 80
    assert text.endswith(f"\n{examples_of(command, 80)}\n")


def test_options_with_a_default_show_it(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = " ".join(re.sub("[│ ]+", " ", help_of(capsys, "train")).split())
    assert "if not given, the recipe's, or that of the run to go on with. --r1" in words
    assert "(default: averaged)" in words
    words = " ".join(re.sub("[│ ]+", " ", help_of(capsys, "train", "--resume", str(run))).split())
    assert "to go on with. (default: 0.0005) --r1" in words  # that of the run


def test_help_of_all_commands(capsys: pytest.CaptureFixture[str]) -> None:
    text = help_of(capsys)
    assert all(f"• {command} " in text for command in COMMANDS)
    assert text.endswith("\nThe options of a command, and examples:  minigan sample --help\n")


def test_examples_can_be_typed(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("runs").mkdir()
    Path("runs", "mine").symlink_to(run)
    assert EXAMPLES.keys() == COMMANDS.keys()
    for command, examples in EXAMPLES.items():
        for example in examples:
            minigan, *args = shlex.split(example)
            assert (minigan, args[0]) == ("minigan", command)
            assert type(_parse(args)) is COMMANDS[command][0], example


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_examples_fit_into_the_terminal(width: int) -> None:
    for command, examples in EXAMPLES.items():
        first, *lines = examples_of(command, width).splitlines()
        assert first == "examples:"
        assert width == 40 or max(map(len, lines)) <= width
        shown = [line for line in lines if line.startswith("  minigan ")]
        assert len(shown) == len(examples)
        assert width < 80 or len(lines) == len(shown), command  # else there is a line below each
        words = " ".join(" ".join(lines).split())
        assert words == " ".join(f"{typed} {does}" for typed, does in examples.items())


@pytest.mark.parametrize(
    ("columns", "width"),
    [("1", 40), ("6", 40), ("39", 40), ("41", 41), ("0", 80), ("-5", 80), ("abc", 80), ("", 80)],
)
def test_tyro_gets_a_width_that_it_can_fill(
    columns: str, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    widths = []

    def cli(*args: object, **kwargs: object) -> None:
        widths.append(shutil.get_terminal_size().columns)
        raise SystemExit(2)

    monkeypatch.setattr("tyro.cli", cli)
    monkeypatch.setattr("sys.__stdout__", None)  # pytest -s: that terminal has its own width
    monkeypatch.setenv("COLUMNS", columns)
    assert main(["trian"]) == 2
    assert widths == [width]


@pytest.mark.skipif(os.name != "posix", reason="POSIX shell")
def test_help_on_three_columns_ends() -> None:
    """With one to six columns, tyro's own loop never ends, and takes all memory."""
    command = (
        f"ulimit -t 60; ulimit -v 16000000; {shlex.quote(sys.executable)} -m minigan sample --help"
    )
    result = subprocess.run(
        command, shell=True, capture_output=True, text=True, env=os.environ | {"COLUMNS": "3"},
        check=False,
    )  # fmt: skip
    assert (result.stderr, result.returncode) == ("", 0)
    assert "      turn digits into others\n" in result.stdout
