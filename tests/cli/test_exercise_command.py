"""``minigan exercise --copy-to``: the blanks, in a folder of the reader's own.

What the command says of answers is tested with the exercises themselves.
"""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import pytest
from helpers.command import fails

from minigan.cli import main
from minigan.errors import InputError
from minigan.exercises import copy_blanks

BLANKS = Path(__file__).parents[2] / "examples" / "exercises"


def content(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_the_blanks_are_copied_and_none_is_done_yet(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "some where" / "mine"  # both are made
    assert main(["exercise", "--copy-to", str(folder)]) == 0
    out = capsys.readouterr().out
    copied = content(folder)
    assert len(copied) == 15
    assert copied == {name: (BLANKS / name).read_bytes() for name in copied}
    command = shlex.split(out.splitlines()[-1])
    assert command == ["minigan", "exercise", str(folder)]
    assert main(command[1:]) == 1
    _, *verdicts, last = capsys.readouterr().out.splitlines()
    assert all(line.endswith("not done yet") for line in verdicts)
    assert {line.split()[0] for line in verdicts} == set(copied)
    assert last.startswith(f"0 of {len(verdicts)} right")
    assert content(folder) == copied


def test_a_copy_in_my_answers_is_checked_without_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(BLANKS / "solutions", tmp_path / "examples" / "exercises")
    assert main(["exercise"]) == 0
    copy_blanks("my-answers")
    capsys.readouterr()
    assert main(["exercise"]) == 1
    assert capsys.readouterr().out.splitlines()[-1].startswith("0 of ")


def test_other_files_in_the_folder_stay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    assert main(["exercise", "--copy-to", str(tmp_path)]) == 0
    assert len(list(tmp_path.iterdir())) == 16
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("dangling", [False, True])
def test_an_answer_is_never_overwritten(
    dangling: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = sorted(file.name for file in BLANKS.glob("*.py"))
    answer = tmp_path / names[-1]
    if dangling:
        answer.symlink_to("nowhere")
    else:
        answer.write_text("# my answer")
    fails(
        ["exercise", "--copy-to", str(tmp_path)],
        f"--copy-to .* holds {answer.name} already",
        capsys,
    )
    assert [file.name for file in tmp_path.iterdir()] == [answer.name]  # nor is another one written
    assert dangling or answer.read_text() == "# my answer"


def test_a_folder_that_cannot_be_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("x")
    for folder in (tmp_path / "file", tmp_path / "file" / "mine"):
        fails(
            ["exercise", "--copy-to", str(folder)], "--copy-to .*file.* cannot be written", capsys
        )
    assert (tmp_path / "file").read_text() == "x"


def test_copying_checks_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "mine"
    args = ["exercise", str(BLANKS), "--copy-to", str(target)]
    fails(args, "--copy-to only copies and checks nothing: ", capsys)
    assert not target.exists()


def test_copy_to_an_empty_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in ``--copy-to "$UNSET"``: nothing is put into the folder where one is."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="copy_to is empty, expected a new folder"):
        copy_blanks("")
    assert list(tmp_path.iterdir()) == []
