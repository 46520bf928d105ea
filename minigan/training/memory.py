"""Does D judge images, or does it remember those that it was trained with?

D is right to call real images real, whether it has seen them or not.  A D that has learnt the
training images by heart calls these real and hesitates at the test images, which are as good.  G
then no longer learns what a digit looks like, and the kinds of digits that it draws become uneven.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from minigan.activations import sigmoid
from minigan.backend import Array
from minigan.conditional import picked
from minigan.data import Part, pixel_values
from minigan.training.collapse import PATIENCE
from minigan.training.history import HistoryRow
from minigan.training.run import Run

IMAGES = 1000  # of each kind that D is asked about after each epoch
REMEMBERS = 0.05  # D(training images) - D(test images) from which on D is said to remember


class Memory(NamedTuple):
    """D's mean answers, as probabilities; nan if they were not measured."""

    d_train: float = math.nan  # to training images
    d_test: float = math.nan  # to test images, which D has never seen


class MemoryCheck:
    """Asks D about the same training images and test images after each epoch.

    ``test`` has the images that D never sees.  ``train`` holds all training images, (N, n) uint8,
    on the device, and ``labels`` the numbers of their classes if the run is conditional.
    ``missing`` says why there are no test images to ask about, or is None.
    """

    def __init__(self, test: Part | None, train: Array, labels: Array | None, run: Run) -> None:
        self.gan = run.gan
        self.missing: str | None = None
        asarray = self.gan.discriminator.backend.asarray
        some = asarray(_spread_over(len(train)))
        self.train = train[some], None if labels is None else labels[some]
        if test is None:
            self.missing = "the data have no test images"
            return
        known = np.arange(len(test.images))
        if labels is not None:
            if test.labels is None:
                self.missing = "the test images have no labels"
                return
            known = known[np.isin(test.labels, run.classes)]
            if len(known) == 0:
                self.missing = "the test images have other labels than the training images"
                return
        where, numbers = known[_spread_over(len(known))], None
        if test.labels is not None and labels is not None:
            numbers = asarray(np.searchsorted(run.classes, test.labels[where]))
        self.test = asarray(test.images[where].reshape(len(where), -1)), numbers

    def measure(self) -> Memory:
        """Return D's mean answers now."""
        if self.missing is not None:
            return Memory()
        answers = [self._answer(*images).reshape(1) for images in (self.train, self.test)]
        backend = self.gan.discriminator.backend
        return Memory(*backend.to_numpy(np.concatenate(answers)).tolist())

    def _answer(self, images: Array, labels: Array | None) -> Array:
        D = self.gan.discriminator
        c = None if labels is None else self.gan.one_hot[labels]
        p = picked(D(pixel_values(images, D.dtype)), c)
        mean: Array = (D.backend.elementwise(sigmoid, p) if self.gan.logits else p).mean()
        return mean


def _spread_over(n: int) -> npt.NDArray[np.int64]:
    """Return where up to ``IMAGES`` of n images stand, at equal distances: files may be sorted."""
    return np.unique(np.linspace(0, n - 1, IMAGES).astype(np.int64))


def warning_of_memory(history: Sequence[HistoryRow], epoch: int, r1: float) -> str | None:
    """Return a warning if an epoch is the ``PATIENCE``-th in a row after which D remembers.

    For all other epochs the result is None.
    """
    answers = {row.epoch: row for row in history if row.epoch > epoch - PATIENCE - 1}
    remembers = [
        e in answers and answers[e].d_train - answers[e].d_test > REMEMBERS
        for e in range(epoch - PATIENCE, epoch + 1)
    ]
    if remembers[0] or not all(remembers[1:]):
        return None
    row = answers[epoch]
    advice = "a larger r1" if r1 > 0 else "the penalty r1, with the recipe averaged,"
    return (
        f"Warning: D remembers training images: its mean answer is {row.d_train:.2f} for them, and "
        f"{row.d_test:.2f} for test images.  The images will become less even: train for fewer "
        f"epochs, or try {advice} in a new run."
    )
