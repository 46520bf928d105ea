"""The command in odd surroundings: streams that fail, a folder that has gone, strange names."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from helpers.command import fails
from helpers.exercise_files import RELU, SOLUTIONS, TANH, fill

from minigan.cli import main
from minigan.machine.terminal import shown

POSIX = pytest.mark.skipif(os.name != "posix", reason="POSIX shell")
FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full")


def in_shell(args: str, sinks: str) -> subprocess.CompletedProcess[str]:
    command = f"{shlex.quote(sys.executable)} -m minigan {args} {sinks}"
    return subprocess.run(command, shell=True, capture_output=True, text=True, check=False)


@POSIX
@FULL
@pytest.mark.parametrize("args", ["--help", "--version", "info", "trace --batch-size 2"])
@pytest.mark.parametrize(
    ("sink", "reason"), [(">/dev/full", "No space left on device"), (">&-", "Bad file descriptor")]
)
def test_text_that_cannot_be_printed_is_an_error(args: str, sink: str, reason: str) -> None:
    result = in_shell(args, sink)
    line = f"minigan: standard output cannot be written: {reason}\n"
    assert (result.stdout, result.stderr, result.returncode) == ("", line, 2)


@POSIX
@FULL
def test_a_picture_counts_more_than_the_line_about_it(tmp_path: Path) -> None:
    for name, sink in (("full", ">/dev/full 2>/dev/full"), ("closed", ">&- 2>&-")):
        out = tmp_path / f"{name}.png"
        result = in_shell(f"sample --n 1 --out {out}", sink)
        assert (result.stdout, result.stderr, result.returncode) == ("", "", 0)
        assert out.exists()


@POSIX
@FULL
@pytest.mark.parametrize("args", ["trian", "sample --n 0"])
@pytest.mark.parametrize("sink", ["2>/dev/full", "2>&-"])
def test_an_error_without_a_place_for_its_message(args: str, sink: str) -> None:
    """The message does not go to standard output instead, where only results are."""
    result = in_shell(args, sink)
    assert (result.stdout, result.stderr, result.returncode) == ("", "", 2)


@pytest.mark.parametrize("command", ["train", "info", "sample", "exercise", "evaluate"])
def test_a_folder_that_has_gone(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def getcwd() -> str:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr("os.getcwd", getcwd)
    fails([command], "the current folder does not exist any more: go to another one", capsys)


@POSIX
def test_python_itself_starts_in_a_folder_that_has_gone(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    script = (
        f"mkdir {gone}; cd {gone}; rmdir {gone}; {shlex.quote(sys.executable)} -m minigan sample"
    )
    # An empty entry would be the current folder, without which Python itself does not start.
    paths = [str(Path(__file__).parents[2]), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    env = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
    result = subprocess.run(
        script, shell=True, capture_output=True, text=True, check=False, env=env
    )
    assert (result.stdout, result.returncode) == ("", 2)
    assert re.fullmatch("minigan: the current folder does not exist .*\n", result.stderr)


@POSIX
@pytest.mark.parametrize("name", ["a\x1b[31mb", "a`b`c", "`seed`", "x`out`", "a\u202eb", "`b` c"])
def test_names_of_files_are_shown_as_they_are(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_text("mine")
    assert main(["train", "--out", name]) == 2
    line = f"minigan: --out {shown(name)} is a file, expected a folder\n"
    assert capsys.readouterr().err == line
    assert main(["sample", "--n", "1", "--out", f"{name}.png"]) == 0
    assert capsys.readouterr().out == f"1 digit: {shown(name)}.png\n"


def report(verdict: str, reason: str = "") -> SimpleNamespace:
    worst = SimpleNamespace(error=1e-9, where="x[0]", reason=reason)
    array = SimpleNamespace(checked=3, size=3)
    passed = verdict == "PASS"
    return SimpleNamespace(worst=worst, arrays=[array], verdict=verdict, passed=passed)


def colours_of(
    command: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> list[tuple[str, str]]:
    """Return the painted words with the numbers of their colours; the text must stay the same."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("WT_SESSION", "1")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    main(command)
    plain = capsys.readouterr().out
    assert "\x1b" not in plain
    monkeypatch.setenv("FORCE_COLOR", "1")
    main(command)
    coloured = capsys.readouterr().out
    assert re.sub(r"\x1b\[\d+m", "", coloured) == plain
    return re.findall(r"  \x1b\[(\d+)m(.+)\x1b\[0m\n", coloured)


def test_colours_of_gradcheck(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        ("Tanh()", report("PASS")),
        ("ReLU()", report("FAIL")),
        ("PASS", report("NOT RESOLVED", reason="a reason that ends in  PASS")),
    ]
    monkeypatch.setattr("minigan.cli.reports.check_everything", lambda backend: iter(rows))
    colours = colours_of(["gradcheck"], capsys, monkeypatch)
    assert colours == [("32", "PASS"), ("31", "FAIL"), ("33", "NOT RESOLVED")]


def test_colours_of_exercise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(tmp_path, RELU, "dx", 'raise ValueError("it is  right")')
    shutil.copy(SOLUTIONS / TANH, tmp_path / TANH)
    colours = colours_of(["exercise", str(tmp_path)], capsys, monkeypatch)
    assert colours == [("31", "wrong"), ("32", "right")]
