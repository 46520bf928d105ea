"""Damaged and mislabelled IDX files."""

from __future__ import annotations

import gzip
import os
import shutil
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from helpers.idx_files import write_idx

import minigan as mg
from minigan.data import read_idx
from minigan.errors import InputError

Damage = Callable[[Path], object]
IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


def cut(path: Path, to: int) -> None:
    path.write_bytes(path.read_bytes()[:to])


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 0x40
    path.write_bytes(data)


def compress(folder: Path) -> Path:
    file = folder / f"{IMAGES}.gz"
    file.write_bytes(gzip.compress((folder / IMAGES).read_bytes()))
    (folder / IMAGES).unlink()
    return file


def empty(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()


def become_a_file(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_text("x")


def become_two(folder: Path) -> None:
    """Copies of the data set in two folders below this one."""
    both = folder.parent / "all"
    for name in ("A", "B"):
        shutil.copytree(folder, both / name / "raw")
    shutil.rmtree(folder)
    both.rename(folder)


DAMAGES: dict[str, tuple[Damage, str]] = {
    "no folder": (shutil.rmtree, "data folder .* does not exist"),
    "empty folder": (
        empty,
        "holds no train-images-idx3-ubyte",
    ),
    "a file for a folder": (become_a_file, "is a file"),
    "no labels": (lambda d: (d / LABELS).unlink(), f"{LABELS} does not exist, plain or .gz"),
    "truncated": (
        lambda d: cut(d / IMAGES, 5000),
        "is truncated: its header promises 15,680 bytes",
    ),
    "ends in the header": (lambda d: cut(d / IMAGES, 9), "it ends within its header"),
    "empty file": (lambda d: cut(d / IMAGES, 0), "begins with 0x, expected 0x00000803"),
    "too long": (
        lambda d: (d / IMAGES).write_bytes((d / IMAGES).read_bytes() + b"x"),
        "is too long: its header promises 15,680 bytes",
    ),
    "labels for images": (
        lambda d: shutil.copy(d / LABELS, d / IMAGES),
        "begins with 0x00000801, expected 0x00000803",
    ),
    "images for labels": (
        lambda d: shutil.copy(d / IMAGES, d / LABELS),
        "begins with 0x00000803, expected 0x00000801",
    ),
    "not IDX": (lambda d: (d / IMAGES).write_text("hello"), "begins with 0x68656c6c"),
    "truncated gzip": (lambda d: cut(compress(d), 900), "cannot be read: Compressed file ended"),
    "flipped bit in gzip": (lambda d: flip(compress(d), 700), "cannot be read: "),
    "flipped bit in gzip's CRC": (lambda d: flip(compress(d), -7), "cannot be read: CRC check"),
    "counts differ": (
        lambda d: write_idx(d / LABELS, np.zeros(19, np.uint8)),
        "holds 20 images, .* 19 labels",
    ),
    "other size": (
        lambda d: write_idx(d / IMAGES, np.zeros((20, 32, 32), np.uint8)),
        "the images are 32 x 32, expected 28 x 28",
    ),
    "no images": (
        lambda d: write_idx(d / IMAGES, np.zeros((0, 28, 28), np.uint8)),
        "holds no images",
    ),
    "a header that promises 2^96 bytes": (
        lambda d: (d / IMAGES).write_bytes(struct.pack(">4B3I", 0, 0, 8, 3, *[2**32 - 1] * 3)),
        "the images are 4294967295 x 4294967295, expected 28 x 28",
    ),
    "several data sets": (
        become_two,
        "holds several data sets, name one of them: .*A/raw.*B/raw",
    ),
}


@pytest.fixture
def folder(tmp_path: Path, mnist: npt.NDArray[np.uint8]) -> Path:
    path = tmp_path / "data"
    path.mkdir()
    write_idx(path / IMAGES, mnist[:20])
    write_idx(path / LABELS, np.arange(20, dtype=np.uint8))
    return path


@pytest.mark.parametrize("name", DAMAGES)
def test_damages(name: str, folder: Path) -> None:
    mg.load_mnist(path=folder)
    damage, message = DAMAGES[name]
    damage(folder)
    with pytest.raises(InputError, match=message):
        mg.load_mnist(path=folder)


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 3, 4)])
def test_an_array_comes_back_as_it_was_written(
    shape: tuple[int, ...], suffix: str, tmp_path: Path
) -> None:
    array = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    file = tmp_path / f"array{suffix}"
    write_idx(file, array)
    np.testing.assert_array_equal(read_idx(file, shape[1:]), array)
    with pytest.raises(InputError, match=f"an IDX file of uint8 in {len(shape) + 1} dimensions"):
        read_idx(file, (*shape[1:], 1))


@pytest.mark.parametrize(
    ("suffix", "message"),
    [("", "is truncated: its header promises [0-9,]* bytes, but it"), (".gz", "would be unpacked")],
)
@pytest.mark.parametrize("count", [2**32 - 1, 200_000])
def test_a_header_alone_takes_no_memory(
    suffix: str, message: str, count: int, tmp_path: Path
) -> None:
    """The file has 100,000 zeros, which are 120 bytes in a .gz, and promises many more."""
    content = struct.pack(">4B3I", 0, 0, 8, 3, count, 28, 28) + bytes(100_000)
    file = tmp_path / f"images{suffix}"
    file.write_bytes(gzip.compress(content) if suffix else content)
    tracemalloc.start()
    with pytest.raises(InputError, match=f"^{file} {message}"):
        read_idx(file, (28, 28))
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("name", ["pipe", "folder", "/dev/zero"])
def test_only_regular_files_are_read(name: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")  # nobody writes to it: reading would never end
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="cannot be read: .*(Not a regular file|Is a directory)"):
        read_idx(tmp_path / name)
