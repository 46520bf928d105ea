"""Runs that cannot be resumed: other options, other data, damaged files."""

from __future__ import annotations

import json
import math
import shutil
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.runs import Configure

import minigan as mg
from minigan.data import load_archive, save_archive
from minigan.errors import InputError
from minigan.training import write_page
from minigan.training.folder import CHECKPOINT, HISTORY


def test_history_without_checkpoint_is_no_new_run(config: Configure) -> None:
    folder = mg.Trainer(config(epochs=1)).run()
    (folder / CHECKPOINT).unlink()
    before = (folder / HISTORY).read_bytes()
    with pytest.raises(InputError, match="has a history.csv, but its checkpoint.npz is gone"):
        mg.Trainer(mg.TrainConfig.of_run(folder))
    assert (folder / HISTORY).read_bytes() == before


def test_resume_on_changed_data(config: Configure, tiny_data: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(tiny_data, data)
    folder = mg.Trainer(config(epochs=1, data=str(data))).run()
    file = data / "train-images-idx3-ubyte"
    file.write_bytes(file.read_bytes()[:-1] + b"\x07")
    with pytest.raises(InputError, match="data is not the data that the run was started on"):
        mg.Trainer(mg.TrainConfig.of_run(folder))


@pytest.mark.parametrize(
    "options",
    [
        {"batch_size": 31},
        {"seed": 1},
        {"latent_dim": 99},
        {"betas": (0.5, 0.99)},
        {"dtype": "float64"},
    ],
)
def test_resume_with_other_options(options: dict[str, Any], config: Configure) -> None:
    folder = mg.Trainer(config(epochs=1)).run()
    name = next(iter(options))
    with pytest.raises(InputError, match=f"^{name} is .*, but the run was started with"):
        mg.Trainer(config(resume=str(folder), **options))


def test_resume_with_other_data(config: Configure) -> None:
    folder = mg.Trainer(config(epochs=1)).run()
    with pytest.raises(InputError, match="mnist is not the data that the run was started on"):
        mg.Trainer(config(resume=str(folder), epochs=1, data="mnist"))


def test_resume_with_fewer_epochs_or_another_folder(config: Configure, tmp_path: Path) -> None:
    folder = mg.Trainer(config(epochs=2)).run()
    before = (folder / "config.json").read_bytes()
    with pytest.raises(
        InputError, match="^epochs is 1, but the run has come to epoch 2: expected at least 2$"
    ):
        mg.Trainer(config(epochs=1, resume=str(folder)))
    assert (folder / "config.json").read_bytes() == before
    with pytest.raises(InputError, match="^out and resume exclude each other"):
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
    with pytest.raises(InputError, match="config.json: epochs is 'three'"):
        mg.Trainer(config(resume=str(tmp_path)))


def test_resume_of_a_damaged_checkpoint(config: Configure) -> None:
    folder = mg.Trainer(config(epochs=1)).run()
    file = folder / CHECKPOINT
    whole, (arrays, meta) = file.read_bytes(), load_archive(file)

    def attempt(message: str) -> None:
        before = file.read_bytes()
        with pytest.raises(InputError, match=message):
            mg.Trainer(config(epochs=2, resume=str(folder)))
        assert file.read_bytes() == before

    file.write_bytes(whole[: len(whole) // 2])
    attempt("damaged or not a checkpoint")
    middle = len(whole) // 2
    file.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
    attempt("Bad CRC-32")
    save_archive(file, arrays | {"generator": arrays["generator"][:-1]}, meta)
    attempt("'generator' is .* another architecture")
    save_archive(file, arrays | {"log": np.zeros((2, 3))}, meta)
    attempt("damaged")
    save_archive(file, arrays, {"step": 7})
    attempt("damaged")
    save_archive(file, arrays, meta | {"epoch_state": {"bit_generator": "PCG64"}})
    attempt("damaged")
    for step in (-1, 8, 21, 10**30, math.inf, None, True):
        save_archive(file, arrays, meta | {"step": step})
        attempt("damaged")
    save_archive(file, arrays, meta | {"config": meta["config"] | {"seed": 3}})
    attempt("^seed is 0, but the run was started with 3")


@pytest.mark.parametrize(
    ("name", "index", "value", "message"),
    [
        ("generator", 5, math.nan, "'generator' has numbers that are not finite"),
        ("average", 5, math.nan, "'average' has numbers that are not finite"),
        ("discriminator.m", 9, math.inf, "'discriminator.m' has numbers that are not finite"),
        ("generator.v", 9, math.inf, "'generator.v' has numbers that are not finite"),
        ("generator.v", 9, -1e-9, "'generator.v' has numbers below 0"),
        ("average.4.running_var", 2, -0.5, "'average.4.running_var' has numbers below 0"),
        ("generator.4.running_mean", 2, math.nan, "running_mean' has numbers that are not finite"),
        ("fixed_z", (0, 0), math.inf, "'fixed_z' has numbers that are not finite"),
        ("history", (0, 2), math.nan, "'history' has numbers that are not finite"),
        ("history", (0, -1), math.inf, "'history' has numbers that are not finite"),
        ("history", (0, 2), 1e308, "'history' has numbers beyond 1e.100"),
        ("history", (0, 1), 8.0, "its figures do not end at step 7"),
    ],
)
def test_every_number_of_a_checkpoint_is_checked(
    name: str, index: Any, value: float, message: str, config: Configure
) -> None:
    folder = mg.Trainer(config(epochs=1)).run()
    arrays, meta = load_archive(folder / CHECKPOINT)
    arrays[name] = arrays[name].copy()
    arrays[name][index] = value
    save_archive(folder / CHECKPOINT, arrays, meta)
    with pytest.raises(InputError, match=f"checkpoint.npz is damaged: .*{message}"):
        mg.Trainer(config(epochs=2, resume=str(folder)))
    if name.startswith("average"):
        with pytest.raises(InputError, match=f"checkpoint.npz is damaged: {message}"):
            mg.load_generator(folder)


@pytest.mark.parametrize(
    "lrs", [[[1]], [["one", 0.1]], [[1, -0.1]], 5, [[0, 0.1]], [[1, math.inf]], [[1, "fast"]]]
)
def test_damaged_notes_on_learning_rates(lrs: Any, config: Configure) -> None:
    folder = mg.Trainer(config(epochs=1)).run()
    arrays, meta = load_archive(folder / CHECKPOINT)
    save_archive(folder / CHECKPOINT, arrays, meta | {"lrs": lrs})
    with pytest.raises(InputError, match=r"checkpoint.npz is damaged: "):
        mg.Trainer(config(epochs=2, resume=str(folder)))


def test_an_older_run_without_a_learning_rate(config: Configure) -> None:
    folder = mg.Trainer(config(epochs=1)).run()
    arrays, meta = load_archive(folder / CHECKPOINT)
    arrays["history"] = arrays["history"][:, :-1].copy()
    save_archive(folder / CHECKPOINT, arrays, meta | {"lrs": []})
    with pytest.raises(InputError, match=r"checkpoint.npz is damaged: "):
        mg.Trainer(config(epochs=2, resume=str(folder)))


@pytest.mark.parametrize("model", ["\ud800.py", "a\0b", 5, "x" * 5000])
def test_damaged_names_of_models(model: Any, config: Configure) -> None:
    folder = mg.Trainer(config(epochs=1)).run()
    arrays, meta = load_archive(folder / CHECKPOINT)
    save_archive(folder / CHECKPOINT, arrays, meta | {"model": model})
    with pytest.raises(InputError, match=r"checkpoint.npz is damaged: its networks come from"):
        write_page(folder)


@pytest.mark.parametrize(
    "threads", [[[1]], [["one", 2]], [[1, -2]], 5, [[1, True]], [[1, 1025]], [[1, 10**30]]]
)
def test_damaged_notes_on_threads(threads: Any, config: Configure) -> None:
    folder = mg.Trainer(config(epochs=1)).run()
    arrays, meta = load_archive(folder / CHECKPOINT)
    save_archive(folder / CHECKPOINT, arrays, meta | {"threads": threads})
    with pytest.raises(InputError, match=r"checkpoint.npz is damaged: "):
        mg.Trainer(config(epochs=2, resume=str(folder)))


@pytest.mark.parametrize("steps", [6, 8, 0, -7, 7.0, "7", None, True, 1 << 60])
def test_damaged_numbers_of_steps(steps: Any, config: Configure) -> None:
    folder = mg.Trainer(config(epochs=1)).run()
    arrays, meta = load_archive(folder / CHECKPOINT)
    assert meta["steps_per_epoch"] == 7
    save_archive(folder / CHECKPOINT, arrays, meta | {"steps_per_epoch": steps})
    with pytest.raises(InputError, match=r"checkpoint.npz is damaged: its epochs have .* steps"):
        mg.Trainer(config(epochs=2, resume=str(folder)))


@pytest.mark.parametrize("epoch", [0, 2, -1, "1", None, 1.5])
def test_an_epoch_that_is_not_that_of_the_steps(epoch: Any, config: Configure) -> None:
    folder = mg.Trainer(config(epochs=1)).run()
    arrays, meta = load_archive(folder / CHECKPOINT)
    save_archive(folder / CHECKPOINT, arrays, meta | {"epoch": epoch})
    with pytest.raises(InputError, match=r"checkpoint.npz is damaged: step 7 after epoch "):
        mg.Trainer(config(epochs=2, resume=str(folder)))


def test_changed_options_are_found(config: Configure) -> None:
    """The checksum of config.json covers options that a run may change, too."""
    folder = mg.Trainer(config(epochs=1)).run()
    file = folder / "config.json"
    whole = file.read_bytes()
    for place in range(len(whole)):
        for bit in (place % 8, (place + 3) % 8):
            changed = whole[:place] + bytes([whole[place] ^ (1 << bit)]) + whole[place + 1 :]
            file.write_bytes(changed)
            try:
                found = mg.TrainConfig.of_run(folder).stored()
            except InputError as error:
                assert "config.json" in str(error)
                continue
            assert found == config(epochs=1).stored(), changed  # a space has become a tab


def test_a_config_of_a_gigabyte_is_not_read(config: Configure) -> None:
    folder = mg.Trainer(config(epochs=1)).run()
    with (folder / "config.json").open("wb") as file:
        file.truncate(1 << 30)
    tracemalloc.start()
    with pytest.raises(InputError, match="config.json cannot be read: it has more than 1,000,000"):
        mg.TrainConfig.of_run(folder)
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()
