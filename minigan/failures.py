"""What can go wrong in the middle of a run that is right so far, in one line each."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from minigan.backend.cupy_backend import gpu_failure
from minigan.errors import InputError
from minigan.run_folder import CHECKPOINT

if TYPE_CHECKING:
    from minigan.training import Trainer


def diverged(run: Trainer, what: str) -> InputError:
    """For a loss or a weight that is no longer finite."""
    advice = "try a lower --lr and another --out"
    return InputError(f"training diverged at step {run.step:,}: {what}{_kept(run)}; {advice}")


@contextlib.contextmanager
def gpu_failures_named(run: Trainer) -> Iterator[None]:
    """While inside, what a GPU refuses becomes an InputError; all else passes as it is."""
    try:
        yield
    except Exception as error:
        failure = gpu_failure(error)
        if failure is None:
            raise
        raise InputError(f"after step {run.step:,} {failure}{_kept(run)}") from error


def _kept(run: Trainer) -> str:
    exists = (run.folder / CHECKPOINT).exists()
    return "; the last checkpoint is kept" if exists else ""
