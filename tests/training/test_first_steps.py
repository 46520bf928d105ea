"""The first twenty steps of each recipe on one thread, bit for bit, on the platforms that we know.

No tolerance: if a bit of a weight changes, then a formula, an order or a draw has changed.  Another
BLAS rounds otherwise, so ``first_steps.json`` has a row for each platform that was recorded, by

    python tests/training/test_first_steps.py

A recipe that has changed has no hash on the platforms where it was not recorded again.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import minigan as mg
from minigan import load_mnist
from minigan.data import pixel_values
from minigan.machine.blas import blas_kernels
from minigan.training.draws import draw_epoch, draw_start
from minigan.training.recipes import RECIPES

RECORDED = Path(__file__).with_name("first_steps.json")
STEPS = 20


def this_platform() -> str:
    """Return what decides how a product is rounded: the system, NumPy's BLAS and its kernels."""
    blas = re.sub(r", \d+ threads?", "", blas_kernels())
    return f"{platform.system()} {platform.machine()}, {blas}, NumPy {np.__version__}"


def hash_of(recipe: str) -> str:
    """Train for twenty steps, and return a hash of all that training has changed."""
    rng = np.random.default_rng(0)
    classes = 10 if RECIPES[recipe].conditional else 0
    gan, fixed_z = draw_start(RECIPES[recipe], rng, classes=classes)
    images, labels = load_mnist("train")
    real = pixel_values(images.reshape(-1, 784))
    digest = hashlib.sha256(fixed_z.tobytes())
    epoch = draw_epoch(rng, len(real), 64, gan.z_columns or 1)
    for _, (indices, z) in zip(range(STEPS), epoch, strict=False):
        figures = gan.train_step(real[indices], z, labels[indices] if classes else None)
        digest.update(np.array([float(figure) for figure in figures]).tobytes())
    for adam in (gan.adam_g, gan.adam_d):
        for array in (adam.net.params, adam.m, adam.v):
            digest.update(array.tobytes())
        for _, buffer in adam.net.named_buffers():
            digest.update(buffer.tobytes())
    return digest.hexdigest()


def hashes() -> dict[str, str]:
    """Return the hashes, computed in a process whose BLAS has had one thread from the start."""
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, __file__, "--print"]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    found: dict[str, str] = json.loads(result.stdout)
    return found


def test_the_first_steps_are_those_of_every_day() -> None:
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
    found = hashes()
    assert found.keys() == set(RECIPES)
    if this_platform() not in recorded:
        known = "; ".join(recorded)
        pytest.skip(f"no hashes are recorded for {this_platform()}, only for {known}")
    here = recorded[this_platform()]
    assert here
    assert {recipe: found[recipe] for recipe in here} == here


def test_a_bit_makes_another_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "STEPS", 5)
    before = hash_of("tutorial")
    assert hash_of("tutorial") == before
    other = functools.partial(mg.LeakyReLU, 0.2 + 1e-7)  # a bit or two of a float32
    monkeypatch.setattr("minigan.models.LeakyReLU", lambda slope: other())
    assert hash_of("tutorial") != before


if __name__ == "__main__":
    if sys.argv[1:] == ["--print"]:
        print(json.dumps({recipe: hash_of(recipe) for recipe in RECIPES}))
    else:
        known = json.loads(RECORDED.read_text(encoding="utf-8")) if RECORDED.exists() else {}
        known[this_platform()] = hashes()
        RECORDED.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")
