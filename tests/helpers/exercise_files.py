"""The files of examples/exercises, their solutions, and answers put into them."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

from minigan.exercises.checks import EXERCISES

FOLDER = Path(__file__).parents[2] / "examples" / "exercises"
SOLUTIONS = FOLDER / "solutions"
BLANK = re.compile(r'^( *)raise NotImplementedError\("(\w+)"\).*\n', re.MULTILINE)
LINEAR, RELU, LEAKY, TANH, SIGMOID = list(EXERCISES)[:5]
BCE, LOGITS, NORM, ADAM, GAN, R1, CLASSES, MODULATED, SOFTMAX, CONV = list(EXERCISES)[5:]
BLANKS = sum(len(blanks) for blanks in EXERCISES.values())


def fill(folder: Path, name: str, blank: str, code: str) -> Path:
    """The exercise with one blank filled in: ``code``, one or more lines."""

    def answer(match: re.Match[str]) -> str:
        indent, this = match.groups()
        lines = code.split("\n") if this == blank else [f'raise NotImplementedError("{this}")']
        return "".join(f"{indent}{line}\n" for line in lines)

    file = folder / name
    file.write_text(BLANK.sub(answer, (FOLDER / name).read_text()))
    return file


def line_of(name: str, blank: str) -> int:
    """The number of the line where the blank stands in the exercise."""
    source = (FOLDER / name).read_text()
    (start,) = [match.start() for match in BLANK.finditer(source) if match[2] == blank]
    return source.count("\n", 0, start) + 1


def solution(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, SOLUTIONS / name)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def answers(name: str) -> list[str]:
    """The code in the solution that is not in the exercise, line by line."""
    given = set((FOLDER / name).read_text().splitlines())
    return [
        line.strip() for line in (SOLUTIONS / name).read_text().splitlines() if line not in given
    ]
