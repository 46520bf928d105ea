"""IDX and .gz files that are not what they promise to be."""

from __future__ import annotations

import functools
import gzip
import math
import random
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from faults.campaign import Case, Scale
from faults.children import TOO_LONG, forked
from faults.small import write_data

from minigan.data.idx import read_idx
from minigan.errors import InputError

MEANING = "a changed data file is refused in one line, or read as it is"
MEMORY = 40_000_000  # bytes more than nothing that reading may take, and ...
TIMES = 8  # times as many bytes as the file has, unpacked
Change = Callable[[random.Random, bytes], bytes]


def truncated(rng: random.Random, content: bytes) -> bytes:
    return content[: rng.choice((rng.randrange(len(content)), rng.randrange(20), -1))]


def extended(rng: random.Random, content: bytes) -> bytes:
    return content + rng.choice((b"\0", rng.randbytes(rng.randrange(1, 100)), content))


def header_changed(rng: random.Random, content: bytes) -> bytes:
    place = rng.randrange(16)
    return content[:place] + rng.randbytes(rng.choice((1, 4))) + content[place + 1 :]


def length_changed(rng: random.Random, content: bytes) -> bytes:
    place = 4 * rng.randrange(1, 4)
    length = rng.choice((0, 1, 27, 28, 199, 201, 2**31, 2**32 - 1))
    return content[:place] + struct.pack(">I", length) + content[place + 4 :]


def flipped(rng: random.Random, content: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 5, 100))):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def cut_inside(rng: random.Random, content: bytes) -> bytes:
    start, length = rng.randrange(len(content)), rng.choice((1, 10, 1000))
    return content[:start] + content[start + length :]


CHANGES: tuple[Change, ...] = (
    truncated, extended, header_changed, length_changed, flipped, cut_inside,
)  # fmt: skip


def cases(scale: Scale) -> Iterator[Case]:
    """Yield changes of images and labels, packed and not, then files that are bombs."""
    folder = write_data(scale.folder / "data")
    images = (folder / "train-images-idx3-ubyte").read_bytes()
    labels = gzip.decompress((folder / "train-labels-idx1-ubyte.gz").read_bytes())
    for i in range(scale.pick(400, 4000)):
        rng = random.Random(f"{scale.seed} {i}")
        change, packing = CHANGES[i % len(CHANGES)], rng.choice(("plain", "inside .gz", "of .gz"))
        item, whole = rng.choice((((28, 28), images), ((), labels)))
        check = functools.partial(changed, rng, change, packing, item, whole, scale.folder)
        yield Case(f"{i}: {change.__name__} {packing}", check)
    for name, content in bombs(images):
        yield Case(name, functools.partial(bears, scale.folder / "bomb.gz", content))


def changed(
    rng: random.Random,
    change: Change,
    packing: str,
    item: tuple[int, ...],
    content: bytes,
    folder: Path,
) -> None:
    """Change a file, and compare what is read with what a plain reading of the format finds."""
    if packing == "of .gz":
        content = change(rng, gzip.compress(content, mtime=0))
    else:
        content = change(rng, content)
        content = content if packing == "plain" else gzip.compress(content, 1, mtime=0)
    if rng.random() < 0.1:  # images in the place of labels
        item = () if item else (28, 28)
    file = folder / ("changed" if packing == "plain" else "changed.gz")
    file.write_bytes(content)
    expected = plainly(content, file.suffix == ".gz", item)
    try:
        array = read_idx(file, item)
    except InputError as error:
        assert len(str(error).splitlines()) == 1, str(error)
        assert expected is None, f"it was refused, but is right: {error}"
    else:
        assert expected is not None, "it was read, but is not right"
        assert array.dtype == np.uint8, str(array.dtype)
        assert array.tobytes() == expected[1], "something else was read"
        assert array.shape == expected[0], str(array.shape)


def plainly(
    content: bytes, packed: bool, item: tuple[int, ...]
) -> tuple[tuple[int, ...], bytes] | None:
    """Return the shape and the data of an IDX file; None for what is not one."""
    try:
        data = gzip.decompress(content) if packed else content
        shape = struct.unpack_from(f">{1 + len(item)}I", data, 4)
    except (OSError, EOFError, zlib.error, struct.error):
        return None
    start = 8 + 4 * len(item)
    whole = len(data) - start == math.prod(shape) and shape[1:] == item
    return (shape, data[start:]) if whole and data[:4] == bytes([0, 0, 8, 1 + len(item)]) else None


def bombs(images: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield small files that become large."""
    zeros = bytes(100_000_000)
    yield "100 MB of zeros behind 200 images", gzip.compress(images + zeros, 9)
    yield "100 MB of zeros without a header", gzip.compress(zeros, 9)
    promise = struct.pack(">4B3I", 0, 0, 8, 3, 2**32 - 1, 28, 28)
    yield "a header that promises 3 TB", gzip.compress(promise + bytes(1000), 9)
    yield "a .gz of a .gz of zeros", gzip.compress(gzip.compress(zeros, 9), 9)


def bears(file: Path, content: bytes) -> None:
    """Read a file in a process of its own, and measure how much memory that takes."""
    file.write_bytes(content)
    base = forked(lambda: 0).peak

    def read() -> int:
        try:
            read_idx(file, (28, 28))
        except InputError:
            return 2
        return 0

    ended = forked(read)
    assert ended.status != TOO_LONG, "it hung"
    assert ended.status == 2, str(ended)
    most = base + MEMORY + TIMES * len(content)
    assert ended.peak < most, f"it took {ended.peak - base:,} bytes for {len(content):,}"
