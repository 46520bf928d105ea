"""``load_images``: kinds told apart by content, sizes, and images that are held out for tests."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.pictures import colour, grey, save

import minigan as mg
from minigan.data import dataset_of, load_images
from minigan.data.dataset import in_words
from minigan.errors import InputError

IMAGES = np.stack([grey(i) for i in range(20)])


def test_mnist_is_the_shipped_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    data: Any = mg.load_images()
    for split, part in (("train", data.train), ("test", data.test)):
        images, labels = mg.load_mnist(split)  # type: ignore[arg-type]
        np.testing.assert_array_equal(part.images, images)
        np.testing.assert_array_equal(part.labels, labels)
    assert (data.digits, data.notes) == (True, ())
    assert data.line == (
        "the MNIST that comes with minigan: 60,000 images of 28 x 28, grey, 10 classes, 10,000 "
        "more to test with"
    )


def test_a_folder_named_mnist_is_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    save(Path("mnist", "a.png"), grey())
    data = load_images("mnist")
    assert len(data.train.images) == 60_000
    assert data.notes == (
        "The folder mnist, which stands here too, is not it: its name would be ./mnist.",
    )
    assert len(load_images("./mnist").train.images) == 1
    assert len(load_images(Path("mnist").resolve()).train.images) == 1


def write(kind: str, folder: Path) -> Path:
    """A data set of each kind, under a name that says nothing."""
    file = folder / "it"
    if kind == "pictures":
        for i, image in enumerate(IMAGES):
            save(folder / "it" / f"{i:02}.png", image)
    elif kind == "csv":
        np.savetxt(file, IMAGES.reshape(20, -1), "%d", delimiter=",")
    else:
        with file.open("wb") as stream:
            np.save(stream, IMAGES) if kind == "npy" else np.savez(stream, x=IMAGES)
    return file


@pytest.mark.parametrize("kind", ["pictures", "csv", "npy", "npz"])
def test_kinds_are_told_by_content(kind: str, tmp_path: Path) -> None:
    data = load_images(write(kind, tmp_path), hold_out=0)
    np.testing.assert_array_equal(data.train.images, IMAGES)
    assert str(tmp_path) in data.source


@pytest.mark.parametrize("kind", ["npy", "npz"])
def test_the_only_file_of_a_folder(kind: str, tmp_path: Path) -> None:
    write(kind, tmp_path)
    (tmp_path / "README.md").write_text("about")
    np.testing.assert_array_equal(load_images(tmp_path, hold_out=0).train.images, IMAGES)
    (tmp_path / "other").write_bytes((tmp_path / "it").read_bytes())
    with pytest.raises(InputError, match="holds several data sets, name one of them: it, other"):
        load_images(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty, expected a folder of PNG or JPEG files, IDX files, or a file"),
        (b"\x7fELF\2\1", "begins with 0x7f454c46, expected a folder"),
        (b"GIF89a\1\0", "is a GIF file, expected a folder"),
        (b"\x89PNG\r\n\x1a\n", "is a single picture, expected a folder of pictures"),
        (b"\x1f\x8b\x08", "cannot be read: Compressed file ended before"),
        (gzip.compress(b"\x7fELF\2\1", mtime=0), "begins with 0x1f8b"),
        (b"SQLite format 3\0", "begins with 0x53514c69"),
    ],
)
def test_files_of_other_kinds(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "it").write_bytes(content)
    with pytest.raises(InputError) as caught:
        load_images(tmp_path / "it")
    assert str(caught.value).startswith(f"{tmp_path / 'it'} {message}")


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="data is empty, expected the name of a folder or of a fi"):
        load_images("")
    with pytest.raises(InputError, match="data folder .*/nowhere does not exist"):
        load_images(tmp_path / "nowhere")
    (tmp_path / "link").symlink_to("nowhere")
    with pytest.raises(InputError, match="link does not exist"):
        load_images(tmp_path / "link")


# ---------------------------------------------------------------- sizes


@pytest.mark.parametrize("kind", ["pictures", "csv", "npy", "npz"])
def test_resize_is_the_same_for_all_kinds(kind: str, tmp_path: Path) -> None:
    images = load_images(write(kind, tmp_path), resize=9, hold_out=0).train.images
    assert images.shape == (20, 9, 9)
    np.testing.assert_array_equal(images, dataset_of(IMAGES, resize=9, hold_out=0).train.images)


@pytest.mark.parametrize("shape", [(1, 1), (7, 300), (40, 1, 3)])
def test_tiny_images_are_not_resized(shape: tuple[int, ...], tmp_path: Path) -> None:
    """100,000 images of one pixel would become 78 MB."""
    np.savez(tmp_path / "a.npz", images=np.zeros((100, *shape), np.uint8))
    h, w, *_ = shape
    message = f"{tmp_path / 'a.npz'}: the images are {w} x {h}, expected at least 8 x 8"
    with pytest.raises(InputError, match=message):
        load_images(tmp_path / "a.npz", resize=28)


def test_what_is_packed_and_resized_has_one_limit(tmp_path: Path) -> None:
    """From 7 KB to 6 MB, and from there to 410 MB."""
    file = tmp_path / "a.npz"
    np.savez_compressed(file, images=np.zeros((100_000, 8, 8), np.uint8))
    with pytest.raises(InputError, match=f"{file}, resized, would be unpacked from .* to 409,600,"):
        load_images(file, resize=64)


@pytest.mark.parametrize(("n", "h", "w"), [(100_000, 0, 0), (2**32 - 1, 0, 0), (9, 0, 28)])
def test_images_without_pixels_are_not_resized(n: int, h: int, w: int, tmp_path: Path) -> None:
    (tmp_path / "images").write_bytes(struct.pack(">4B3I", 0, 0, 8, 3, n, h, w))
    with pytest.raises(InputError, match=f"images are {w} x {h}, expected at least 8 x 8"):
        load_images(tmp_path, resize=64)


def test_what_lies_beside_the_only_data_set_is_named(tmp_path: Path) -> None:
    write("npz", tmp_path)
    (tmp_path / "README").write_text("about")
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "more").write_bytes(bytes(5))
    data = load_images(tmp_path, hold_out=0)
    more = Path("below", "more")
    assert data.notes == (f"2 other files in {tmp_path} were left aside: README, {more}.",)


def test_resize_of_colours_and_of_mnist() -> None:
    pixels = np.zeros((2, 10, 20, 3), np.uint8)
    pixels[..., 1] = 200
    images = dataset_of(pixels, resize=8, hold_out=0).train.images
    assert (images == (0, 200, 0)).all()
    data = load_images(resize=14)
    assert (data.shape, data.digits) == ((14, 14), False)  # the classifier knows 28 x 28
    np.testing.assert_allclose(data.train.images[:99].mean(), 33, atol=2)


@pytest.mark.parametrize("resize", [7, 65, -28, 0, 28.0, "28", True])
def test_sizes_that_are_none(resize: Any) -> None:
    with pytest.raises(InputError, match=f"resize is {resize!r}, expected a whole number"):
        load_images(resize=resize)


def test_a_shape_in_words() -> None:
    assert in_words((10, 20)) == "20 x 10, grey"
    assert in_words((10, 20, 3)) == "20 x 10, colour"


# ---------------------------------------------------------------- images to test with


def test_some_are_held_out_always_the_same() -> None:
    labels = np.arange(20)
    data: Any = dataset_of(IMAGES, labels)
    assert (len(data.train.images), len(data.test.images)) == (18, 2)
    np.testing.assert_array_equal(data.train.images, IMAGES[data.train.labels])
    np.testing.assert_array_equal(data.test.images, IMAGES[data.test.labels])
    assert sorted([*data.train.labels, *data.test.labels]) == list(range(20))
    assert (np.diff(data.train.labels) > 0).all()  # in the order that they had
    assert data.test.labels.tolist() != [18, 19]  # not the last ones: files may be sorted
    again: Any = dataset_of(IMAGES, labels)
    np.testing.assert_array_equal(again.test.images, data.test.images)
    assert data.notes == (
        "The data have no test images, so 2 of the 20 images, drawn at random, are held out to "
        "test with.",
    )


@pytest.mark.parametrize(("share", "test"), [(0, 0), (0.5, 10), (0.01, 0), (0.04, 1)])
def test_shares(share: float, test: int) -> None:
    data = dataset_of(IMAGES, hold_out=share)
    assert len(data.train.images) == 20 - test
    assert (0 if data.test is None else len(data.test.images)) == test


def test_a_share_that_is_none_or_all() -> None:
    assert dataset_of(IMAGES[:4]).notes == (
        "The data have no test images, and 0.1 of 4 images is none: what is measured with test "
        "images is left out.",
    )
    assert dataset_of(IMAGES[:4], hold_out=0).notes == ()
    for images, share in ((IMAGES, 0.99), (IMAGES[:3], 0.9), (IMAGES[:1], 0.6)):
        with pytest.raises(InputError, match=f"hold_out is {share}, which leaves none of the "):
            dataset_of(images, hold_out=share)


@pytest.mark.parametrize("share", [-0.1, 1, 2, float("nan"), "a", None])
def test_shares_that_are_none(share: Any) -> None:
    with pytest.raises(InputError, match="hold_out is .*, expected a number from 0 to below 1"):
        dataset_of(IMAGES, hold_out=share)


def test_data_with_test_images_keep_them(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x_train=IMAGES, x_test=IMAGES[:3])
    data = load_images(tmp_path / "a.npz", hold_out=0.5)
    assert (len(data.train.images), data.notes) == (20, ())


def test_colours_and_grey_do_not_mix(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x_train=IMAGES, x_test=np.stack([colour(), colour()]))
    with pytest.raises(InputError, match="a.npz"):
        load_images(tmp_path / "a.npz")
