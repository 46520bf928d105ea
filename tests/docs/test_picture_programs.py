"""The programs that draw the pictures of the docs still run, on runs that take no time."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from helpers.example_files import ROOT
from helpers.pages import trained_run
from PIL import Image

SOURCE = ROOT / "docs" / "images"
RUNS = {  # the arguments of those that draw what a run has left, and what they draw
    "appearing": (["{runs}/healthy"], ["appearing.gif"]),
    "gap": (["{runs}/healthy", "{runs}/collapsed"], ["gap.png"]),
    "is_it_working": (["{runs}"], ["epochs.png", "curves.png"]),
}
ALONE = {"central_difference": ["central_difference.png"], "dirac_gan": ["dirac_gan.png"]}


def draw(name: str, arguments: Sequence[str], folder: Path) -> None:
    """Run a copy of the program, which draws beside itself."""
    program = shutil.copy(SOURCE / f"{name}.py", folder)
    result = subprocess.run(
        [sys.executable, program, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert result.returncode == 0, result.stderr


@pytest.fixture
def runs(tiny_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("healthy", "collapsed"):
        trained_run(tiny_data, tmp_path / name, monkeypatch)
    return tmp_path


def test_every_program_is_tried() -> None:
    there = {file.stem for file in SOURCE.glob("*.py")} - {"rooms"}  # it draws what tests/ holds
    assert there == RUNS.keys() | ALONE.keys()


def test_pictures_of_runs(runs: Path) -> None:
    for name, (arguments, pictures) in RUNS.items():
        draw(name, [argument.format(runs=runs) for argument in arguments], runs)
        for picture in pictures:
            with Image.open(runs / picture) as image:
                assert len(image.convert("L").getcolors(1 << 20) or []) > 10, picture


@pytest.mark.parametrize("name", ALONE)
def test_pictures_of_formulas(name: str, tmp_path: Path) -> None:
    draw(name, [], tmp_path)
    for picture in ALONE[name]:
        with Image.open(tmp_path / picture) as image, Image.open(SOURCE / picture) as shown:
            assert image.size == shown.size
