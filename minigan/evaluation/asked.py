"""Does a conditional generator draw the digit that it was asked for?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from minigan.backend import Array
from minigan.machine.files import atomic_write
from minigan.metrics import accuracy_score, features_and_probabilities, frechet_distance
from minigan.metrics.cas import Labels
from minigan.metrics.classifier import CLASSES
from minigan.network import Sequential
from minigan.training.pictures import plain_matplotlib

DIGITS = tuple(map(str, range(CLASSES)))


@dataclass(frozen=True)
class Asked:
    """The figures of images with labels."""

    share: float  # of the images that the classifier reads as their labels say
    confusion: tuple[tuple[int, ...], ...]  # a row for each label, a column for what is read
    frechet: tuple[float | None, ...]  # distance to the test images of each digit
    score: float  # see ``minigan.metrics.cas``


class AskedCheck:
    """The test images and the classifier, ready to measure images with labels from 0 to 9."""

    def __init__(self, classifier: Sequential, test: Array, test_labels: Labels) -> None:
        self.classifier, self.test, self.test_labels = classifier, test, test_labels
        self.test_features, _ = features_and_probabilities(classifier, test * 2 - 1)

    def measure(self, images: Array, labels: Labels, real: bool = False) -> Asked:
        """Return the figures of images in [0, 1], (N, 784).

        ``real`` says that they are training images.  The classifier has learnt to read these, so
        the test images, which are new to it, are read in their place.
        """
        features, probabilities = features_and_probabilities(self.classifier, images * 2 - 1)
        read, asked = probabilities.argmax(axis=1), labels
        if real:
            _, probabilities = features_and_probabilities(self.classifier, self.test * 2 - 1)
            read, asked = probabilities.argmax(axis=1), self.test_labels
        confusion = np.zeros((CLASSES, CLASSES), int)
        np.add.at(confusion, (asked, read), 1)

        def distance(digit: int) -> float | None:
            some, real = features[labels == digit], self.test_features[self.test_labels == digit]
            return frechet_distance(some, real) if min(len(some), len(real)) > 1 else None

        return Asked(
            share=float((read == asked).mean()),
            confusion=tuple(map(tuple, confusion.tolist())),
            frechet=tuple(map(distance, range(CLASSES))),
            score=accuracy_score(images, labels, self.test, self.test_labels),
        )


def save_confusion(path: Path, asked: Asked, called: Sequence[str] = DIGITS) -> None:
    """Draw how often each digit that was asked for was read as each other one, as a PNG file.

    ``called`` is what each digit is called.
    """
    with plain_matplotlib():
        from matplotlib.figure import Figure

        counts = np.array(asked.confusion)
        mistakes = counts * (1 - np.eye(CLASSES, dtype=int))
        figure = Figure(figsize=(5, 5), layout="constrained")
        axes = figure.subplots()
        axes.imshow(mistakes, cmap="Blues", vmax=1.5 * mistakes.max() + 1)
        for row, column in np.ndindex(CLASSES, CLASSES):
            text = str(counts[row, column] or "")
            color = "0.55" if row == column else "black"
            axes.text(column, row, text, ha="center", va="center", fontsize=9, color=color)
        digits = range(CLASSES)
        long = max(map(len, called)) > 2
        axes.set_xticks(digits, called, rotation=90 if long else 0, parse_math=False)
        axes.set_yticks(digits, called, parse_math=False)
        axes.set(xlabel="digit that the classifier reads", ylabel="digit that G was asked for")
        axes.set_title(f"the digit asked for is drawn in {100 * asked.share:.1f} %")
        with atomic_write(path) as file:
            figure.savefig(file, format="png", dpi=100)
