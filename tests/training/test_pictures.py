"""Pictures: the grid is torchvision's, the files are what they say."""

from __future__ import annotations

import importlib.util
import io
import itertools
import math
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from helpers.runs import Configure
from matplotlib.figure import Figure
from PIL import Image

import minigan as mg
from minigan.training.film import STRIP, film_gif
from minigan.training.history import HistoryRow
from minigan.training.pictures import curves_png, image_grid, save_grid


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
    np.testing.assert_array_equal(pixels[::2, ::2], expected)
    assert pixels.shape == (484, 484)


def test_identical_images_are_no_division_by_zero(tmp_path: Path) -> None:
    assert (image_grid(np.full((4, 784), -1.0)) == 0).all()


@pytest.mark.parametrize(("n", "frames"), [(1, 1), (3, 3), (100, 100), (250, 84)])
def test_gif(n: int, frames: int, tmp_path: Path) -> None:
    files = []
    for i in range(n):
        files.append(tmp_path / f"{i}.png")
        Image.fromarray(np.full((20, 20), 255 * i // n, np.uint8)).save(files[-1])
    content = film_gif([(f"after epoch {i}", file) for i, file in enumerate(files)])
    assert content is not None
    with Image.open(io.BytesIO(content)) as film:
        assert film.format == "GIF"
        assert getattr(film, "n_frames", 1) == frames
        film.seek(frames - 1)
        assert film.convert("L").getpixel((0, 0)) == 255 * (n - 1) // n  # it ends with the last
        if n > 1:
            assert film.info["loop"] == 0  # endless
            assert film.info["duration"] == 2000  # and rests there


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_each_picture_of_the_film_says_when_it_was_drawn(mode: str, tmp_path: Path) -> None:
    """Above the strip with the words each frame is the picture, and each strip is another one."""
    words, frames = ["after 100 steps", "after epoch 1", "after epoch 2"], []
    for i in range(3):
        frames.append(tmp_path / f"{i}.png")
        Image.new(mode, (200, 60), 80 * i if mode == "L" else (80 * i, 0, 9)).save(frames[-1])
    content = film_gif(list(zip(words, frames, strict=True)))
    assert content is not None
    strips = []
    with Image.open(io.BytesIO(content)) as film:
        assert film.size == (200, 60 + STRIP)
        for i, frame in enumerate(frames):
            film.seek(i)
            pixels = np.asarray(film.convert(mode)).astype(int)
            np.testing.assert_allclose(pixels[:60], np.asarray(Image.open(frame)), atol=4)
            strips.append(pixels[60:])
    for strip in strips:
        assert (strip.min(), strip.max() > 200) == (0, True)
        assert 0.01 < (strip > 128).mean() < 0.3
    assert all((one != other).any() for one, other in itertools.combinations(strips, 2))


@pytest.mark.parametrize(
    ("n", "shape", "side"),
    [(1, (28, 28), 15), (4, (28, 28), 4), (8, (28, 28), 2), (64, (28, 28), 2), (1000, (28, 28), 2),
     (1, (8, 8), 40), (64, (8, 8), 7), (2, (64, 64, 3), 4), (3, (20, 32, 3), 5)],
)  # fmt: skip
def test_pixels_are_larger_if_images_are_few(
    n: int, shape: tuple[int, ...], side: int, tmp_path: Path
) -> None:
    images = np.random.default_rng(0).random((n, math.prod(shape)))
    save_grid(tmp_path / "grid.png", images, shape=shape)
    grid = image_grid(images, shape=shape)
    with Image.open(tmp_path / "grid.png") as picture:
        pixels = np.asarray(picture)
    squares = np.rint(grid * 255).repeat(side, 0).repeat(side, 1)
    np.testing.assert_array_equal(pixels, squares)
    assert max(pixels.shape) >= 400


@pytest.mark.parametrize("byte", [8, 11, 12, 16])  # length, name and content of the first chunk
def test_a_damaged_picture_is_left_out_of_the_film(byte: int, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.png", tmp_path / "bad.png"
    Image.fromarray(np.full((20, 20), 9, np.uint8)).save(good)
    content = bytearray(good.read_bytes())
    content[byte] ^= 1
    bad.write_bytes(content)
    film_content = film_gif([("", bad), ("", good), ("", tmp_path / "gone.png")])
    assert film_content is not None
    with Image.open(io.BytesIO(film_content)) as film:
        assert getattr(film, "n_frames", 1) == 1


def test_what_somebody_put_in_the_place_of_a_picture_is_left_out(tmp_path: Path) -> None:
    for grey, name in enumerate(["one", "two"]):
        Image.fromarray(np.full((20, 20), grey, np.uint8)).save(tmp_path / f"{name}.png")
    Image.fromarray(np.zeros((15_000, 15_000), np.uint8)).save(tmp_path / "huge.png")
    Image.fromarray(np.zeros((20, 20), np.uint8)).save(tmp_path / "film.gif")
    os.mkfifo(tmp_path / "pipe.png")  # nobody writes to it
    (tmp_path / "folder.png").mkdir()
    Image.new("1", (9400, 9400)).save(tmp_path / "last.png")  # of which Pillow does not warn
    names = ["one.png", "huge.png", "film.gif", "pipe.png", "folder.png", "two.png", "last.png"]
    tracemalloc.start()
    content = film_gif([(name, tmp_path / name) for name in names])
    assert tracemalloc.get_traced_memory()[1] < 20_000_000  # huge.png has 225 MB of pixels
    tracemalloc.stop()
    assert content is not None
    with Image.open(io.BytesIO(content)) as film:
        assert getattr(film, "n_frames", 1) == 2
    assert film_gif([("", tmp_path / "pipe.png")]) is None


SETTINGS = """
import os, sys
from pathlib import Path
import matplotlib
from minigan.training.pictures import curves_png
from minigan.training.film import STRIP, film_gif
from minigan.training.history import HistoryRow

history = [HistoryRow(1, 100, 1.3, 0.7, 0.5, 0.5, 1.0, 6400.0, spread=0.2)]
Path(sys.argv[1]).write_bytes(curves_png(history, 100, 0.38))
"""


@pytest.mark.parametrize(
    ("imported", "variables", "text"),
    [
        (False, {"MPLBACKEND": "module://not_installed.backend"}, ""),
        (False, {"MPLBACKEND": "nonsense"}, ""),
        (True, {}, "text.usetex: True"),
        (False, {}, "text.usetex: True\nbackend: nonsense\nfigure.dpi: 7\naxes.grid: True"),
    ],
)
def test_the_users_matplotlib_settings_do_not_count(
    imported: bool, variables: dict[str, str], text: str, tmp_path: Path
) -> None:
    """With settings that cannot draw, the curves are those of Matplotlib's own."""
    history = [HistoryRow(1, 100, 1.3, 0.7, 0.5, 0.5, 1.0, 6400.0, spread=0.2)]
    (tmp_path / "matplotlibrc").write_text(text)
    code = SETTINGS if imported else SETTINGS.replace("import matplotlib\n", "")
    environment = os.environ | variables | {"MATPLOTLIBRC": str(tmp_path / "matplotlibrc")}
    command = [sys.executable, "-c", code, str(tmp_path / "curves.png")]
    subprocess.run(command, check=True, env=environment)
    assert (tmp_path / "curves.png").read_bytes() == curves_png(history, 100, 0.38)
    assert os.environ.get("MPLBACKEND") is None


def test_drawing_leaves_the_users_settings_as_they_were() -> None:
    with matplotlib.rc_context({"lines.linewidth": 7.5}):
        before = dict(matplotlib.rcParams.copy())
        curves_png([], 100, 0.38)
        assert dict(matplotlib.rcParams.copy()) == before


def test_curves_of_a_long_run_have_few_points(monkeypatch: pytest.MonkeyPatch) -> None:
    figures = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, *args, **kw: figures.append(figure))
    history = [
        HistoryRow(1, 100 * (i + 1), 0.1 * i, 0.7, 0.5, 0.5, 1.0, 64.0, spread=0.2)
        for i in range(1203)
    ]
    curves_png(history, 1000, 0.38)
    line = figures[0].axes[0].lines[0]
    x, y = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
    assert len(x) == 401  # every three rows are one point
    np.testing.assert_allclose(x[[0, -1]], [0.3, 120.3])
    np.testing.assert_allclose(y[[0, -1]], [0.1, 120.1])


def test_losses(monkeypatch: pytest.MonkeyPatch) -> None:
    figures = []
    savefig = Figure.savefig

    def noted(figure: Figure, *args: Any, **kwargs: Any) -> None:
        figures.append(figure)
        savefig(figure, *args, **kwargs)

    monkeypatch.setattr(Figure, "savefig", noted)
    history = [HistoryRow(1, 100, 1.3, 0.7, 0.5, 0.5, 1.0, 6400.0, spread=0.2)]
    history.append(HistoryRow(2, 200, 0.5, 3.7, 0.9, 0.1, 2.0, 6400.0, spread=0.3))
    content = curves_png(history, 100, 0.38)
    with Image.open(io.BytesIO(content)) as picture:
        assert picture.size == (960, 960)
        assert len(np.unique(np.asarray(picture.convert("L")))) > 50
    lines = {
        line.get_label(): np.asarray(line.get_ydata()).tolist()
        for axes in figures[0].axes
        for line in axes.lines
    }
    assert lines == {
        "d_loss: how wrong D is": [1.3, 0.5],
        "g_loss: how surely D spots fakes": [0.7, 3.7],
        "2 ln 2: D is only guessing": [2 * math.log(2)] * 2,
        "ln 2: D is only guessing": [math.log(2)] * 2,
        "D(x), real images": [0.5, 0.9],
        "D(G(z)), fakes": [0.5, 0.1],
        "1/2: D is only guessing": [0.5] * 2,
        "spread of G's images": [0.2, 0.3],
        "of real images": [0.38] * 2,
    }
    history[1] = history[1]._replace(js=0.04)  # measured once
    curves_png(history, 100, 0.38)
    assert len(figures[-1].axes) == 4
    (line,) = figures[-1].axes[3].lines
    assert np.asarray(line.get_xdata()).tolist() == [2]
    assert np.asarray(line.get_ydata()).tolist() == [0.04]
    assert np.asarray(figures[0].axes[0].lines[0].get_xdata()).tolist() == [1, 2]


def test_the_squared_error_has_other_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """A D that answers 1/2 to everything: (1/2)² twice for D, once for G."""
    figures = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, *args, **kw: figures.append(figure))
    history = [HistoryRow(1, 100, 0.4, 0.3, 1.2, -0.1, 1.0, 6400.0, spread=0.2)]
    curves_png(history, 100, 0.38, squared=True)
    losses, answers = figures[0].axes[:2]
    lines = {line.get_label(): float(np.asarray(line.get_ydata())[0]) for line in losses.lines}
    assert lines["1/2: D is only guessing"] == 0.5
    assert lines["1/4: D is only guessing"] == 0.25
    assert answers.get_ylabel() == "D's answer"
    low, high = answers.get_ylim()
    assert low < -0.1 < 1.2 < high


@pytest.mark.parametrize(("recipe", "squared"), [("least-squares", True), ("averaged", False)])
def test_a_run_says_which_loss_it_has(
    recipe: str, squared: bool, config: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def noted(*args: Any, squared: bool) -> bytes:
        seen.append(squared)
        return b""

    trainer = mg.Trainer(config(recipe=recipe, epochs=1))
    monkeypatch.setattr("minigan.training.outputs.curves_png", noted)
    trainer.run()
    assert set(seen) == {squared}
