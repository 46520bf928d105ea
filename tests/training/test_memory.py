"""What D answers to images that it has seen, and to others; when it is said to remember."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
from helpers.idx_files import write_idx

import minigan as mg
from minigan.training.history import HistoryRow
from minigan.training.memory import MemoryCheck, _spread_over, warning_of_memory

Configure: TypeAlias = Callable[..., mg.TrainConfig]


@pytest.mark.parametrize("recipe", ["averaged", "tutorial"])
def test_answers_are_mean_probabilities(recipe: str, config: Configure, tiny_data: Path) -> None:
    trainer = mg.Trainer(config(epochs=2, recipe=recipe))
    trainer.run()
    D = mg.discriminator()  # ends in Sigmoid
    D.params[...] = trainer.gan.discriminator.params
    last = trainer.history[-1]
    for split, answer in (("train", last.d_train), ("test", last.d_test)):
        images = mg.load_mnist("train" if split == "train" else "test", path=tiny_data)[0]
        pixels = images.reshape(-1, 784).astype("float32") / 127.5 - 1
        assert answer == pytest.approx(float(D(pixels).mean()), rel=1e-5)
    assert last.d_train != last.d_test
    ends = [row for row in trainer.history if not math.isnan(row.d_train)]
    assert [row.epoch for row in ends] == [1, 2]


def test_images_are_spread_over_the_whole_set() -> None:
    places = _spread_over(60_000)
    assert (len(places), places[0], places[-1]) == (1000, 0, 59_999)
    assert 59 <= np.diff(places).min() <= np.diff(places).max() <= 61
    assert _spread_over(200).tolist() == list(range(200))
    assert _spread_over(1).tolist() == [0]


def test_without_test_images_the_run_says_so_and_goes_on(
    config: Configure, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    images, labels = mg.load_mnist("train")
    write_idx(folder / "train-images-idx3-ubyte", images[:40])
    write_idx(folder / "train-labels-idx1-ubyte", labels[:40])
    trainer = mg.Trainer(config(epochs=1, data=str(folder), hold_out=0))
    trainer.run()
    assert capsys.readouterr().out.splitlines()[1] == (
        "note: whether D remembers its images cannot be told: the data have no test images"
    )
    assert math.isnan(trainer.history[-1].d_train)
    assert math.isnan(trainer.history[-1].d_test)


def test_without_test_images_some_are_held_out(
    config: Configure, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    write_idx(folder / "train-images-idx3-ubyte", mg.load_mnist("train")[0][:40])
    trainer = mg.Trainer(config(epochs=1, data=str(folder)))
    assert (len(trainer.images), len(trainer.memory_check.test[0])) == (36, 4)
    trainer.run()
    assert capsys.readouterr().out.splitlines()[1] == (
        "The data have no test images, so 4 of the 40 images, drawn at random, are held out to "
        "test with."
    )
    assert 0 < trainer.history[-1].d_test < 1
    (folder / "t10k-images-idx3-ubyte").write_bytes(b"digits")
    with pytest.raises(mg.InputError, match="t10k-images-idx3-ubyte begins with 0x64696769"):
        mg.Trainer(config(epochs=1, data=str(folder), out=str(tmp_path / "other")))


def history(*gaps: float) -> list[HistoryRow]:
    """Two rows of each epoch, the second of which has D's answers."""
    rows = []
    for epoch, gap in enumerate(gaps, 1):
        row = HistoryRow(epoch, 2 * epoch, 1.1, 1.2, 0.6, 0.4, 1, 1)
        rows += [row, row._replace(step=2 * epoch + 1, d_train=0.5 + gap, d_test=0.5)]
    return rows


def test_three_epochs_in_a_row_are_a_warning_and_more_are_not() -> None:
    def warned(*gaps: float) -> list[int]:
        rows = history(*gaps)
        return [
            e
            for e in range(1, len(gaps) + 1)
            if warning_of_memory(rows[: 2 * e], e, 0.0) is not None
        ]

    assert warned(0.01, 0.04, 0.049, 0.03) == []
    assert warned(0.06, 0.06, 0.01, 0.06, 0.06) == []
    assert warned(0.06, 0.06, 0.06, 0.07, 0.08) == [3]
    assert warned(0.01, 0.06, 0.07, 0.08, 0.09, 0.01, 0.06, 0.06, 0.06) == [4, 9]
    assert warned(math.nan, math.nan, math.nan) == []
    assert warned(-0.2, -0.2, -0.2) == []


def test_the_warning_says_what_was_measured_and_what_to_try() -> None:
    rows = history(0.01, 0.06, 0.06, 0.0625)
    text = warning_of_memory(rows, 4, 0.1) or ""
    assert "its mean answer is 0.56 for them, and 0.50 for test images" in text
    assert "try a larger r1 in a new run" in text
    assert "try the penalty r1, with the recipe averaged, in a new run" in (
        warning_of_memory(rows, 4, 0.0) or ""
    )


def test_the_run_prints_it(
    config: Configure, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("minigan.training.memory.REMEMBERS", -1.0)
    mg.Trainer(config(epochs=4)).run()
    lines = capsys.readouterr().out.splitlines()
    (number,) = [i for i, line in enumerate(lines) if line.startswith("Warning: D remembers")]
    assert lines[number - 1].startswith("Epoch [3/4]")


def test_resuming_keeps_the_answers(config: Configure) -> None:
    trainer = mg.Trainer(config(epochs=2))
    folder = trainer.run()
    again = mg.Trainer(mg.TrainConfig.of_run(folder))
    assert str(again.history) == str(trainer.history)


def test_on_a_device(config: Configure, stand_in: mg.backend.Backend) -> None:
    host, device = (mg.Trainer(config(epochs=1, backend=name)) for name in ("numpy", "cupy"))
    one, other = host.memory_check.measure(), device.memory_check.measure()
    assert other == pytest.approx(one, rel=1e-5)
    assert isinstance(device.memory_check, MemoryCheck)
