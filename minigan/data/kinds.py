"""What a file holds, told by its first bytes and not by its name."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import BinaryIO, cast

from minigan.errors import InputError
from minigan.machine.files import open_regular

HEAD = 64  # bytes that are looked at
RATIO, FREE = 100, 1 << 26  # packed content may become 64 MB, or 100 times its size
PICTURES = ("PNG", "JPEG")
BEGINNINGS = {
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"GIF8": "GIF",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"\x93NUMPY": "npy",
    b"PK\x03\x04": "npz",
    b"\0\0\x08": "IDX",  # of bytes
    b"\0\0\x0c": "IDX",  # of 32-bit integers
}
GZIP = b"\x1f\x8b"


def kind_of(file: Path) -> str | None:
    """Return ``PNG``, ``JPEG``, ``npy``, ``npz``, ``IDX``, ``text``, another name, or None.

    If the file is compressed with gzip, the kind is that of its content.  ``empty`` stands for a
    file without bytes, and None for a content that is not known.  Raises InputError if the file
    cannot be read.
    """
    try:
        with open_regular(file) as packed:
            head = packed.read(HEAD)
            if head.startswith(GZIP):
                packed.seek(0)
                head = gzip.GzipFile(fileobj=packed).read(HEAD)
    except FileNotFoundError as error:
        raise InputError(f"{file} does not exist") from error
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{file} cannot be read: {error}") from error
    return kind_of_bytes(head)


def kind_of_bytes(head: bytes) -> str | None:
    """Return the kind of a file that begins with these bytes, as ``kind_of`` does."""
    if not head:
        return "empty"
    for beginning, kind in BEGINNINGS.items():
        if head.startswith(beginning):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WebP"
    if head.startswith(b"BM") and head[6:10] == bytes(4):
        return "BMP"
    text = head.removeprefix(b"\xef\xbb\xbf")
    return "text" if all(9 <= byte <= 13 or 32 <= byte < 127 for byte in text) else None


def beginning_of(file: Path) -> str:
    """Return the first bytes of a file for a message: ``begins with 0x0000abcd``."""
    with open_regular(file) as stream:
        head = stream.read(4)
    return f"begins with 0x{head.hex()}" if head else "is empty"


def unpacked(stream: BinaryIO) -> tuple[BinaryIO, bool]:
    """Return a stream of the content, and whether it is compressed with gzip: told by its bytes."""
    packed = stream.read(2) == GZIP
    stream.seek(0)
    return (cast(BinaryIO, gzip.GzipFile(fileobj=stream)) if packed else stream), packed


def check_unpacked(what: object, packed: int, size: int) -> None:
    """Raise InputError if content of ``packed`` bytes would become too much: ``size`` bytes."""
    if size > max(FREE, RATIO * packed):
        raise InputError(
            f"{what} would be unpacked from {packed:,} to {size:,} bytes: it may be made to fill "
            "the memory"
        )
