"""Runs that take no time: a few images, networks of a few units, and plain curves.

What is tried here are files and signals.  They are the same for networks of every size, and small
ones leave time for more cases.
"""

from __future__ import annotations

import contextlib
import io
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

from faults.children import Ended, assert_plain, command, forked
from helpers.idx_files import write_idx
from PIL import Image

import minigan as mg
from minigan.cli import main
from minigan.models import IMAGE_SIZE
from minigan.training.history import HistoryRow
from minigan.training.pictures import curves_png

EPOCHS, IMAGES, BATCH = 3, 200, 30
TIMES = ("seconds", "images_per_second")


def write_data(folder: Path) -> Path:
    """Write the first 200 images of MNIST into a new folder, and return it."""
    folder.mkdir(parents=True)
    for split, stem in (("train", "train"), ("test", "t10k")):
        images, labels = mg.load_mnist("train" if split == "train" else "test")
        write_idx(folder / f"{stem}-images-idx3-ubyte", images[:IMAGES])
        write_idx(folder / f"{stem}-labels-idx1-ubyte.gz", labels[:IMAGES])
    return folder


def options(data: Path) -> list[object]:
    """Return the options of a new run, without its folder."""
    return ["--data", data, "--epochs", EPOCHS, "--batch-size", BATCH, "--threads", 1]


SMALL: tuple[object, ...] = ("--latent-dim", 4, "--evaluate-every", 1)


def go_on(folder: Path, data: Path, *more: object) -> list[object]:
    """Return the command line that a user types to go on with a run, or to start it at last."""
    if (folder / "config.json").exists():
        return ["train", "--resume", folder]
    return ["train", *options(data), *more, "--out", folder]


def resumed(folder: Path, data: Path) -> Ended:
    """Go on with a run until its end."""
    ended = forked(command(*go_on(folder, data, *SMALL)))
    assert_plain(ended, 0)
    return ended


def generator(
    latent_dim: int,
    *,
    classes: int = 0,
    batch_norm: bool = False,
    image_size: int = IMAGE_SIZE,
    **kwds: Any,
) -> mg.Sequential:
    """Stand for ``minigan.models.generator``, with fewer units."""
    norm = [mg.BatchNorm1d(8)] if batch_norm else []
    layers = [
        mg.Linear(latent_dim + classes, 8),
        *norm,
        mg.ReLU(),
        mg.Linear(8, image_size),
        mg.Tanh(),
    ]
    return mg.Sequential(*layers, **kwds)


def discriminator(
    *, classes: int = 0, logits: bool = False, image_size: int = IMAGE_SIZE, **kwds: Any
) -> mg.Sequential:
    """Stand for ``minigan.models.discriminator``, with fewer units."""
    layers = [mg.Linear(image_size, 8), mg.LeakyReLU(0.2), mg.Linear(8, classes or 1)]
    return mg.Sequential(*layers, *([] if logits else [mg.Sigmoid()]), **kwds)


def curves(history: Sequence[HistoryRow], *others: object, squared: bool) -> bytes:
    """Stand for ``curves_png``, which takes a second: all that the curves show, as text."""
    rows = [
        {name: float(x) for name, x in row.columns().items() if name not in TIMES}
        for row in history
    ]
    return repr((rows, others, squared)).encode()


@contextlib.contextmanager
def curves_drawn() -> Iterator[None]:
    """Inside the block, in ``small_networks``, Matplotlib draws the curves."""
    with patch("minigan.training.outputs.curves_png", curves_png):
        yield


@contextlib.contextmanager
def small_networks(share: float = 1e9) -> Iterator[None]:
    """Inside the block, and in the processes that it forks, runs take no time.

    ``share`` is the share of the time that curves and film may take.  They are drawn after every
    epoch unless it is small; then the files do not depend on the clock.
    """
    with contextlib.ExitStack() as stack:
        for name, value in (
            ("recipes.generator", generator),
            ("recipes.discriminator", discriminator),
            ("outputs.curves_png", curves),
            ("outputs.SHARE", share),
            ("quality.SAMPLE_COUNT", IMAGES),
        ):
            stack.enter_context(patch(f"minigan.training.{name}", value))
        yield


def straight_run(folder: Path) -> tuple[Path, Path]:
    """Train a run that nothing disturbs; return its folder and that of its data.

    What a command imports late is imported here first, and not in every process that is forked.
    """
    Image.init()
    with contextlib.redirect_stdout(io.StringIO()):
        main(["info"])
    data, run = write_data(folder / "data"), folder / "straight"
    assert_plain(forked(command("train", *options(data), *SMALL, "--out", run)), 0)
    return run, data


def copied(run: Path, to: Path) -> Path:
    """Copy a run into a new folder, in the place of an earlier copy."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(run, to, symlinks=True)
    return to
