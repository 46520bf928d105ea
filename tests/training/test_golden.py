"""Runs that were written by earlier versions can be read, drawn from and resumed by this one."""

from __future__ import annotations

import json
import lzma
from pathlib import Path

import numpy as np
import pytest
from golden.record import FOLDER, STEPS, pattern

import minigan as mg
from minigan.training import find_generator, stored_generator
from minigan.training.checkpoint import stored_arrays
from minigan.training.recipes import RECIPES

every_golden_run = pytest.mark.parametrize(
    "name", sorted(folder.name for folder in FOLDER.iterdir() if (folder / "config.json").exists())
)


@pytest.fixture
def unpacked(name: str, tmp_path: Path) -> Path:
    run = tmp_path / "run"
    run.mkdir()
    for file in (FOLDER / name).iterdir():
        if file.suffix == ".xz":
            (run / file.stem).write_bytes(lzma.decompress(file.read_bytes()))
        else:
            (run / file.name).write_bytes(file.read_bytes())
    return run


BEFORE_R1 = {"0.1-averaged", "0.1-batch-norm", "0.1-tutorial"}  # written before there was one


def test_there_is_one_for_each_recipe_of_the_first_version() -> None:
    later = {"0.1-conditional", "0.1-least-squares", "0.1-style"}
    assert {folder.name for folder in FOLDER.glob("0.1-*")} == BEFORE_R1 | later


@every_golden_run
def test_a_golden_run_is_resumed(unpacked: Path, name: str) -> None:
    trainer = mg.Trainer(mg.TrainConfig.of_run(unpacked))
    run = trainer.state
    assert (run.step, run.gan.adam_g.t, run.gan.adam_d.t) == (STEPS, STEPS, STEPS)
    assert run.config.recipe == name.partition("-")[2]
    assert run.gan.r1 == (0.0 if name in BEFORE_R1 else 0.1)
    assert (run.config.seed, run.config.epochs, run.config.threads) == (5, 3, 1)
    for key, array in stored_arrays(run).items():
        np.testing.assert_array_equal(array, pattern(key, array), err_msg=key)
    rng = np.random.default_rng(5)  # what was drawn before: see new_run
    assert run.rng.bit_generator.state == run.epoch_state != rng.bit_generator.state
    assert [entry.d_loss for entry in run.log] == [1.0, 1.5]
    row = run.history[0]
    assert (row.epoch, row.step, row.d_loss, row.spread) == (1, 938, 1.25, 3.5)
    assert (set(row.d_grads), set(row.g_grads)) == ({0.5}, {0.25})
    figures = trainer.train_step(np.arange(64), np.ones((64, trainer.z_columns), "float32"))
    assert np.isfinite(figures).all()


@every_golden_run
@pytest.mark.parametrize("file", ["checkpoint.npz", "best.npz"])
def test_a_golden_run_draws(unpacked: Path, name: str, file: str) -> None:
    net, config, *_ = stored_generator(find_generator(unpacked / file))
    drawing = "average" if RECIPES[config.recipe].averaged else "generator"
    np.testing.assert_array_equal(net.params, pattern(drawing, net.params))
    for key, array in net.named_buffers():
        np.testing.assert_array_equal(array, pattern(f"{drawing}.{key}", array))
    assert np.isfinite(net(np.ones((2, net.n_in or 1), "float32"))).all()


def test_the_generator_that_comes_with_the_package_is_read() -> None:
    net = mg.load_generator()
    images = net(np.random.default_rng(0).standard_normal((4, 100), dtype="float32"))
    assert images.shape == (4, 784)
    assert 0.3 < abs(images).mean() <= 1


def test_golden_files_are_small_and_name_no_place() -> None:
    for file in FOLDER.rglob("*.*"):
        assert file.stat().st_size < 200_000, file
    for file in FOLDER.rglob("config.json"):
        assert json.loads(file.read_text())["data"] == "mnist"
