"""Draw how much better D knows the images that it trains on, with R1 and without.

for r1 in 0.1 0; do
    minigan train --seed 100 --threads 1 --epochs 100 --r1 $r1 --out runs/r1-$r1
done
python docs/images/gap.py runs/r1-0.1 runs/r1-0
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

WINDOW = 5  # epochs: D is asked about 1,000 images of each kind, so single epochs scatter


def answers(run: Path) -> np.ndarray:
    """Return the epochs after which D was asked, and its mean answers to both kinds of images."""
    with (run / "history.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["d_test"] != "nan"]
    return np.array([[float(row[name]) for name in ("epoch", "d_train", "d_test")] for row in rows])


def main() -> None:
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    for folder, label, colour in zip(
        map(Path, sys.argv[1:]),
        ("with R1, γ = 0.1", "without"),
        ("#0072b2", "#d55e00"),
        strict=True,
    ):
        epoch, train, test = answers(folder).T
        gap = train - test
        axes.plot(epoch, gap, ".", color=colour, alpha=0.35, markersize=5)
        window = min(WINDOW, len(gap))
        mean = np.convolve(gap, np.ones(window) / window, mode="valid")
        axes.plot(epoch[window // 2 : window // 2 + len(mean)], mean, color=colour, label=label)
    axes.axhline(0, color="0.6", lw=1)
    axes.set(xlabel="epoch", ylabel="D(training images) - D(test images)")
    axes.legend(framealpha=0.9)
    axes.grid(alpha=0.3)
    figure.savefig(Path(__file__).with_name("gap.png"), dpi=110)


if __name__ == "__main__":
    main()
