"""``minigan exercise``: which blanks of ``examples/exercises`` are right, where the others fail.

A file is read and run anew each time.  Whatever its code raises becomes one line about that blank,
and the other blanks and files are checked all the same.  Only Ctrl-C ends the check.
"""

from __future__ import annotations

import os
import sys
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
LONGEST = 300  # characters of a detail


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
    InputError if there is no exercise there; Ctrl-C's KeyboardInterrupt names the place where it
    came.  If the environment variable MINIGAN_TRACEBACK is set, an Exception of the reader's code
    is raised.
    """
    if path == "":
        raise InputError("'' is no path; expected a folder with exercises, or one of the files")
    folder = Path(path) if path is not None else FOLDER
    if folder.is_file():
        if folder.name not in EXERCISES:
            raise InputError(f"{folder} is no exercise; expected one of {', '.join(EXERCISES)}")
        return check_file(folder)
    if not any(os.path.isfile(folder / name) for name in EXERCISES):
        what = "is neither a file nor a folder" if folder.exists() else "is not there"
        what = "has no exercises" if folder.is_dir() else what
        raise InputError(
            f"{folder} {what}; expected a folder with {next(iter(EXERCISES))} and so on, "
            "or one of the files"
        )
    return [verdict for name in EXERCISES for verdict in check_file(folder / name)]


def check_file(file: Path) -> list[Verdict]:
    """A verdict for each blank of one file."""
    blanks = EXERCISES[file.name]
    if not os.path.isfile(file):  # False, too, where a link leads into a closed folder
        return [Verdict(file.name, blank, NO_FILE) for blank in blanks]
    module = ModuleType(f"exercise.{file.stem}")
    module.__file__ = str(file)

    def run(module: ModuleType) -> None:
        try:
            source = file.read_bytes()  # no import: its cache might hold what stood there before
        except OSError as error:
            raise AnswerError(f"{file.name} cannot be read: {error.strerror}") from None
        exec(compile(source, str(file), "exec", dont_inherit=True), module.__dict__)

    sys.modules[module.__name__] = module  # where @dataclass looks for it
    try:
        verdict, detail = _judge(run, module, file)
        if verdict != RIGHT:
            return [Verdict(file.name, blank, verdict, detail) for blank in blanks]
        return [
            Verdict(file.name, blank, *_judge(check, module, file, blank))
            for blank, check in blanks.items()
        ]
    finally:
        sys.modules.pop(module.__name__, None)


def _judge(
    check: Check, module: ModuleType, file: Path, blank: str | None = None
) -> tuple[str, str]:
    try:
        with np.errstate(all="ignore"):  # what overflows is reported as the number that came
            check(module)
    except AnswerError as wrong:
        return WRONG, _visible(str(wrong))
    except KeyboardInterrupt as stop:
        raise KeyboardInterrupt(_place(stop, file) + (f" ({blank})" if blank else "")) from None
    except BaseException as error:  # the reader's code may raise anything
        if _is_blank(error, file, blank):
            return NOT_YET, ""
        if os.environ.get("MINIGAN_TRACEBACK") and isinstance(error, Exception):
            raise
        return WRONG, _one_line(error, file)
    return RIGHT, ""


def _is_blank(error: BaseException, file: Path, blank: str | None) -> bool:
    """Whether this is the file's own ``raise NotImplementedError("dW")``, of that blank."""
    return (
        isinstance(error, NotImplementedError)
        and _message(error) == blank
        and traceback.extract_tb(error.__traceback__)[-1].filename == str(file)
    )


def _place(error: BaseException, file: Path) -> str:
    """The file, and in which of its lines the error came up."""
    if isinstance(error, SyntaxError) and error.filename == str(file):
        line = error.lineno
    else:
        frames = traceback.extract_tb(error.__traceback__)
        line = ([None] + [frame.lineno for frame in frames if frame.filename == str(file)])[-1]
    return file.name + (f", line {line}" if line else "")


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # an error of the reader's own may have no text
        return ""


def _one_line(error: BaseException, file: Path) -> str:
    place = _place(error, file)
    message = _message(error).removesuffix(f" ({place})")  # a SyntaxError says it, too
    return _visible(f"{place}: {type(error).__name__}" + (f": {message}" if message else ""))


def _visible(text: str) -> str:
    """One line that is not too long, its control characters as escapes."""
    head = " ".join(text.split())[: LONGEST + 1]
    line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in head)
    return line if len(line) <= LONGEST else line[:LONGEST] + "…"


def table(verdicts: list[Verdict]) -> str:
    """A row for each blank, below it a line about what is wrong, and the score as the last line."""
    rows = [f"{'exercise':26}{'blank':12}verdict"]
    said = ("", "")
    for one in verdicts:
        rows.append(f"{one.exercise:26}{one.blank:12}{one.verdict}")
        if one.detail and said != (one.exercise, one.detail):  # one for all if a file does not run
            rows.append(f"    {one.detail}")
        said = one.exercise, one.detail
    left = [one for one in verdicts if one.verdict != RIGHT]
    score = f"{len(verdicts) - len(left)} of {len(verdicts)} right"
    rows.append(score + (f"; next: {left[0].exercise}" if left else ""))
    return "\n".join(rows)
