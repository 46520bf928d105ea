"""The subcommands of ``minigan`` and their options: a typed dataclass each, of which tyro makes the
parser.  Texts below the fields are the help."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from tyro.conf import FlagCreatePairsOff, Positional, arg

from minigan.config import TrainConfig


@dataclass(frozen=True)
class Train(TrainConfig):
    """Train the GAN and draw what it has learnt, epoch by epoch."""

    lr: Annotated[float | None, arg(metavar="FLOAT")] = None
    evaluate_every: Annotated[int | None, arg(metavar="INT")] = None
    threads: Annotated[int | None, arg(metavar="INT")] = None
    out: Annotated[str | None, arg(metavar="DIR")] = None
    resume: Annotated[str | None, arg(metavar="DIR")] = None

    def __post_init__(self) -> None:
        """No checks here, where tyro would frame their message: ``train`` makes a TrainConfig."""


@dataclass(frozen=True)
class Sample:
    """Draw new digits from a trained run, or from the generator that comes with the package."""

    run: Annotated[Positional[str | None], arg(metavar="RUN")] = None
    """Folder of the run, or a file of it such as best.npz."""
    n: int = 64
    """How many."""
    seed: int = 0
    """For the latent points."""
    out: Annotated[str | None, arg(metavar="FILE")] = None
    """PNG to write; sample_<seed>.png or walk_<seed>.png, in the run's folder, if not given."""
    interpolate: FlagCreatePairsOff[bool] = False
    """A walk between latent points instead: each row of eight turns towards a new digit."""


@dataclass(frozen=True)
class Evaluate:
    """Measure a trained generator against real images, in a minute; writes metrics.json."""

    run: Annotated[Positional[str | None], arg(metavar="RUN")] = None
    """Folder of the run, or a file of it such as best.npz; the shipped generator if not given."""
    samples: int = 10_000
    """How many to draw."""
    seed: int = 0
    """For their latent points."""
    classifier: Annotated[str | None, arg(metavar="FILE")] = None
    """Another digit classifier, as examples/digit_classifier.py writes it."""
    data: Annotated[str | None, arg(metavar="DIR")] = None
    """Where the run's data lies, if it has moved."""


@dataclass(frozen=True)
class GradCheck:
    """Hold every backward rule against finite differences; exit status 1 if one fails."""

    backend: str = "numpy"
    """numpy, cupy or auto."""


@dataclass(frozen=True)
class Exercise:
    """Check your backward rules in examples/exercises; exit status 1 until all are right."""

    path: Annotated[Positional[str | None], arg(metavar="PATH")] = None
    """A folder with the exercises, or one of them; examples/exercises if not given."""


@dataclass(frozen=True)
class Trace:
    """Take one training step on MNIST and print it as a tape, layer by layer."""

    recipe: str = TrainConfig.recipe
    """averaged, batch-norm or tutorial, as in minigan train."""
    batch_size: int = TrainConfig.batch_size
    """Images in the step."""
    seed: int = 0
    """For its weights, images and z: those of the first step of minigan train."""
    html: Annotated[str | None, arg(metavar="FILE")] = None
    """Write it there, too, as a page to click through."""


@dataclass(frozen=True)
class Bench:
    """Time the training step on this machine, and what it could be at best."""

    batch_size: tuple[int, ...] = (64,)
    """Images in a step; several values stand side by side, as in 16 64 256 1024 4096."""
    backend: str = "auto"
    """numpy, cupy, or auto: cupy where it can be used."""
    threads: Annotated[int | None, arg(metavar="INT")] = None
    """Threads of the BLAS library; its own choice if not given."""
    json: Annotated[str | None, arg(metavar="FILE")] = None
    """Write all figures there, too."""


@dataclass(frozen=True)
class Info:
    """Print versions, what computes here, and why no GPU if there is none."""
