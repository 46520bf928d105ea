"""One-line errors for a run that fails on the way: it has diverged, or the GPU has failed."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from minigan.backend.cupy_backend import gpu_failure
from minigan.errors import InputError
from minigan.training.checkpoint import stored_arrays
from minigan.training.run import Run


class DivergedError(InputError):
    """Raised if the figures or weights of a run are no longer finite."""


def diverged(run: Run, step: int, what: str, checkpoint: Path) -> DivergedError:
    """Return the error for a loss or a weight that is no longer finite."""
    advice = f"try a lower {'`lr` or `r1`' if run.gan.r1 > 0 else '`lr`'} and another `out`"
    if checkpoint.exists():
        advice = f"go on from it with `resume` and a lower `lr`, or {advice}"
    return DivergedError(f"training diverged at step {step:,}: {what}{_kept(checkpoint)}; {advice}")


def check_finite(run: Run, checkpoint: Path) -> None:
    """Raise InputError unless all that the checkpoint will keep of this epoch is finite."""
    for name, array in stored_arrays(run).items():
        if not bool(np.isfinite(array).all()):
            raise diverged(run, run.step, f"{name} has numbers that are not finite", checkpoint)
    for row in itertools.takewhile(lambda r: r.epoch == run.history[-1].epoch, run.history[::-1]):
        if not np.isfinite([row.spread, *row.d_grads, *row.g_grads]).all():
            what = "the spread of G's images, or the norm of a gradient, is not finite"
            raise diverged(run, row.step, what, checkpoint)


@contextlib.contextmanager
def gpu_failures_named(run: Run, checkpoint: Path) -> Iterator[None]:
    """Inside the block, a failure of the GPU becomes an InputError; other errors pass unchanged."""
    try:
        yield
    except Exception as error:
        failure = gpu_failure(error)
        if failure is None:
            raise
        raise InputError(f"after step {run.step:,} {failure}{_kept(checkpoint)}") from error


def _kept(checkpoint: Path) -> str:
    return "; the last checkpoint is kept" if checkpoint.exists() else ""
