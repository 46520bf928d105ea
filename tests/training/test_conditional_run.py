"""A run that is told the classes: labels of any kind, its pictures and files, what it refuses."""

from __future__ import annotations

import gzip
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.idx_files import write_idx
from helpers.runs import Configure, assert_resumes
from PIL import Image

import minigan as mg
from minigan.backend import Backend
from minigan.cli import main
from minigan.data import load_archive, load_data, save_archive
from minigan.training import stored_generator
from minigan.training.folder import CHECKPOINT
from minigan.training.memory import MemoryCheck


def relabelled(data: Path, folder: Path, change: Any) -> Path:
    """Copy a data set with other labels."""
    shutil.copytree(data, folder)
    for split, name in (("train", "train"), ("test", "t10k")):
        _, labels = load_data(str(data), split)  # type: ignore[arg-type]
        write_idx(folder / f"{name}-labels-idx1-ubyte.gz", change(labels).astype(np.uint8))
    return folder


def size_of(picture: Path) -> tuple[int, int]:
    with Image.open(picture) as image:
        return image.size


def test_the_step_gets_the_labels_of_its_images(
    config: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = mg.Trainer(config(recipe="conditional", epochs=1))
    seen = []
    train_step = trainer.gan.train_step

    def noted(real: Any, z: Any, labels: Any) -> Any:
        seen.append((real, labels))
        return train_step(real, z, labels)

    monkeypatch.setattr(trainer.gan, "train_step", noted)
    trainer.run()
    images, labels = load_data(trainer.config.data)
    label_of = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}
    for real, told in seen:
        for x, label in zip(real, told, strict=True):
            pixels = np.rint((x + 1) * 127.5).astype(np.uint8)
            assert label_of[pixels.tobytes()] == label
    assert sum(len(told) for _, told in seen) == 200


@pytest.mark.parametrize("step", [1, 7, 20])
def test_resumes_bit_for_bit(
    step: int, backend: Backend, config: Configure, tmp_path: Path
) -> None:
    assert_resumes(config, step, tmp_path / "resumed", recipe="conditional", backend=backend.name)


def test_labels_need_not_be_digits(
    config: Configure, tiny_data: Path, tmp_path: Path, capsys: Any
) -> None:
    """As in EMNIST's letters, which count from 1; one class has no images."""
    data = relabelled(tiny_data, tmp_path / "letters", lambda labels: 2 * labels + 5)
    folder = mg.Trainer(config(recipe="conditional", data=str(data), epochs=1)).run()
    trained = stored_generator(folder / CHECKPOINT)
    assert trained.classes == tuple(range(5, 25, 2))
    assert trained.net.n_in == 100 + 10
    capsys.readouterr()
    picture = tmp_path / "asked.png"
    words = ["sample", str(folder), "--out", str(picture)]
    assert main([*words, "--digits", "5,23,7"]) == 0
    assert size_of(picture) == (5 * (3 * 30 + 2), 5 * 32)  # few images are large
    assert main([*words, "--digits", "6"]) == 2
    assert capsys.readouterr().err.startswith(
        "minigan: --digits asks for 6, but the generator knows 5, 7, 9, 11"
    )


def test_a_single_class(config: Configure, tiny_data: Path, tmp_path: Path) -> None:
    data = relabelled(tiny_data, tmp_path / "one", lambda labels: 0 * labels + 3)
    folder = mg.Trainer(config(recipe="conditional", data=str(data), epochs=1)).run()
    assert stored_generator(folder / CHECKPOINT).classes == (3,)


def test_pictures_are_class_grids(config: Configure) -> None:
    trainer = mg.Trainer(config(recipe="conditional", epochs=1))
    folder = trainer.run()
    assert trainer.state.fixed_z.shape == (100, 110)
    side = 2 * (10 * 30 + 2)
    assert size_of(folder / "samples" / "epoch_0001.png") == (side, side)
    assert main(["sample", str(folder)]) == 0
    assert size_of(folder / "sample_0.png") == (side, side)


def test_other_labels_are_other_data(config: Configure, tiny_data: Path, tmp_path: Path) -> None:
    folder = mg.Trainer(config(recipe="conditional", epochs=1)).run()
    data = relabelled(tiny_data, tmp_path / "other", lambda labels: 9 - labels)
    again = replace(mg.TrainConfig.of_run(folder), data=str(data), epochs=2)
    with pytest.raises(mg.InputError, match="is not the data that the run was started on"):
        mg.Trainer(again)


@pytest.mark.parametrize(
    ("recipe", "other"), [("conditional", "averaged"), ("averaged", "conditional")]
)
def test_a_run_of_one_recipe_is_not_resumed_as_another(
    recipe: str, other: str, config: Configure, capsys: Any
) -> None:
    folder = mg.Trainer(config(recipe=recipe, epochs=1)).run()
    capsys.readouterr()
    assert main(["train", "--resume", str(folder), "--recipe", other, "--epochs", "2"]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"minigan: --recipe is {other}, but the run was started with {recipe}")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "classes",
    [None, [], "0123", [0, 1, 1], [3, 1], [0, 300], [0, -1], [0, 1.5], {}, [[0]], [0] * 99],
)
def test_damaged_classes(classes: Any, config: Configure) -> None:
    folder = mg.Trainer(config(recipe="conditional", epochs=1)).run()
    file = folder / CHECKPOINT
    arrays, meta = load_archive(file)
    save_archive(file, arrays, meta | {"classes": classes})
    for load in (
        lambda: mg.load_generator(folder),
        lambda: mg.Trainer(replace(mg.TrainConfig.of_run(folder), epochs=2)),
    ):
        with pytest.raises(mg.InputError, match=r"is damaged: its classes are"):
            load()


def test_classes_of_a_run_that_has_none(config: Configure) -> None:
    folder = mg.Trainer(config(epochs=1)).run()
    file = folder / CHECKPOINT
    arrays, meta = load_archive(file)
    save_archive(file, arrays, meta | {"classes": [0, 1]})
    with pytest.raises(mg.InputError, match=r"is damaged: its classes are \[0, 1\]"):
        mg.load_generator(folder)
    del meta["classes"]  # as in a run of version 0.1
    save_archive(file, arrays, meta)
    assert mg.load_generator(folder).n_in == 100


def test_d_is_asked_about_the_label_of_each_image(
    config: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D's memory: a D that says yes to images of the class 3 only is right about a tenth."""
    trainer = mg.Trainer(config(recipe="conditional"))
    last: Any = trainer.gan.discriminator[-1]
    last.W[...] = 0
    last.b[...] = -1000
    last.b[3] = 1000
    _, train = load_data(trainer.config.data)
    _, test = load_data(trainer.config.data, "test")
    memory = trainer.memory_check.measure()
    assert memory.d_train == pytest.approx((train == 3).mean())
    assert memory.d_test == pytest.approx((test == 3).mean())


def test_test_images_of_unknown_classes_are_left_out(
    config: Configure, tiny_data: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    shutil.copytree(tiny_data, data)
    _, labels = load_data(str(tiny_data), "test")
    write_idx(data / "t10k-labels-idx1-ubyte.gz", np.where(labels < 5, 77, labels))
    trainer = mg.Trainer(config(recipe="conditional", data=str(data)))
    check: MemoryCheck = trainer.memory_check
    assert check.missing is None
    assert len(check.test[0]) == (labels >= 5).sum()
    write_idx(data / "t10k-labels-idx1-ubyte.gz", labels + 100)
    trainer = mg.Trainer(config(recipe="conditional", data=str(data)))
    assert "have other labels" in (trainer.memory_check.missing or "")


def test_data_without_labels(config: Configure, tiny_data: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(tiny_data, data)
    (data / "train-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(mg.InputError, match="recipe is conditional, which needs labels"):
        mg.Trainer(config(recipe="conditional", data=str(data)))
    (data / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(b""))
    with pytest.raises(mg.InputError, match="train-labels"):
        mg.Trainer(config(recipe="conditional", data=str(data)))
