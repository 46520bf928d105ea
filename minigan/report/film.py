"""The pictures of a run as data: the frames of its film, and single pictures."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from minigan.machine.files import open_regular

Item = TypeVar("Item")
FRAMES = 60  # of the film at most
BUDGET = 2_400_000  # bytes of all frames; the page holds four thirds of them
LARGEST = 2_000_000  # bytes: a larger picture was not drawn by a run
PIXELS = 4096  # of a picture's width and height, at most


def film_of(frames: Sequence[tuple[str, Path]]) -> list[dict[str, str]]:
    """Return the frames, at most ``FRAMES``, from the first to the last: words, and a PNG file.

    ``frames`` are words such as "epoch 3", with the picture's file.  A picture that is missing, too
    large or no PNG, or has another size than the last one, is left out.
    """
    chosen = thinned(list(frames), FRAMES)
    sizes = [_size(file) for _, file in chosen]
    while len(chosen) > 2 and sum(sizes) > BUDGET:  # keep every second one, and the last
        chosen, sizes = chosen[::-2][::-1], sizes[::-2][::-1]
    found, shape = list[dict[str, str]](), None
    for words, file in reversed(chosen):
        content = _png(file)
        if content is not None and shape in (None, _shape(content)):
            shape = _shape(content)
            found.append({"words": words, "png": base64.b64encode(content).decode()})
    return found[::-1]


def picture_of(file: Path) -> str | None:
    """Return a PNG file in base64; None if it is missing, too large or no PNG."""
    content = _png(file)
    return None if content is None else base64.b64encode(content).decode()


def thinned(items: list[Item], most: int) -> list[Item]:
    """Return at most so many of the items, evenly spread, with the first and the last."""
    if len(items) <= most:
        return items
    return [items[round(i * (len(items) - 1) / (most - 1))] for i in range(most)]


def _size(file: Path) -> int:
    with contextlib.suppress(OSError):
        return file.stat().st_size
    return 0


def _png(file: Path) -> bytes | None:
    """Return the content of a PNG file of a reasonable size; None if it is not one."""
    with contextlib.suppress(OSError), open_regular(file) as stream:
        content = stream.read(LARGEST + 1)
        width, height = _shape(content)
        if len(content) <= LARGEST and 0 < width <= PIXELS and 0 < height <= PIXELS:
            return content
    return None


def _shape(content: bytes) -> tuple[int, int]:
    """Return the width and height that a PNG file states; zeros if the content is no such file."""
    if content[:8] != b"\x89PNG\r\n\x1a\n" or content[12:16] != b"IHDR" or len(content) < 33:
        return 0, 0
    return int.from_bytes(content[16:20]), int.from_bytes(content[20:24])
