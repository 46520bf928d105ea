"""Images in files: pages of a grid, an array, and a folder of single pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

import minigan as mg
from minigan.data import pixel_values
from minigan.training import drawn
from minigan.training.drawn import as_bytes, save_images
from minigan.training.pictures import grid_png


def images(n: int) -> npt.NDArray[np.float32]:
    rng = np.random.default_rng(0)
    return rng.uniform(-0.5, 0.5, (n, 784)).astype("float32")


def test_bytes_are_those_of_the_data() -> None:
    """``pixel_values`` turns a byte into a pixel; this is the way back."""
    levels = np.resize(np.arange(256, dtype=np.uint8), (1, 784))
    np.testing.assert_array_equal(as_bytes(pixel_values(levels)).ravel(), levels.ravel())
    assert as_bytes(np.full((1, 784), -1.00001)).max() == 0
    assert as_bytes(np.full((1, 784), 1.00001)).min() == 255


def test_an_array(tmp_path: Path) -> None:
    x = images(5)
    assert save_images(tmp_path / "x.npy", x, "npy") == [tmp_path / "x.npy"]
    array = np.load(tmp_path / "x.npy")
    assert (array.dtype, array.shape) == (np.uint8, (5, 28, 28))
    np.testing.assert_array_equal(array, as_bytes(x))


def test_a_folder_of_pictures(tmp_path: Path) -> None:
    """A picture is the image, as large as it is, with the grey values that it has."""
    x = images(12)
    assert save_images(tmp_path / "x", x, "folder") == [tmp_path / "x"]
    files = sorted((tmp_path / "x").iterdir())
    assert [file.name for file in files] == [f"{i:04d}.png" for i in range(12)]
    for file, want in zip(files, as_bytes(x), strict=True):
        with Image.open(file) as picture:
            assert (picture.size, picture.mode) == ((28, 28), "L")
            np.testing.assert_array_equal(np.asarray(picture), want)
    assert as_bytes(x).max() < 200  # not stretched
    with pytest.raises(mg.InputError, match="x exists already, expected a new folder"):
        save_images(tmp_path / "x", x, "folder")
    assert len(list((tmp_path / "x").iterdir())) == 12
    assert [file.name for file in tmp_path.iterdir()] == ["x"]


def test_a_folder_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = []

    def write_bytes(self: Path, content: bytes) -> None:
        written.append(self)
        if len(written) == 3:
            raise OSError(28, "No space left on device", str(self))

    monkeypatch.setattr("pathlib.Path.write_bytes", write_bytes)
    with pytest.raises(OSError, match="No space left") as caught:
        save_images(tmp_path / "x", images(5), "folder")
    assert caught.value.filename == str(tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("n", "columns", "sizes"),
    [(256, 8, [256]), (257, 8, [256, 1]), (600, 8, [256, 256, 88]), (64, 1, [32, 32])],
)
def test_pages(n: int, columns: int, sizes: list[int], tmp_path: Path) -> None:
    x = images(n)
    files = save_images(tmp_path / "x.png", x, "png", columns)
    names = [f"x_page_{i:02d}.png" for i in range(1, len(sizes) + 1)] if sizes[1:] else ["x.png"]
    assert [file.name for file in files] == names
    assert sorted(tmp_path.iterdir()) == files
    start = 0
    for file, size in zip(files, sizes, strict=True):
        assert file.read_bytes() == grid_png(x[start : start + size], columns, scale=2)
        start += size
        with Image.open(file) as picture:
            assert picture.size[1] <= 32 * 60 + 4


def test_page_numbers_sort(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawn, "ROWS", 1)
    files = save_images(tmp_path / "x.png", images(101), "png", columns=1)
    assert files == sorted(tmp_path.iterdir())
    assert files[0].name == "x_page_001.png"


@pytest.mark.parametrize("kind", [str, Path])
def test_save_grid_takes_names_and_paths(kind: type, tmp_path: Path) -> None:
    mg.save_grid(kind(tmp_path / "x.png"), images(3).reshape(3, 28, 28))
    assert (tmp_path / "x.png").read_bytes() == grid_png(images(3))
    with pytest.raises(ValueError, match="there are no images"):
        mg.save_grid(kind(tmp_path / "none.png"), images(0))
    assert not (tmp_path / "none.png").exists()
