"""``minigan trace RUN``: the step that a stored run would take next."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.command import fails
from helpers.narrow import narrow_networks
from helpers.pictures import grey
from helpers.runs import interrupt_at

import minigan as mg
from minigan.cli import main
from minigan.data import load_archive, save_archive
from minigan.tape import next_step
from minigan.training.folder import BEST, CHECKPOINT
from minigan.training.stored_page import whole_run
from minigan.training.trained import save_best

Train = Callable[..., Path]


@pytest.fixture
def train(tiny_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Train:
    """What trains a run of 7 steps an epoch up to a step, and returns its folder."""
    narrow_networks(monkeypatch)
    monkeypatch.setattr("minigan.training.outputs.curves_png", lambda *args, **options: b"")

    def trained(step: int = 7, given: Any = None, **options: Any) -> Path:
        few: dict[str, Any] = {
            "epochs": 2,
            "batch_size": 30,
            "threads": 1,
            "out": str(tmp_path / "run"),
        }
        few |= {} if given else {"data": str(tiny_data)}
        trainer = mg.Trainer(mg.TrainConfig(**(few | options)), **(given or {}))
        interrupt_at(trainer, step)
        with contextlib.suppress(KeyboardInterrupt):  # after the last step, the run has ended
            trainer.run()
        return trainer.folder

    return trained


class SeenError(Exception):
    """Ends a run in its first step."""


def seen_by_the_run(folder: Path, monkeypatch: pytest.MonkeyPatch, **options: Any) -> list[Any]:
    """What the run's next step gets when it goes on, and the weights that it begins with."""
    elsewhere = folder.parent / "copy"
    shutil.copytree(folder, elsewhere)
    trainer = mg.Trainer(replace(mg.TrainConfig.of_run(elsewhere), **options))
    seen: list[Any] = []

    def noted(real: Any, z: Any, labels: Any = None) -> Any:
        nets, adam = (trainer.gan.generator, trainer.gan.discriminator), trainer.gan.adam_d
        seen.extend([real, z, labels, *(net.params.copy() for net in nets), adam.m, adam.v])
        raise SeenError

    with monkeypatch.context() as patch:
        patch.setattr(trainer.gan, "train_step", noted)
        with pytest.raises(SeenError):
            trainer.run()
    return seen


@pytest.mark.parametrize(
    ("recipe", "step"),
    [("averaged", 3), ("averaged", 7), ("averaged", 9), ("conditional", 5), ("style", 13)],
)
def test_it_is_the_step_that_the_run_takes(
    recipe: str, step: int, train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = train(step, recipe=recipe)
    gan, real, z, labels = next_step(folder).step
    expected = seen_by_the_run(folder, monkeypatch)
    found = real, z, labels, gan.generator.params, gan.discriminator.params
    for have, want in zip([*found, gan.adam_d.m, gan.adam_d.v], expected, strict=True):
        np.testing.assert_array_equal(have, want)
    assert len(real) == (20 if step == 13 else 30)  # the last batch of an epoch is smaller
    assert gan.adam_g.t == gan.adam_d.t == step


def test_a_run_that_has_ended_takes_the_step_after(
    train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = train(14)
    _, real, z, _ = next_step(folder / CHECKPOINT).step
    expected = seen_by_the_run(folder, monkeypatch, epochs=3)
    np.testing.assert_array_equal(real, expected[0])
    np.testing.assert_array_equal(z, expected[1])


def test_the_command(train: Train, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = train(9)
    before = {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}
    capsys.readouterr()
    page = tmp_path / "step.html"
    assert main(["trace", str(folder), "--html", str(page)]) == 0
    printed = capsys.readouterr().out
    tape = mg.trace(*next_step(folder).step)
    assert printed == f"{tape}\n\nThe step as a page: {page}\n"
    assert "batch of 30, float32, numpy, step 10 of this GAN" in printed
    assert page.read_text(encoding="utf-8") == tape.html((28, 28))
    assert {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()} == before


def test_names_of_classes_stand_on_the_page(train: Train, tmp_path: Path) -> None:
    images = np.stack([grey(i, 9, 12) for i in range(200)])
    labels = np.array(["cats", "</script>\x1b"] * 100)
    folder = train(7, given={"images": images, "labels": labels}, recipe="conditional")
    np.savez(tmp_path / "own.npz", images=images, labels=labels)
    start = next_step(folder, str(tmp_path / "own.npz"))
    assert start.classes == ("</script>\\x1b", "cats")
    assert start.shape == (9, 12)
    text = mg.trace(*start.step).html(start.shape, start.classes)
    assert "\x1b" not in text
    assert "</script>\\" not in text


def test_options_that_a_run_has_itself(train: Train, capsys: pytest.CaptureFixture[str]) -> None:
    folder = train()
    capsys.readouterr()
    for words in ("--recipe averaged", "--seed 0", "--batch-size 30", "--resize 28"):
        option = words.split()[0]
        message = f"{option} is for the first step of a new run, but .*: give one of them"
        fails(["trace", str(folder), *words.split()], message, capsys)


def test_data_that_moved_changed_or_is_gone(
    train: Train, tiny_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    there = shutil.copytree(tiny_data, tmp_path / "there")
    folder = train(data=str(there))
    capsys.readouterr()
    moved = there.rename(tmp_path / "moved")
    message = f"there does not exist: if the data of .*{CHECKPOINT} has moved, name it with --data"
    fails(["trace", str(folder)], message, capsys)
    start = next_step(folder, str(moved))
    np.testing.assert_array_equal(start.step[1], next_step(folder, str(tiny_data)).step[1])
    other = tmp_path / "other.npy"
    np.save(other, np.stack([grey(i, 28, 28) for i in range(200)]))
    message = "--data .*other.npy is not what the run of .* was trained on: name its images with"
    fails(["trace", str(folder), "--data", str(other)], message, capsys)
    fails(["trace", str(folder), "--data", "nowhere"], "nowhere does not exist", capsys)
    there.mkdir()
    shutil.copy(other, there)
    message = "there has changed since the run of .* was trained on it: name its images with --data"
    fails(["trace", str(folder)], message, capsys)


def test_a_run_on_arrays(
    train: Train, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    images = np.stack([grey(i, 9, 12) for i in range(200)])
    folder = train(9, given={"images": images})
    capsys.readouterr()
    message = "was trained on arrays that were given from Python: save them with np.savez, and name"
    fails(["trace", str(folder)], message, capsys)
    np.savez(tmp_path / "own.npz", images=images)
    assert main(["trace", str(folder), "--data", str(tmp_path / "own.npz")]) == 0


def test_what_is_no_run(train: Train, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = train()
    file = folder / CHECKPOINT
    save_best(whole_run(file), folder / BEST)
    capsys.readouterr()
    fails(["trace", str(folder / BEST)], "holds a generator alone, expected the checkpoint", capsys)
    fails(["trace", str(tmp_path)], f"{CHECKPOINT} does not exist", capsys)
    fails(["trace", "nowhere"], "nowhere does not exist", capsys)
    arrays, meta = load_archive(file)
    save_archive(file, arrays, meta | {"step": 8})
    fails(["trace", str(folder)], "is damaged: 8 steps, 0 of them after epoch 1", capsys)


OWN = """
import minigan as mg
import numpy as np

class Wave(mg.Layer):
    '''y = sin x

        y  = sin(x)
        dx = dy * cos(x)
    '''

    def forward(self, x):
        return np.sin(x), x

    def input_grad(self, dy, x):
        return dy * np.cos(x)

def generator(n_in, n_out, **options):
    return mg.Sequential(mg.Linear(n_in, 20), Wave(), mg.Linear(20, n_out), mg.Tanh(), **options)
"""


def test_layers_of_ones_own(
    train: Train, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "own.py"
    model.write_text(OWN, encoding="utf-8")
    folder = train(model=str(model))
    capsys.readouterr()
    fails(["trace", str(folder)], "Wave", capsys)
    assert main(["trace", str(folder), "--model", str(model)]) == 0
    assert re.search(r"Wave\(\) +y = sin\(x\)", capsys.readouterr().out)
