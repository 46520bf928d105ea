"""The figures of a generator, and the anchors beside them.

The anchor of a figure is the same figure of real images, computed by the same code.  The images
serve in three sets: the anchor is as many training images as there are samples, the other training
images fill the bins of NDB, and all other measures compare with the test images.  The Parzen figure
has a second anchor, as many centroids of k-means.  They score better than real images, which is a
warning about this figure.

NDB, JS, Parzen and neighbours look at pixels alone, and can be had for images of any kind and size.
The other figures, which look through the digit classifier, are left out for all data but MNIST,
unless another classifier is given.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from minigan.backend import Array
from minigan.data import MNIST, Dataset, Part, load_images
from minigan.errors import InputError, check_whole, counted
from minigan.evaluation.asked import Asked, AskedCheck
from minigan.metrics import (
    NDB,
    Bins,
    Classes,
    Parzen,
    PrecisionRecall,
    count_classes,
    features_and_probabilities,
    frechet_distance,
    load_classifier,
    parzen_log_likelihood,
    precision_and_recall,
)
from minigan.metrics.classes import check_labels
from minigan.metrics.distances import k_means
from minigan.metrics.ndb import bins_for
from minigan.metrics.pixels import most_images
from minigan.models import IMAGE_SIZE
from minigan.network import Sequential
from minigan.training import SAMPLE_COUNT, unit_samples

VALIDATION = 6  # of so many training images one is kept to choose Parzen's window
LEAST = 40  # training images
TESTS = 10_000  # test images at most
DIGITS_ONLY = (
    "note: the classifier knows MNIST's digits only, so classes, confidence, Fréchet distance, "
    "precision and recall are left out for these images"
)
NO_TEST = "note: there are no test images, so what is compared with them is left out"


@dataclass(frozen=True)
class Figures:
    """The figures of a set of images; None for what cannot be measured on the data."""

    ndb: NDB
    classes: Classes | None = None
    frechet: float | None = None
    precision_recall: PrecisionRecall | None = None
    parzen: Parzen | None = None


@dataclass(frozen=True)
class Report:
    """A generator's figures, and the figures to compare them with."""

    generator: Figures
    real: Figures  # figures of as many training images
    centroids: Parzen | None  # Parzen figure of as many centroids of k-means
    nearest: float  # mean distance of samples to their nearest training images
    nearest_real: float | None  # the same for test images instead of samples
    asked: Asked | None = None  # of a conditional generator for digits
    asked_real: Asked | None = None  # of real images with their labels


class Evaluation:
    """The data and the classifier, ready to measure any number of generators.

    ``data`` is a data set, or what ``load_images`` takes; ``samples`` is the number of images that
    each generator draws: if None, 10,000, or half as many as there are training images.
    ``classifier`` is the file of a digit classifier in place of the package's, for images of
    28 x 28 that show digits.  ``notes`` are sentences on what is left out.  Raises InputError for
    data or a classifier that cannot be used, for fewer samples than NDB has bins, and for more
    samples than there are training images to compare with.
    """

    def __init__(
        self,
        data: Dataset | str = MNIST,
        classifier: str | Path | None = None,
        samples: int | None = SAMPLE_COUNT,
    ) -> None:
        if isinstance(data, str):
            data = load_images(data)
        self.train, self.train_labels = _measured(data, data.train)
        self.test = self.test_labels = None
        if data.test is not None:
            self.test, self.test_labels = _measured(data, data.test)
        self.notes = [] if self.test is not None else [NO_TEST]
        self.check: AskedCheck | None = None  # of the digits, if these are digits
        if data.digits or classifier is not None:
            self.check = self._check(classifier)
        else:
            self.notes.append(DIGITS_ONLY)
        self.samples, bins = samples_and_bins(len(self.train), samples)
        self.bins = Bins(self.train[self.samples :], bins)

    def _check(self, file: str | Path | None) -> AskedCheck:
        """Return the classifier with the test images; InputError unless it can look at these."""
        classifier = load_classifier(file)
        if self.train.shape[1] != IMAGE_SIZE or self.test is None or self.test_labels is None:
            raise InputError(
                f"`classifier` {file} looks at images of 28 x 28, grey, and needs test images with "
                "labels, which these data do not have"
            )
        check_labels(self.test_labels)
        return AskedCheck(classifier, self.test, self.test_labels)

    def measure(self, images: Array) -> Figures:
        """Return all figures of images in [0, 1], (N, n); InputError if there are too few."""
        figures = Figures(ndb=self.bins.compare(images), parzen=self.parzen(images))
        if self.check is None:
            return figures
        features, probabilities = features_and_probabilities(self.check.classifier, images * 2 - 1)
        return replace(
            figures,
            classes=count_classes(probabilities, self.check.test_labels),
            frechet=frechet_distance(features, self.check.test_features),
            precision_recall=precision_and_recall(self.check.test_features, features),
        )

    def parzen(self, images: Array) -> Parzen | None:
        """Return the Parzen figure of images in [0, 1], (N, n); None without test images."""
        if self.test is None:
            return None
        return parzen_log_likelihood(images, self.test, self.train[-self.validation :][:1000])

    @property
    def validation(self) -> int:
        """How many of the last training images are kept; up to 1000 choose Parzen's window."""
        return len(self.train) // VALIDATION

    def asked(self, net: Sequential, classes: tuple[int, ...], seed: int) -> tuple[Asked, Asked]:
        """Return whether a conditional generator draws what it is asked for, and real images do.

        It draws as many images as there are training images.  ``classes`` are the labels that it
        knows, from 0 to 9.  Raises InputError without a classifier or without labels.
        """
        if self.check is None or self.train_labels is None:
            raise InputError("there is no classifier for these images, or they have no labels")
        n = len(self.train)
        labels = np.array(classes)[np.arange(n) % len(classes)]
        generated = self.check.measure(unit_samples(net, n, seed, len(classes)), labels)
        return generated, self.check.measure(self.train, self.train_labels, real=True)

    def real(self) -> Array:
        """Return as many training images as samples: what a perfect generator would draw."""
        return self.train[: self.samples]

    def centroids(self) -> Array:
        """Return as many averages of training images: centroids after two rounds of k-means."""
        images = self.train[: -self.validation]
        return k_means(images, self.samples, np.random.default_rng(0), iterations=2)


def samples_and_bins(images: int, samples: int | None = None) -> tuple[int, int]:
    """Return how many samples are drawn, and how many bins the other training images fill.

    ``images`` is the number of training images that are measured.  If ``samples`` is None, it
    becomes 10,000, or half of them.  Raises InputError for too few images, and for too few or too
    many samples.
    """
    if images < LEAST:
        raise InputError(
            f"there are {counted(images, 'training image')} to measure with, expected at least "
            f"{LEAST}: some fill bins, and others are compared with them"
        )
    if samples is None:
        samples = min(SAMPLE_COUNT, images // 2)
    most = images - images // VALIDATION - bins_for(images // 2)
    check_whole("samples", samples, 1, most)
    bins = bins_for(max(LEAST // 2, images - samples))
    return check_whole("samples", samples, bins), bins


def _measured(data: Dataset, part: Part) -> tuple[Array, Any]:
    """Return images of a data set as rows, float32 in [0, 1], and their labels: those to measure.

    These are at most as many numbers as MNIST has.  MNIST keeps its order, in which figures were
    published; other images come in random order, because files may be sorted by class.
    """
    images, labels = part
    most = most_images(math.prod(data.shape))
    if data.digits:
        where = np.arange(len(images))
    else:
        where = np.random.default_rng(0).permutation(len(images))[:most]
    if part is not data.train:
        where = where[:TESTS]
    rows = images[where].reshape(len(where), -1) / np.float32(255)
    return rows, None if labels is None else labels[where]
