"""A file of Python code with networks of one's own, which ``--model`` names: it is run as code."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, TypeVar

from minigan.errors import InputError
from minigan.machine.files import open_regular
from minigan.training.checkpoint import stored_networks
from minigan.training.config import TrainConfig
from minigan.training.networks import NAMES, Maker, Networks, given_networks, layers_in

LONGEST = 1_000_000  # bytes: a longer file is no code that somebody wrote
MODULE = "__minigan_model__"
Result = TypeVar("Result")


class Model(NamedTuple):
    """What a file defines."""

    networks: Networks  # see the module ``networks``
    layers: dict[str, type]  # the classes of layers in it, by name


def read_model(path: str | Path) -> Model:
    """Run the file as Python does, and return what it defines.

    Modules beside the file can be imported from it.  Raises InputError if it cannot be read or run,
    or if it has neither of the two functions and no layers; errors inside the functions become
    InputErrors, too, which name the line.
    """
    file = Path(path)
    try:
        with open_regular(file) as stream:
            code = stream.read(LONGEST + 1)
    except OSError as error:
        raise InputError(f"`model` {file} cannot be read: {error.strerror}") from error
    if len(code) > LONGEST:
        raise InputError(f"`model` {file} has more than {LONGEST:,} bytes, expected Python code")
    module = ModuleType(MODULE)
    module.__file__ = str(file)
    sys.modules[MODULE] = module  # where dataclasses look for the names of their fields' types
    if (folder := str(file.resolve().parent)) not in sys.path:
        sys.path.insert(0, folder)
    _named(file, lambda: exec(compile(code, str(file), "exec"), vars(module)))
    functions = [vars(module).get(name) for name in NAMES]
    layers = layers_in(vars(module))
    if functions == [None, None] and not layers:
        raise InputError(
            f"`model` {file} defines no network: expected a function generator(n_in, n_out, "
            "**options), or discriminator, or both"
        )
    for name, function in zip(NAMES, functions, strict=True):
        if function is not None and not callable(function):
            raise InputError(f"`model` {file}: {name} is {function!r}, expected a function")
    G, D = (None if function is None else _maker(file, function) for function in functions)
    return Model(Networks(G, D, file.name), layers)


def networks_of_run(
    config: TrainConfig, checkpoint: Path, generator: Any, discriminator: Any
) -> Networks | None:
    """Return the networks of one's own that a run trains; None for those of its recipe.

    They are those that a program gives, or those that ``config.model`` makes, or, for a run that
    goes on, those in its checkpoint.  Raises InputError if two of them are given, and as
    ``given_networks``, ``read_model`` and ``stored_networks`` do.
    """
    given = (generator, discriminator) != (None, None)
    if given and config.model is not None:
        raise InputError("`model` names networks, and others are given: expected one of them")
    if given:
        return given_networks(generator, discriminator)
    if config.model is not None:
        return read_model(config.model).networks
    stored = config.resume is not None and checkpoint.exists()
    return stored_networks(checkpoint) if stored else None


def layers_of(path: str | Path | None) -> dict[str, type]:
    """Return the classes of layers in a file of code: none if there is no file."""
    return {} if path is None else read_model(path).layers


def _maker(file: Path, function: Callable[..., Any]) -> Maker:
    def make(n_in: int, n_out: int, **options: Any) -> Any:
        return _named(file, lambda: function(n_in, n_out, **options))

    return make


def _named(file: Path, run: Callable[[], Result]) -> Result:
    """Call ``run``; turn an error in the code of the file into an InputError that names the line.

    The error stays the cause of the InputError, and MINIGAN_TRACEBACK shows both.
    """
    try:
        return run()
    except SyntaxError as error:
        raise InputError(f"`model` {file}, line {error.lineno}: {error.msg}") from error
    except (Exception, SystemExit) as error:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if frame.filename == str(file)]
        where = f", line {lines[-1]}" if lines else ""
        text = " ".join(str(error).split())
        raise InputError(f"`model` {file}{where}: {type(error).__name__}: {text}") from error
