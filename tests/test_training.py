"""A run: its files, resuming bit for bit, stopping on signals, and refusing bad input."""

from __future__ import annotations

import csv
import itertools
import json
import math
import os
import shutil
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from strict_cupy import Counts
from threadpoolctl import threadpool_info

import minigan as mg
from minigan.backend import Array, Backend
from minigan.checkpoint import load_checkpoint, save_checkpoint
from minigan.epoch_end import finish_epoch
from minigan.errors import InputError
from minigan.run_folder import CHECKPOINT, HISTORY, locked

Configure = Callable[..., mg.TrainConfig]
TIMES = ("seconds", "images_per_second")


@pytest.fixture
def config(tiny_data: Path, tmp_path: Path) -> Configure:
    """Options of a run of 7 steps an epoch (the last one smaller) that takes a second."""

    def make(**options: Any) -> mg.TrainConfig:
        options = {"epochs": 3, "batch_size": 30, "data": str(tiny_data)} | options
        if "resume" not in options:
            options = {"out": str(tmp_path / "run")} | options
        return mg.TrainConfig(**options)

    return make


def state(folder: Path) -> tuple[dict[str, Array], dict[str, Any]]:
    """All that a checkpoint holds, less the measured times."""
    arrays, meta = load_checkpoint(folder / CHECKPOINT)
    arrays["history"] = np.delete(arrays["history"], [6, 7], axis=1)
    arrays["log"] = arrays["log"][:, :4]
    return arrays, meta


def assert_same_run(one: Path, two: Path) -> None:
    (arrays, meta), (other_arrays, other_meta) = state(one), state(two)
    assert meta == other_meta
    assert arrays.keys() == other_arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, other_arrays[name], err_msg=name)
    for picture in sorted((one / "samples").iterdir()):
        assert picture.read_bytes() == (two / "samples" / picture.name).read_bytes()


def interrupt_at(trainer: mg.Trainer, step: int, number: int = signal.SIGINT) -> None:
    """Let a signal arrive in the middle of that step."""
    train_step, calls = trainer.train_step, itertools.count(trainer.step + 1)

    def interrupted(indices: Array, z: Array) -> Array:
        if next(calls) == step:
            signal.raise_signal(number)
        return train_step(indices, z)

    trainer.train_step = interrupted


# ---------------------------------------------------------------- what a run leaves


def test_files_of_a_run(config: Configure, capsys: pytest.CaptureFixture[str]) -> None:
    folder = mg.Trainer(config()).run()
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*")) == [
        "checkpoint.npz",
        "config.json",
        "history.csv",
        "losses.png",
        "samples",
        "samples/epoch_0001.png",
        "samples/epoch_0002.png",
        "samples/epoch_0003.png",
        "training.gif",
    ]
    stored = json.loads((folder / "config.json").read_text())
    assert (stored["epochs"], stored["batch_size"], stored["seed"]) == (3, 30, 0)

    with (folder / HISTORY).open(newline="") as file:
        rows = list(csv.DictReader(file))
    header = "epoch,step,d_loss,g_loss,p_real,p_fake,seconds,images_per_second,spread"
    norms = [f"{net}_grad_{i}" for net in "dg" for i in (1, 2, 3, 4)]
    assert list(rows[0]) == [*header.split(","), *norms, "ndb", "js", "classes"]
    assert [(row["epoch"], row["step"]) for row in rows] == [("1", "7"), ("2", "14"), ("3", "21")]
    for row in rows:
        assert 0 < float(row["d_loss"]) < 10
        assert 0 < float(row["p_fake"]) < 1
        assert float(row["images_per_second"]) > 0
        assert 0 < float(row["spread"]) < 1
        assert all(float(row[name]) > 0 for name in norms)
        assert row["ndb"] == row["js"] == row["classes"] == "nan"  # not asked for
    assert float(rows[0]["seconds"]) < float(rows[2]["seconds"])

    with Image.open(folder / "training.gif") as film:
        assert film.n_frames == 3
    lines = capsys.readouterr().out.splitlines()
    assert [line[:11] for line in lines] == ["Epoch [1/3]", "Epoch [2/3]", "Epoch [3/3]"]
    for word in ("d_loss", "g_loss", "D(x)", "D(G(z))"):
        assert f"  {word} " in lines[0]
    assert lines[0].endswith(" s")


def test_history_has_a_row_every_so_many_steps(
    config: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("minigan.training.ROW_EVERY", 3)
    folder = mg.Trainer(config(epochs=2)).run()
    rows = np.loadtxt(folder / HISTORY, delimiter=",", skiprows=1)
    assert rows[:, 1].tolist() == [3, 6, 7, 10, 13, 14]
    assert rows[:, 0].tolist() == [1, 1, 1, 2, 2, 2]
    images, seconds = np.array([90, 90, 20] * 2), np.diff(rows[:, 6], prepend=0)
    np.testing.assert_allclose(rows[:, 7], images / seconds, rtol=1e-2)  # six digits were kept


def test_the_epochs_line_is_its_mean(
    config: Configure, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(10_000))
    monkeypatch.setattr("minigan.training.time.perf_counter", lambda: float(next(clock)))
    trainer = mg.Trainer(config(epochs=1))
    trainer.run()
    row = trainer.history[0]
    assert row.seconds == 7  # a tick of this clock for each step
    assert capsys.readouterr().out == (
        f"Epoch [1/1]  d_loss {row.d_loss:.2f}  g_loss {row.g_loss:.2f}  "
        f"D(x) {row.p_real:.2f}  D(G(z)) {row.p_fake:.2f}  7.0 s\n"
    )


def test_a_collapse_is_named_once(
    config: Configure, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("minigan.health.FIRST_STEPS", 0)
    # Some steps in which G has not yet learnt to look at z
    trainer = mg.Trainer(config(recipe="tutorial", epochs=5))
    trainer.run()
    out = capsys.readouterr().out
    assert out.count("Warning:") == 1
    (line,) = [line for line in out.splitlines() if line.startswith("Warning: ")]
    assert "G's images are nearly alike (spread 0.0" in line
    assert line.endswith("see docs/is-it-working.md")
    assert out.splitlines().index(line) == 3  # after the third epoch


def test_a_row_is_the_mean_of_its_steps(config: Configure) -> None:
    trainer = mg.Trainer(config(epochs=1))
    results = []
    train_step = trainer.gan.train_step

    def noted(real: Array, z: Array) -> mg.StepResult:
        results.append(train_step(real, z))
        return results[-1]

    trainer.gan.train_step = noted
    trainer.run()
    mean = np.mean([[float(value) for value in result] for result in results], axis=0)
    np.testing.assert_allclose(trainer.history[0][2:6], mean, rtol=1e-12)


@pytest.mark.parametrize("recipe", ["averaged", "batch-norm", "tutorial"])
def test_the_run_is_the_loop_written_out(recipe: str, config: Configure, tiny_data: Path) -> None:
    """The stated order of random numbers: G, D, fixed z, then each epoch's permutation and z."""
    trainer = mg.Trainer(config(recipe=recipe, epochs=2, seed=5))
    trainer.run()
    rng = np.random.default_rng(5)
    batch_norm, logits = recipe != "tutorial", recipe == "averaged"
    G, D = mg.generator(batch_norm=batch_norm, seed=rng), mg.discriminator(logits=logits, seed=rng)
    gan = mg.GAN(G, D, lr=1e-3 if batch_norm else 2e-4, logits=logits)
    fixed_z = rng.standard_normal((64, 100), dtype=np.float32)
    images = mg.load_mnist(path=tiny_data)[0].reshape(-1, 784)
    for _ in range(2):
        order = rng.permutation(200)
        for start in range(0, 200, 30):
            batch = order[start : start + 30]
            z = rng.standard_normal((len(batch), 100), dtype=np.float32)
            real = ((images[batch].astype("float32") / 255) - 0.5) / 0.5
            gan.train_step(real, z)
    np.testing.assert_array_equal(trainer.gan.generator.params, gan.generator.params)
    np.testing.assert_array_equal(trainer.gan.discriminator.params, gan.discriminator.params)
    np.testing.assert_array_equal(trainer.fixed_z, fixed_z)


def test_same_seed_same_run_other_seed_other_run(config: Configure, tmp_path: Path) -> None:
    runs = [
        mg.Trainer(config(epochs=1, seed=seed, out=str(tmp_path / name))).run()
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    ]
    assert_same_run(runs[0], runs[1])
    assert (state(runs[0])[0]["generator"] != state(runs[2])[0]["generator"]).any()


def test_default_folder_is_new_each_time(
    config: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("minigan.run_folder.time.strftime", lambda pattern: "now")
    first = mg.Trainer(config(epochs=1, out=None))  # made before the other has its folder
    folders = [mg.Trainer(config(epochs=1, out=None)).run() for _ in range(2)]
    folders.append(first.run())
    assert len(set(folders)) == 3
    assert all(folder.parent == Path("runs") for folder in folders)
    assert folders[0].name.startswith("tiny")


def test_float64_threads_and_options(config: Configure) -> None:
    options = config(epochs=1, dtype="float64", threads=1, latent_dim=7, betas=(0.9, 0.99), lr=3e-3)
    trainer = mg.Trainer(options)
    threads = set()
    train_step = trainer.gan.train_step

    def counted(real: Array, z: Array) -> mg.StepResult:
        threads.update(lib["num_threads"] for lib in threadpool_info())
        return train_step(real, z)

    trainer.gan.train_step = counted
    trainer.run()
    assert threads == {1}
    assert trainer.gan.generator.params.dtype == "float64"
    assert trainer.gan.generator.n_in == 7
    assert trainer.gan.adam_g.betas == trainer.gan.adam_d.betas == (0.9, 0.99)
    assert trainer.gan.adam_d.lr == 3e-3


def test_on_the_stand_in(config: Configure, stand_in: Backend, tmp_path: Path) -> None:
    there = mg.Trainer(config(epochs=2, lr=2e-4, backend="cupy")).run()
    numpy = config(epochs=2, lr=2e-4, backend="numpy", out=str(tmp_path / "numpy"))
    here = mg.Trainer(numpy).run()
    # Sums in another order differ in their last bits; where a gradient is next to nothing, that may
    # turn its sign, and Adam's steps of some lr go the other way.
    for name, array in state(there)[0].items():
        np.testing.assert_allclose(array, state(here)[0][name], rtol=1e-3, atol=1e-3, err_msg=name)
        assert np.sum(np.abs(array - state(here)[0][name]) > 1e-4) <= 1e-3 * array.size
    # and a run goes on where the other backend left it
    resumed = replace(mg.TrainConfig.of_run(there), epochs=3, backend="numpy")
    mg.Trainer(resumed).run()


def test_images_stay_on_the_device_and_figures_are_read_now_and_then(
    config: Configure, stand_in: Backend
) -> None:
    trainer = mg.Trainer(config(epochs=2, backend="cupy"))
    first = trainer.train_step
    seen = []

    def counted(indices: Array, z: Array) -> Array:
        before = Counts.to_device, Counts.to_host, Counts.waits
        result = first(indices, z)
        after = Counts.to_device, Counts.to_host, Counts.waits
        seen.append(tuple(b - a for a, b in zip(before, after, strict=True)))
        return result

    trainer.train_step = counted
    Counts.reset()
    trainer.run()
    assert len(seen) == 14
    # Each step: numbers of images, z, and seven numbers for each Adam (the second step is captured,
    # and gives its graph the first values).
    steps = [move for move in seen if move != (6, 0, 0)]
    assert steps == [(4, 0, 0)] * 12
    # Each epoch: one reading of all figures, both networks twice (finite? saved), their two Adams'
    # moments, the running statistics of three batch norms, both of the average, the samples, the
    # figures of health
    assert Counts.to_host == 2 * (1 + 2 + 6 + 6 + 7 + 1 + 1)
    assert Counts.launches == 14 - 2  # a first step of each of two sizes


def test_a_gpu_that_fails_is_one_line_and_the_checkpoint_stays(
    config: Configure, stand_in: Backend, capsys: pytest.CaptureFixture[str]
) -> None:
    class OutOfMemoryError(MemoryError):
        __module__ = "cupy.cuda.memory"

    trainer = mg.Trainer(config(backend="cupy"))
    step = trainer.train_step

    def fails(indices: Array, z: Array) -> Array:
        if trainer.step >= 7:
            raise OutOfMemoryError("Out of memory allocating\n1,024 bytes")
        return step(indices, z)

    trainer.train_step = fails
    message = (
        "after step 7 the GPU failed: OutOfMemoryError: Out of memory allocating 1,024 bytes; "
        "the last checkpoint is kept"
    )
    with pytest.raises(InputError, match=message):
        trainer.run()
    assert state(trainer.folder)[1]["step"] == 7


def test_save_every(config: Configure, tmp_path: Path) -> None:
    often = mg.Trainer(config(epochs=5)).run()
    options = config(epochs=5, save_every=2, out=str(tmp_path / "seldom"))
    trainer = mg.Trainer(options)
    step = trainer.gan.train_step

    def killed(real: Array, z: Array) -> mg.StepResult:
        if trainer.step == 25:
            raise ZeroDivisionError
        return step(real, z)

    trainer.gan.train_step = killed
    with pytest.raises(ZeroDivisionError):
        trainer.run()
    assert state(trainer.folder)[1]["epoch"] == 2
    folder = mg.Trainer(mg.TrainConfig.of_run(trainer.folder)).run()
    pictures = sorted(file.name for file in (folder / "samples").iterdir())
    assert pictures == ["epoch_0002.png", "epoch_0004.png", "epoch_0005.png"]
    for name in pictures:
        assert (folder / "samples" / name).read_bytes() == (often / "samples" / name).read_bytes()
    for name, array in state(often)[0].items():
        np.testing.assert_array_equal(array, state(folder)[0][name])
    with Image.open(folder / "training.gif") as film:
        assert film.n_frames == 3


# ---------------------------------------------------------------- resuming, bit for bit


def test_resume_after_raising_epochs(config: Configure, tmp_path: Path) -> None:
    straight = mg.Trainer(config()).run()
    folder = mg.Trainer(config(epochs=1, out=str(tmp_path / "resumed"))).run()
    again = mg.TrainConfig.of_run(folder)
    assert again == config(epochs=1, resume=str(folder))
    assert mg.Trainer(replace(again, epochs=3)).run() == folder
    assert_same_run(straight, folder)
    assert json.loads((folder / "config.json").read_text())["epochs"] == 3


@pytest.mark.parametrize("step", [1, 5, 7, 8, 20])
def test_resume_after_an_interrupt_in_any_step(
    step: int, backend: Backend, config: Configure, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    straight = mg.Trainer(config(backend=backend.name)).run()
    trainer = mg.Trainer(config(backend=backend.name, out=str(tmp_path / "resumed")))
    interrupt_at(trainer, step)
    with pytest.raises(KeyboardInterrupt):
        trainer.run()
    assert trainer.step == step  # the step in progress was finished
    assert load_checkpoint(trainer.folder / CHECKPOINT)[1]["step"] == step
    assert f"minigan train --resume {trainer.folder}" in capsys.readouterr().out
    mg.Trainer(mg.TrainConfig.of_run(trainer.folder)).run()
    assert_same_run(straight, trainer.folder)


def test_run_again_after_an_interrupt(config: Configure, tmp_path: Path) -> None:
    straight = mg.Trainer(config()).run()
    trainer = mg.Trainer(config(out=str(tmp_path / "again")))
    interrupt_at(trainer, 10)
    with pytest.raises(KeyboardInterrupt):
        trainer.run()
    trainer.run()
    assert_same_run(straight, trainer.folder)


def test_a_signal_while_an_epoch_ends_saves_it_too(
    config: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The epoch is none that --save-every would save; measuring it may take seconds."""

    def finish(run: mg.Trainer, epoch: int, draws: bool) -> str:
        if epoch == 2:
            signal.raise_signal(signal.SIGINT)
        return finish_epoch(run, epoch, draws)

    monkeypatch.setattr("minigan.training.finish_epoch", finish)
    trainer = mg.Trainer(config(save_every=3))
    with pytest.raises(KeyboardInterrupt):
        trainer.run()
    assert load_checkpoint(trainer.folder / CHECKPOINT)[1]["step"] == trainer.step == 14


def test_a_trainer_that_is_behind_its_folder_overwrites_nothing(config: Configure) -> None:
    trainer = mg.Trainer(config())
    interrupt_at(trainer, 10)
    with pytest.raises(KeyboardInterrupt):
        trainer.run()
    mg.Trainer(mg.TrainConfig.of_run(trainer.folder)).run()  # in another process, say
    before = (trainer.folder / CHECKPOINT).read_bytes()
    with pytest.raises(InputError, match=r"checkpoint.npz has changed since this Trainer was made"):
        trainer.run()
    assert (trainer.folder / CHECKPOINT).read_bytes() == before


def test_interrupt_in_the_last_step_changes_nothing(config: Configure, tmp_path: Path) -> None:
    trainer = mg.Trainer(config())
    interrupt_at(trainer, 21)
    trainer.run()
    assert_same_run(trainer.folder, mg.Trainer(config(out=str(tmp_path / "straight"))).run())


def test_sigterm_ends_with_143(config: Configure) -> None:
    trainer = mg.Trainer(config())
    interrupt_at(trainer, 9, signal.SIGTERM)
    handler = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as caught:
        trainer.run()
    assert caught.value.code == 143
    assert signal.getsignal(signal.SIGTERM) is handler
    assert load_checkpoint(trainer.folder / CHECKPOINT)[1]["step"] == 9


def test_a_crash_between_checkpoints_loses_the_epoch_only(
    config: Configure, tmp_path: Path
) -> None:
    straight = mg.Trainer(config()).run()
    trainer = mg.Trainer(config(out=str(tmp_path / "crashed")))
    train_step = trainer.gan.train_step

    def crash(real: Array, z: Array) -> mg.StepResult:
        if trainer.step == 17:
            raise OSError("power cut")
        return train_step(real, z)

    trainer.gan.train_step = crash
    with pytest.raises(OSError, match="power cut"):
        trainer.run()
    assert load_checkpoint(trainer.folder / CHECKPOINT)[1]["step"] == 14
    mg.Trainer(mg.TrainConfig.of_run(trainer.folder)).run()
    assert_same_run(straight, trainer.folder)


def test_resume_before_the_first_checkpoint_starts_anew(config: Configure, tmp_path: Path) -> None:
    straight = mg.Trainer(config()).run()
    folder = tmp_path / "killed"
    shutil.copytree(straight, folder)
    (folder / CHECKPOINT).unlink()
    (folder / HISTORY).unlink()
    mg.Trainer(mg.TrainConfig.of_run(folder)).run()
    assert_same_run(straight, folder)


def test_resume_of_a_complete_run(config: Configure, capsys: pytest.CaptureFixture[str]) -> None:
    folder = mg.Trainer(config(epochs=1)).run()
    before = (folder / CHECKPOINT).read_bytes()
    mg.Trainer(mg.TrainConfig.of_run(folder)).run()
    assert f"{folder} has its 1 epochs" in capsys.readouterr().out
    assert (folder / CHECKPOINT).read_bytes() == before


def test_runs_outside_the_main_thread(config: Configure) -> None:
    thread = threading.Thread(target=lambda: mg.Trainer(config(epochs=1)).run())
    thread.start()
    thread.join()
    assert (Path(str(config().out)) / CHECKPOINT).exists()


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "--epochs is 0, expected a whole number of at least 1"),
        ({"epochs": 2.5}, "--epochs is 2.5"),
        ({"batch_size": -1}, "--batch-size is -1"),
        ({"latent_dim": 0}, "--latent-dim is 0"),
        ({"threads": 0}, "--threads is 0"),
        ({"seed": -1}, "--seed is -1, expected a whole number of at least 0"),
        ({"lr": 0.0}, "--lr is 0.0, expected a positive"),
        ({"lr": math.nan}, "--lr is nan"),
        ({"lr": math.inf}, "--lr is inf"),
        ({"lr": "fast"}, "--lr is 'fast'"),
        ({"betas": (0.5, 1.0)}, "--betas are"),
        ({"betas": (0.5,)}, "--betas are"),
        ({"betas": 0.5}, "--betas are"),
        ({"betas": (math.nan, 0.9)}, "--betas are"),
        ({"recipe": "wgan"}, "--recipe is 'wgan', expected averaged, batch-norm, tutorial"),
        ({"backend": "jax"}, "--backend is 'jax', expected numpy, cupy, auto"),
        ({"epochs": 10**10}, "--epochs is 10000000000, expected a whole number up to"),
        ({"data": None}, "--data is None, expected a folder"),
        ({"data": ""}, "--data is '', which cannot name a folder"),
        ({"data": "a\0b"}, "which cannot name a folder"),
        ({"out": 5}, "--out is 5, expected a folder"),
        ({"latent_dim": 1_000_001}, "--latent-dim is 1000001, expected a whole number up to"),
        ({"threads": 1025}, "--threads is 1025, expected a whole number up to 1,024"),
        ({"data": "a\ud800"}, "which cannot name a folder"),
        ({"lr": np.complex64(1)}, "--lr is"),
        ({"lr": 10**400}, "--lr is 1000"),
        ({"dtype": "float16"}, "--dtype is 'float16', expected float32, float64"),
    ],
)
def test_bad_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        mg.TrainConfig(**options)


def test_batch_larger_than_the_data(config: Configure) -> None:
    with pytest.raises(InputError, match="--batch-size is 201, but the data has only 200 images"):
        mg.Trainer(config(batch_size=201))
    assert not Path(str(config().out)).exists()


@pytest.mark.parametrize("batch_size", [1, 199])
def test_batch_norm_needs_two_images(batch_size: int, config: Configure) -> None:
    with pytest.raises(InputError, match=f"--batch-size {batch_size} leaves a batch with a single"):
        mg.Trainer(config(batch_size=batch_size))
    mg.Trainer(config(batch_size=batch_size, recipe="tutorial"))


def test_a_run_from_before_there_were_recipes_is_the_tutorials(
    config: Configure, tmp_path: Path
) -> None:
    trainer = mg.Trainer(config(recipe="tutorial", epochs=1))
    folder = trainer.run()
    stored = json.loads((folder / "config.json").read_text())
    del stored["recipe"]
    (folder / "config.json").write_text(json.dumps(stored))
    resumed = mg.Trainer(replace(mg.TrainConfig.of_run(folder), epochs=2))
    assert resumed.config.recipe == "tutorial"
    np.testing.assert_array_equal(resumed.gan.generator.params, trainer.gan.generator.params)


def test_folder_that_holds_a_run(config: Configure) -> None:
    folder = mg.Trainer(config(epochs=1)).run()
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(InputError, match=f"holds a run already: --resume {folder} goes on with it"):
        mg.Trainer(config())
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["config.json", CHECKPOINT, HISTORY, "samples", "losses.png"])
def test_a_new_run_overwrites_no_file_of_another(
    name: str, config: Configure, tmp_path: Path
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "notes.txt").write_text("not of a run")
    mg.Trainer(config())
    (tmp_path / "run" / name).write_text("of a run")
    message = "holds a run already: --resume" if name == "config.json" else f"holds {name} already"
    with pytest.raises(InputError, match=message):
        mg.Trainer(config())


def test_of_two_trainers_with_one_folder_one_gets_it(config: Configure) -> None:
    one, two = mg.Trainer(config(epochs=1)), mg.Trainer(config(epochs=1))
    one.run()
    before = state(one.folder)[0]["generator"]
    with pytest.raises(InputError, match="holds a run already"):
        two.run()
    np.testing.assert_array_equal(state(one.folder)[0]["generator"], before)


@pytest.mark.skipif(os.name != "posix", reason="a folder cannot be locked")
def test_one_process_at_a_time(config: Configure) -> None:
    folder = mg.Trainer(config(epochs=1)).run()
    resumed = mg.Trainer(replace(mg.TrainConfig.of_run(folder), epochs=2))
    with (
        locked(folder),
        pytest.raises(InputError, match=f"another process is training in {folder}"),
    ):
        resumed.run()
    resumed.run()


def test_dangling_links(config: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").symlink_to("nowhere")
    for out in (None, "runs", "runs/mine"):
        with pytest.raises(InputError, match="cannot be written: "):
            mg.Trainer(config(out=out)).run()


def test_history_without_checkpoint_is_no_new_run(config: Configure) -> None:
    folder = mg.Trainer(config(epochs=1)).run()
    (folder / CHECKPOINT).unlink()
    before = (folder / HISTORY).read_bytes()
    with pytest.raises(InputError, match="has a history.csv, but its checkpoint.npz is gone"):
        mg.Trainer(mg.TrainConfig.of_run(folder))
    assert (folder / HISTORY).read_bytes() == before


def test_resume_after_the_data_moved(config: Configure, tiny_data: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_data, tmp_path / "old")
    folder = mg.Trainer(config(epochs=1, data=str(tmp_path / "old"))).run()
    (tmp_path / "old").rename(tmp_path / "new")
    with pytest.raises(InputError, match="old does not exist"):
        mg.Trainer(mg.TrainConfig.of_run(folder))
    moved = replace(mg.TrainConfig.of_run(folder), data=str(tmp_path / "new"), epochs=2)
    mg.Trainer(moved).run()


def test_missing_samples_and_damaged_pictures_do_not_end_a_run(config: Configure) -> None:
    folder = mg.Trainer(config(epochs=2)).run()
    (folder / "samples" / "epoch_0001.png").unlink()
    (folder / "samples" / "epoch_0002.png").write_text("hello")
    mg.Trainer(replace(mg.TrainConfig.of_run(folder), epochs=3)).run()
    shutil.rmtree(folder / "samples")
    mg.Trainer(replace(mg.TrainConfig.of_run(folder), epochs=4)).run()
    with Image.open(folder / "training.gif") as film:
        assert getattr(film, "n_frames", 1) == 1


def test_resume_on_changed_data(config: Configure, tiny_data: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(tiny_data, data)
    folder = mg.Trainer(config(epochs=1, data=str(data))).run()
    file = data / "train-images-idx3-ubyte"
    file.write_bytes(file.read_bytes()[:-1] + b"\x07")
    with pytest.raises(InputError, match="data is not the data that the run was started on"):
        mg.Trainer(mg.TrainConfig.of_run(folder))


def test_folder_that_cannot_be_written(config: Configure, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="is a file, expected a folder"):
        mg.Trainer(config(out=str(tmp_path / "file")))
    trainer = mg.Trainer(config(out=str(tmp_path / "file" / "run")))
    with pytest.raises(InputError, match="file/run cannot be written: Not a directory"):
        trainer.run()
    assert trainer.step == 0  # found before any training


@pytest.mark.parametrize(
    "options",
    [
        {"batch_size": 31},
        {"lr": 3e-3},
        {"seed": 1},
        {"latent_dim": 99},
        {"betas": (0.5, 0.99)},
        {"dtype": "float64"},
        {"threads": 1},
    ],
)
def test_resume_with_other_options(options: dict[str, Any], config: Configure) -> None:
    folder = mg.Trainer(config(epochs=1)).run()
    name = next(iter(options)).replace("_", "-")
    with pytest.raises(InputError, match=f"--{name} is .*, but the run was started with"):
        mg.Trainer(config(resume=str(folder), **options))


def test_resume_with_other_data(config: Configure) -> None:
    folder = mg.Trainer(config(epochs=1)).run()
    with pytest.raises(InputError, match="mnist is not the data that the run was started on"):
        mg.Trainer(config(resume=str(folder), epochs=1, data="mnist"))


def test_resume_with_fewer_epochs_or_another_folder(config: Configure, tmp_path: Path) -> None:
    folder = mg.Trainer(config(epochs=2)).run()
    with pytest.raises(InputError, match="--epochs is 1, but the run was started with 2"):
        mg.Trainer(config(epochs=1, resume=str(folder)))
    with pytest.raises(InputError, match="--out and --resume exclude each other"):
        mg.Trainer(config(epochs=2, resume=str(folder), out=str(tmp_path / "other")))


def test_resume_of_what_is_no_run(config: Configure, tmp_path: Path) -> None:
    for folder in (tmp_path / "nothing", tmp_path):
        with pytest.raises(InputError, match="holds no run: there is no config.json"):
            mg.Trainer(config(resume=str(folder)))
    for text, message in (
        ("{", "cannot be read"),
        ("[]", "does not hold the options of a run"),
        ('{"epochs": 3}', "does not hold the options of a run"),
    ):
        (tmp_path / "config.json").write_text(text)
        with pytest.raises(InputError, match=message):
            mg.Trainer(config(resume=str(tmp_path)))
    stored = config().stored() | {"epochs": "three"}
    (tmp_path / "config.json").write_text(json.dumps(stored))
    with pytest.raises(InputError, match="config.json: --epochs is 'three'"):
        mg.Trainer(config(resume=str(tmp_path)))


def test_resume_of_a_damaged_checkpoint(config: Configure) -> None:
    folder = mg.Trainer(config(epochs=1)).run()
    file = folder / CHECKPOINT
    whole, (arrays, meta) = file.read_bytes(), load_checkpoint(file)

    def attempt(message: str) -> None:
        before = file.read_bytes()
        with pytest.raises(InputError, match=message):
            mg.Trainer(config(epochs=2, resume=str(folder)))
        assert file.read_bytes() == before

    file.write_bytes(whole[: len(whole) // 2])
    attempt("damaged or not a checkpoint")
    file.write_bytes(whole[:5_000_000] + bytes([whole[5_000_000] ^ 1]) + whole[5_000_001:])
    attempt("Bad CRC-32")
    save_checkpoint(file, arrays | {"generator": arrays["generator"][:-1]}, meta)
    attempt("'generator' is .* another architecture")
    save_checkpoint(file, arrays | {"log": np.zeros((2, 3))}, meta)
    attempt("damaged")
    save_checkpoint(file, arrays, {"step": 7})
    attempt("damaged")
    save_checkpoint(file, arrays, meta | {"epoch_state": {"bit_generator": "PCG64"}})
    attempt("damaged")
    for step in (-1, 8, 21, 10**30, math.inf, None, True):
        save_checkpoint(file, arrays, meta | {"step": step})
        attempt("damaged")
    save_checkpoint(file, arrays, meta | {"config": meta["config"] | {"lr": 3e-3}})
    attempt("--lr is 0.001, but the run was started with 0.003")


@pytest.mark.parametrize("step", [3, 10])
def test_a_loss_that_is_not_finite_stops_the_run(step: int, config: Configure) -> None:
    trainer = mg.Trainer(config())
    train_step = trainer.gan.train_step

    def poisoned(real: Array, z: Array) -> mg.StepResult:
        if trainer.step == step - 1:
            trainer.gan.discriminator.params[0] = math.nan
        return train_step(real, z)

    trainer.gan.train_step = poisoned
    with pytest.raises(InputError, match=f"diverged at step {step}: d_loss is nan") as caught:
        trainer.run()
    assert ("the last checkpoint is kept" in str(caught.value)) == (step > 7)
    if step > 7:  # after the first epoch there is a good checkpoint, and it stays
        arrays, meta = load_checkpoint(trainer.folder / CHECKPOINT)
        assert meta["step"] == 7
        assert np.isfinite(arrays["discriminator"]).all()


def test_g_loss_alone_stops_it_too(config: Configure) -> None:
    trainer = mg.Trainer(config())
    trainer.gan.train_step = lambda real, z: mg.StepResult(
        *map(np.float32, (0.5, math.inf, 0.5, 0.5))
    )
    with pytest.raises(InputError, match="diverged at step 1: d_loss is 0.5 and g_loss is inf"):
        trainer.run()


def test_weights_that_are_not_finite_are_not_saved(config: Configure) -> None:
    trainer = mg.Trainer(config(epochs=1))
    train_step = trainer.gan.train_step

    def poisoned(real: Array, z: Array) -> mg.StepResult:
        result = train_step(real, z)
        if trainer.step == 6:  # after the losses of the epoch's last step were computed
            trainer.gan.generator.params[0] = math.inf
        return result

    trainer.gan.train_step = poisoned
    with pytest.raises(InputError, match="diverged at step 7: a weight is not finite"):
        trainer.run()
    assert not (trainer.folder / CHECKPOINT).exists()
    assert not (trainer.folder / "samples").exists()


def test_a_huge_learning_rate_diverges_in_one_line(config: Configure) -> None:
    with pytest.raises(InputError, match="training diverged at step"):
        mg.Trainer(config(lr=1e30)).run()


@pytest.mark.parametrize("name", ["a folder that vanished", "a full disk"])
def test_a_failing_disk_keeps_the_old_checkpoint(
    name: str, config: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = mg.Trainer(config(epochs=1)).run()
    before = (folder / CHECKPOINT).read_bytes()
    trainer = mg.Trainer(config(epochs=2, resume=str(folder)))

    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError(28, "No space left on device")

    if name == "a full disk":
        monkeypatch.setattr("numpy.savez", full)
        with pytest.raises(OSError, match="No space left"):
            trainer.run()
        assert (folder / CHECKPOINT).read_bytes() == before
    else:
        monkeypatch.setattr("minigan.training.save_run", lambda run: shutil.rmtree(folder))
        with pytest.raises(OSError, match="No such file"):
            trainer.run()


def test_the_learning_rate_is_the_recipes_if_none_is_given() -> None:
    assert mg.TrainConfig().lr == 1e-3
    assert mg.TrainConfig(recipe="tutorial").lr == 2e-4  # the tutorial's
    assert mg.TrainConfig(lr=2e-4).lr == 2e-4
    assert mg.TrainConfig(recipe="tutorial").stored()["lr"] == 2e-4  # a resumed run's holds


def test_numpy_numbers_and_paths_are_options_too(tmp_path: Path) -> None:
    config = mg.TrainConfig(epochs=np.int64(3), lr=np.float32(0.5), betas=[0, 0.5], out=tmp_path)
    same = mg.TrainConfig(epochs=3, lr=0.5, betas=(0.0, 0.5))
    assert config.stored() == same.stored()
    assert json.dumps(config.stored())
    assert config.out == str(tmp_path)
