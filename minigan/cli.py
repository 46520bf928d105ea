"""The command ``minigan``: a thin shell around the library.

The options are in ``minigan.options``, what is done with them in ``minigan.commands``.  What a user
can put right is one line on the standard error and exit status 2.
"""

from __future__ import annotations

import io
import itertools
import os
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import tyro
from tyro.conf import subcommand

import minigan
from minigan import commands
from minigan.backend.cupy_backend import gpu_failure
from minigan.config import TrainConfig
from minigan.errors import InputError
from minigan.options import Bench, Evaluate, Exercise, GradCheck, Info, Sample, Trace, Train

COMMANDS: dict[type, Callable[[Any], int]] = {
    Train: commands.train,
    Sample: commands.sample,
    Evaluate: commands.evaluate,
    GradCheck: commands.gradcheck,
    Exercise: commands.exercise,
    Trace: commands.trace,
    Bench: commands.bench,
    Info: commands.info,
}


def main(args: Sequence[str] | None = None) -> int:
    """Run one command; its exit status."""
    args = list(sys.argv[1:] if args is None else args) or ["--help"]
    for stream in (
        sys.stdout,
        sys.stderr,
    ):  # a name that the terminal cannot show is no reason to die
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            return _run(args)
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()  # a reader that has gone is noticed here, not after main
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # as in: minigan info | head -1
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141  # what a shell says of a program that SIGPIPE ends
    except Exception as error:
        failure = gpu_failure(error)
        known = isinstance(error, (InputError, OSError, MemoryError)) or failure is not None
        if not known or os.environ.get("MINIGAN_TRACEBACK"):
            raise
        message = failure or str(error) or "out of memory"
        if isinstance(error, OSError) and error.filename is not None:
            message = f"{error.filename} cannot be read or written: {error.strerror}"
        print(f"minigan: {' '.join(message.split())}", file=sys.stderr)
        return 2


def _run(args: list[str]) -> int:
    if args == ["--version"]:
        print(f"minigan {minigan.__version__}")
        return 0
    command = _parse(args)
    return COMMANDS[type(command)](command)


def _parse(
    args: list[str],
) -> Train | Sample | Evaluate | GradCheck | Exercise | Trace | Bench | Info:
    # A resumed run's own options are the defaults, so that what differs was typed by the user.
    resume = _value_of("--resume", args) if args[:1] == ["train"] else None
    default = Train(**vars(TrainConfig.of_run(resume))) if resume is not None else Train()
    return tyro.cli(
        Annotated[Train, subcommand("train", default=default)]
        | Annotated[Sample, subcommand("sample")]
        | Annotated[Evaluate, subcommand("evaluate")]
        | Annotated[GradCheck, subcommand("gradcheck")]
        | Annotated[Exercise, subcommand("exercise")]
        | Annotated[Trace, subcommand("trace")]
        | Annotated[Bench, subcommand("bench")]
        | Annotated[Info, subcommand("info")],
        prog="minigan",
        description="A GAN with hand-written backprop, trained on MNIST.",
        args=args,
    )


def _value_of(option: str, args: list[str]) -> str | None:
    """What follows ``option`` on the command line, in either of its two forms."""
    value = None
    for word, following in itertools.pairwise([*args, ""]):
        if word.startswith(option + "="):
            value = word.removeprefix(option + "=")
        elif word == option and not following.startswith("-"):
            value = following
    return value or None  # of the last one, which counts
