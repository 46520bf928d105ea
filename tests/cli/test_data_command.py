"""``minigan data``: what it says of a data set, and what it draws."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.command import fails
from helpers.pictures import colour, grey, save
from PIL import Image

from minigan.cli import main


def test_mnist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["data"]) == 0
    assert capsys.readouterr().out == (
        "found    the MNIST that comes with minigan\n"
        "images   70,000\n"
        "         60,000 to train with, 10,000 to test with\n"
        "size     28 x 28, grey\n"
        "levels   0 to 255\n"
        "classes  10: 0 6,903 images, 1 7,877, 2 6,990, 3 7,141, 4 6,824, 5 6,313, 6 6,876, "
        "7 7,293, 8 6,825, 9 6,958\n"
        f"\n64 images of them: {Path('runs', 'data_mnist.png')}\n"
    )
    with Image.open(Path("runs", "data_mnist.png")) as picture:
        assert (picture.mode, picture.size) == ("L", (484, 484))


def test_pictures_in_colour(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images = [colour(i, 16, 16) for i in range(10)]
    for i, image in enumerate(images):
        save(tmp_path / "own" / ("cats" if i < 4 else "dogs") / f"{i}.png", image)
    out = tmp_path / "look.png"
    assert main(["data", str(tmp_path / "own"), "--out", str(out)]) == 0
    assert capsys.readouterr().out == (
        f"found    10 pictures in {tmp_path / 'own'}\n"
        "images   10\n"
        "         9 to train with, 1 to test with\n"
        "size     16 x 16, colour\n"
        "levels   0 to 255\n"
        "classes  2: 0 (cats) 4 images, 1 (dogs) 6\n"
        "note     The data have no test images, so 1 of the 10 images, drawn at random, are held "
        "out to test with.\n"
        f"\n9 images of them: {out}\n"
    )
    with Image.open(out) as picture:
        pixels = np.asarray(picture)[::4, ::4]  # 16 x 16 pixels become 64 x 64
    cell = pixels[2:18, 2:18]
    assert min(np.abs(cell.astype(int) - image).max() for image in images) <= 3  # stretched


def test_dark_images_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(tmp_path / "own" / "a.png", grey() // 16)
    assert main(["data", str(tmp_path / "own"), "--out", str(tmp_path / "look.png")]) == 0
    out = capsys.readouterr().out
    assert "levels   0 to 15; no pixel is brighter than a quarter of white\n" in out
    assert "classes  none: there are no labels\n" in out


def test_names_are_shown_with_their_escapes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a\x1b[31m", "b"):
        save(Path("own", name, "a.png"), grey())
    assert main(["data", "own"]) == 0
    assert r"0 (a\x1b[31m) 1 image, 1 (b) 1" in capsys.readouterr().out


def test_bad_options(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    save(Path("own", "a.png"), grey())
    for args, message in (
        (["nowhere"], "data folder nowhere does not exist"),
        (["own", "--resize", "4"], "--resize is 4, expected a whole number of at least 8"),
        (["own", "--resize", "65"], "--resize is 65, expected a whole number up to 64"),
        (["own", "--out", "own"], "--out own is a folder, expected a file to write"),
        (["own", "--out", "there/a.png"], "--out there/a.png is in there, which is not a folder"),
    ):
        fails(["data", *args], message, capsys)
    save(Path("own", "b.png"), grey(0, 20, 20))
    fails(["data", "own"], "have 2 sizes, .*: expected one size, or give --resize 28", capsys)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["own"]
