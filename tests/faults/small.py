"""Runs that take no time: a few images, networks of a few units, and plain curves.

What is tried here are files and signals.  They are the same for networks of every size, and small
ones leave time for more cases.
"""

from __future__ import annotations

import contextlib
import csv
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from faults.children import Ended, assert_plain, command, forked
from helpers.idx_files import write_idx
from helpers.runs import saved_run

import minigan as mg
from minigan.backend import Array
from minigan.data import load_archive
from minigan.models import IMAGE_SIZE
from minigan.training.folder import BEST, CHECKPOINT, CURVES, FILM, HISTORY, SAMPLES
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


def generator(latent_dim: int, *, batch_norm: bool = False, **kwds: Any) -> mg.Sequential:
    """Stand for ``minigan.models.generator``, with fewer units."""
    norm = [mg.BatchNorm1d(8)] if batch_norm else []
    layers = [mg.Linear(latent_dim, 8), *norm, mg.ReLU(), mg.Linear(8, IMAGE_SIZE), mg.Tanh()]
    return mg.Sequential(*layers, **kwds)


def discriminator(*, logits: bool = False, **kwds: Any) -> mg.Sequential:
    """Stand for ``minigan.models.discriminator``, with fewer units."""
    layers = [mg.Linear(IMAGE_SIZE, 8), mg.LeakyReLU(0.2), mg.Linear(8, 1)]
    return mg.Sequential(*layers, *([] if logits else [mg.Sigmoid()]), **kwds)


def curves(history: Sequence[HistoryRow], *others: object) -> bytes:
    """Stand for ``curves_png``, which takes a second: all that the curves show, as text."""
    rows = [
        {name: float(x) for name, x in row.columns().items() if name not in TIMES}
        for row in history
    ]
    return repr((rows, others)).encode()


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
            ("draws.generator", generator),
            ("draws.discriminator", discriminator),
            ("recipes.generator", generator),
            ("outputs.curves_png", curves),
            ("outputs.SHARE", share),
            ("quality.SAMPLE_COUNT", IMAGES),
        ):
            stack.enter_context(patch(f"minigan.training.{name}", value))
        yield


def straight_run(folder: Path) -> tuple[Path, Path]:
    """Train a run that nothing disturbs; return its folder and that of its data."""
    data, run = write_data(folder / "data"), folder / "straight"
    assert_plain(forked(command("train", *options(data), *SMALL, "--out", run)), 0)
    return run, data


def copied(run: Path, to: Path) -> Path:
    """Copy a run into a new folder, in the place of an earlier copy."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(run, to, symlinks=True)
    return to


def history_of(folder: Path) -> list[list[str]]:
    """Return history.csv without the times."""
    with (folder / HISTORY).open(newline="") as file:
        names, *rows = csv.reader(file)
    kept = [i for i, name in enumerate(names) if name not in TIMES]
    return [[row[i] for i in kept] for row in (names, *rows)]


def assert_same(straight: Path, run: Path, missing: Sequence[str] = ()) -> None:
    """Fail unless a run has the files of the straight run, bit for bit but for the times.

    ``missing`` are the files that the run has said it could not write.
    """
    names = {str(file.relative_to(straight)) for file in straight.rglob("*")}
    found = {str(file.relative_to(run)) for file in run.rglob("*")}
    assert found - names == set(), f"there are new files: {found - names}"
    assert names - found <= set(missing), f"there are no {names - found}, but {found}"
    (arrays, meta), (others, other_meta) = saved_run(straight), saved_run(run)
    assert meta == other_meta, CHECKPOINT
    assert_same_arrays(CHECKPOINT, arrays, others)
    for name in sorted(names & found):
        if name.startswith(SAMPLES) and name.endswith(".png"):
            assert (straight / name).read_bytes() == (run / name).read_bytes(), name
    if not missing:
        assert (straight / FILM).read_bytes() == (run / FILM).read_bytes(), FILM
    assert history_of(straight) == history_of(run), HISTORY
    assert (straight / CURVES).read_bytes() == (run / CURVES).read_bytes(), CURVES
    if BEST in names and BEST not in missing:
        (arrays, meta), (others, other_meta) = (
            load_archive(straight / BEST),
            load_archive(run / BEST),
        )
        for figures in (meta["figures"], other_meta["figures"]):
            for name in TIMES:
                del figures[name]
        assert meta == other_meta, BEST
        assert_same_arrays(BEST, arrays, others)


def assert_same_arrays(file: str, arrays: dict[str, Array], others: dict[str, Array]) -> None:
    """Fail unless the arrays of two archives are the same; nan equals nan."""
    assert arrays.keys() == others.keys(), file
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, others[name], err_msg=f"{file}: {name}")
