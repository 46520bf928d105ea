"""The options of a training run."""

from __future__ import annotations

import json
import math
import os
import zlib
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from minigan.data import ARRAYS, HELD_OUT, MNIST, check_resize
from minigan.errors import InputError, check_whole, to_float
from minigan.machine.files import atomic_write, open_regular
from minigan.models import LATENT_DIM
from minigan.training.recipes import RECIPES

LARGEST_R1 = 1e6  # a usual penalty is 0.1 to 10
CONFIG, CHECKSUM = "config.json", "crc32"
LONGEST = 1_000_000  # bytes: a longer config.json is none
# A resumed run may change how many epochs it trains, its learning rate, on which device, with which
# products (tf32), with how many threads, how often it saves and measures, and where the data lies
# (its content is compared).
# The options that are not stored only name the folder, and a file whose code would be run.
CHANGEABLE = ("epochs", "lr", "backend", "tf32", "threads", "data", "save_every", "evaluate_every")
NOT_STORED = ("out", "resume", "model")
LATER = {  # options that older runs do not have, and what they were
    "recipe": "tutorial",
    "evaluate_every": None,
    "r1": 0.0,
    "settle_after": 0,
    "tf32": False,
    "resize": None,
    "hold_out": 0.0,
}
WHOLE: dict[str, tuple[int, int | None]] = {  # smallest and largest value of each whole number
    "epochs": (1, 1_000_000_000),
    "batch_size": (1, 1_000_000_000),
    "latent_dim": (1, 10_000),
    "settle_after": (0, 1_000_000_000),
    "seed": (0, None),
    "save_every": (1, 1_000_000_000),
    "evaluate_every": (1, 1_000_000_000),
    "threads": (1, 1024),
}
# Options that are None if they were not given
OPTIONAL = ("settle_after", "resize", "evaluate_every", "threads", "out", "resume", "model")


@dataclass(frozen=True)
class TrainConfig:
    """The options of a training run.  Apart from the recipe, the defaults are the tutorial's.

    ``lr``, ``r1`` and ``settle_after`` are None for the recipe's own.

    Raises InputError for a value that makes no sense.
    """

    epochs: int = 20
    """How many times to go through all training images."""
    recipe: str = "averaged"
    """How the GAN is trained: the name of one of the ``RECIPES``."""
    batch_size: int = 64
    """Number of images in one training step."""
    latent_dim: int = LATENT_DIM
    """Length of the latent vector z, from which G makes an image."""
    lr: float | None = None
    """Learning rate of G and D; if not given, the recipe's, or that of the run to go on with."""
    r1: float | None = None
    """Weight of the penalty R1 on D's slope at real images; if not given, the recipe's."""
    settle_after: int | None = None
    """Number of steps after which the run settles (0: never): from there on the learning rate falls
    as 1 / step, and the average of G grows no longer; if not given, the recipe's."""
    betas: tuple[float, float] = (0.5, 0.999)
    """Decay rates of the two running means that the optimizer Adam keeps."""
    seed: int = 0
    """Seed of all random numbers of the run."""
    backend: str = "auto"
    """numpy (on the CPU), cupy (on a GPU), or auto: cupy if it can be used, else numpy."""
    dtype: str = "float32"
    """Type of the numbers: float32 or float64."""
    tf32: bool = False
    """Round the factors of float32 products on a GPU to ten bits (TF32): faster, less exact."""
    data: str = MNIST
    """mnist, which comes with the package, or your own images: a folder of PNG or JPEG files (its
    sub-folders are classes) or of IDX files, or a file .npz, .npy or .csv.  See minigan data."""
    resize: int | None = None
    """Make images squares of so many pixels, from 8 to 64; if not given, they stay as they are."""
    hold_out: float = HELD_OUT
    """Share of the images to test with, if the data have no test images of their own."""
    save_every: int = 1
    """Number of epochs from one picture and checkpoint to the next."""
    evaluate_every: int | None = None
    """Number of epochs between measurements of quality (NDB, JS, classes); if not given, none."""
    threads: int | None = None
    """Number of threads of the BLAS library; if not given, the faster number is measured."""
    out: str | None = None
    """New folder for the results; if not given, runs/<data>-<time>."""
    resume: str | None = None
    """Folder of an earlier run to go on with.  Its options are kept but for those given."""
    model: str | None = None
    """Python file with networks of your own: it is run as code.  See Your own layer."""

    def __post_init__(self) -> None:
        for name, (least, most) in WHOLE.items():
            if name not in OPTIONAL or getattr(self, name) is not None:
                check_whole(name, getattr(self, name), least, most)
        pair = isinstance(self.betas, (tuple, list)) and len(self.betas) == 2
        if not pair or not all(0 <= to_float(beta) < 1 for beta in self.betas):
            raise InputError(f"`betas` are {self.betas!r}, expected two numbers in [0, 1)")
        for name, choices in (
            ("recipe", tuple(RECIPES)),
            ("backend", ("numpy", "cupy", "auto")),
            ("dtype", ("float32", "float64")),
        ):
            value = getattr(self, name)
            if value not in choices:
                raise InputError(f"`{name}` is {value!r}, expected {', '.join(choices)}")
        if self.lr is not None and not 0 < to_float(self.lr) < math.inf:
            raise InputError(f"`lr` is {self.lr!r}, expected a positive, finite number")
        if self.r1 is not None and not 0 <= to_float(self.r1) <= LARGEST_R1:
            raise InputError(f"`r1` is {self.r1!r}, expected a number from 0 to {LARGEST_R1:g}")
        if self.r1 and RECIPES[self.recipe].probabilities:
            raise InputError(
                f"`r1` is {self.r1!r}, but it is a penalty on logits, and D of the recipe "
                f"{self.recipe} gives probabilities: choose `recipe` averaged, or no `r1`"
            )
        if not isinstance(self.tf32, (bool, np.bool_)):
            raise InputError(f"`tf32` is {self.tf32!r}, expected True or False")
        if self.tf32 and self.dtype != "float32":
            raise InputError(f"`tf32` rounds products of float32, but `dtype` is {self.dtype}")
        check_resize(self.resize)
        if not 0 <= to_float(self.hold_out) < 1:
            raise InputError(
                f"`hold_out` is {self.hold_out!r}, expected a number from 0 to below 1"
            )
        for name in ("data", "out", "resume", "model"):
            if name not in OPTIONAL or getattr(self, name) is not None:
                _check_folder(name, getattr(self, name))

    def resolved(self) -> TrainConfig:
        """Return the options as a run keeps them: as plain Python numbers and strings.

        ``lr``, ``r1`` and ``settle_after`` become those of the recipe if none were given, and
        ``data`` becomes an absolute path, because the run may be resumed from another folder.
        """
        recipe = RECIPES[self.recipe]
        return replace(
            self,
            epochs=int(self.epochs),
            batch_size=int(self.batch_size),
            latent_dim=int(self.latent_dim),
            seed=int(self.seed),
            save_every=int(self.save_every),
            evaluate_every=None if self.evaluate_every is None else int(self.evaluate_every),
            threads=None if self.threads is None else int(self.threads),
            lr=recipe.lr if self.lr is None else float(self.lr),
            r1=recipe.r1 if self.r1 is None else float(self.r1),
            settle_after=int(
                recipe.settle_after if self.settle_after is None else self.settle_after
            ),
            betas=(float(self.betas[0]), float(self.betas[1])),
            tf32=bool(self.tf32),
            data=str(self.data) if self.data in (MNIST, ARRAYS) else os.path.abspath(self.data),
            resize=None if self.resize is None else int(self.resize),
            hold_out=float(self.hold_out),
            out=None if self.out is None else str(self.out),
            resume=None if self.resume is None else str(self.resume),
            model=None if self.model is None else str(self.model),
        )

    @classmethod
    def of_run(cls, run: str | Path) -> TrainConfig:
        """Return the options to resume ``run`` with.

        ``dataclasses.replace`` can change those that may be changed, such as ``epochs`` and ``lr``.

        Raises InputError if the folder holds no run or its options cannot be read.
        """
        file = Path(run) / CONFIG
        try:
            with open_regular(file) as stream:
                text = stream.read(LONGEST + 1)
            if len(text) > LONGEST:
                raise ValueError(f"it has more than {LONGEST:,} bytes")
            stored = json.loads(text.decode())
        except (FileNotFoundError, NotADirectoryError) as error:
            raise InputError(f"{run} holds no run: there is no {CONFIG} in it") from error
        except OSError as error:
            raise InputError(f"{file} cannot be read: {error.strerror}") from error
        except (ValueError, RecursionError) as error:
            raise InputError(f"{file} cannot be read: {error}") from error
        if isinstance(stored, dict) and CHECKSUM in stored:  # older runs have none
            found = stored.pop(CHECKSUM)
            if found != _checksum(stored):
                raise InputError(
                    f"{file} is damaged: the checksum of its options is not the one that it states "
                    "(options are changed when a run is resumed, not in this file)"
                )
        return replace(cls.from_stored(stored, file), resume=str(run))

    @classmethod
    def from_stored(cls, stored: Any, source: Path) -> TrainConfig:
        """Return the options in ``stored``.

        An option that is missing, because the run is older than the option, gets the value that it
        had before it was one.  Raises InputError, which names ``source``, if
        ``stored`` does not hold the options of a run.
        """
        known = {field.name for field in fields(cls)} - set(NOT_STORED)
        found = set(stored) if isinstance(stored, dict) else set()
        if not known - set(LATER) <= found <= known:
            raise InputError(f"{source} does not hold the options of a run of this version")
        try:
            return cls(**{**LATER, **stored}).resolved()
        except InputError as error:
            raise InputError(f"{source}: {error}") from error

    def stored(self) -> dict[str, Any]:
        """Return the options that a run stores in its files."""
        options = asdict(self.resolved())
        return {name: value for name, value in options.items() if name not in NOT_STORED}

    def save(self, folder: Path) -> None:
        """Write ``config.json``, the options and their checksum, into the run's folder."""
        options = self.stored()
        text = json.dumps({**options, CHECKSUM: _checksum(options)}, indent=2)
        with atomic_write(folder / CONFIG) as file:
            file.write(f"{text}\n".encode())

    def check_resumes(self, before: TrainConfig) -> None:
        """Raise InputError unless a run with the options ``before`` can go on with these."""
        now = self.stored()
        for name, was in before.stored().items():
            if name not in CHANGEABLE and was != now[name]:
                allowed = ", ".join(f"`{name}`" for name in CHANGEABLE)
                raise InputError(
                    f"`{name}` is {now[name]}, but the run was started with {was}: with `resume` "
                    f"only {allowed} may be given"
                )


def _checksum(options: dict[str, Any]) -> int:
    return zlib.crc32(json.dumps(options, sort_keys=True).encode())


def _check_folder(name: str, value: Any) -> None:
    if not isinstance(value, (str, Path)):
        raise InputError(f"`{name}` is {value!r}, expected a folder")
    try:
        if not str(value) or b"\0" in os.fsencode(value):
            raise ValueError
    except ValueError as error:
        raise InputError(f"`{name}` is {str(value)!r}, which cannot name a folder") from error
