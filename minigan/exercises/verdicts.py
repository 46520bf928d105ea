"""``minigan exercise``: which blanks of ``examples/exercises`` are right, and where others fail.

A file is read and run anew each time.  Any error of its code becomes one line about that blank, and
the other blanks and files are still checked.  Only Ctrl-C ends the check.
"""

from __future__ import annotations

import os
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np

from minigan.errors import InputError
from minigan.exercises.checks import EXERCISES, Check
from minigan.exercises.diagnosis import AnswerError
from minigan.machine.files import atomic_write

FOLDER = Path("examples") / "exercises"  # the exercises in a checkout
COPY = Path("my-answers")  # where the docs put a copy of them
SHIPPED = Path(__file__).parent / "blanks"  # the exercises in an installed wheel
RIGHT, NOT_YET, WRONG, NO_FILE = "right", "not done yet", "wrong", "no file"
LONGEST = 300  # characters of a detail


@dataclass(frozen=True)
class Verdict:
    """What was found about one blank; if it is wrong, ``detail`` is one line about it."""

    exercise: str  # name of the file
    blank: str
    verdict: str
    detail: str = ""


def copy_blanks(copy_to: str | Path) -> Path:
    """Copy the exercises, with their blanks, into a new folder, and return its path.

    Raises InputError if the folder holds one of them already, or cannot be made.
    """
    if copy_to == "":
        raise InputError("`copy_to` is empty, expected a new folder")
    target = Path(copy_to)
    source = SHIPPED if SHIPPED.is_dir() else Path(__file__).parents[2] / FOLDER
    taken = [name for name in EXERCISES if os.path.lexists(target / name)]
    if taken:
        raise InputError(f"`copy_to` {target} holds {taken[0]} already, expected a new folder")
    try:
        target.mkdir(parents=True, exist_ok=True)
        for name in EXERCISES:
            with atomic_write(target / name) as file:
                file.write((source / name).read_bytes())
    except OSError as error:
        raise InputError(f"`copy_to` {target} cannot be written: {error.strerror}") from error
    return target


def check_exercises(path: str | Path | None = None) -> list[Verdict]:
    """Return a verdict for each blank of one exercise, or of all exercises in a folder.

    ``path`` is a folder, or a file that still has the name of its exercise; None is ``my-answers``
    if it is there, and else ``examples/exercises``.  Raises InputError if there is no exercise.
    After Ctrl-C, the KeyboardInterrupt names the line that was running.  If the environment
    variable MINIGAN_TRACEBACK is set, an Exception of the reader's code is raised, not reported.
    """
    if path == "":
        raise InputError("'' is not a path, expected a folder with exercises, or one of the files")
    folder = Path(path) if path is not None else COPY if COPY.is_dir() else FOLDER
    if folder.is_file():
        if folder.name not in EXERCISES:
            raise InputError(f"{folder} is not an exercise, expected one of {', '.join(EXERCISES)}")
        return check_file(folder)
    if not any(os.path.isfile(folder / name) for name in EXERCISES):
        what = "is neither a file nor a folder" if folder.exists() else "does not exist"
        what = "has no exercises" if folder.is_dir() else what
        raise InputError(
            f"{folder} {what}, expected a folder with {next(iter(EXERCISES))} and so on, "
            "or one of the files" + ("; `copy_to` puts them into a new folder" * (path is None))
        )
    return [verdict for name in EXERCISES for verdict in check_file(folder / name)]


def check_file(file: Path) -> list[Verdict]:
    """Return a verdict for each blank of one file."""
    blanks = EXERCISES[file.name]
    if not os.path.isfile(file):  # also False if a link leads into a folder without access
        return [Verdict(file.name, blank, NO_FILE) for blank in blanks]
    module = ModuleType(f"exercise.{file.stem}")
    module.__file__ = str(file)

    def run(module: ModuleType) -> None:
        try:
            source = file.read_bytes()  # an import might take an old version from its cache
        except OSError as error:
            raise AnswerError(f"{file.name} cannot be read: {error.strerror}") from None
        exec(compile(source, str(file), "exec", dont_inherit=True), module.__dict__)

    sys.modules[module.__name__] = module  # @dataclass looks for it there
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
        with np.errstate(all="ignore"):  # an overflow shows in the numbers that are compared
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
    """Return whether this is the file's own ``raise NotImplementedError("dW")``, of that blank."""
    return (
        isinstance(error, NotImplementedError)
        and _message(error) == blank
        and traceback.extract_tb(error.__traceback__)[-1].filename == str(file)
    )


def _place(error: BaseException, file: Path) -> str:
    """Return the name of the file, and the line of it in which the error was raised."""
    if isinstance(error, SyntaxError) and error.filename == str(file):
        line = error.lineno
    else:
        frames = traceback.extract_tb(error.__traceback__)
        line = ([None] + [frame.lineno for frame in frames if frame.filename == str(file)])[-1]
    return file.name + (f", line {line}" if line else "")


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # the text of an error of the reader's own may fail
        return ""


def _one_line(error: BaseException, file: Path) -> str:
    place = _place(error, file)
    message = _message(error).removesuffix(f" ({place})")  # a SyntaxError gives it, too
    return _visible(f"{place}: {type(error).__name__}" + (f": {message}" if message else ""))


def _visible(text: str) -> str:
    """Return the text as one line that is not too long, with control characters as escapes."""
    head = " ".join(text.split())[: LONGEST + 1]
    line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in head)
    return line if len(line) <= LONGEST else line[:LONGEST] + "…"


def verdict_table(verdicts: list[Verdict]) -> str:
    """Return the table: a row for each blank, a line below it if it is wrong, and the score."""
    rows = [f"{'exercise':26}{'blank':12}verdict"]
    said = ("", "")
    for one in verdicts:
        rows.append(f"{one.exercise:26}{one.blank:12}{one.verdict}")
        if one.detail and said != (one.exercise, one.detail):  # once if the file does not run
            rows.append(f"    {one.detail}")
        said = one.exercise, one.detail
    left = [one for one in verdicts if one.verdict != RIGHT]
    score = f"{len(verdicts) - len(left)} of {len(verdicts)} right"
    rows.append(score + (f"; next: {left[0].exercise}" if left else ""))
    return "\n".join(rows)
