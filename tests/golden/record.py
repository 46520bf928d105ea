"""Write the files of a run as this version writes them, for later versions to read.

    python tests/golden/record.py 0.1

One folder for each recipe: ``config.json``, and ``checkpoint.npz`` and ``best.npz``, which are
packed (xz) because real weights would take 40 MB.  The arrays hold the numbers of ``pattern``
instead.  A folder is written once, by the version that it is named after, and never again: what is
there already stays as it is.
"""

from __future__ import annotations

import lzma
import sys
import tempfile
import zlib
from pathlib import Path

import numpy as np

import minigan as mg
from minigan.backend import Array
from minigan.training.checkpoint import save_run
from minigan.training.history import HistoryRow, LogEntry
from minigan.training.recipes import RECIPES
from minigan.training.trained import GENERATOR, save_best

FOLDER = Path(__file__).parent
STEPS = 940  # two steps into the second epoch of 938


def pattern(name: str, array: Array) -> Array:
    """Return small numbers that repeat, and differ from array to array; none below 0 in a v."""
    start = zlib.crc32(name.encode()) % 61
    values = ((np.arange(array.size) + start) % 61 - 30) / 512
    if name.endswith((".v", "_var")):
        values = abs(values)
    return values.reshape(array.shape).astype(array.dtype)


def filled_run(recipe: str, out: Path) -> mg.Trainer:
    """Return a trainer whose state holds patterns, at step 940."""
    from minigan.training.checkpoint import stored_arrays

    trainer = mg.Trainer(mg.TrainConfig(recipe=recipe, epochs=3, seed=5, threads=1, out=str(out)))
    run = trainer.state
    for name, array in stored_arrays(run).items():
        array[...] = pattern(name, array)
    run.step = run.gan.adam_g.t = run.gan.adam_d.t = STEPS
    run.rng.random(100)
    run.epoch_state = dict(run.rng.bit_generator.state)
    run.log = [LogEntry(1.0, 2.0, 0.75, 0.25, 0.5, 64.0), LogEntry(1.5, 2.5, 0.5, 0.5, 0.5, 64.0)]
    d_layers, g_layers = run.layer_counts
    row = HistoryRow(1, 938, 1.25, 0.75, 0.5, 0.25, 10.0, 6000.0, 3.5)
    d_grads, g_grads = (0.5,) * d_layers, (0.25,) * g_layers
    run.history = [row._replace(d_grads=d_grads, g_grads=g_grads, lr=0.001)]
    return trainer


def main(version: str) -> None:
    """Write a folder for each recipe that has none of this version."""
    if version != ".".join(mg.__version__.split(".")[:2]):
        raise SystemExit(f"this is minigan {mg.__version__}, not {version}")
    for recipe in RECIPES:
        target = FOLDER / f"{version}-{recipe}"
        if target.exists():
            continue
        target.mkdir()
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "run"
            out.mkdir()
            run = filled_run(recipe, out).state
            save_run(run, out / "checkpoint.npz")
            save_best(run, out / "best.npz")
            run.config.save(target)
            for name in ("checkpoint.npz", "best.npz"):
                (target / f"{name}.xz").write_bytes(lzma.compress((out / name).read_bytes()))
        print(target.name, GENERATOR, "written")


if __name__ == "__main__":
    main(sys.argv[1])
