"""The comparison of a run that was disturbed with one that was not."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from faults.small import TIMES
from helpers.runs import saved_run

from minigan.backend import Array
from minigan.data import load_archive
from minigan.training.folder import BEST, CHECKPOINT, CURVES, FILM, HISTORY, SAMPLES


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
