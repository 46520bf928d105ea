"""The command ``minigan``: a thin shell around the library.

``options`` defines what can be typed, and ``commands`` what is then done.  An error that the user
can put right is printed as one line on standard error, with exit status 2.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import fields
from typing import Annotated, Any, Union

import tyro
from tyro.conf import subcommand

import minigan
from minigan.backend import started_as
from minigan.backend.cupy_backend import gpu_failure
from minigan.cli.commands import COMMANDS
from minigan.cli.examples import examples_of
from minigan.cli.mistakes import in_one_line
from minigan.cli.options import Train
from minigan.errors import NAME, InputError
from minigan.machine.colour import takes_colour
from minigan.machine.signals import raise_on_interrupt
from minigan.machine.terminal import complain, drop, fails, prepare_streams, say
from minigan.training import TrainConfig

OPTIONS = {field.name for kind, _ in COMMANDS.values() for field in fields(kind)}
# that name files and folders: options, and what stands without one
NAMING = {"data", "out", "resume", "model", "classifier", "html", "json", "copy_to"}
POSITIONAL = {"run", "path", "file"}
LEAST_COLUMNS = 40  # tyro needs some: with one to six columns, its help would never end


def main(args: Sequence[str] | None = None) -> int:
    """Run one command, and return its exit status."""
    args = list(sys.argv[1:] if args is None else args) or ["--help"]
    prepare_streams()
    if started_as() > 0:  # one of several processes: the first one speaks, and does all else
        drop(sys.stdout)
        if args[:1] != ["train"]:
            return 0
    try:
        raise_on_interrupt()
        try:
            return _run(args)
        finally:
            sys.stdout.flush()  # a closed pipe is noticed here, not after main
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # as in: minigan info | head -1
        return 141  # the status that a shell gives to a program ended by SIGPIPE
    except Exception as error:
        failure = gpu_failure(error)
        known = isinstance(error, (InputError, OSError, MemoryError)) or failure is not None
        if not known or os.environ.get("MINIGAN_TRACEBACK"):
            raise
        if started_as() == 0:
            complain(f"minigan: {' '.join((failure or _message(error, args)).split())}")
        return 2
    finally:
        for stream in (sys.stdout, sys.stderr):
            if fails(stream):  # else Python would try once more at its end, and give status 120
                drop(stream)


def _message(error: Exception, args: Sequence[str]) -> str:
    """Return what the user reads about an error of a command with these arguments."""
    if isinstance(error, InputError):
        return error.spelled(lambda name: _as_option(name, args))
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename} cannot be read or written: {error.strerror or error.args[0]}"
    if isinstance(error, OSError) and fails(sys.stdout):
        return f"standard output cannot be written: {error.strerror}"
    return str(error) or "out of memory"


def _run(args: list[str]) -> int:
    if args == ["--version"]:
        print(f"minigan {minigan.__version__}")
        return 0
    options = _parse(args)
    for name in NAMING & vars(options).keys():
        _check_name(f"`{name}`", getattr(options, name))
    for name in POSITIONAL & vars(options).keys():
        _check_name(name.upper(), getattr(options, name))
    try:
        os.getcwd()
    except FileNotFoundError as error:
        raise InputError("the current folder does not exist any more: go to another one") from error
    return next(act for kind, act in COMMANDS.values() if kind is type(options))(options)


def _parse(args: list[str]) -> Any:
    """Return the options that were typed, as an object of one of the classes in COMMANDS."""
    width = shutil.get_terminal_size().columns
    if width < LEAST_COLUMNS:
        width = LEAST_COLUMNS
        os.environ["COLUMNS"] = str(width)  # where tyro looks first
    # tyro knows nothing of NO_COLOR
    getattr(tyro, "_experimental_options", {})["ansi_codes"] = takes_colour(sys.stdout)
    # The options of a resumed run are the defaults, so that only the user can have typed others.
    resume = _value_of("--resume", args) if args[:1] == ["train"] else None
    _check_name("`resume`", resume)
    default = Train(**vars(TrainConfig.of_run(resume))) if resume is not None else Train()
    kinds: Any = Union[  # noqa: UP007  the union is built from a list
        tuple(
            Annotated[kind, subcommand(name, default=default)]
            if kind is Train
            else Annotated[kind, subcommand(name)]
            for name, (kind, _) in COMMANDS.items()
        )
    ]
    box = io.StringIO()
    command = args[0] if args[0] in COMMANDS else None
    try:
        with contextlib.redirect_stderr(box):
            options = tyro.cli(
                kinds,
                prog="minigan",
                description="A GAN with hand-written backprop, trained on MNIST.",
                args=args,
            )
    except SystemExit as end:
        if end.code != 0:
            more = "minigan --help" if command is None else f"minigan {command} --help"
            raise InputError(in_one_line(box.getvalue(), more)) from None
        hint = "The options of a command, and examples:  minigan sample --help"  # below the help
        say(hint if command is None else examples_of(command, width), needed=True)
        raise
    if box.getvalue() and started_as() == 0:  # a warning
        complain(box.getvalue().rstrip())
    return options


def _check_name(option: str, value: str | None) -> None:
    """Raise InputError for a name that is blank, which nobody means and no message can show."""
    if value is not None and not value.strip():
        raise InputError(f"{option} is {value!r}, expected the name of a file or a folder")


def _as_option(name: str, args: Sequence[str]) -> str:
    """Return the name of an argument as it is typed: ``batch_size`` is ``--batch-size``.

    Anything else in backquotes comes from the user, and stays as it is; so does what the user has
    typed in them.
    """
    typed = any(name in NAME.findall(word) for word in args)
    return "--" + name.replace("_", "-") if name in OPTIONS and not typed else f"`{name}`"


def _value_of(option: str, args: list[str]) -> str | None:
    """Return what follows ``option`` on the command line, in either of its two forms."""
    value = None
    for word, following in itertools.pairwise([*args, ""]):
        if word.startswith(option + "="):
            value = word.removeprefix(option + "=")
        elif word == option and not following.startswith("-"):
            value = following
    return value or None  # the last one counts
