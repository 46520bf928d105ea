"""The folder of a run: it is found or made, and only one process at a time may train in it."""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

from minigan.errors import InputError
from minigan.machine.files import UNABLE
from minigan.machine.terminal import say_once
from minigan.training.config import CONFIG, TrainConfig

HISTORY, CHECKPOINT, BEST, SAMPLES = "history.csv", "checkpoint.npz", "best.npz", "samples"
CURVES, FILM, PAGE = "losses.png", "training.gif", "report.html"
FIRST_PICTURE = 100  # steps after which the first picture is drawn


def step_picture(folder: Path) -> Path:
    """Return the file of the first picture of a run, which is drawn before its epoch has ended."""
    return folder / SAMPLES / f"step_{FIRST_PICTURE:04d}.png"


def epoch_picture(folder: Path, epoch: int) -> Path:
    """Return the file of the picture of an epoch."""
    return folder / SAMPLES / f"epoch_{epoch:04d}.png"


def frames_of(folder: Path, epochs: int) -> list[tuple[int, Path]]:
    """Return the pictures that there are of so many epochs, each with its epoch, in order.

    The first picture, of the first steps, has the epoch 0.  The folder is listed, because a
    checkpoint may claim more epochs than there ever were.
    """
    first, frames = step_picture(folder), list[tuple[int, Path]]()
    for file in (folder / SAMPLES).glob("epoch_*.png"):
        number = file.stem.removeprefix("epoch_")
        if re.fullmatch("[0-9]{4,10}", number) and file == epoch_picture(folder, int(number)):
            frames.append((int(number), file))
    shown = sorted(frame for frame in frames if 1 <= frame[0] <= epochs)
    return [(0, first), *shown] if first.exists() else shown


def first_picture(config: TrainConfig, steps_per_epoch: int) -> int:
    """Return the epoch of a run's first picture: 0 if it is that of the first steps."""
    if steps_per_epoch > FIRST_PICTURE:
        return 0
    return min(config.save_every, config.epochs)


def words_of(epoch: int) -> str:
    """Return when the picture of an epoch was drawn, in words; ``frames_of`` tells the epochs."""
    return f"after epoch {epoch}" if epoch else f"after {FIRST_PICTURE} steps"


def find_folder(config: TrainConfig) -> Path:
    """Return the folder of the run, which is not made yet if the run is new.

    Raises InputError if the options contradict each other, or the folder cannot be used.
    """
    if config.resume is not None:
        if config.out is not None:
            raise InputError("`out` and `resume` exclude each other: a run stays in its folder")
        config.check_resumes(TrainConfig.of_run(config.resume))
        folder = Path(config.resume)
        if (folder / HISTORY).exists() and not (folder / CHECKPOINT).exists():
            raise InputError(f"{folder} has a {HISTORY}, but its {CHECKPOINT} is gone")
        _check_outputs(folder)
        return folder
    if config.out is not None:
        check_free(Path(config.out))
        return Path(config.out)
    return _default_folder(config)


def _default_folder(config: TrainConfig) -> Path:
    """Return ``runs/<data>-<time>``, with a number at the end if that name is taken."""
    data = Path(config.data).name.strip("()")
    name = f"{data}-{time.strftime('%Y%m%d-%H%M%S')}"
    folder, n = Path("runs") / name, 1
    while os.path.lexists(folder):
        n += 1
        folder = Path("runs") / f"{name}-{n}"
    return folder


def prefix_of(source: Path) -> str:
    """Return what names of files begin with that were made of a run's checkpoint, or of a best.npz.

    Those of the best generator must not replace those of the checkpoint.
    """
    return "" if source.name == CHECKPOINT else f"{source.stem}_"


def _check_outputs(folder: Path) -> None:
    """Raise InputError if something in a run's folder would send what the run writes elsewhere."""
    samples = folder / SAMPLES
    if samples.is_symlink() or (samples.exists() and not samples.is_dir()):
        what = "a link" if samples.is_symlink() else "not a folder"
        raise InputError(f"{samples} is {what}, expected the folder with the run's pictures")
    for name in (CHECKPOINT, BEST, HISTORY, CURVES, FILM, PAGE):
        if (folder / name).is_dir():
            raise InputError(f"{folder / name} is a folder, expected a file")


def check_free(folder: Path) -> None:
    """Raise InputError if a new run in ``folder`` would overwrite something."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"`out` {folder} is a file, expected a folder")
    if os.path.lexists(folder / CONFIG):
        raise InputError(f"`out` {folder} holds a run already: `resume` {folder} goes on with it")
    for name in (CHECKPOINT, BEST, HISTORY, SAMPLES, CURVES, FILM, PAGE):
        if os.path.lexists(folder / name):
            raise InputError(f"`out` {folder} holds {name} already, expected a new folder")


def make_folder(folder: Path, config: TrainConfig) -> Path:
    """Make the folder of a new run, and return its path.

    If another run has just taken a default name, the folder gets another one.  Raises InputError if
    the folder cannot be made.
    """
    try:
        if config.out is not None:
            folder.mkdir(parents=True, exist_ok=True)
            return folder
        folder.parent.mkdir(parents=True, exist_ok=True)
        while True:
            try:
                folder.mkdir()
                return folder
            except FileExistsError:  # another run began in the same second
                folder = _default_folder(config)
    except OSError as error:
        raise InputError(f"`out` {folder} cannot be written: {error.strerror}") from error


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold ``folder`` for this process; raise InputError if another process trains in it.

    Where the file system has no locks, as on some network drives, a line says so.
    """
    try:
        import fcntl
    except ImportError:  # Windows, where a folder cannot be locked
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"another process is training in {folder}") from None
        except OSError as error:
            if error.errno not in UNABLE:
                raise
            say_once(
                f"Warning: {folder} cannot be locked here ({error.strerror}): take care that only "
                "one process trains in it."
            )
        yield
    finally:
        os.close(descriptor)
