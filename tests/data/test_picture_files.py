"""Folders of PNG and JPEG files: what becomes of each kind of picture, and which are refused."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.pictures import bomb, colour, grey, png_bytes, png_with_clear, save
from PIL import Image

from minigan.data import load_images
from minigan.data.picture_file import read_picture
from minigan.errors import InputError


def read(folder: Path, **options: Any) -> Any:
    return load_images(folder, hold_out=0, **options)


def test_grey_pictures_come_as_they_are(tmp_path: Path) -> None:
    for i in range(3):
        save(tmp_path / f"{i}.png", grey(i, 10, 14))
    data = read(tmp_path)
    assert data.shape == (10, 14)
    np.testing.assert_array_equal(data.train.images, [grey(i, 10, 14) for i in range(3)])
    assert (data.train.labels, data.test, data.names, data.notes) == (None, None, (), ())
    assert data.line == f"3 pictures in {tmp_path}: 3 images of 14 x 10, grey"


def test_content_counts_and_not_the_name(tmp_path: Path) -> None:
    save(tmp_path / "a.png", grey(1)).rename(tmp_path / "a.jpg")
    (tmp_path / "b").write_bytes(png_bytes(grey(2)))
    np.testing.assert_array_equal(read(tmp_path).train.images, [grey(1), grey(2)])


def test_one_coloured_picture_makes_all_coloured(tmp_path: Path) -> None:
    save(tmp_path / "a.png", grey(1))
    save(tmp_path / "b.png", colour(2))
    images = read(tmp_path).train.images
    np.testing.assert_array_equal(images[0], grey(1)[..., None].repeat(3, axis=2))
    np.testing.assert_array_equal(images[1], colour(2))


def test_three_equal_channels_are_grey(tmp_path: Path) -> None:
    save(tmp_path / "a.png", grey(1)[..., None].repeat(3, axis=2))
    np.testing.assert_array_equal(read(tmp_path).train.images, [grey(1)])


def test_jpeg(tmp_path: Path) -> None:
    smooth = np.add.outer(np.arange(16), np.arange(16)).astype(np.uint8) * 8
    save(tmp_path / "a.jpg", smooth, quality=95)
    (image,) = read(tmp_path).train.images
    assert np.abs(image.astype(int) - smooth).max() < 8


def palette() -> Any:
    picture = Image.fromarray(colour(3)).quantize(16)
    return picture, np.asarray(picture.convert("RGB"))


def see_through() -> Any:
    """The left half is red, the right half is not there."""
    pixels = np.zeros((12, 12, 4), np.uint8)
    pixels[:, :6] = 255, 0, 0, 255
    want = np.full((12, 12, 3), 255, np.uint8)
    want[:, :6] = 255, 0, 0
    return pixels, want


def half_there() -> Any:
    """Black of half strength on white is a middle grey."""
    pixels = np.zeros((12, 12, 2), np.uint8)
    pixels[..., 1] = 128
    return Image.fromarray(pixels), np.full((12, 12), 127, np.uint8)


def sixteen_bits() -> Any:
    levels = np.random.default_rng(4).integers(0, 65536, (12, 12)).astype(np.uint16)
    return levels, (levels >> 8).astype(np.uint8)


def one_bit() -> Any:
    pixels = grey(5) > 127
    return pixels, pixels.astype(np.uint8) * 255


KINDS: dict[str, Callable[[], Any]] = {
    "palette": palette,
    "alpha": see_through,
    "half transparent": half_there,
    "16 bits": sixteen_bits,
    "1 bit": one_bit,
}


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_png(kind: str, tmp_path: Path) -> None:
    pixels, want = KINDS[kind]()
    save(tmp_path / "a.png", pixels)
    data = read(tmp_path)
    np.testing.assert_array_equal(data.train.images, [want])
    transparent = kind in ("alpha", "half transparent")
    note = "1 picture is transparent in places, and shown on white."
    assert data.notes == ((note,) if transparent else ())


def test_a_transparent_colour_of_a_palette_is_white(tmp_path: Path) -> None:
    picture = Image.new("P", (12, 12))
    picture.putdata([0, 1] * 72)
    picture.putpalette([0, 0, 0, 0, 0, 255])
    save(tmp_path / "a.png", picture, transparency=0)
    (image,) = read(tmp_path).train.images
    assert image[0, :2].tolist() == [[255, 255, 255], [0, 0, 255]]


@pytest.mark.parametrize(
    ("bits", "clear"),
    [(1, (1,)), (2, (2,)), (4, (7,)), (8, (7,)), (16, (258,)), (8, (1, 2, 3)), (16, (258, 515, 9))],
    ids=str,
)
def test_a_transparent_colour_of_any_depth_is_white(
    bits: int, clear: tuple[int, ...], tmp_path: Path
) -> None:
    rows = [[*clear, *[0] * (len(clear) * 7)]] + [[0] * (len(clear) * 8)] * 7
    (tmp_path / "a.png").write_bytes(png_with_clear(rows, bits, clear))
    data = read(tmp_path)
    want = np.zeros((1, 8, 8))
    want[0, 0, 0] = 255
    np.testing.assert_array_equal(data.train.images, want)
    assert data.notes == ("1 picture is transparent in places, and shown on white.",)


def test_cmyk(tmp_path: Path) -> None:
    red = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    save(tmp_path / "a.jpg", red)
    (image,) = read(tmp_path).train.images
    assert np.abs(image.astype(int) - (255, 0, 0)).max() < 8


def test_exif_turns_a_picture(tmp_path: Path) -> None:
    """A camera that was held upright stores the picture on its side, and says so."""
    pixels = np.zeros((16, 32), np.uint8)
    pixels[:, :16] = 255  # white on the left
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees, clockwise
    save(tmp_path / "a.jpg", pixels, exif=exif, quality=95)
    (image,) = read(tmp_path).train.images
    assert image.shape == (32, 16)
    assert image[:14].min() > 240
    assert image[18:].max() < 15


def test_resize_takes_the_middle(tmp_path: Path) -> None:
    pixels = np.zeros((40, 100), np.uint8)
    pixels[:, 30:70] = 255  # the square in the middle is white
    save(tmp_path / "a.png", pixels)
    (image,) = read(tmp_path, resize=10).train.images
    assert image.shape == (10, 10)
    assert image[:, 1:-1].min() > 250


def test_resize_of_a_large_jpeg(tmp_path: Path) -> None:
    """It is unpacked at a part of its size, and the colours stay where they are."""
    pixels = np.zeros((1600, 1200, 3), np.uint8)
    pixels[:800] = 200, 30, 30
    pixels[800:] = 30, 30, 200
    save(tmp_path / "a.jpg", pixels)
    tracemalloc.start()
    (image,) = read(tmp_path, resize=16).train.images
    tracemalloc.stop()
    assert np.abs(image[:6].astype(int) - (200, 30, 30)).max() < 6
    assert np.abs(image[10:].astype(int) - (30, 30, 200)).max() < 6


def test_sizes_that_differ_are_named_and_resize_helps(tmp_path: Path) -> None:
    for i in range(3):
        save(tmp_path / f"{i}.png", grey(i))
    odd = save(tmp_path / "odd.png", grey(9, 12, 500))
    with pytest.raises(InputError) as caught:
        read(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: the images have 2 sizes, 12 x 12 (3), 500 x 12 (1) (500 x 12 is {odd}): "
        "expected one size, or give resize 28"
    )
    assert read(tmp_path, resize=28).train.images.shape == (4, 28, 28)


@pytest.mark.parametrize(("h", "w", "right"), [(8, 8, 1), (64, 64, 1), (7, 8, 0), (8, 65, 0)])
def test_sizes_from_8_to_64(h: int, w: int, right: int, tmp_path: Path) -> None:
    save(tmp_path / "a.png", grey(0, h, w))
    if right:
        assert read(tmp_path).shape == (h, w)
        return
    want = "at least 8 x 8" if h < 8 else "from 8 x 8 to 64 x 64: give `resize` 28"
    with pytest.raises(InputError) as caught:
        read(tmp_path)
    assert str(caught.value) == f"{tmp_path}: the images are {w} x {h}, expected {want}".replace(
        "`", ""
    )


def test_tiny_pictures_are_not_resized(tmp_path: Path) -> None:
    file = save(tmp_path / "a.png", grey(0, 7, 300))
    with pytest.raises(InputError, match=f"{file}: the images are 300 x 7, expected at least 8"):
        read(tmp_path, resize=28)


# ---------------------------------------------------------------- classes


def fill(folder: Path, *names: str) -> Path:
    for i, name in enumerate(names):
        save(folder / name, grey(i))
    return folder


def test_folders_are_classes(tmp_path: Path) -> None:
    fill(tmp_path, "dogs/a.png", "cats/a.png", "cats/b.png", "dogs/puppies/c.png")
    data = read(tmp_path)
    assert data.names == ("cats", "dogs")
    assert data.train.labels.tolist() == [0, 0, 1, 1]
    np.testing.assert_array_equal(data.train.images, [grey(i) for i in (1, 2, 0, 3)])


def test_folders_that_are_numbers_are_the_labels(tmp_path: Path) -> None:
    data = read(fill(tmp_path, "7/a.png", "3/a.png", "10/b.png"))
    assert data.train.labels.tolist() == [10, 3, 7]  # in the order of the files' names
    assert data.names == ()


@pytest.mark.parametrize(
    "names",
    [("a/1.png", "a/2.png"), ("1.png", "a/2.png", "b/3.png")],
    ids=["one folder", "pictures beside the folders"],
)
def test_what_is_not_classes(names: tuple[str, ...], tmp_path: Path) -> None:
    assert read(fill(tmp_path, *names)).train.labels is None


@pytest.mark.parametrize("names", [("train", "test"), ("Training", "Testing"), ("train", "val")])
def test_folders_to_train_and_to_test_with(names: tuple[str, str], tmp_path: Path) -> None:
    train, test = names
    fill(tmp_path, *(f"{train}/{c}/{i}.png" for c in "ab" for i in range(2)), f"{test}/b/0.png")
    data = read(tmp_path)
    assert data.train.labels.tolist() == [0, 0, 1, 1]
    assert data.test.labels.tolist() == [1]
    np.testing.assert_array_equal(data.test.images, [grey(4)])


def test_a_third_folder_is_left_aside_and_named(tmp_path: Path) -> None:
    data = read(fill(tmp_path, "train/a.png", "test/b.png", "val/c.png"))
    np.testing.assert_array_equal(data.train.images, [grey(0)])
    np.testing.assert_array_equal(data.test.images, [grey(1)])
    assert data.notes == (f"1 other folder in {tmp_path} was left aside: val.",)


def test_other_files_are_left_aside_and_hidden_ones_are_not_seen(tmp_path: Path) -> None:
    fill(tmp_path, "a.png", ".hidden.png", ".git/b.png", "__MACOSX/c.png")
    (tmp_path / "README").write_text("about")
    (tmp_path / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    data = read(tmp_path)
    assert len(data.train.images) == 1
    assert data.notes == (f"1 other file in {tmp_path} was left aside: README.",)


def test_links_are_followed_and_circles_end(tmp_path: Path) -> None:
    fill(tmp_path / "elsewhere", "a.png", "b.png")
    fill(tmp_path / "own", "cats/c.png")
    (tmp_path / "own" / "dogs").symlink_to("../elsewhere")
    (tmp_path / "own" / "cats" / "all").symlink_to("..")
    data = read(tmp_path / "own")
    assert data.train.labels.tolist() == [0, 1, 1]
    circle = Path("cats", "all")
    assert data.notes == (f"1 other file in {tmp_path / 'own'} was left aside: {circle}.",)


def test_a_second_way_to_a_folder_is_named(tmp_path: Path) -> None:
    fill(tmp_path, "cats/a.png", "dogs/b.png")
    for name in ("birds", "zebras"):  # before and after the folder itself
        (tmp_path / name).symlink_to("dogs")
    data = read(tmp_path)
    assert (data.names, data.train.labels.tolist()) == (("cats", "dogs"), [0, 1])
    assert data.notes == (f"2 other files in {tmp_path} were left aside: birds, zebras.",)


def test_a_folder_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, "a/1.png", "b/2.png")
    scandir = os.scandir

    def refused(path: Any) -> Any:
        if str(path).endswith("b"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refused)  # as root, all folders can be read
    with pytest.raises(InputError, match="b cannot be read: Permission denied"):
        read(tmp_path)


# ---------------------------------------------------------------- what cannot be read


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-40])


def flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[60] ^= 0x40
    file.write_bytes(data)


def animated(file: Path) -> None:
    frames = [Image.fromarray(grey(i)) for i in range(3)]
    frames[0].save(file, save_all=True, append_images=frames[1:])


def as_gif(file: Path) -> None:
    frames = [Image.fromarray(grey(i)) for i in range(3)]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])


def as_kind(kind: str) -> Callable[[Path], object]:
    return lambda file: Image.fromarray(colour()).save(file, kind)


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "truncated": (cut, "is damaged and cannot be read"),
    "flipped bit": (flip, "is damaged and cannot be read"),
    "only its beginning": (lambda f: f.write_bytes(f.read_bytes()[:20]), "is damaged"),
    "empty": (lambda f: f.write_bytes(b""), "is empty, expected a PNG or JPEG file"),
    "text": (lambda f: f.write_text("hello"), "begins with 0x68656c6c, expected a PNG or JPEG"),
    "a web page": (lambda f: f.write_text("<!DOCTYPE html>"), "begins with 0x3c21444f"),
    "a bomb": (lambda f: f.write_bytes(bomb(20_000, 20_000)), "more than 89,478,485 pixels"),
    "a small bomb": (lambda f: f.write_bytes(bomb(12_000, 10_000)), "more than 89,478,485 pixels"),
    "an animated PNG": (animated, "is an animation of 3 pictures, expected one"),
    "an animated GIF": (as_gif, "is a GIF file: only PNG and JPEG files are read"),
    "BMP": (as_kind("BMP"), "is a BMP file"),
    "TIFF": (as_kind("TIFF"), "is a TIFF file"),
    "WebP": (as_kind("WEBP"), "is a WebP file"),
}


@pytest.mark.parametrize("resize", [None, 28])
@pytest.mark.parametrize("name", DAMAGES)
def test_damages(name: str, resize: int | None, tmp_path: Path) -> None:
    for i in range(2):
        save(tmp_path / f"{i}.png", grey(i))
    damage, message = DAMAGES[name]
    damage(tmp_path / "1.png")
    with pytest.raises(InputError) as caught:
        read(tmp_path, resize=resize)
    assert str(caught.value).startswith(f"{tmp_path / '1.png'} ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_bomb_takes_no_memory(tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(bomb(9000, 9000))  # below the limit, but there is nothing in it
    tracemalloc.start()
    assert read_picture(file) == ((9000, 9000), None, False)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000


def test_the_limit_of_pillow_stays_as_it_is(tmp_path: Path) -> None:
    before = Image.MAX_IMAGE_PIXELS
    save(tmp_path / "a.png", grey())
    read(tmp_path)
    assert Image.MAX_IMAGE_PIXELS == before == 89_478_485


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    save(tmp_path / "a.png", grey())
    os.mkfifo(tmp_path / "b.png")
    with pytest.raises(InputError, match=r"b\.png cannot be read: .*Not a regular file"):
        read(tmp_path)


@pytest.mark.parametrize("files", [(), ("notes.txt",)])
def test_a_folder_without_pictures(files: tuple[str, ...], tmp_path: Path) -> None:
    for name in files:
        (tmp_path / name).write_text("words")
    found = "its first file, notes.txt, begins with 0x776f7264" if files else "it is empty"
    with pytest.raises(InputError, match=f"holds nothing that can be read, .*: {found}"):
        read(tmp_path)
