"""Does a conditional generator draw what it was asked for?  Figures, picture and report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from evaluation.test_evaluate import few_images
from PIL import Image

import minigan as mg
from minigan.cli import main
from minigan.data import load_data
from minigan.evaluation import asked as module
from minigan.evaluation.asked import AskedCheck, save_confusion
from minigan.evaluation.report import _digits
from minigan.metrics import load_classifier


@pytest.fixture(scope="module")
def images() -> tuple[Any, Any]:
    x, labels = load_data("mnist", "test")
    return x[:1000].reshape(-1, 784) / np.float32(255), labels[:1000]


@pytest.fixture
def check(images: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch) -> AskedCheck:
    monkeypatch.setattr(module, "accuracy_score", lambda *sets: 0.5)
    return AskedCheck(load_classifier(), *images)


def test_real_images_are_what_their_labels_say(check: AskedCheck, images: tuple[Any, Any]) -> None:
    x, labels = images
    figures = check.measure(x, labels)
    assert 0.96 < figures.share < 1
    counts = np.array(figures.confusion)
    np.testing.assert_array_equal(counts.sum(axis=1), np.bincount(labels))
    assert np.trace(counts) / 1000 == figures.share
    assert all(abs(x or 0) < 1e-4 for x in figures.frechet)  # they are the test images
    assert figures.score == 0.5


def test_another_digit_than_was_asked_for(check: AskedCheck, images: tuple[Any, Any]) -> None:
    """Whoever asks for 3 gets 8, and the other way round: rows are asked for, columns are read."""
    x, labels = images
    swapped = np.where(labels == 3, 8, np.where(labels == 8, 3, labels))
    right, wrong = check.measure(x, labels), check.measure(x, swapped)
    assert wrong.confusion[3][8] == right.confusion[8][8] > 50
    assert wrong.confusion[8][3] == right.confusion[3][3]
    assert right.share - wrong.share == pytest.approx(
        (right.confusion[3][3] + right.confusion[8][8] - right.confusion[3][8]
         - right.confusion[8][3]) / 1000
    )  # fmt: skip
    assert min(x for x in (wrong.frechet[3], wrong.frechet[8]) if x) > 100
    assert wrong.frechet[0] == right.frechet[0]


def test_a_digit_that_nobody_asked_for_has_no_distance(
    check: AskedCheck, images: tuple[Any, Any]
) -> None:
    x, labels = images
    some = labels != 4
    assert check.measure(x[some], labels[some]).frechet[4] is None


def test_training_images_are_not_read_back(images: tuple[Any, Any], check: AskedCheck) -> None:
    """The classifier knows them by heart: for real images, the test images are read."""
    train, labels = load_data("mnist")
    x = train[:500].reshape(-1, 784) / np.float32(255)
    assert check.measure(x, labels[:500], real=True).share == check.measure(*images).share


def test_the_picture(check: AskedCheck, images: tuple[Any, Any], tmp_path: Path) -> None:
    save_confusion(tmp_path / "confusion.png", check.measure(*images))
    with Image.open(tmp_path / "confusion.png") as picture:
        assert picture.size == (500, 500)
        assert np.asarray(picture.convert("L")).std() > 20


def test_the_picture_of_classes_with_names(
    check: AskedCheck, images: tuple[Any, Any], tmp_path: Path
) -> None:
    figures, plain, named = check.measure(*images), tmp_path / "plain.png", tmp_path / "named.png"
    save_confusion(plain, figures)
    names = ["$\\frac{$", "</b>", "x" * 255, "\\x1b", *"ghijkl"]  # the first is no formula
    save_confusion(named, figures, _digits(range(10), names))
    assert named.read_bytes() != plain.read_bytes()
    save_confusion(named, figures, _digits((1, 4), ()))
    assert named.read_bytes() == plain.read_bytes()
    assert _digits((1, 4), ("one", "four")) == [*"0", "one", *"23", "four", *"56789"]


def test_the_report_of_a_conditional_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("minigan.training.images.load_images", few_images(600, 500))
        config = mg.TrainConfig(
            recipe="conditional", epochs=1, batch_size=100, out=str(tmp_path / "run")
        )
        run = mg.Trainer(config).run()
    monkeypatch.setattr("minigan.evaluation.report.load_images", few_images(12_000, 500))
    monkeypatch.setattr("minigan.metrics.cas.EPOCHS", 1)
    assert main(["evaluate", str(run), "--samples", "200"]) == 0
    out = capsys.readouterr().out
    figures = json.loads((run / "metrics.json").read_text())["figures"]
    asked, real = figures["asked"], figures["asked_real"]
    assert sum(map(sum, asked["confusion"])) == 12_000  # as many as there are training images
    assert asked["share"] < 0.3 < 0.9 < real["share"]
    assert asked["score"] < real["score"]
    assert f"asked digit drawn{100 * asked['share']:>19.1f} %{100 * real['share']:>12.1f} %" in out
    assert "accuracy score" in out
    assert out.count("Fréchet distance of each digit") == 1
    assert f"Which digit was drawn for which: {run / 'confusion.png'}" in out
    assert (run / "confusion.png").exists()
