"""Exercises whose files do not run: each is one line of the table, and the others are checked."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest
from helpers.exercise_files import BLANKS, LEAKY, LINEAR, NORM, RELU, SIGMOID, SOLUTIONS, TANH, fill

from minigan.cli import main
from minigan.exercises.verdicts import RIGHT, WRONG, Verdict, check_exercises, check_file


def copied(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SOLUTIONS, tmp_path / "mine"))


def by_file(verdicts: list[Verdict], name: str) -> list[Verdict]:
    return [one for one in verdicts if one.exercise == name]


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("\ndef (:\n", "SyntaxError: invalid syntax"),
        ("\nraise OSError('no\\nfloppy')\n", "OSError: no floppy"),
        ("\nexit(3)\n", "SystemExit: 3"),
        ("\nimport there_is_no_such_module\n", "ModuleNotFoundError: No module named .*"),
        ("\n1 / 0\n", "ZeroDivisionError: division by zero"),
        ("\nraise NotImplementedError\n", "NotImplementedError"),
        ("\nraise NotImplementedError('dx')\n", "NotImplementedError: dx"),
        ("\nraise GeneratorExit\n", "GeneratorExit"),
        ("\nraise Exception('\\x1b[2J\\u202e')\n", r"Exception: \\x1b\[2J\\u202e"),
    ],
)
def test_a_file_that_does_not_run(
    code: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copied(tmp_path)
    source = (folder / NORM).read_text()
    (folder / NORM).write_text(source + code)
    assert main(["exercise", str(folder)]) == 1
    printed = capsys.readouterr()
    assert printed.err == ""
    line = len(source.splitlines()) + 2
    assert re.search(rf"^    ex08_batch_norm\.py, line {line}: {says}$", printed.out, re.MULTILINE)
    assert printed.out.count(" line ") == 1  # said once, though it spoils three blanks
    assert printed.out.splitlines()[-1] == f"{BLANKS - 3} of {BLANKS} right; next: {NORM}"


def test_one_line_is_cut(tmp_path: Path) -> None:
    file = fill(tmp_path, RELU, "dx", 'raise ValueError("x" * 10_000)')
    (found,) = check_file(file)
    assert re.fullmatch(r"ex02_relu\.py, line \d+: ValueError: x+…", found.detail)
    assert len(found.detail) == 301


def test_an_error_without_a_text(tmp_path: Path) -> None:
    code = "class Mute(Exception):\n    __str__ = None\nraise Mute"
    (found,) = check_file(fill(tmp_path, RELU, "dx", code))
    assert re.fullmatch(r"ex02_relu\.py, line \d+: Mute", found.detail)


@pytest.mark.parametrize("error", ["SystemExit(0)", "GeneratorExit", "pytest.fail.Exception('no')"])
@pytest.mark.parametrize("traceback", ["", "1"])
def test_no_error_ends_the_check(
    error: str, traceback: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINIGAN_TRACEBACK", traceback)
    file = fill(tmp_path, RELU, "dx", f"import pytest\nraise {error}")
    assert main(["exercise", str(file)]) == 1


def test_ctrl_c_names_the_blank(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = fill(tmp_path, RELU, "dx", "raise KeyboardInterrupt")
    assert main(["exercise", str(file)]) == 130
    says = r"minigan: stopped in ex02_relu\.py, line \d+ \(dx\)\n"
    assert re.fullmatch(says, capsys.readouterr().err)
    file.write_text("\nraise KeyboardInterrupt\n")
    assert main(["exercise", str(file)]) == 130
    assert capsys.readouterr().err == "minigan: stopped in ex02_relu.py, line 2\n"


def test_a_method_that_is_gone(tmp_path: Path) -> None:
    source = (SOLUTIONS / LINEAR).read_text()
    file = tmp_path / LINEAR
    file.write_text(source.replace("def input_grad", "def gradient"))
    found = check_file(file)[2]
    assert found.verdict == WRONG
    assert found.detail == "ex01_linear.py: NotImplementedError: Linear has no input_grad"


def test_a_dataclass_in_a_file(tmp_path: Path) -> None:
    code = "from dataclasses import dataclass\n\n@dataclass\nclass Pair:\n    a: float\n"
    file = tmp_path / RELU
    source = (SOLUTIONS / RELU).read_text()
    file.write_text(source.replace("class ReLU", code + "\nclass ReLU"))
    (found,) = check_file(file)
    assert found.verdict == RIGHT, found
    assert not [name for name in sys.modules if "ex02_relu" in name]


def test_a_file_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = copied(tmp_path)
    read = Path.read_bytes

    def broken(self: Path) -> bytes:
        if self.name == LEAKY:
            raise OSError(5, "Input/output error")
        return read(self)

    monkeypatch.setattr(Path, "read_bytes", broken)
    verdicts = check_exercises(folder)
    (found,) = by_file(verdicts, LEAKY)
    assert found.verdict == WRONG
    assert found.detail == "ex03_leaky_relu.py cannot be read: Input/output error"
    assert sum(one.verdict == RIGHT for one in verdicts) == BLANKS - 1


def test_each_file_has_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in (RELU, LEAKY, TANH):
        fill(tmp_path, name, "dx", "pass")
    main(["exercise", str(tmp_path)])
    assert capsys.readouterr().out.count("    dx is None, ") == 3


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    (folder / TANH).write_bytes(b"x = '\xff'\n")
    (folder / RELU).write_bytes(b"x = 1\0\n")
    (folder / SIGMOID).write_text("")
    verdicts = check_exercises(folder)
    assert "SyntaxError" in by_file(verdicts, TANH)[0].detail
    assert "null bytes" in by_file(verdicts, RELU)[0].detail
    assert by_file(verdicts, SIGMOID)[0].detail.startswith(
        "ex05_sigmoid.py: AttributeError: module"
    )
    assert sum(one.verdict == RIGHT for one in verdicts) == BLANKS - 3


def test_an_edit_counts_at_once(tmp_path: Path) -> None:
    # Same length, same second: Python's cache of compiled files would not see the difference.
    for code, verdict in (("return dy * (x > 0)", RIGHT), ("return dy * (x < 0)", WRONG)) * 2:
        assert check_file(fill(tmp_path, RELU, "dx", code))[0].verdict == verdict
    assert not list(tmp_path.rglob("*.pyc"))


def test_a_missing_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = copied(tmp_path)
    (folder / TANH).unlink()
    assert main(["exercise", str(folder)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert re.sub(" +", " ", lines[6]) == "ex04_tanh.py dx no file"
    assert lines[-1] == f"{BLANKS - 1} of {BLANKS} right; next: {TANH}"
