"""The pictures of a run: image grids, loss curves, and a film of the digits as they appear.

Matplotlib, and Pillow, which comes with it, are imported only when something is drawn.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from minigan.backend import Array
from minigan.machine.files import atomic_write

SCALE = 2  # a pixel of an image becomes 2 x 2 pixels, so that digits are large enough to see


def image_grid(images: Array, nrow: int = 8, padding: int = 2) -> npt.NDArray[np.float32]:
    """Return (N, 784) or (N, 28, 28) images as one picture, (H, W) float32 in [0, 1].

    The picture has ``nrow`` images in a row, with ``padding`` black pixels between and around them.
    The grey values are stretched so that the smallest value of all images becomes 0 and the largest
    becomes 1.  The result equals one channel of
    ``torchvision.utils.make_grid(images, nrow, padding, normalize=True)``.
    """
    x = np.asarray(images, np.float32).reshape(len(images), 28, 28)
    low, high = float(x.min()), float(x.max())
    x = (x - low) / max(high - low, 1e-5)
    columns = min(nrow, len(x))
    rows, cell = math.ceil(len(x) / columns), 28 + padding
    grid = np.zeros((rows * cell + padding, columns * cell + padding), np.float32)
    for i, image in enumerate(x):
        top, left = i // columns * cell + padding, i % columns * cell + padding
        grid[top : top + 28, left : left + 28] = image
    return grid


def save_grid(path: Path, images: Array) -> None:
    """Write an image grid as a PNG, ``SCALE`` times as large, atomically."""
    from PIL import Image  # Pillow is a requirement of Matplotlib

    pixels = np.rint(image_grid(images) * 255).astype(np.uint8)
    with atomic_write(path) as file:
        Image.fromarray(pixels.repeat(SCALE, 0).repeat(SCALE, 1)).save(file, "PNG")


def save_gif(path: Path, frames: Sequence[Path]) -> None:
    """Join at most 100 of the pictures into a GIF that repeats, with a pause on the last one."""
    from PIL import Image

    pictures, gone_or_damaged = [], (OSError, SyntaxError, ValueError)  # as Pillow raises them
    every = math.ceil(len(frames) / 100) or 1
    for frame in frames[::-every][::-1]:
        with contextlib.suppress(*gone_or_damaged), Image.open(frame) as picture:
            pictures.append(picture.convert("L"))
    if not pictures:
        return
    duration = min(500, max(40, 10_000 // len(pictures)))  # ms a frame
    with atomic_write(path) as file:
        pictures[0].save(
            file,
            "GIF",
            save_all=True,
            append_images=pictures[1:],
            duration=[duration] * (len(pictures) - 1) + [2000],
            loop=0,
        )


def save_losses(
    path: Path, history: Sequence[Any], steps_per_epoch: int, real_spread: float
) -> None:
    """Draw the losses, D(x) and D(G(z)), the spread of G's images, and JS, over the epochs.

    Dashed lines show where a discriminator that is only guessing would be: d_loss at 2 ln 2, g_loss
    at ln 2, both probabilities at 1/2.  Another dashed line shows the spread of real images.  JS is
    drawn in a plot of its own if it was measured.
    """
    from matplotlib.figure import Figure  # no pyplot: no window and no global state
    from matplotlib.ticker import MaxNLocator

    x = [row.step / steps_per_epoch for row in history]
    measured = [(step, row.js) for step, row in zip(x, history, strict=True) if row.js == row.js]
    figure = Figure(figsize=(8, 10 if measured else 8), layout="constrained")
    losses, probabilities, samples, *quality = figure.subplots(4 if measured else 3, sharex=True)
    losses.plot(x, [row.d_loss for row in history], color="C0", label="d_loss")
    losses.plot(x, [row.g_loss for row in history], color="C1", label="g_loss")
    losses.axhline(2 * math.log(2), color="C0", ls="--", lw=1, label="2 ln 2: D is only guessing")
    losses.axhline(math.log(2), color="C1", ls="--", lw=1, label="ln 2: D is only guessing")
    losses.set(ylabel="loss", title="Losses, mean of the steps since the last point")
    losses.set_ylim(bottom=0)
    probabilities.plot(x, [row.p_real for row in history], color="C2", label="D(x), real images")
    probabilities.plot(x, [row.p_fake for row in history], color="C3", label="D(G(z)), fakes")
    probabilities.axhline(0.5, color="0.5", ls="--", lw=1, label="1/2: D is only guessing")
    probabilities.set(ylabel="probability", ylim=(0, 1))
    samples.plot(x, [row.spread for row in history], color="C4", label="spread of G's images")
    samples.axhline(real_spread, color="0.5", ls="--", lw=1, label="of real images")
    samples.set(ylabel="spread")
    samples.set_ylim(bottom=0)
    for axes in quality:
        axes.semilogy(*zip(*measured, strict=True), "o-", color="C5", label="JS: lower is better")
        axes.set(ylabel="JS, nats")
    every = (losses, probabilities, samples, *quality)
    every[-1].set(xlabel="epoch")
    every[-1].set_xlim(left=0)
    every[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
    for axes in every:
        axes.grid(alpha=0.3)
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    with atomic_write(path) as file:
        figure.savefig(file, format="png", dpi=120)
