"""``minigan evaluate``: what it writes and says, and how it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from helpers.idx_files import write_idx
from PIL import Image

import minigan as mg
from minigan.cli import main
from minigan.cli.runs import _shown_on
from minigan.data import Dataset, Part, load_images
from minigan.errors import InputError
from minigan.evaluation import PARTS, Evaluation, Figures, Report, report_table, write_report
from minigan.evaluation.report import CLASSIFIERS, OTHERS, _plain
from minigan.metrics import NDB, Classes, Parzen, PrecisionRecall

UNCONDITIONAL = [part for part in PARTS if part != CLASSIFIERS]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of twelve steps: its generator draws blots."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("minigan.training.images.load_images", few_images(1200, 500))
        return mg.Trainer(mg.TrainConfig(epochs=1, batch_size=100, out=str(folder))).run()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("report", "figures"):
        monkeypatch.setattr(f"minigan.evaluation.{module}.load_images", few_images(12_000, 500))
    monkeypatch.setattr("minigan.evaluation.report.is_data_of", lambda *about: True)


def few_images(train: int, test: int) -> Callable[..., Dataset]:
    """In place of ``load_images``: so many images to train with and to test."""

    def load(*args: Any, **options: Any) -> Dataset:
        data = load_images(*args, **options)
        assert data.test is not None
        images, labels = data.test
        some = Part(images[:test], None if labels is None else labels[:test])
        images, labels = data.train
        first = Part(images[:train], None if labels is None else labels[:train])
        return data._replace(train=first, test=some)

    return load


@pytest.mark.usefixtures("quick")
def test_evaluate(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(run), "--samples", "300", "--seed", "5"]) == 0
    out, err = capsys.readouterr()
    assert err == "".join(f"{part} ...\n" for part in UNCONDITIONAL)  # a bar is for terminals
    for word in ("NDB", "JS", "classes present", "Fréchet", "precision", "recall", "Parzen"):
        assert word in out
    assert str(run / "metrics.json") in out
    report = json.loads((run / "metrics.json").read_text())
    assert (report["samples"], report["seed"], report["data"]) == (300, 5, "mnist")
    figures = report["figures"]
    ours, real = figures["generator"], figures["real"]
    # A generator of 12 steps against real images
    assert ours["ndb"]["js"] > 0.4 > 0.2 > real["ndb"]["js"]
    assert ours["frechet"] > 10 * real["frechet"]
    assert ours["precision_recall"]["recall"] < 0.2 < real["precision_recall"]["recall"]
    assert ours["parzen"]["log_likelihood"] < real["parzen"]["log_likelihood"]
    assert (
        figures["centroids"]["log_likelihood"] > real["parzen"]["log_likelihood"] + 20
    )  # the paradox
    assert real["classes"]["present"] == 10
    with Image.open(run / "neighbours.png") as picture:
        assert np.asarray(picture).std() > 10
    before = (run / "metrics.json").read_bytes()
    assert main(["evaluate", str(run), "--samples", "300", "--seed", "5"]) == 0
    assert (run / "metrics.json").read_bytes() == before


def test_parzen_takes_the_published_images(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first 1000 of the last 10,000 training images choose the window."""
    caught: list[Any] = []
    patched = "minigan.evaluation.figures.parzen_log_likelihood"
    monkeypatch.setattr(patched, lambda *sets: caught.append(sets))
    evaluation: Any = Evaluation.__new__(Evaluation)
    evaluation.train, evaluation.test = np.arange(60_000), np.arange(10_000)
    evaluation.parzen(np.arange(7))
    samples, test, validation = caught[0]
    assert (len(samples), len(test)) == (7, 10_000)
    assert validation.tolist() == list(range(50_000, 51_000))


def test_a_folder_that_cannot_be_written_into(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("minigan.evaluation.report.Evaluation", None)  # refused before the work
    with monkeypatch.context() as patch:
        patch.setattr("os.access", lambda folder, mode: False)  # as root, all folders can be
        with pytest.raises(InputError, match=f"{run} is not a folder that can be written into"):
            write_report(run)
    monkeypatch.chdir(tmp_path)
    Path("runs").write_text("a file")
    with pytest.raises(InputError, match="runs is not a folder that can be written into"):
        write_report()


@pytest.mark.usefixtures("quick")
def test_the_shipped_generator_is_reported_in_the_folder_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="nowhere does not exist"):
        write_report(samples=100, classifier="nowhere")
    assert list(tmp_path.iterdir()) == []  # nothing before there is a report
    parts: list[str] = []
    _, file = write_report(samples=100, progress=parts.append)
    assert parts == UNCONDITIONAL
    assert file == Path("runs", "pretrained_metrics.json")
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]
    names = sorted(path.name for path in Path("runs").iterdir())
    assert names == ["pretrained_metrics.json", "pretrained_neighbours.png"]


@pytest.mark.usefixtures("quick")
def test_evaluate_one_file_of_a_run(run: Path, tmp_path: Path) -> None:
    """Each file has results of its own, and the figures of another data set may be infinite."""
    best = tmp_path / "best.npz"
    best.write_bytes((run / "checkpoint.npz").read_bytes())
    report, file = write_report(best, samples=100)
    assert file == tmp_path / "best_metrics.json"
    assert (tmp_path / "best_neighbours.png").exists()
    figures = json.loads(file.read_text())["figures"]
    assert figures["nearest"] == report.nearest > figures["nearest_real"] > 0
    endless = replace(report, generator=replace(report.generator, frechet=float("inf")))
    assert _plain(endless)["generator"]["frechet"] is None


def test_other_images_than_those_of_the_run_are_told(tmp_path: Path) -> None:
    said = list[str]()
    for name, seed in (("own", 0), ("moved", 0), ("other", 1)):
        images = np.random.default_rng(seed).integers(0, 256, (300, 8, 8), dtype=np.uint8)
        np.savez(tmp_path / f"{name}.npz", images=images)
    own, out = str(tmp_path / "own.npz"), str(tmp_path / "run")
    folder = mg.Trainer(mg.TrainConfig(epochs=1, data=own, out=out)).run()
    write_report(folder, 200, progress=said.append)
    write_report(folder, 200, data=str(tmp_path / "moved.npz"), progress=said.append)
    assert OTHERS not in said
    write_report(folder, 200, data=str(tmp_path / "other.npz"), progress=said.append)
    assert said.count(OTHERS) == 1


def test_bad_input(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    few = tmp_path / "few"
    few.mkdir()
    write_idx(few / "train-images-idx3-ubyte", np.zeros((40, 28, 28), np.uint8))
    small = tmp_path / "small"
    small.mkdir()
    write_idx(small / "train-images-idx3-ubyte", np.zeros((5, 20, 20), np.uint8))
    write_idx(small / "train-labels-idx1-ubyte", np.zeros(5, np.uint8))
    empty = tmp_path / "empty"
    empty.mkdir()
    for args, message in (
        ([str(empty)], "checkpoint.npz does not exist"),
        ([str(run), "--samples", "99"], "--samples is 99, expected a whole number of at least 100"),
        ([str(run), "--samples", "1" + "0" * 20], "expected a whole number up to 49,900"),
        ([str(run), "--data", str(small)], "has images of 20 x 20, grey, but the generator draws"),
        ([str(run), "--data", str(few)], "there are 36 training images to measure with, expected"),
        ([str(run), "--classifier", str(run / "checkpoint.npz")], "classifier"),
        ([str(run), "--seed", "-1"], "--seed is -1"),
    ):
        assert main(["evaluate", *args]) == 2, args
        (line,) = [
            line for line in capsys.readouterr().err.splitlines() if line.startswith("minigan:")
        ]
        assert message in line


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (5, "samples is 5, expected a whole number of at least 100"),
        (9901, "samples is 9901, expected a whole number up to 9,900"),
    ],
)
def test_from_python_arguments_are_named_as_in_python(samples: int, message: str) -> None:
    """The command line says --samples, of which a caller of the library knows nothing."""
    with pytest.raises(InputError) as caught:
        Evaluation(samples=samples)
    assert str(caught.value) == message


def test_the_bar_names_each_part_and_lets_remarks_through(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Bar:
        disable = False

        def __init__(self) -> None:
            self.seen: list[object] = []

        def __getattr__(self, name: str) -> Any:
            return lambda value="": self.seen.append((name, value))

    assert list(PARTS.values()) == sorted(set(PARTS.values()))
    assert 0 <= min(PARTS.values()) < max(PARTS.values()) < 100
    bar = Bar()
    progress = _shown_on(cast(Any, bar))
    first, second, *_ = PARTS
    for line in ("a remark", first, second):
        progress(line)
    assert bar.seen == [
        ("clear", ""),  # else the remark would stand in the line of the bar
        ("set_description", first),
        ("update", 0),
        ("set_description", second),
        ("update", PARTS[second]),
    ]
    assert capsys.readouterr().err == "a remark\n"


def test_the_table_names_every_measure() -> None:
    ndb = NDB(different=7, share=0.07, js=0.0123)
    classes = Classes(shares=(0.1,) * 10, present=10, kl=0.004, confident=0.91)
    parzen = Parzen(log_likelihood=226.4, standard_error=2.2, sigma=0.2)
    figures = Figures(ndb, classes, 3.21, PrecisionRecall(0.81, 0.62), parzen)
    real = replace(figures, frechet=0.5)
    table = report_table(Report(figures, real, parzen, nearest=0.2, nearest_real=0.21))
    lines = {line[:26].strip(): line[26:].split() for line in table.splitlines()}
    assert lines["NDB, bins that differ"][:2] == ["7", "7"]
    assert lines["Fréchet distance"][:2] == ["3.2", "0.5"]
    assert lines["precision"][:2] == ["0.81", "0.81"]
    assert lines["recall"][:2] == ["0.62", "0.62"]
    assert lines["Parzen log-likelihood"][:3] == ["226", "±", "2"]
    assert lines["to nearest training image"][:2] == ["0.200", "0.210"]
    assert "centroids of k-means have 226 ± 2" in table
