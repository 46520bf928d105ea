# %% [markdown]
# # The gallery of failures
#
# What does each way to break a GAN look like?  `gallery/small_gan.py` trains a small GAN that
# works, on MNIST with 14 x 14 pixels.  Each failure of `gallery/failure.py` changes a line of it,
# and trains again from the same seed.  This program draws both runs: samples of the same z, the
# losses, D's answers, and the spread, which says how much the samples differ.  Then it measures the
# sign that gives the failure away: one figure, and the limit that keeps the two runs apart.
#
#     python examples/failures.py                        # all of them, in a minute
#     FAILURE=no-shuffling python examples/failures.py   # one of them, in seconds
#
# STEPS, SEED and the folder OUT (`runs/failures`) can be set in the environment.  The page
# docs/failures.md says why each failure looks as it does, and what to do.

# %%
import io
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from gallery import FAILURES, Failure, Record, train
from matplotlib.figure import Figure
from museum.exhibit import switched_on
from PIL import Image
from threadpoolctl import threadpool_limits

from minigan.machine.files import atomic_write

steps = int(os.environ.get("STEPS", "1500"))
seed = int(os.environ.get("SEED", "0"))
out = Path(os.environ.get("OUT", "runs/failures"))
name = os.environ.get("FAILURE", "")
if name and name not in FAILURES:
    sys.exit(f"FAILURE is {name!r}, expected one of {', '.join(FAILURES)}")
if steps < 20:
    sys.exit(f"STEPS is {steps}, expected at least 20")
out.mkdir(parents=True, exist_ok=True)
threadpool_limits(1)  # products as small as these are not worth a second thread

# %% [markdown]
# ## A picture of two runs
# The curves are means over a fiftieth of the run; both rows have the same axes.

# %%
BLUE, ORANGE = "#0072b2", "#d55e00"
PANELS = {
    "losses": (("d_loss", BLUE, "d_loss"), ("g_loss", ORANGE, "g_loss")),
    "D's answers": (("p_real", BLUE, "D(x)"), ("p_fake", ORANGE, "D(G(z))")),
    "spread of the samples": (("spread", BLUE, "G(z)"),),
}
# D guesses, or the images differ as real ones do
DOTTED = {
    "losses": [(2 * np.log(2), BLUE), (np.log(2), ORANGE)],
    "spread of the samples": [(0.34, "0.4")],
}


def smooth(curve: list[float]) -> Any:
    width = max(1, len(curve) // 50)
    return np.convolve(curve, np.full(width, 1 / width), mode="valid")


def tiles(samples: Any) -> Any:
    """Return the first 24 samples in four rows of six, with black lines between them."""
    between = (0, 0), (0, 0), (1, 1), (1, 1)
    images = np.pad(samples[:24].reshape(4, 6, 14, 14), between, constant_values=-1)
    return images.transpose(0, 2, 1, 3).reshape(64, 96)


def draw(healthy: Record, failed: Record, failure: Failure) -> Figure:
    figure = Figure(figsize=(9.6, 3.9), layout="constrained")
    grid = figure.subplots(2, 4, width_ratios=(1.5, 1, 1, 1), sharex="col", sharey="col")
    losses = [smooth(run[key]) for run in (healthy, failed) for key in ("d_loss", "g_loss")]
    tops = 1.05 * min(12, np.max(losses)), 1.02, 0.6
    for row, run, title in ((grid[0], healthy, "healthy"), (grid[1], failed, failure.title)):
        row[0].imshow(tiles(run["samples"]), "gray", vmin=-1, vmax=1, interpolation="nearest")
        row[0].set(xticks=[], yticks=[])
        row[0].set_title(title, fontsize=10, fontweight="bold", loc="left")
        for axes, (panel, curves), top in zip(row[1:], PANELS.items(), tops, strict=True):
            for key, colour, label in curves:
                y = smooth(run[key])
                axes.plot(np.linspace(0, steps, len(y)), y, color=colour, label=label)
            for height, colour in DOTTED.get(panel, ()):
                axes.axhline(height, color=colour, ls=":", lw=1)
            axes.set(xlim=(0, steps), ylim=(-0.02 * top, top))
            axes.tick_params(labelsize=8)
            axes.grid(alpha=0.3)
            if run is healthy:
                axes.set_title(panel, fontsize=10)
            else:
                axes.set_xlabel("step", fontsize=9)
                axes.legend(fontsize=8, loc="best", framealpha=0.8)
    return figure


def write(figure: Figure, file: Path) -> None:
    """Write a PNG file with 48 colours, which are enough here and make the file small."""
    whole = io.BytesIO()
    figure.savefig(whole, format="png", dpi=100)
    with atomic_write(file) as target:
        Image.open(whole).convert("RGB").quantize(48).save(target, "PNG", optimize=True)


# %% [markdown]
# ## The tour

# %%
healthy = train(steps, seed)
for key, failure in FAILURES.items():
    if name in ("", key):
        with switched_on(failure.edits):
            failed = train(steps, seed)
        figures = failure.measure(healthy), failure.measure(failed)
        print(f"{key}: {failure.title}")
        for edit in failure.edits:
            print(f"  right  {edit.right}")
            print("\n".join(f"  wrong  {line}" for line in edit.wrong.splitlines()))
        print(f"  sign   {failure.sign}: {figures[0]:.3f} healthy, {figures[1]:.3f} here")
        write(draw(healthy, failed, failure), out / f"{key}.png")
        print(f"picture: {out / f'{key}.png'}")
