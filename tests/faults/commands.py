"""Random command lines of real options, with good and bad values."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import os
import random
import resource
import shlex
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch

from faults.campaign import Case, Scale
from faults.children import assert_plain, command, forked
from faults.small import SMALL, options, small_networks, straight_run

from minigan.cli.commands import COMMANDS

MEANING = "a random command line ends with 0 or 1, or in one line with 2"
MEMORY = 2 << 30  # bytes that a command may ask for: --n 1000000000 asks for more
BAD = (
    "", " ", "-", "--", "0", "-1", "1", "2", "3.5", "1e9", "1e400", "-0.0", "nan", "inf", "-inf",
    "None", "True", "auto", "numpy", "cupy", "mnist", "averaged", "tutorial",
    "conditional", "2026", "3,1,20", "float64", "float16",
    "0x10", "1_000", "١٢", "9" * 30, "9" * 5000, "x" * 5000, "한글", "\U0001f600", "\x1b[31mred",
    "a\nb", "\udcff", "../..", "/", "/dev/null", "/dev/zero", "/dev/full", "/dev/null/at/all", "~",
    "*", "$HOME", "%s%n", "{}", "`lr`", "[red]",
)  # fmt: skip
# What a command does when all of its values are good takes long, and is tried elsewhere.
WORK = (
    "minigan.training.Trainer.run",
    "minigan.cli.reports.check_everything",
    "minigan.evaluation.figures.Evaluation.measure",
    "minigan.bench.measure",
    "minigan.bench.cpu.measure",
    "minigan.tape.start_of",
    "minigan.exercises.check_exercises",
)


class BegunError(SystemExit):
    """Ends a command whose work has begun: all of its values were good."""


def begin(*args: Any, **kwds: Any) -> None:
    """Stand for the work of a command."""
    raise BegunError(0)


def cases(scale: Scale) -> Iterator[Case]:
    """Yield random command lines, in a folder with a run."""
    rng = random.Random(scale.seed)
    with small_networks(), ExitStack() as stack:
        run, data = straight_run(scale.folder)
        told = scale.folder / "conditional"
        conditional = *options(data), *SMALL, "--recipe", "conditional", "--out", told
        assert_plain(forked(command("train", *conditional)), 0)
        for name in WORK:
            stack.enter_context(patch(name, begin))
        good = [
            str(path)
            for path in (run, told, run / "best.npz", data, scale.folder, "new", "a.png", "1")
        ]
        for i in range(scale.pick(150, 3000)):
            words = list(itertools.islice(line(rng, good), 12))
            name = f"{i}: {shlex.join(word[:40] for word in words)!a}"
            yield Case(name, functools.partial(bears, words, scale.folder / f"here{i}"))


def line(rng: random.Random, good: list[str]) -> Iterator[str]:
    """Yield the words of a command line."""
    if rng.random() < 0.05:
        yield rng.choice(BAD)
    name = rng.choice(sorted(COMMANDS))
    yield name
    fields = dataclasses.fields(COMMANDS[name][0])
    if fields and fields[0].name in ("run", "path") and rng.random() < 0.6:
        yield rng.choice((*good, *BAD))
    for field in rng.sample(fields, rng.randint(0, min(3, len(fields)))):
        option = f"--{field.name.replace('_', '-')}"
        values = [
            rng.choice((*good, *good, *BAD)) for _ in range(2 if field.name == "betas" else 1)
        ]
        if rng.random() < 0.2:
            yield f"{option}={values[0]}"
            continue
        yield option
        if rng.random() < 0.95 and field.name != "interpolate":
            yield from values
    if rng.random() < 0.05:
        yield rng.choice(("--help", "--version", "-h", "--hlep"))


def bears(words: list[str], folder: Path) -> None:
    """Run a command in a new folder, with a limit to its memory."""
    folder.mkdir()

    def work() -> int:
        os.chdir(folder)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        return command(*words)()

    assert_plain(forked(work, limit=60), 0, 1, 2)
