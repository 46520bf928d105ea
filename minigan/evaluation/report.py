"""What ``minigan evaluate`` does: it measures one trained generator, and writes a report."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from minigan.data import in_words, load_archive, load_images
from minigan.errors import InputError, check_whole
from minigan.evaluation.asked import Asked, save_confusion
from minigan.evaluation.figures import Evaluation, Figures, Report, samples_and_bins
from minigan.machine.files import atomic_write
from minigan.metrics import beside_nearest, load_classifier
from minigan.metrics.classifier import CLASSES
from minigan.metrics.pixels import most_images
from minigan.training import SAMPLE_COUNT, find_generator, save_grid, stored_generator, unit_samples
from minigan.training.class_names import words_of_classes
from minigan.training.folder import prefix_of
from minigan.training.images import is_data_of

OTHERS = "note: these are not the images that the run was trained on, so the figures mean less"
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


def write_report(
    run: str | Path | None = None,
    samples: int | None = SAMPLE_COUNT,
    seed: int = 0,
    classifier: str | Path | None = None,
    data: str | None = None,
    progress: Callable[[str], None] = lambda line: None,
    layers: Mapping[str, type] | None = None,
) -> tuple[Report, Path]:
    """Measure the generator of a run, or the shipped one; return the report and its file.

    ``run`` is a folder or a file in it; ``data`` is where the run's data lies now, if it has moved.
    The report is written to ``metrics.json``, with the picture ``neighbours.png`` beside it, and
    ``confusion.png`` for a conditional run, in the folder of the run, or in the folder ``runs`` for
    the shipped generator; all names begin with the name of the generator's file, unless that is
    ``checkpoint.npz``.  ``progress`` is called
    with the name of each of the ``PARTS`` when it begins, and with remarks.  ``layers`` are the
    classes of layers that are not minigan's, by name.

    Raises InputError for a run without a checkpoint, for a number of samples that cannot be
    measured, for a classifier that does not match, or for a folder that cannot be written into.
    """
    check_whole("seed", seed, 0)
    if samples is not None:
        check_whole("samples", samples, 1)
    if classifier is not None:  # before the data is read
        load_classifier(classifier)
    source = find_generator(run)
    net, config, classes, shape, names = stored_generator(source, layers=layers)
    data = config.data if data is None else data
    folder = RUNS if run is None else source.parent
    there = folder if run is not None or os.path.lexists(folder) else Path()
    if not (there.is_dir() and os.access(there, os.W_OK)):  # checked before the long work begins
        raise InputError(f"{there.resolve()} is not a folder that can be written into")
    prefix = prefix_of(source)
    parts = iter(PARTS)
    dataset = load_images(data, resize=config.resize, hold_out=config.hold_out)
    if dataset.shape != shape:
        raise InputError(
            f"{data} has images of {in_words(dataset.shape)}, but the generator draws "
            f"{in_words(shape)}"
        )
    crc32 = load_archive(source)[1].get("data_crc32")  # a generator alone has none
    others = crc32 is not None and not is_data_of(dataset, config, crc32)
    most = most_images(math.prod(shape))
    samples, _ = samples_and_bins(min(len(dataset.train.images), most), samples)
    progress(next(parts))
    evaluation = Evaluation(dataset, classifier, samples)
    for note in (*dataset.notes, *evaluation.notes, *[OTHERS] * others):
        progress(note)
    progress(next(parts))
    images = unit_samples(net, samples, seed, len(classes))
    generated = evaluation.measure(images)
    progress(next(parts))
    real = evaluation.measure(evaluation.real())
    progress(next(parts))
    centroids = None if evaluation.test is None else evaluation.parzen(evaluation.centroids())
    progress(next(parts))
    pairs, _ = beside_nearest(images[:NEIGHBOURS], evaluation.train)
    if run is None:
        folder.mkdir(exist_ok=True)
    save_grid(folder / f"{prefix}neighbours.png", pairs * 2 - 1, shape=shape)
    _, nearest = beside_nearest(images[:1000], evaluation.train)
    nearest_real = None
    if evaluation.test is not None:
        nearest_real = float(beside_nearest(evaluation.test[:1000], evaluation.train)[1].mean())
    report = Report(generated, real, centroids, float(nearest.mean()), nearest_real)
    if classes and max(classes) < CLASSES and evaluation.check is not None:
        progress(CLASSIFIERS)
        asked, asked_real = evaluation.asked(net, classes, seed)
        report = replace(report, asked=asked, asked_real=asked_real)
        save_confusion(folder / f"{prefix}confusion.png", asked, _digits(classes, names))
    stored = {"generator": str(source), "samples": samples, "seed": seed, "data": data}
    file = folder / f"{prefix}metrics.json"
    with atomic_write(file) as stream:
        stream.write((json.dumps(_plain(stored | {"figures": report}), indent=2) + "\n").encode())
    return report, file


def _digits(classes: Sequence[int], names: Sequence[str]) -> list[str]:
    """Return what each digit that the classifier can read is called."""
    words = dict(zip(classes, words_of_classes(classes, names), strict=True))
    return [words.get(digit, str(digit)) for digit in range(CLASSES)]


def _plain(value: Any) -> Any:
    """Return a value for JSON: dataclasses and named tuples as dicts, nan and infinity as None."""
    if isinstance(value, Report | Figures | Asked):
        value = {name: getattr(value, name) for name in value.__dataclass_fields__}
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
