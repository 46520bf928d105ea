"""All measures of one trained generator, each beside its anchors: what ``minigan evaluate`` does.

The anchor of a figure is the same figure of real images, by the same code.  Three sets of MNIST's
images serve: as many training images as there are samples are the anchor, the other training images
fill the bins of NDB, and test images are what all other measures compare with.  The Parzen figure
has a second anchor, as many centroids of k-means, which beat real images: a warning.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from minigan.backend import Array
from minigan.checkpoint import atomic_write, load_checkpoint
from minigan.config import TrainConfig, check_whole
from minigan.data import load_mnist
from minigan.errors import InputError
from minigan.metrics import (
    NDB,
    Bins,
    Classes,
    Parzen,
    PrecisionRecall,
    beside_nearest,
    count_classes,
    frechet_distance,
    load_classifier,
    look,
    parzen,
    precision_recall,
)
from minigan.metrics.classes import check_labels
from minigan.metrics.distances import k_means
from minigan.metrics.ndb import BINS
from minigan.models import IMAGE_SIZE
from minigan.network import Sequential
from minigan.plotting import save_grid
from minigan.run_folder import CHECKPOINT
from minigan.sampling import find_generator, load_generator, unit_samples

SAMPLES = 10_000
VALIDATION = 10_000  # the last training images, of which the first 1000 choose Parzen's window
NEIGHBOURS = 32  # pairs in the picture
DIGITS_ONLY = (
    "note: the classifier knows digits only, so classes, Fréchet distance, precision and recall "
    "mean little here"
)


@dataclass(frozen=True)
class Figures:
    """What is measured of a set of images."""

    ndb: NDB
    classes: Classes
    frechet: float
    precision_recall: PrecisionRecall
    parzen: Parzen


@dataclass(frozen=True)
class Report:
    """A generator's figures, and what to read them by."""

    generator: Figures
    real: Figures  # as many training images
    centroids: Parzen  # as many centroids of k-means
    nearest: float  # from samples to their nearest training images, root mean square a pixel
    nearest_real: float  # the same from test images


class Evaluation:
    """The data and the classifier, ready to measure any number of generators.

    ``data`` is ``mnist`` or a folder, as in ``TrainConfig``; ``samples`` is how many images each
    generator draws.  Raises InputError for data or a classifier that cannot be used, and for fewer
    samples than NDB has bins or more than there are training images to compare with.
    """

    def __init__(
        self, data: str = "mnist", classifier: str | Path | None = None, samples: int = SAMPLES
    ) -> None:
        path = None if data == "mnist" else data
        (train, _), (test, self.test_labels) = (
            load_mnist(part, path=path) for part in ("train", "test")
        )
        if len(train) < VALIDATION + 2 * BINS:
            raise InputError(
                f"{data} has {len(train)} training images, expected {VALIDATION + 2 * BINS} at "
                f"least: {VALIDATION} to choose Parzen's window, the rest for bins and comparison"
            )
        check_labels(self.test_labels)
        self.samples = check_whole("--samples", samples, BINS, len(train) - VALIDATION - BINS)
        self.classifier: Sequential = load_classifier(classifier)
        self.train, self.test = (  # float32 in [0, 1]
            images.reshape(len(images), IMAGE_SIZE) / np.float32(255) for images in (train, test)
        )
        self.bins = Bins(self.train[samples:])
        self.test_features, _ = look(self.classifier, self.test * 2 - 1)

    def measure(self, images: Array) -> Figures:
        """All figures of images in [0, 1], (N, 784).  Raises InputError for too few of them."""
        features, probabilities = look(self.classifier, images * 2 - 1)
        return Figures(
            ndb=self.bins.compare(images),
            classes=count_classes(probabilities, self.test_labels),
            frechet=frechet_distance(features, self.test_features),
            precision_recall=precision_recall(self.test_features, features),
            parzen=self.parzen(images),
        )

    def parzen(self, images: Array) -> Parzen:
        """The Parzen figure of images in [0, 1], (N, 784)."""
        return parzen(images, self.test, self.train[-VALIDATION:][:1000])

    def real(self) -> Array:
        """As many training images: what a perfect generator would draw."""
        return self.train[: self.samples]

    def centroids(self) -> Array:
        """As many centroids of training images, after two rounds of k-means: averages."""
        images = self.train[:-VALIDATION]
        return k_means(images, self.samples, np.random.default_rng(0), iterations=2)


def evaluate(
    run: str | Path | None = None,
    samples: int = SAMPLES,
    seed: int = 0,
    classifier: str | Path | None = None,
    data: str | None = None,
    progress: Callable[[str], None] = lambda line: None,
) -> tuple[Report, Path]:
    """Measure the generator of a run, or the shipped one; the report, and the file it is in.

    ``run`` is a folder or a file in it; ``data`` is where the run's data now lies, if it moved.
    Writes ``metrics.json`` and the picture ``neighbours.png`` beside the generator; their names
    begin with the file's, unless it is ``checkpoint.npz``.

    Raises InputError for a run without a checkpoint, for a number of samples that cannot be
    measured, for a classifier that does not match, or for a folder that cannot be written into.
    """
    check_whole("--seed", seed, 0)
    check_whole("--samples", samples, BINS)
    source = find_generator(run)
    net = load_generator(source)
    data = data or TrainConfig.from_stored(load_checkpoint(source)[1]["config"], source).data
    folder = Path() if run is None else source.parent
    if not os.access(folder, os.W_OK):  # known before the work
        raise InputError(f"{folder.resolve()} is no folder that can be written into")
    prefix = "" if source.name == CHECKPOINT else f"{source.stem}_"
    if data != "mnist" and classifier is None:
        progress(DIGITS_ONLY)
    progress("sorting training images into bins ...")
    evaluation = Evaluation(data, classifier, samples)
    progress("measuring samples ...")
    images = unit_samples(net, samples, seed)
    ours = evaluation.measure(images)
    progress("measuring real training images, for comparison ...")
    real = evaluation.measure(evaluation.real())
    progress("measuring centroids of k-means ...")
    centroids = evaluation.parzen(evaluation.centroids())
    pairs, _ = beside_nearest(images[:NEIGHBOURS], evaluation.train)
    save_grid(folder / f"{prefix}neighbours.png", pairs * 2 - 1)
    _, nearest = beside_nearest(images[:1000], evaluation.train)
    _, nearest_real = beside_nearest(evaluation.test[:1000], evaluation.train)
    report = Report(ours, real, centroids, float(nearest.mean()), float(nearest_real.mean()))
    stored = {"generator": str(source), "samples": samples, "seed": seed, "data": data}
    file = folder / f"{prefix}metrics.json"
    with atomic_write(file) as stream:
        stream.write((json.dumps(_plain(stored | {"figures": report}), indent=2) + "\n").encode())
    return report, file


def table(report: Report) -> str:
    """The figures side by side, with what to read them by."""
    ours, real = report.generator, report.real
    rows: list[tuple[str, str, str, str]] = [("", "generator", "real images", "")]

    def row(name: str, pick: Callable[[Figures], str], note: str) -> None:
        rows.append((name, pick(ours), pick(real), note))

    row("NDB, bins that differ", lambda f: f"{f.ndb.different}", "of 100: lower is better")
    row("JS of the bins", lambda f: f"{f.ndb.js:.4f}", "lower is better")
    row("classes present", lambda f: f"{f.classes.present}", "of 10, each at least 1 %")
    row("KL of the classes", lambda f: f"{f.classes.kl:.3f}", "lower is better")
    row("confident", lambda f: f"{100 * f.classes.confident:.0f} %", "the classifier is sure")
    row("Fréchet distance", lambda f: f"{f.frechet:.1f}", "lower is better; no FID")
    row("precision", lambda f: f"{f.precision_recall.precision:.2f}", "are they good?")
    row("recall", lambda f: f"{f.precision_recall.recall:.2f}", "are all kinds drawn?")
    centroids = _plus_minus(report.centroids)
    note = f"higher is better, with care: centroids of k-means have {centroids}"
    row("Parzen log-likelihood", lambda f: _plus_minus(f.parzen), note)
    nearest = f"{report.nearest:.3f}", f"{report.nearest_real:.3f}"
    rows.append(("to nearest training image", *nearest, "real: test images; much nearer: copies"))
    lines = [f"{name:26}{a:>12}{b:>14}   {note}".rstrip() for name, a, b, note in rows]
    lines += ["", "digits, in %" + "".join(f"{k:6}" for k in range(len(ours.classes.shares)))]
    for name, figures in (("generator", ours), ("real images", real)):
        lines.append(f"{name:12}" + "".join(f"{100 * x:6.1f}" for x in figures.classes.shares))
    return "\n".join(lines)


def _plus_minus(result: Parzen) -> str:
    return f"{result.log_likelihood:.0f} ± {result.standard_error:.0f}"


def _plain(value: Any) -> Any:
    """For JSON: dataclasses and named tuples as objects, what is not finite as null."""
    if isinstance(value, Report | Figures):
        value = {name: getattr(value, name) for name in value.__dataclass_fields__}
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
