"""The film of a run: the pictures of its epochs as one GIF, each with its epoch written below."""

from __future__ import annotations

import contextlib
import io
import math
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from minigan.machine.files import open_regular

LARGEST = 1 << 24  # pixels of a picture: more than those of any run
FRAMES = 100  # of the film at most
TEXT = 18  # pixels that the letters below a picture are high, about
STRIP = 26  # pixels that they have room in


def film_gif(frames: Sequence[tuple[str, Path]]) -> bytes | None:
    """Join at most ``FRAMES`` of the pictures into a GIF that repeats, and rests on the last one.

    Each picture comes with the words that are written below it.  A picture that is missing,
    damaged, too large, or of another size than the last one, is left out; the result is None if
    nothing is left.
    """
    from PIL import Image

    pictures: list[Image.Image] = []  # from the last one to the first
    size: tuple[int, int] | None = None
    every = math.ceil(len(frames) / FRAMES) or 1
    for words, frame in frames[::-every]:
        with (
            warnings.catch_warnings(action="ignore"),  # of Pillow, about many pixels
            contextlib.suppress(OSError, SyntaxError, ValueError, Image.DecompressionBombError),
            open_regular(frame) as file,
            Image.open(file, formats=["PNG"]) as picture,
        ):
            # known before it is unpacked
            if size in (None, picture.size) and math.prod(picture.size) <= LARGEST:
                grey_or_colour = picture.convert("RGB" if picture.mode == "RGB" else "L")
                pictures.append(_with_words(grey_or_colour, words))
                size = picture.size
    if not pictures:
        return None
    first, *others = pictures[::-1]
    duration = min(500, max(40, 10_000 // len(pictures)))  # ms a frame
    content = io.BytesIO()
    first.save(
        content,
        "GIF",
        save_all=True,
        append_images=others,
        duration=[duration] * len(others) + [2000],
        loop=0,
    )
    return content.getvalue()


def _with_words(picture: Any, words: str) -> Any:
    """Return the picture with a black strip below it, in which the words are written in white."""
    from PIL import Image, ImageDraw, ImageFont

    width, height = picture.size
    whole = Image.new(picture.mode, (width, height + STRIP))
    whole.paste(picture)
    white: Any = 255 if picture.mode == "L" else (255, 255, 255)
    middle = width // 2, height + STRIP // 2
    too_wide = max(1, ImageFont.load_default(TEXT).getlength(words) / (0.95 * width))
    font = ImageFont.load_default(max(TEXT / too_wide, 4))
    ImageDraw.Draw(whole).text(middle, words, fill=white, font=font, anchor="mm")
    return whole
