"""The pictures of a run: image grids, and curves of how the training went.

Each function returns the content of a file.  Matplotlib and Pillow are imported only when something
is drawn.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from minigan.backend import Array
from minigan.machine.files import atomic_write
from minigan.training.memory import REMEMBERS
from minigan.training.run import MNIST_SHAPE

POINTS = 500  # of a curve at most: more than the picture has pixels for
# d_loss and g_loss, as cross-entropy, of a D that only guesses
GUESSING = [("2 ln 2", 2 * math.log(2)), ("ln 2", math.log(2))]
SIDE = 56  # pixels of an image in a picture, about, so that it is large enough to see
WHOLE = 480  # pixels of a picture of few images, about


def image_grid(
    images: Array, nrow: int = 8, padding: int = 2, shape: tuple[int, ...] = MNIST_SHAPE
) -> npt.NDArray[np.float32]:
    """Return images as one picture, float32 in [0, 1]: (H, W), or (H, W, 3) in colour.

    Images are (N, n), each of the shape (h, w) or (h, w, 3) that is given, or (N, *shape).  The
    picture has ``nrow`` images in a row, with ``padding`` black pixels between and around them.
    The values are stretched so that the smallest value of all images becomes 0 and the largest
    becomes 1.  The result equals (one channel of)
    ``torchvision.utils.make_grid(images, nrow, padding, normalize=True)``.
    """
    if not len(images):
        raise ValueError("there are no images, expected at least one")
    if np.size(images) != len(images) * math.prod(shape):
        raise ValueError(f"images have shape {np.shape(images)}, expected each to be {shape}")
    x = np.asarray(images, np.float32).reshape(len(images), *shape)
    if not np.isfinite(x).all():
        raise ValueError("images hold numbers that are not finite")
    low, high = float(x.min()), float(x.max())
    x = (x - low) / max(high - low, 1e-5)
    columns = min(nrow, len(x))
    rows, (h, w, *channels) = math.ceil(len(x) / columns), shape
    size = rows * (h + padding) + padding, columns * (w + padding) + padding
    grid = np.zeros((*size, *channels), np.float32)
    for i, image in enumerate(x):
        top, left = i // columns * (h + padding) + padding, i % columns * (w + padding) + padding
        grid[top : top + h, left : left + w] = image
    return grid


def scale_of(shape: tuple[int, ...]) -> int:
    """Return how many times as large images of this shape are drawn: 2 for 28 x 28, 7 for 8 x 8."""
    return max(1, round(SIDE / max(shape[:2])))


def _scale_of_grid(size: tuple[int, ...], shape: tuple[int, ...]) -> int:
    """Return how many times as large a grid of this size is drawn: more if it has few images."""
    return max(scale_of(shape), round(WHOLE / max(size[:2])))


def grid_png(
    images: Array, nrow: int = 8, shape: tuple[int, ...] = MNIST_SHAPE, scale: int | None = None
) -> bytes:
    """Return an image grid as a PNG file, each pixel as a square.

    The side of the square is ``scale``, or else ``scale_of(shape)``, or more if images are few.
    """
    from PIL import Image

    pixels = np.rint(image_grid(images, nrow, shape=shape) * 255).astype(np.uint8)
    file, scale = io.BytesIO(), scale or _scale_of_grid(pixels.shape, shape)
    Image.fromarray(pixels.repeat(scale, 0).repeat(scale, 1)).save(file, "PNG")
    return file.getvalue()


def save_grid(
    path: str | Path, images: Array, nrow: int = 8, shape: tuple[int, ...] = MNIST_SHAPE
) -> None:
    """Write images, (N, n) or ``(N, *shape)``, as a PNG file with ``nrow`` of them in a row.

    ``shape`` is that of each image: (h, w), or (h, w, 3) in colour.  The values are stretched as in
    ``image_grid``.  The file is never half written.  Raises ValueError if there are no images, or
    if they have another shape, and OSError if the file cannot be written.
    """
    content = grid_png(images, nrow, shape)
    with atomic_write(Path(path)) as file:
        file.write(content)


@contextlib.contextmanager
def plain_matplotlib() -> Iterator[None]:
    """Inside the block, Matplotlib has its own settings, whatever the user's files and shell say.

    Jupyter names a backend in MPLBACKEND that need not be installed, and a matplotlibrc may ask for
    LaTeX; a run's curves need neither.
    """
    settings = {"MPLBACKEND": "agg", "MATPLOTLIBRC": os.devnull}  # both are read by the import
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        import matplotlib
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value
    own = {
        name: value
        for name, value in matplotlib.rcParamsDefault.items()
        if not name.startswith("backend")
    }
    with matplotlib.rc_context(own):
        yield


def curves_png(
    history: Sequence[Any], steps_per_epoch: int, real_spread: float, squared: bool = False
) -> bytes:
    """Draw the losses, D(x) and D(G(z)), the spread of G's images, and JS, over the epochs.

    Dashed lines show where a discriminator that is only guessing would be: d_loss at 2 ln 2, g_loss
    at ln 2, both probabilities at 1/2; with the squared error (``squared``) the losses are at 1/2
    and 1/4, and what D answers is no probability.  Another dashed line shows the spread of real
    images, and dotted ones show where the learning rate changed.  What D remembers of its training
    images and JS are drawn in plots of their own if they were measured.  Of a long history, each
    point is the mean of several rows.
    """
    group = math.ceil(len(history) / POINTS) or 1
    points = [history[start : start + group] for start in range(0, len(history), group)]
    x = [point[-1].step / steps_per_epoch for point in points]
    names = ("d_loss", "g_loss", "p_real", "p_fake", "spread")
    curves = [
        [float(np.mean([getattr(row, name) for row in point])) for point in points]
        for name in names
    ]
    memory = [(h.step / steps_per_epoch, h.d_train - h.d_test) for h in history]
    js = [(h.step / steps_per_epoch, h.js) for h in history]
    lrs = [
        (before.step / steps_per_epoch, after.lr)
        for before, after in itertools.pairwise(history)
        if before.lr != after.lr
    ]
    with plain_matplotlib():
        return _drawn(x, curves, _measured(memory), _measured(js), lrs, real_spread, squared)


def _measured(pairs: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the points that were measured, at most ``POINTS`` of them."""
    points = [point for point in pairs if not math.isnan(point[1])]
    return points[:: math.ceil(len(points) / POINTS) or 1]


def _drawn(
    x: list[float],
    curves: list[list[float]],
    memory: list[tuple[float, float]],
    js: list[tuple[float, float]],
    lrs: list[tuple[float, float]],
    real_spread: float,
    squared: bool,
) -> bytes:
    from matplotlib.figure import Figure  # no pyplot: no window and no global state
    from matplotlib.ticker import MaxNLocator

    d_loss, g_loss, p_real, p_fake, spread = curves
    plots = 3 + bool(memory) + bool(js)
    figure = Figure(figsize=(8, 2 + 2 * plots), layout="constrained")
    losses, probabilities, samples, *others = figure.subplots(plots, sharex=True)
    losses.plot(x, d_loss, color="C0", label="d_loss: how wrong D is")
    losses.plot(x, g_loss, color="C1", label="g_loss: how surely D spots fakes")
    guessing = [("1/2", 0.5), ("1/4", 0.25)] if squared else GUESSING
    for (name, value), color in zip(guessing, ("C0", "C1"), strict=True):
        losses.axhline(value, color=color, ls="--", lw=1, label=f"{name}: D is only guessing")
    losses.set(ylabel="loss", title="The losses of D and G, means since the last point")
    losses.set_ylim(bottom=0)
    probabilities.plot(x, p_real, color="C2", label="D(x), real images")
    probabilities.plot(x, p_fake, color="C3", label="D(G(z)), fakes")
    probabilities.axhline(0.5, color="0.5", ls="--", lw=1, label="1/2: D is only guessing")
    if squared:
        probabilities.set(ylabel="D's answer", title="What D answers: 1 for real, 0 for fake")
    else:
        probabilities.set(ylabel="probability", ylim=(0, 1))
        probabilities.set_title("How probable D finds it that an image is real")
    samples.plot(x, spread, color="C4", label="spread of G's images")
    samples.axhline(real_spread, color="0.5", ls="--", lw=1, label="of real images")
    samples.set(ylabel="spread of the pixels", title="How much G's images differ: 0 is all alike")
    samples.set_ylim(bottom=0)
    every = (losses, probabilities, samples, *others)
    for where, lr in _measured(lrs):
        for axes in every:
            label = f"from here on lr {lr:g}" if axes is losses else None
            axes.axvline(where, color="0.3", ls=":", lw=1, label=label)
    if memory:
        axes = others.pop(0)
        style = ".-" if len(memory) <= 100 else "-"
        axes.plot(
            *zip(*memory, strict=True), style, color="C6", label="D(x), training - test images"
        )
        axes.axhline(REMEMBERS, color="0.5", ls="--", lw=1, label="above: D remembers")
        axes.set(ylabel="difference", title="What D remembers of the images it was trained with")
    for axes in others:
        axes.semilogy(*zip(*js, strict=True), "o-", color="C5", label="JS: lower is better")
        axes.set(ylabel="JS, nats", title="How unevenly G draws the kinds of images")
    every[-1].set(xlabel="epoch: once through all training images")
    every[-1].set_xlim(left=0)
    every[-1].xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    for axes in every:
        axes.grid(alpha=0.3)
        axes.title.set_fontsize("medium")
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=120)
    return content.getvalue()
