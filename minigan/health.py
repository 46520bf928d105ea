"""Is the training healthy?  Figures that show it, and the signs of a collapse.

Read every ``ROW_EVERY`` steps from what the training step has left behind: the gradients, and the
images that G now makes of the fixed z.  See docs/is-it-working.md for how to read them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from minigan.backend import Array
from minigan.gan import GAN
from minigan.network import Sequential

if TYPE_CHECKING:
    from minigan.history import HistoryRow

FIRST_STEPS = 1000
PATIENCE = 3  # epochs with a sign of collapse, until it is called one
PAGE = "docs/is-it-working.md"


class Health(NamedTuple):
    """Figures of one moment."""

    spread: float  # how much images of different z differ: see ``spread``
    d_grad_1: float  # norm of the gradient of each layer with parameters, in order; with batch
    d_grad_2: float  # normalisation, of a Linear and its BatchNorm1d together
    d_grad_3: float
    d_grad_4: float
    g_grad_1: float
    g_grad_2: float
    g_grad_3: float
    g_grad_4: float


def health(gan: GAN, fixed_z: Array) -> Health:
    """The figures after a training step; ``fixed_z`` is (N, latent_dim)."""
    images = gan.generator(gan.generator.backend.asarray(fixed_z))
    figures = [spread(images), *_squares(gan.discriminator), *_squares(gan.generator)]
    values = gan.generator.backend.to_numpy(np.concatenate([f.reshape(1) for f in figures]))
    return Health(float(values[0]), *np.sqrt(values[1:]).tolist())


def spread(images: Array) -> Array:
    """How much the images (N, 784) differ: a pixel's standard deviation, mean over the pixels.

    MNIST in [-1, 1] has 0.39, its first 1000 images, which a run compares its own with, 0.38;
    images that are all alike have 0.
    """
    centred = images - images.mean(axis=0)
    return np.sqrt((centred * centred).mean(axis=0)).mean()  # type: ignore[no-any-return]


def _squares(net: Sequential) -> list[Array]:
    """|gradient|² of each Linear with what belongs to it, on the device."""
    sums: list[Array] = []
    for name, _, gradient in net.named_parameters():
        square = (gradient * gradient).sum()
        if name.endswith(".W"):
            sums.append(square)
        else:
            sums[-1] = sums[-1] + square
    return sums


def warning_of_collapse(
    history: Sequence[HistoryRow], epoch: int, real_spread: float
) -> str | None:
    """A line of warning if an epoch is the ``PATIENCE``-th in a row with a sign of collapse.

    One or two such epochs are common and pass: so the line comes once, when it is time to worry.
    """
    signs = [sign_of_collapse(history, epoch - k, real_spread) for k in range(PATIENCE + 1)]
    if signs[-1] is not None or None in signs[:-1]:
        return None
    return f"Warning: {PATIENCE} epochs with signs of collapse; {signs[0]}: see {PAGE}"


def sign_of_collapse(history: Sequence[HistoryRow], epoch: int, real_spread: float) -> str | None:
    """What is wrong with the means over an epoch, in words; None if nothing is.

    The first thousand steps are not judged: to an untrained G, all z are alike.
    """
    rows = [row for row in history if row.epoch == epoch and row.step > FIRST_STEPS]
    if not rows:
        return None
    g_loss, p_real, p_fake, alike = np.mean(
        [(row.g_loss, row.p_real, row.p_fake, row.spread) for row in rows], axis=0
    ).tolist()
    if p_real > 0.99 and p_fake > 0.99:  # rounded to 1, Sigmoid has the gradient 0 for good
        return f"D takes every image for real (D(x) {p_real:.3f}, D(G(z)) {p_fake:.3f})"
    if p_real < 0.01 and p_fake < 0.01:
        return f"D takes every image for fake (D(x) {p_real:.3f}, D(G(z)) {p_fake:.3f})"
    if p_real > 0.99 and p_fake < 0.01:
        return f"D is certain of every image (D(x) {p_real:.3f}, D(G(z)) {p_fake:.3f})"
    if g_loss > 7:
        return f"G no longer deceives D (g_loss {g_loss:.1f}, 0.7 if D were only guessing)"
    if alike < real_spread / 4:
        return f"G's images are nearly alike (spread {alike:.2f}, of real images {real_spread:.2f})"
    return None
