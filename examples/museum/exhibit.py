"""What an exhibit is, how its bug is switched on and off, and how its check is run."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

EXAMPLES = Path(__file__).parent.parent
TESTS = EXAMPLES.parent / "tests"


class Edit(NamedTuple):
    """A line of a function, and the line or lines that replace it when the bug is on."""

    function: Any
    right: str  # a whole line of the source, without its indentation and its comment
    wrong: str


@dataclass(frozen=True)
class Exhibit:
    """A bug that was found in published code, planted in minigan."""

    name: str
    bug: str  # in a few words
    edits: tuple[Edit, ...]
    figure: str  # what the symptom measures
    symptom: Callable[[], str]  # the function that measures it
    check: str  # "room/file::function": the test of the project that catches the bug
    arguments: tuple[Any, ...]  # the arguments of that test
    mend: str  # what to write instead
    hash_seeds: tuple[str | None, ...] = (None,)  # one process for each seed; None is this process


@contextlib.contextmanager
def switched_on(edits: tuple[Edit, ...]) -> Iterator[None]:
    """Put the wrong lines into the library until the block ends.

    The line is replaced in the function's source, the result is compiled, and the function gets the
    new code.  It stays the same object, so modules that have imported it meet the bug as well.
    This works on NumPy; a function that Numba or CuPy has already compiled would keep its right
    line.
    """
    sources: dict[Any, str] = {}
    for edit in edits:
        function = inspect.unwrap(edit.function)  # the formula, under its @elementwise
        if function not in sources:
            sources[function] = textwrap.dedent(inspect.getsource(function))
        sources[function] = with_line_replaced(sources[function], edit)
    parts = "__code__", "__defaults__", "__kwdefaults__"
    right = {f: [getattr(f, part) for part in parts] for f in sources}
    try:
        for function, source in sources.items():
            names = dict(function.__globals__)
            exec(compile(source, f"<{function.__qualname__}, with a bug>", "exec"), names)
            wrong = inspect.unwrap(names[function.__name__])
            for part in parts:
                setattr(function, part, getattr(wrong, part))
        yield
    finally:
        for function, values in right.items():
            for part, value in zip(parts, values, strict=True):
                setattr(function, part, value)


def with_line_replaced(source: str, edit: Edit) -> str:
    lines = source.split("\n")
    found = [i for i, line in enumerate(lines) if line.split("  #")[0].strip() == edit.right]
    if len(found) != 1:
        raise ValueError(f"{edit.function.__qualname__} has {len(found)} lines {edit.right!r}")
    line = lines[found[0]]
    lines[found[0]] = textwrap.indent(edit.wrong, line[: len(line) - len(line.lstrip())])
    return "\n".join(lines)


def observe(exhibit: Exhibit, bug: bool) -> str:
    """Return the symptom: a figure, or the name of the error that was raised."""
    return ", ".join(run(measure, exhibit, bug, seed) for seed in exhibit.hash_seeds)


def run_check(exhibit: Exhibit, bug: bool) -> str:
    """Call the test that the exhibit names; returns "" if it passes, else its error in one line."""
    return run(call_test, exhibit, bug, exhibit.hash_seeds[0])


def run(work: Callable[[Exhibit], str], exhibit: Exhibit, bug: bool, hash_seed: str | None) -> str:
    """Call ``work`` with or without the bug, here or in a process where sets are ordered anew."""
    if hash_seed is None:
        with switched_on(exhibit.edits if bug else ()):
            return work(exhibit)
    call = f"run(exhibit.{work.__name__}, EXHIBITS[{exhibit.name!r}], {bug}, None)"
    path = [str(EXAMPLES), str(EXAMPLES.parent), *filter(None, sys.path)]
    child = subprocess.run(
        [sys.executable, "-c", f"from museum import EXHIBITS, exhibit; print(exhibit.{call})"],
        env=os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(path)},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    return child.stdout.strip()


def measure(exhibit: Exhibit) -> str:
    with np.errstate(all="ignore"):
        try:
            return exhibit.symptom()
        except (RuntimeError, TypeError, ValueError) as error:
            return type(error).__name__


def call_test(exhibit: Exhibit) -> str:
    import pytest

    if str(TESTS) not in sys.path:
        sys.path.append(str(TESTS))
    file, name = exhibit.check.split("::")
    try:
        module = importlib.import_module(file.removesuffix(".py").replace("/", "."))
        with np.errstate(all="ignore"):
            getattr(module, name)(*exhibit.arguments)
    except ImportError:
        raise
    except (Exception, pytest.fail.Exception) as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        return ": ".join([type(error).__name__, *lines[:1]])
    return ""
