"""``minigan exercise``: which blanks of ``examples/exercises`` are right, where the others fail.

A file is read and run anew each time.  Whatever its code raises becomes one line about that blank,
and the other blanks and files are checked all the same.
"""

from __future__ import annotations

import os
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np

from minigan.diagnosis import AnswerError
from minigan.errors import InputError
from minigan.exercise_checks import EXERCISES, Check

FOLDER = Path("examples") / "exercises"
RIGHT, NOT_YET, WRONG, NO_FILE = "right", "not done yet", "wrong", "no file"


@dataclass(frozen=True)
class Verdict:
    """What was found about one blank; ``detail`` is one line about a wrong one."""

    exercise: str  # name of the file
    blank: str
    verdict: str
    detail: str = ""


def check_exercises(path: str | Path | None = None) -> list[Verdict]:
    """A verdict for each blank of one exercise, or of all in a folder.

    ``path`` is a file, which keeps its name, or a folder; None is ``examples/exercises``.  Raises
    InputError if there is no exercise there.  If the environment variable MINIGAN_TRACEBACK is set,
    what the reader's code raises is raised.
    """
    folder = Path(path) if path is not None else FOLDER
    if folder.is_file():
        if folder.name not in EXERCISES:
            raise InputError(f"{folder} is no exercise; expected one of {', '.join(EXERCISES)}")
        return check_file(folder)
    if not any((folder / name).is_file() for name in EXERCISES):
        what = "has no exercises" if folder.is_dir() else "is not there"
        raise InputError(
            f"{folder} {what}; expected a folder with {next(iter(EXERCISES))} and so on, "
            "or one of the files"
        )
    return [verdict for name in EXERCISES for verdict in check_file(folder / name)]


def check_file(file: Path) -> list[Verdict]:
    """A verdict for each blank of one file."""
    blanks = EXERCISES[file.name]
    if not file.is_file():
        return [Verdict(file.name, blank, NO_FILE) for blank in blanks]
    module = ModuleType(file.stem)
    module.__file__ = str(file)
    source = file.read_bytes()  # no import: its cache might hold what stood there a moment ago

    def run(module: ModuleType) -> None:
        exec(compile(source, str(file), "exec", dont_inherit=True), module.__dict__)

    verdict, detail = _judge(run, module, file)
    if verdict != RIGHT:
        return [Verdict(file.name, blank, verdict, detail) for blank in blanks]
    return [
        Verdict(file.name, blank, *_judge(check, module, file)) for blank, check in blanks.items()
    ]


def _judge(check: Check, module: ModuleType, file: Path) -> tuple[str, str]:
    try:
        with np.errstate(all="ignore"):  # what overflows is reported as the number that came
            check(module)
    except NotImplementedError:
        return NOT_YET, ""
    except AnswerError as wrong:
        return WRONG, str(wrong)
    except (Exception, SystemExit) as error:  # the reader's code may raise anything
        if os.environ.get("MINIGAN_TRACEBACK"):
            raise
        return WRONG, _one_line(error, file)
    return RIGHT, ""


def _one_line(error: BaseException, file: Path) -> str:
    """The error, and in which line of the file it came up."""
    if isinstance(error, SyntaxError) and error.filename == str(file):
        line, message = error.lineno, error.msg
    else:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if frame.filename == str(file)]
        line, message = (lines or [None])[-1], str(error)
    place = file.name + (f", line {line}" if line else "")
    message = " ".join(message.split())
    return f"{place}: {type(error).__name__}" + (f": {message}" if message else "")


def table(verdicts: list[Verdict]) -> str:
    """A row for each blank, below it a line about what is wrong, and the score as the last line."""
    rows = [f"{'exercise':26}{'blank':12}verdict"]
    for one in verdicts:
        rows.append(f"{one.exercise:26}{one.blank:12}{one.verdict}")
        detail = f"    {one.detail}"
        if one.verdict == WRONG and detail not in rows:  # a file that does not run has one for all
            rows.append(detail)
    left = [one for one in verdicts if one.verdict != RIGHT]
    score = f"{len(verdicts) - len(left)} of {len(verdicts)} right"
    rows.append(score + (f"; next: {left[0].exercise}" if left else ""))
    return "\n".join(rows)
