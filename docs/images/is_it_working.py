"""Draw the pictures of docs/is-it-working.md from two runs.

minigan train --threads 1 --out runs/healthy
minigan train --threads 1 --recipe tutorial --lr 5e-5 --epochs 12 --out runs/collapsed
python docs/images/is_it_working.py runs
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from minigan.training.pictures import MNIST_SHAPE, scale_of

HERE, SCALE = Path(__file__).parent, scale_of(MNIST_SHAPE)
RUNS = {
    "healthy": "healthy: minigan train",
    "collapsed": "collapsed: minigan train --recipe tutorial --lr 5e-5",
}
EPOCHS = (1, 2, 3, 5, 10)
LAST = 12  # the last epoch of the curves
SAMPLES = 8  # samples of each epoch: the first row of its picture


def first_row(run: Path, epoch: int) -> Any:
    """Return the first samples of an epoch as one picture; None if the run has ended before."""
    file = run / "samples" / f"epoch_{epoch:04d}.png"
    if not file.exists():
        return None
    with Image.open(file) as picture:
        return np.asarray(picture)[: 30 * SCALE + 2, : (30 * SAMPLES + 2) * SCALE]


def history(run: Path, last: int) -> dict[str, Any]:
    """Return the columns of history.csv, up to an epoch."""
    with (run / "history.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if int(row["epoch"]) <= last]
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


def draw_epochs(runs: Path) -> Figure:
    """Draw the same latent points, epoch by epoch, for each run."""
    figure = Figure(figsize=(10, 3.6), layout="constrained")
    grid = figure.subplots(len(EPOCHS), len(RUNS), squeeze=False)
    for column, (name, title) in enumerate(RUNS.items()):
        grid[0, column].set_title(title, fontsize=11)
        for line, epoch in enumerate(EPOCHS):
            axes, picture = grid[line, column], first_row(runs / name, epoch)
            axes.set(xticks=[], yticks=[])
            for spine in axes.spines.values():
                spine.set_visible(False)
            if picture is not None:
                axes.imshow(picture, cmap="gray", vmin=0, vmax=255)
            if column == 0:
                axes.set_ylabel(f"epoch {epoch}", rotation=0, ha="right", va="center")
    return figure


def draw_curves(runs: Path) -> Figure:
    """Draw losses, D's answers, the spread and G's gradients, with the runs side by side."""
    figure = Figure(figsize=(10, 9), layout="constrained")
    grid = figure.subplots(4, len(RUNS), sharey="row", squeeze=False)
    for column, (name, title) in enumerate(RUNS.items()):
        rows = history(runs / name, LAST)
        x = rows["step"] / 938
        losses, answers, spread, gradients = grid[:, column]
        losses.set_title(title, fontsize=11)
        losses.plot(x, rows["d_loss"], color="C0", label="d_loss")
        losses.plot(x, rows["g_loss"], color="C1", label="g_loss")
        answers.plot(x, rows["p_real"], color="C2", label="D(x), real images")
        answers.plot(x, rows["p_fake"], color="C3", label="D(G(z)), fakes")
        spread.plot(x, rows["spread"], color="C4", label="spread of G's images")
        spread.axhline(0.38, color="0.5", ls="--", lw=1, label="spread of real images")
        gradients.semilogy(x, rows["g_grad_4"], color="C5", label="|gradient| of G's last layer")
        gradients.semilogy(x, rows["g_grad_1"], color="C6", label="|gradient| of G's first layer")
        gradients.set(xlabel="epoch")
        for axes in (losses, answers, spread, gradients):
            axes.grid(alpha=0.3)
            axes.set_xlim(0, LAST)
            if column == 0:
                axes.legend(fontsize=9)
    for row, top in enumerate((10, 1, 0.42)):
        grid[row, 0].set_ylim(0, top)
    return figure


if __name__ == "__main__":
    for name, draw in (("epochs", draw_epochs), ("curves", draw_curves)):
        draw(Path(sys.argv[1])).savefig(HERE / f"{name}.png", dpi=100)
