"""All measures of one trained generator, each beside its anchors: what ``minigan evaluate`` does.

Samples are held against the test images, which neither the generator nor the bins of NDB have seen.
The anchor of each figure comes from the same code, with real training images in place of samples;
the Parzen figure has a second one, as many centroids of k-means, which beat real images: a warning.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
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
from minigan.metrics.distances import k_means
from minigan.models import IMAGE_SIZE
from minigan.network import Sequential
from minigan.plotting import save_grid
from minigan.sampling import draw_samples, find_generator, load_generator

SAMPLES = 10_000
VALIDATION = 10_000  # the last training images, of which the first 1000 choose Parzen's window
NEIGHBOURS = 32  # pairs in the picture


@dataclass(frozen=True)
class Figures:
    """What is measured of a set of images."""

    ndb: NDB
    classes: Classes
    frechet: float
    precision_recall: PrecisionRecall
    parzen: Parzen


class Evaluation:
    """The data and the classifier, ready to measure any number of generators.

    ``data`` is ``mnist`` or a folder, as in ``TrainConfig``.  Raises InputError for data or a
    classifier that cannot be used.
    """

    def __init__(self, data: str = "mnist", classifier: str | Path | None = None) -> None:
        path = None if data == "mnist" else data
        (train, _), (test, self.test_labels) = (
            load_mnist(part, path=path) for part in ("train", "test")
        )
        self.train, self.test = (  # float32 in [0, 1]
            images.reshape(len(images), IMAGE_SIZE) / np.float32(255) for images in (train, test)
        )
        if len(self.train) <= VALIDATION:
            raise InputError(
                f"{data} has {len(self.train)} training images: the last {VALIDATION} choose "
                "Parzen's window, so there must be more"
            )
        self.classifier: Sequential = load_classifier(classifier)
        self.bins = Bins(self.train)
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

    def real(self, n: int) -> Array:
        """The first n training images: what a perfect generator would draw."""
        return self.train[: min(n, len(self.train) - VALIDATION)]

    def centroids(self, n: int) -> Array:
        """n centroids of training images, after two rounds of k-means: averages, no digits."""
        images = self.real(len(self.train))
        return k_means(images, min(n, len(images)), np.random.default_rng(0), iterations=2)


def evaluate(
    run: str | Path,
    samples: int = SAMPLES,
    seed: int = 0,
    classifier: str | Path | None = None,
    progress: Callable[[str], None] = lambda line: None,
) -> tuple[Figures, Figures, Parzen]:
    """Measure the generator of a run: its figures, those of as many real training images, and the
    Parzen figure of as many centroids of k-means.

    ``run`` is a folder or a file in it.  Writes ``metrics.json`` and the picture ``neighbours.png``
    into the folder.  Raises
    InputError for a run without a checkpoint, for too few samples, for a classifier that does not
    match.
    """
    source = find_generator(run)
    check_whole("--samples", samples, 1)
    check_whole("--seed", seed, 0)
    net = load_generator(source)
    data = TrainConfig.from_stored(load_checkpoint(source)[1]["config"], source).data
    progress("drawing samples, sorting training images into bins ...")
    z = np.random.default_rng(seed).standard_normal((samples, net.n_in or 1))
    images = (draw_samples(net, z).astype(np.float32) + 1) / 2
    evaluation = Evaluation(data, classifier)
    progress("measuring samples ...")
    ours = evaluation.measure(images)
    progress("measuring real training images, for comparison ...")
    real = evaluation.measure(evaluation.real(samples))
    progress("measuring centroids of k-means ...")
    centroids = evaluation.parzen(evaluation.centroids(samples))
    pairs, distances = beside_nearest(images[:NEIGHBOURS], evaluation.train)
    save_grid(source.with_name("neighbours.png"), pairs * 2 - 1)
    report = {
        "generator of": source.name,
        "samples": samples,
        "seed": seed,
        "data": data,
        "generator": asdict(ours),
        "real training images": asdict(real),
        "centroids of k-means": {"parzen": centroids},
        "distance to the nearest training image": float(distances.mean()),
    }
    with atomic_write(source.with_name("metrics.json")) as file:
        file.write((json.dumps(_named(report), indent=2) + "\n").encode())
    return ours, real, centroids


def table(ours: Figures, real: Figures, centroids: Parzen) -> str:
    """The figures side by side, with what to read them by."""
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
    row(
        "Parzen log-likelihood",
        lambda f: f"{f.parzen.log_likelihood:.0f} ± {f.parzen.standard_error:.0f}",
        f"higher is better? centroids of k-means have {centroids.log_likelihood:.0f}",
    )
    shares = "  ".join(f"{k}: {100 * share:.0f} %" for k, share in enumerate(ours.classes.shares))
    lines = (f"{name:24}{a:>12}{b:>14}   {note}".rstrip() for name, a, b, note in rows)
    return "\n".join([*lines, "", f"drawn   {shares}"])


def _named(value: Any) -> Any:
    """Named tuples as objects, for JSON."""
    if hasattr(value, "_asdict"):
        return {key: _named(item) for key, item in value._asdict().items()}
    if isinstance(value, dict):
        return {key: _named(item) for key, item in value.items()}
    return value
