"""All measures of one trained generator, each beside its anchors: what ``minigan evaluate`` does.

The anchor of a figure is the same figure of real images, computed by the same code.  MNIST's images
serve in three sets: the anchor is as many training images as there are samples, the other training
images fill the bins of NDB, and all other measures compare with the test images.  The Parzen figure
has a second anchor, as many centroids of k-means.  They score better than real images, which is a
warning about this figure.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from minigan.backend import Array
from minigan.data import MNIST, load_data
from minigan.errors import InputError, check_whole, counted
from minigan.evaluation.asked import Asked, AskedCheck, save_confusion
from minigan.machine.files import atomic_write
from minigan.metrics import (
    NDB,
    Bins,
    Classes,
    Parzen,
    PrecisionRecall,
    beside_nearest,
    count_classes,
    features_and_probabilities,
    frechet_distance,
    load_classifier,
    parzen_log_likelihood,
    precision_and_recall,
)
from minigan.metrics.classes import check_labels
from minigan.metrics.classifier import CLASSES
from minigan.metrics.distances import k_means
from minigan.metrics.ndb import BINS
from minigan.models import IMAGE_SIZE
from minigan.network import Sequential
from minigan.training import SAMPLE_COUNT, find_generator, save_grid, stored_generator, unit_samples
from minigan.training.folder import CHECKPOINT

VALIDATION = 10_000  # the last training images; the first 1000 of them choose Parzen's window
NEIGHBOURS = 32  # pairs in the picture
RUNS = Path("runs")  # where minigan train puts new runs; a report without a run goes there, too
# The parts of an evaluation, and how many per cent of its time are over when each of them begins.
CLASSIFIERS = "training classifiers on samples and on real images"  # of a conditional run only
PARTS = {
    "sorting training images into bins": 0,
    "measuring samples": 10,
    "measuring real images": 30,
    "measuring centroids of k-means": 52,
    "finding nearest training images": 95,
    CLASSIFIERS: 97,
}
DIGITS_ONLY = (
    "note: the classifier knows digits only, so classes, Fréchet distance, precision and recall "
    "mean little here"
)


@dataclass(frozen=True)
class Figures:
    """The figures of a set of images."""

    ndb: NDB
    classes: Classes
    frechet: float
    precision_recall: PrecisionRecall
    parzen: Parzen


@dataclass(frozen=True)
class Report:
    """A generator's figures, and the figures to compare them with."""

    generator: Figures
    real: Figures  # figures of as many training images
    centroids: Parzen  # Parzen figure of as many centroids of k-means
    nearest: float  # mean distance of samples to their nearest training images
    nearest_real: float  # the same for test images instead of samples
    asked: Asked | None = None  # of a conditional generator for digits
    asked_real: Asked | None = None  # of real images with their labels


class Evaluation:
    """The data and the classifier, ready to measure any number of generators.

    ``data`` is ``mnist`` or a folder, as in ``TrainConfig``; ``samples`` is the number of images
    that each generator draws.  Raises InputError for data or a classifier that cannot be used, for
    fewer samples than NDB has bins, and for more samples than there are training images to compare
    with.
    """

    def __init__(
        self,
        data: str = MNIST,
        classifier: str | Path | None = None,
        samples: int = SAMPLE_COUNT,
    ) -> None:
        train, self.train_labels = load_data(data, "train")
        test, self.test_labels = load_data(data, "test")
        if len(train) < VALIDATION + 2 * BINS:
            raise InputError(
                f"{data} has {counted(len(train), 'training image')}, expected at least "
                f"{VALIDATION + 2 * BINS}: {VALIDATION} to choose Parzen's window, the rest for "
                "bins and comparison"
            )
        check_labels(self.test_labels)
        self.samples = check_whole("samples", samples, BINS, len(train) - VALIDATION - BINS)
        self.classifier: Sequential = load_classifier(classifier)
        self.train, self.test = (  # float32 in [0, 1]
            images.reshape(len(images), IMAGE_SIZE) / np.float32(255) for images in (train, test)
        )
        self.bins = Bins(self.train[samples:])
        self.test_features, _ = features_and_probabilities(self.classifier, self.test * 2 - 1)

    def measure(self, images: Array) -> Figures:
        """Return all figures of images in [0, 1], (N, 784); InputError if there are too few."""
        features, probabilities = features_and_probabilities(self.classifier, images * 2 - 1)
        return Figures(
            ndb=self.bins.compare(images),
            classes=count_classes(probabilities, self.test_labels),
            frechet=frechet_distance(features, self.test_features),
            precision_recall=precision_and_recall(self.test_features, features),
            parzen=self.parzen(images),
        )

    def parzen(self, images: Array) -> Parzen:
        """Return the Parzen figure of images in [0, 1], (N, 784)."""
        return parzen_log_likelihood(images, self.test, self.train[-VALIDATION:][:1000])

    def asked(self, net: Sequential, classes: tuple[int, ...], seed: int) -> tuple[Asked, Asked]:
        """Return whether a conditional generator draws what it is asked for, and real images do.

        It draws as many images as there are training images.  ``classes`` are the labels that it
        knows, from 0 to 9.
        """
        check = AskedCheck(self.classifier, self.test, self.test_labels)
        n = len(self.train)
        labels = np.array(classes)[np.arange(n) % len(classes)]
        generated = check.measure(unit_samples(net, n, seed, len(classes)), labels)
        return generated, check.measure(self.train, self.train_labels, real=True)

    def real(self) -> Array:
        """Return as many training images as samples: what a perfect generator would draw."""
        return self.train[: self.samples]

    def centroids(self) -> Array:
        """Return as many averages of training images: centroids after two rounds of k-means."""
        images = self.train[:-VALIDATION]
        return k_means(images, self.samples, np.random.default_rng(0), iterations=2)


def write_report(
    run: str | Path | None = None,
    samples: int = SAMPLE_COUNT,
    seed: int = 0,
    classifier: str | Path | None = None,
    data: str | None = None,
    progress: Callable[[str], None] = lambda line: None,
) -> tuple[Report, Path]:
    """Measure the generator of a run, or the shipped one; return the report and its file.

    ``run`` is a folder or a file in it; ``data`` is where the run's data lies now, if it has moved.
    The report is written to ``metrics.json``, with the picture ``neighbours.png`` beside it, and
    ``confusion.png`` for a conditional run, in the folder of the run, or in the folder ``runs`` for
    the shipped generator; all names begin with the name of the generator's file, unless that is
    ``checkpoint.npz``.  ``progress`` is called
    with the name of each of the ``PARTS`` when it begins, and with remarks.

    Raises InputError for a run without a checkpoint, for a number of samples that cannot be
    measured, for a classifier that does not match, or for a folder that cannot be written into.
    """
    check_whole("seed", seed, 0)
    check_whole("samples", samples, BINS)
    source = find_generator(run)
    net, config, classes = stored_generator(source)
    data = data or config.data
    folder = RUNS if run is None else source.parent
    there = folder if run is not None or os.path.lexists(folder) else Path()
    if not (there.is_dir() and os.access(there, os.W_OK)):  # checked before the long work begins
        raise InputError(f"{there.resolve()} is not a folder that can be written into")
    prefix = "" if source.name == CHECKPOINT else f"{source.stem}_"
    if data != MNIST and classifier is None:
        progress(DIGITS_ONLY)
    parts = iter(PARTS)
    progress(next(parts))
    evaluation = Evaluation(data, classifier, samples)
    progress(next(parts))
    images = unit_samples(net, samples, seed, len(classes))
    generated = evaluation.measure(images)
    progress(next(parts))
    real = evaluation.measure(evaluation.real())
    progress(next(parts))
    centroids = evaluation.parzen(evaluation.centroids())
    progress(next(parts))
    pairs, _ = beside_nearest(images[:NEIGHBOURS], evaluation.train)
    if run is None:
        folder.mkdir(exist_ok=True)
    save_grid(folder / f"{prefix}neighbours.png", pairs * 2 - 1)
    _, nearest = beside_nearest(images[:1000], evaluation.train)
    _, nearest_real = beside_nearest(evaluation.test[:1000], evaluation.train)
    report = Report(generated, real, centroids, float(nearest.mean()), float(nearest_real.mean()))
    if classes and max(classes) < CLASSES:
        progress(CLASSIFIERS)
        asked, asked_real = evaluation.asked(net, classes, seed)
        report = replace(report, asked=asked, asked_real=asked_real)
        save_confusion(folder / f"{prefix}confusion.png", asked)
    stored = {"generator": str(source), "samples": samples, "seed": seed, "data": data}
    file = folder / f"{prefix}metrics.json"
    with atomic_write(file) as stream:
        stream.write((json.dumps(_plain(stored | {"figures": report}), indent=2) + "\n").encode())
    return report, file


def _plain(value: Any) -> Any:
    """Return a value for JSON: dataclasses and named tuples as dicts, nan and infinity as None."""
    if isinstance(value, Report | Figures | Asked):
        value = {name: getattr(value, name) for name in value.__dataclass_fields__}
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
