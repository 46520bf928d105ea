"""What ``minigan train --evaluate-every`` measures and keeps."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigan as mg
from minigan.cli import main
from minigan.data import Dataset, load_archive
from minigan.metrics import Bins
from minigan.training.quality import Quality, QualityCheck
from minigan.training.sampling import load_generator


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bins of 1000 images, and 1000 samples."""
    monkeypatch.setattr("minigan.training.quality.SAMPLE_COUNT", 1000)
    monkeypatch.setattr("minigan.training.quality.Bins", lambda images, k: Bins(images[:1000], k))


@pytest.mark.usefixtures("quick")
def test_quality_of_blots_and_of_the_same_blots_again() -> None:
    check = QualityCheck()
    net = mg.generator(seed=0)
    quality = check.measure(net)
    assert quality.js > 0.5  # of ln 2 = 0.69 at most: blots are in few bins
    assert 0 < quality.ndb <= 100
    assert quality.classes <= 3
    assert check.measure(net) == quality  # the same z


class Scripted:
    """In place of ``QualityCheck``: figures by the clock."""

    def __init__(self, data: Dataset, classes: int) -> None:
        self.js = iter([0.5, 0.2, 0.3])

    def measure(self, net: mg.Sequential) -> Quality:
        return Quality(ndb=90, js=next(self.js), classes=7)


@pytest.mark.usefixtures("quick_runs")
def test_history_and_the_best_generator(
    tiny_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr("minigan.training.trainer.QualityCheck", Scripted)
    out = tmp_path / "run"
    options = ["--data", str(tiny_data), "--batch-size", "50", "--out", str(out)]
    assert main(["train", *options, "--epochs", "5", "--evaluate-every", "2"]) == 0
    assert "JS 0.2000  7 classes" in capsys.readouterr().out
    with (out / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["epoch"], row["js"]) for row in rows] == [
        ("1", "nan"), ("2", "0.5"), ("3", "nan"), ("4", "0.2"), ("5", "0.3"),
    ]  # fmt: skip
    assert (rows[1]["ndb"], rows[1]["classes"]) == ("90", "7")
    _, meta = load_archive(out / "best.npz")
    assert meta["figures"]["epoch"] == 4

    # It is the generator as it was after epoch 4
    again = mg.Trainer(
        mg.TrainConfig(epochs=4, batch_size=50, data=str(tiny_data), out=str(tmp_path / "again"))
    )
    again.run()
    best = load_generator(out / "best.npz")
    np.testing.assert_array_equal(best.params, again.generator.params)
    assert main(["sample", str(out / "best.npz")]) == 0
    assert (out / "best_sample_0.png").exists()


@pytest.mark.usefixtures("quick", "quick_runs")
@pytest.mark.parametrize("recipe", ["averaged", "tutorial"])
def test_measuring_changes_nothing_else(recipe: str, tiny_data: Path, tmp_path: Path) -> None:
    states = []
    for every in (None, 1):
        config = mg.TrainConfig(
            recipe=recipe,
            epochs=2,
            batch_size=50,
            data=str(tiny_data),
            evaluate_every=every,
            out=str(tmp_path / str(every)),
        )
        trainer = mg.Trainer(config)
        trainer.run()
        arrays, meta = load_archive(tmp_path / str(every) / "checkpoint.npz")
        del arrays["log"], arrays["history"], meta["config"]
        states.append((arrays, meta))
        quality = trainer.history[-1].js, trainer.history[-1].classes
        assert math.isnan(quality[0]) == (every is None)
        assert math.isnan(quality[1])  # the classifier knows the digits of MNIST only
    (arrays, meta), (other_arrays, other_meta) = states
    assert meta == other_meta
    assert arrays.keys() == other_arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, other_arrays[name], err_msg=name)


@pytest.mark.usefixtures("quick_runs")
def test_a_worse_generator_after_a_resume_does_not_replace_the_best(
    tiny_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("minigan.training.trainer.QualityCheck", Scripted)
    out = tmp_path / "run"
    options = ["--data", str(tiny_data), "--batch-size", "50", "--evaluate-every", "1"]
    assert main(["train", *options, "--epochs", "2", "--out", str(out)]) == 0
    best = (out / "best.npz").read_bytes()
    assert main(["train", "--resume", str(out), "--epochs", "3"]) == 0  # begins at 0.5 again
    assert (out / "best.npz").read_bytes() == best
