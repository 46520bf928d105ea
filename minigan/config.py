"""The options of a training run."""

from __future__ import annotations

import contextlib
import json
import math
import os
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from minigan.checkpoint import atomic_write
from minigan.errors import InputError
from minigan.recipes import RECIPES

CONFIG = "config.json"
# What a resumed run may change: how far to go, on which device, how often to save, and where the
# data lies (its content is compared).  ``out`` and ``resume`` only say which folder is meant.
CHANGEABLE = ("epochs", "backend", "data", "save_every", "evaluate_every")
NOT_STORED = ("out", "resume")
LATER = ("recipe", "evaluate_every")  # options that older runs do not have


@dataclass(frozen=True)
class TrainConfig:
    """The options of a training run; but for the recipe, the defaults are the tutorial's.

    ``lr=None`` becomes the recipe's learning rate.

    Raises InputError for a value that makes no sense.
    """

    epochs: int = 20
    """Passes over the data, in all."""
    recipe: str = "averaged"
    """tutorial: the tutorial to the letter.  batch-norm: with batch normalisation in G, faster.
    averaged: that, with the loss from D's logits, and the moving average of G draws."""
    batch_size: int = 64
    """Images in a step."""
    latent_dim: int = 100
    """Length of the latent vector z."""
    lr: float | None = None
    """Learning rate of both Adams; if not given, 0.001, and the tutorial recipe's is 0.0002."""
    betas: tuple[float, float] = (0.5, 0.999)
    """Decay rates of Adam's two running means."""
    seed: int = 0
    """For all random numbers of the run."""
    backend: str = "auto"
    """numpy, cupy, or auto: cupy where it can be used."""
    dtype: str = "float32"
    """float32 or float64."""
    data: str = "mnist"
    """mnist, which comes with the package, or a folder of IDX files, plain or .gz."""
    save_every: int = 1
    """Epochs from one picture and checkpoint to the next."""
    evaluate_every: int | None = None
    """Epochs from one measurement of quality (NDB, JS, classes) to the next; none if not given."""
    threads: int | None = None
    """Threads of the BLAS library; its own choice if not given."""
    out: str | None = None
    """Folder to write into; runs/<data>-<time> if not given."""
    resume: str | None = None
    """Folder of a run to go on with.  Its options hold; --epochs may be raised."""

    def __post_init__(self) -> None:
        for name, least, most in (
            ("epochs", 1, 1_000_000_000),
            ("batch_size", 1, 1_000_000_000),
            ("latent_dim", 1, 1_000_000),
            ("seed", 0, None),
            ("save_every", 1, 1_000_000_000),
            ("evaluate_every", 1, 1_000_000_000),
            ("threads", 1, 1024),
        ):
            value = getattr(self, name)
            if name not in ("evaluate_every", "threads") or value is not None:
                object.__setattr__(self, name, check_whole(option(name), value, least, most))
        betas = tuple(map(_to_float, self.betas)) if isinstance(self.betas, (tuple, list)) else ()
        if len(betas) != 2 or not all(0 <= beta < 1 for beta in betas):
            raise InputError(f"--betas are {self.betas!r}, expected two numbers in [0, 1)")
        object.__setattr__(self, "betas", betas)
        for name, choices in (
            ("recipe", tuple(RECIPES)),
            ("backend", ("numpy", "cupy", "auto")),
            ("dtype", ("float32", "float64")),
        ):
            if getattr(self, name) not in choices:
                raise InputError(
                    f"--{name} is {getattr(self, name)!r}, expected {', '.join(choices)}"
                )
        lr = RECIPES[self.recipe].lr if self.lr is None else _to_float(self.lr)
        if not 0 < lr < math.inf:
            raise InputError(f"--lr is {self.lr!r}, expected a positive, finite number")
        object.__setattr__(self, "lr", lr)
        for name in ("data", "out", "resume"):
            value = getattr(self, name)
            if not (isinstance(value, (str, Path)) or (value is None and name != "data")):
                raise InputError(f"{option(name)} is {value!r}, expected a folder")
            try:
                if value is not None and (not str(value) or b"\0" in os.fsencode(value)):
                    raise ValueError
            except ValueError as error:
                message = f"{option(name)} is {str(value)!r}, which cannot name a folder"
                raise InputError(message) from error
            object.__setattr__(self, name, value if value is None else str(value))
        if self.data != "mnist":  # the run may be resumed from another folder
            object.__setattr__(self, "data", os.path.abspath(self.data))

    @classmethod
    def of_run(cls, run: str | Path) -> TrainConfig:
        """The options to resume ``run`` with; use ``dataclasses.replace`` to raise ``epochs``.

        Raises InputError if the folder holds no run or its options cannot be read.
        """
        file = Path(run) / CONFIG
        try:
            stored = json.loads(file.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError) as error:
            raise InputError(f"{run} holds no run: there is no {CONFIG} in it") from error
        except (OSError, ValueError, RecursionError) as error:
            raise InputError(f"{file} cannot be read: {error}") from error
        return replace(cls.from_stored(stored, file), resume=str(run))

    @classmethod
    def from_stored(cls, stored: Any, source: Path) -> TrainConfig:
        """The options in ``stored``; InputError, naming their source, if it holds others.

        One that is missing, because the run is older than the option, has its default; but the
        recipe of such a run was the tutorial's.
        """
        known = {field.name for field in fields(cls)} - set(NOT_STORED)
        found = set(stored) if isinstance(stored, dict) else set()
        if not known - set(LATER) <= found <= known:
            raise InputError(f"{source} does not hold the options of a run of this version")
        try:
            return cls(**{"recipe": "tutorial", **stored})
        except InputError as error:
            raise InputError(f"{source}: {error}") from error

    def stored(self) -> dict[str, Any]:
        """What a run keeps of its options."""
        return {name: value for name, value in asdict(self).items() if name not in NOT_STORED}

    def save(self, folder: Path) -> None:
        """Write ``config.json`` into the run's folder."""
        with atomic_write(folder / CONFIG) as file:
            file.write((json.dumps(self.stored(), indent=2) + "\n").encode())

    def check_resumes(self, before: TrainConfig) -> None:
        """InputError unless a run with the options ``before`` can go on with these."""
        for name in before.stored():
            was, now = getattr(before, name), getattr(self, name)
            if name not in CHANGEABLE and was != now:
                raise InputError(
                    f"{option(name)} is {now}, but the run was started with {was}: "
                    f"with --resume only {', '.join(map(option, CHANGEABLE))} may be given"
                )
        if self.epochs < before.epochs:
            raise InputError(
                f"--epochs is {self.epochs}, but the run was started with {before.epochs}: "
                "it may only be raised"
            )


def option(name: str) -> str:
    """``batch_size`` as it is typed: ``--batch-size``."""
    return "--" + name.replace("_", "-")


def check_whole(name: str, value: Any, least: int, most: int | None = None) -> int:
    """``value`` as an int; InputError unless it is a whole number from ``least`` to ``most``."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise InputError(f"{name} is {value!r}, expected a whole number of at least {least}")
    if most is not None and value > most:
        raise InputError(f"{name} is {value!r}, expected a whole number up to {most:,}")
    return int(value)


def _to_float(value: Any) -> float:
    """``value`` as a float; NaN, which no check lets pass, if no float can hold it."""
    if isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool):
        with contextlib.suppress(OverflowError):
            return float(value)
    return math.nan
