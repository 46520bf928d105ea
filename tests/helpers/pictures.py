"""Pictures for tests that need files of their own."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image


def grey(seed: int = 0, h: int = 12, w: int = 12) -> Any:
    """A grey image of random levels, uint8 (h, w)."""
    return np.random.default_rng(seed).integers(0, 256, (h, w), dtype=np.uint8)


def colour(seed: int = 0, h: int = 12, w: int = 12) -> Any:
    """An image of random colours, uint8 (h, w, 3)."""
    return np.random.default_rng(seed).integers(0, 256, (h, w, 3), dtype=np.uint8)


def save(file: Path, pixels: Any, **options: Any) -> Path:
    """Write pixels, or a picture of Pillow, in the format that the name ends with."""
    file.parent.mkdir(parents=True, exist_ok=True)
    picture = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    picture.save(file, **options)
    return file


def png_bytes(pixels: Any) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_with_clear(rows: list[list[int]], bits: int, clear: tuple[int, ...]) -> bytes:
    """A PNG file of pixels of so many bits, grey or in colour, of which one colour is transparent.

    Each row has one number for each pixel, or three.
    """
    channels = len(clear)
    header = struct.pack(
        ">IIBBBBB", len(rows[0]) // channels, len(rows), bits, channels - 1, 0, 0, 0
    )
    data = b""
    for row in rows:
        text = "".join(f"{number:0{bits}b}" for number in row)
        text += "0" * (-len(text) % 8)
        data += b"\0" + int(text, 2).to_bytes(len(text) // 8, "big")
    names = {b"IHDR": header, b"tRNS": struct.pack(f">{channels}H", *clear)}
    names |= {b"IDAT": zlib.compress(data), b"IEND": b""}
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*one) for one in names.items())


def bomb(w: int, h: int) -> bytes:
    """A PNG file of a few bytes that promises w x h grey pixels."""
    header = struct.pack(">IIBBBBB", w, h, 8, 0, 0, 0, 0)
    data = zlib.compress(bytes(1000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )
