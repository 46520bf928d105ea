"""The command ``minigan``: a thin shell around the library.

``options`` defines what can be typed, and ``commands`` what is then done.  An error that the user
can put right is printed as one line on standard error, with exit status 2.
"""

from __future__ import annotations

import io
import itertools
import os
import sys
from collections.abc import Sequence
from dataclasses import fields
from typing import Annotated, Any, Union

import tyro
from tyro.conf import subcommand

import minigan
from minigan.backend.cupy_backend import gpu_failure
from minigan.cli.commands import COMMANDS
from minigan.cli.options import Train
from minigan.errors import InputError
from minigan.machine.signals import raise_on_interrupt
from minigan.training import TrainConfig

OPTIONS = {field.name for kind, _ in COMMANDS.values() for field in fields(kind)}


def main(args: Sequence[str] | None = None) -> int:
    """Run one command, and return its exit status."""
    args = list(sys.argv[1:] if args is None else args) or ["--help"]
    # A name that the terminal cannot show must not end the command.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        raise_on_interrupt()
        try:
            return _run(args)
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()  # a closed pipe is noticed here, not after main
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # as in: minigan info | head -1
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141  # the status that a shell gives to a program ended by SIGPIPE
    except Exception as error:
        failure = gpu_failure(error)
        known = isinstance(error, (InputError, OSError, MemoryError)) or failure is not None
        if not known or os.environ.get("MINIGAN_TRACEBACK"):
            raise
        message = failure or str(error) or "out of memory"
        if isinstance(error, InputError):
            message = error.spelled(_as_option)
        if isinstance(error, OSError) and error.filename is not None:
            message = f"{error.filename} cannot be read or written: {error.strerror}"
        print(f"minigan: {' '.join(message.split())}", file=sys.stderr)
        return 2


def _run(args: list[str]) -> int:
    if args == ["--version"]:
        print(f"minigan {minigan.__version__}")
        return 0
    options = _parse(args)
    return next(act for kind, act in COMMANDS.values() if kind is type(options))(options)


def _parse(args: list[str]) -> Any:
    """Return the options that were typed, as an object of one of the classes in COMMANDS."""
    # The options of a resumed run are the defaults, so that only the user can have typed others.
    resume = _value_of("--resume", args) if args[:1] == ["train"] else None
    default = Train(**vars(TrainConfig.of_run(resume))) if resume is not None else Train()
    kinds: Any = Union[  # noqa: UP007  the union is built from a list
        tuple(
            Annotated[kind, subcommand(name, default=default)]
            if kind is Train
            else Annotated[kind, subcommand(name)]
            for name, (kind, _) in COMMANDS.items()
        )
    ]
    return tyro.cli(
        kinds,
        prog="minigan",
        description="A GAN with hand-written backprop, trained on MNIST.",
        args=args,
    )


def _as_option(name: str) -> str:
    """Return the name of an argument as it is typed: ``batch_size`` is ``--batch-size``."""
    return "--" + name.replace("_", "-") if name in OPTIONS else name


def _value_of(option: str, args: list[str]) -> str | None:
    """Return what follows ``option`` on the command line, in either of its two forms."""
    value = None
    for word, following in itertools.pairwise([*args, ""]):
        if word.startswith(option + "="):
            value = word.removeprefix(option + "=")
        elif word == option and not following.startswith("-"):
            value = following
    return value or None  # the last one counts
