"""A data set as the rest of the library sees it, whatever kind of file it was read from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from minigan.errors import InputError, counted

Images = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.uint8]
SMALLEST, LARGEST = 8, 64  # pixels on each side of an image
HELD_OUT = 0.1  # share of the images that is set aside if a data set has no test images


class Part(NamedTuple):
    """The images of a data set that serve one purpose, and their labels.

    Images are (N, h, w), grey from 0 (black) to 255 (white), or (N, h, w, 3) with red, green and
    blue.  Labels are (N,), or None if there are none.
    """

    images: Images
    labels: Labels | None = None


class Dataset(NamedTuple):
    """Images to train with, others to test with, and what was found in words."""

    train: Part
    test: Part | None  # images that are never trained with; None if there are none
    source: str  # what the data were read from, as "2 folders with 300 PNG files in pictures"
    names: tuple[str, ...] = ()  # of the labels 0, 1, 2, …, if they have names
    notes: tuple[str, ...] = ()  # sentences that tell what was changed or left out
    digits: bool = False  # whether these are MNIST's digits, which the digit classifier knows

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of each image: (h, w) or (h, w, 3)."""
        return self.train.images.shape[1:]

    @property
    def line(self) -> str:
        """The data set in one line, for the user."""
        tests = "" if self.test is None else f", {len(self.test.images):,} more to test with"
        found = counted(len(self.train.images), "image")
        classes = ""
        if self.train.labels is not None:
            n = len(np.unique(self.train.labels))
            classes = f", {n:,} class{'es' * (n != 1)}"
        return f"{self.source}: {found} of {in_words(self.shape)}{classes}{tests}"


def in_words(shape: tuple[int, ...]) -> str:
    """Return the shape of an image in words: ``28 x 28, grey``.  Width comes before height."""
    return f"{shape[1]} x {shape[0]}, {'colour' if len(shape) == 3 else 'grey'}"


def check_part(where: object, part: Part, shape: tuple[int, ...] | None = None) -> None:
    """Raise InputError unless a part has images of a size that networks take, each with a label.

    ``where`` names the file or the argument in the message.  If ``shape`` is given, images must
    have that shape.
    """
    images, labels = part
    if len(images) == 0:
        raise InputError(f"{where} holds no images")
    check_sizes(where, {images.shape[1:3]: len(images)})
    if shape is not None and images.shape[1:] != shape:
        raise InputError(
            f"{where}: the test images are {in_words(images.shape[1:])}, the training images "
            f"{in_words(shape)}: expected the same"
        )
    if labels is not None and labels.shape != (len(images),):
        raise InputError(
            f"{where}: {counted(len(images), 'image')} and labels of shape {labels.shape}, "
            "expected a label for each"
        )


def check_sizes(where: object, sizes: dict[tuple[int, ...], int], odd: str = "") -> None:
    """Raise InputError unless all images have one size, from 8 x 8 to 64 x 64.

    ``sizes`` says how many images have each height and width; ``odd`` names a file of a rare size.
    """
    most = sorted(sizes, key=lambda size: -sizes[size])
    if len(sizes) > 1:
        some = ", ".join(f"{w} x {h} ({sizes[h, w]:,})" for h, w in most[:4])
        more = f" and {len(sizes) - 4:,} other sizes" * (len(sizes) > 4)
        raise InputError(
            f"{where}: the images have {len(sizes):,} sizes, {some}{more}{odd}: expected one "
            "size, or give `resize` 28"
        )
    h, w = most[0]
    check_not_tiny(where, h, w)
    if max(h, w) > LARGEST:
        raise InputError(
            f"{where}: the images are {w} x {h}, expected from {SMALLEST} x {SMALLEST} to "
            f"{LARGEST} x {LARGEST}: give `resize` 28"
        )


def check_not_tiny(where: object, h: int, w: int) -> None:
    """Raise InputError for images below 8 x 8, which hold too little to be resized."""
    if min(h, w) < SMALLEST:
        raise InputError(
            f"{where}: the images are {w} x {h}, expected at least {SMALLEST} x {SMALLEST}"
        )


def left_aside(where: object, what: str, names: Iterable[str]) -> tuple[str, ...]:
    """Return the note that says which files or arrays were found and not used; no note for none."""
    found = sorted(names)
    if not found:
        return ()
    some = ", ".join(found[:3]) + ", …" * (len(found) > 3)
    was = "was" if len(found) == 1 else "were"
    return (f"{counted(len(found), what)} in {where} {was} left aside: {some}.",)


def with_held_out(data: Dataset, share: float) -> Dataset:
    """Return a data set that has test images: if it has none, a share of the images becomes them.

    They are drawn at random, always the same ones.  The other images keep their order.
    """
    images, labels = data.train
    n = round(share * len(images))
    if data.test is not None or share == 0:
        return data
    if n == len(images):
        raise InputError(
            f"`hold_out` is {share:g}, which leaves none of the {counted(n, 'image')} to train with"
        )
    if n == 0:
        note = (
            f"The data have no test images, and {share:g} of {counted(len(images), 'image')} is "
            "none: what is measured with test images is left out."
        )
        return data._replace(notes=(*data.notes, note))
    order = np.random.default_rng(0).permutation(len(images))

    def part(where: npt.NDArray[np.int64]) -> Part:
        where = np.sort(where)
        return Part(images[where], None if labels is None else labels[where])

    note = (
        f"The data have no test images, so {n:,} of the {len(images):,} images, drawn at random, "
        "are held out to test with."
    )
    return data._replace(train=part(order[n:]), test=part(order[:n]), notes=(*data.notes, note))
