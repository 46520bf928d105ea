"""An exported generator says what its classes are called, and an imported one still knows it."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import minigan as mg
from minigan.data import load_archive, save_archive
from minigan.exchange import export_run, import_file
from minigan.training import Trained, save_trained, stored_generator

FORMATS = {"npz": "numpy", "torch": "torch", "safetensors": "safetensors", "onnx": "onnx"}
NAMES = ("cats", "", "bi\nrds")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    net = mg.generator(5, classes=3, batch_norm=True, seed=0)
    config = mg.TrainConfig(recipe="conditional", latent_dim=5, data="animals").resolved()
    save_trained(Trained(net, config, (0, 4, 7), names=NAMES), tmp_path / "best.npz")
    return tmp_path / "best.npz"


@pytest.mark.parametrize("to", FORMATS)
def test_the_card_names_them(to: str, file: Path) -> None:
    if find_spec(FORMATS[to]) is None or (to != "npz" and find_spec("torch") is None):
        pytest.skip(f"{to} is not installed")
    export, _ = export_run(file, to)
    assert r"the classes are 0 (cats), 4 (), 7 (bi\nrds)" in (export / "README.md").read_text()


@pytest.mark.parametrize("to", ["npz", "safetensors"])
def test_they_come_back(to: str, file: Path) -> None:
    if find_spec(FORMATS[to]) is None:
        pytest.skip(f"{to} is not installed")
    export, (alone,) = export_run(file, to)
    imported = stored_generator(import_file(export / alone, export / "back").folder / "best.npz")
    assert (imported.classes, imported.names) == ((0, 4, 7), NAMES)
    np.testing.assert_array_equal(imported.net.params, mg.load_generator(file).params)


def test_names_that_do_not_fit_are_refused(file: Path, tmp_path: Path) -> None:
    export, (alone,) = export_run(file, "npz")
    arrays, meta = load_archive(export / alone)
    meta["tensors"]["notes"]["names"] = ["cats"]
    save_archive(export / alone, arrays, meta)
    with pytest.raises(mg.InputError, match=r"the names of its classes are \['cats'\]"):
        import_file(export / alone, tmp_path / "back")
