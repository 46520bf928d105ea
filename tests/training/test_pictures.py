"""Pictures: the grid is torchvision's, the files are what they say."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from minigan.training.history import HistoryRow
from minigan.training.pictures import SCALE, image_grid, save_gif, save_grid, save_losses


def test_grid_by_hand() -> None:
    images = np.stack([np.full((28, 28), value) for value in (-1.0, 0.0, 1.0)])
    grid = image_grid(images, nrow=2, padding=1)
    assert grid.shape == (2 * 29 + 1, 2 * 29 + 1)
    assert grid.dtype == np.float32
    assert (grid[1:29, 30:58] == 0.5).all()  # the second image, right of the first
    assert (grid[30:58, 1:29] == 1).all()  # the third, below the first
    assert (grid[:, 0] == 0).all()
    assert (grid[30:, 30:] == 0).all()  # no fourth


@pytest.mark.torch
@pytest.mark.skipif(
    importlib.util.find_spec("torchvision") is None, reason="torchvision is not installed"
)
@pytest.mark.parametrize("n", [64, 8, 5, 1, 13])
def test_grid_equals_torchvision(n: int) -> None:
    import torch
    from torchvision.utils import make_grid

    images = np.random.default_rng(n).uniform(-1.2, 0.9, (n, 28, 28)).astype("float32")
    theirs = make_grid(torch.tensor(images[:, None]), nrow=8, normalize=True)[0].numpy()
    if n == 1:  # torchvision frames a single image not at all; ours is padded like the others
        theirs = np.pad(theirs, 2)
    np.testing.assert_array_equal(image_grid(images), theirs)


def test_save_grid(tmp_path: Path) -> None:
    images = np.random.default_rng(0).uniform(-1, 1, (64, 784))
    save_grid(tmp_path / "grid.png", images)
    with Image.open(tmp_path / "grid.png") as picture:
        assert picture.format == "PNG"
        pixels = np.asarray(picture)
    expected = np.rint(image_grid(images) * 255)
    np.testing.assert_array_equal(pixels[::SCALE, ::SCALE], expected)
    assert pixels.shape == (242 * SCALE, 242 * SCALE)


def test_identical_images_are_no_division_by_zero(tmp_path: Path) -> None:
    assert (image_grid(np.full((4, 784), -1.0)) == 0).all()


@pytest.mark.parametrize(("n", "frames"), [(1, 1), (3, 3), (100, 100), (250, 84)])
def test_gif(n: int, frames: int, tmp_path: Path) -> None:
    files = []
    for i in range(n):
        files.append(tmp_path / f"{i}.png")
        Image.fromarray(np.full((20, 20), 255 * i // n, np.uint8)).save(files[-1])
    save_gif(tmp_path / "film.gif", files)
    with Image.open(tmp_path / "film.gif") as film:
        assert film.format == "GIF"
        assert getattr(film, "n_frames", 1) == frames
        film.seek(frames - 1)
        assert film.convert("L").getpixel((0, 0)) == 255 * (n - 1) // n  # it ends with the last
        if n > 1:
            assert film.info["loop"] == 0  # endless
            assert film.info["duration"] == 2000  # and rests there


@pytest.mark.parametrize("byte", [8, 11, 12, 16])  # length, name and content of the first chunk
def test_a_damaged_picture_is_left_out_of_the_film(byte: int, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.png", tmp_path / "bad.png"
    Image.fromarray(np.full((20, 20), 9, np.uint8)).save(good)
    content = bytearray(good.read_bytes())
    content[byte] ^= 1
    bad.write_bytes(content)
    save_gif(tmp_path / "film.gif", [bad, good, tmp_path / "gone.png"])
    with Image.open(tmp_path / "film.gif") as film:
        assert getattr(film, "n_frames", 1) == 1


def test_losses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    figures = []
    savefig = Figure.savefig

    def noted(figure: Figure, *args: Any, **kwargs: Any) -> None:
        figures.append(figure)
        savefig(figure, *args, **kwargs)

    monkeypatch.setattr(Figure, "savefig", noted)
    history = [HistoryRow(1, 100, 1.3, 0.7, 0.5, 0.5, 1.0, 6400.0, spread=0.2)]
    history.append(HistoryRow(2, 200, 0.5, 3.7, 0.9, 0.1, 2.0, 6400.0, spread=0.3))
    save_losses(tmp_path / "losses.png", history, 100, 0.38)
    with Image.open(tmp_path / "losses.png") as picture:
        assert picture.size == (960, 960)
        assert len(np.unique(np.asarray(picture.convert("L")))) > 50
    lines = {
        line.get_label(): np.asarray(line.get_ydata()).tolist()
        for axes in figures[0].axes
        for line in axes.lines
    }
    assert lines == {
        "d_loss": [1.3, 0.5],
        "g_loss": [0.7, 3.7],
        "2 ln 2: D is only guessing": [2 * math.log(2)] * 2,
        "ln 2: D is only guessing": [math.log(2)] * 2,
        "D(x), real images": [0.5, 0.9],
        "D(G(z)), fakes": [0.5, 0.1],
        "1/2: D is only guessing": [0.5] * 2,
        "spread of G's images": [0.2, 0.3],
        "of real images": [0.38] * 2,
    }
    history[1] = history[1]._replace(js=0.04)  # measured once
    save_losses(tmp_path / "losses.png", history, 100, 0.38)
    assert len(figures[-1].axes) == 4
    (line,) = figures[-1].axes[3].lines
    assert np.asarray(line.get_xdata()).tolist() == [2]
    assert np.asarray(line.get_ydata()).tolist() == [0.04]
    assert np.asarray(figures[0].axes[0].lines[0].get_xdata()).tolist() == [1, 2]
