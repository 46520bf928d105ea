"""Checkpoints that somebody else has made, to be read by a run: bombs, lies and odd numbers."""

from __future__ import annotations

import functools
import io
import json
import random
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import numpy as np
from faults.campaign import Case, Scale
from faults.children import assert_plain, command, forked
from faults.small import copied

from minigan.data import load_archive, save_archive

MEMORY = 30_000_000  # bytes more than a sound checkpoint that a crafted one may take, and ...
TIMES = 3  # times as many bytes as it has
ODD: tuple[Any, ...] = (
    None, True, -1, 0, 1, 2**31, 2**64, 10**400, -(10**400), 1.5, float("nan"), float("inf"),
    "", "x", "\x1b[2J", "../..", [], [[]], [1, 2], {}, {"x": 1},
    {"state": {}}, [[0, 0]], [[1, 10**30]],
)  # fmt: skip


def cases(scale: Scale, straight: Path) -> Iterator[Case]:
    """Yield crafted checkpoints in a copy of a run."""
    run = copied(straight, straight.with_name("crafted"))
    file = run / "checkpoint.npz"
    whole, (arrays, meta) = file.read_bytes(), load_archive(file)
    base = forked(command("train", "--resume", run)).peak
    tries = {f"bomb, {name}": functools.partial(write, file) for name, write in BOMBS.items()}
    rng = random.Random(scale.seed)
    for name in rng.sample(sorted(arrays), scale.pick(4, len(arrays))):
        for what, change in CHANGES.items():
            changed = arrays | {name: change(arrays[name])}
            tries[f"{name} {what}"] = functools.partial(save_archive, file, changed, meta)
    keys = list(_keys(meta))
    for names in rng.sample(keys, scale.pick(12, len(keys))):
        for value in rng.sample(ODD, scale.pick(3, len(ODD))):
            text = json.loads(json.dumps(meta))
            inner = functools.reduce(lambda one, key: one[key], names[:-1], text)
            inner[names[-1]] = value
            title = f"{'.'.join(names)} is {str(value)[:20]!r}"
            tries[title] = functools.partial(save_archive, file, arrays, text)
    for title, write in tries.items():
        yield Case(
            f"crafted: {title}", functools.partial(read_by_commands, run, whole, write, base)
        )


def read_by_commands(run: Path, whole: bytes, write: Callable[[], None], base: int) -> None:
    """Write the checkpoint, and let two commands read it; measure the memory that they take."""
    file = run / "checkpoint.npz"
    write()
    most = base + MEMORY + TIMES * file.stat().st_size
    for words in (("train", "--resume", run), ("sample", run, "--n", 1)):
        ended = forked(command(*words), limit=60)
        assert_plain(ended, 0, 2)
        assert ended.peak < most, f"{words[0]} took {ended.peak:,} bytes, expected {most:,} at most"
    file.write_bytes(whole)


def _keys(meta: Any, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in meta.items():
        yield (*before, key)
        if isinstance(value, dict):
            yield from _keys(value, (*before, key))


CHANGES: dict[str, Callable[[Any], Any]] = {
    "is of another type": lambda array: np.zeros_like(array, "int8"),
    "is complex": lambda array: array.astype("complex64"),
    "is text": lambda array: np.array(["x"] * 3),
    "is turned": lambda array: array[..., None],
    "is too short": lambda array: array[:-1],
    "is too long": lambda array: np.concatenate([array, array]),
    "is empty": lambda array: array[:0],
    "is one number": lambda array: np.float32(1),
    "is nan": lambda array: np.full_like(array, np.nan),
    "is infinite": lambda array: np.full_like(array, np.inf),
    "is negative": lambda array: np.full_like(array, -1),
    "is huge": lambda array: np.full_like(array, np.finfo(array.dtype).max),
}


def write_entries(file: Path, entries: dict[str, bytes], packed: int = ZIP_STORED) -> None:
    """Write a ZIP archive."""
    with ZipFile(file, "w", packed) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)


def npy(dtype: str, shape: str, content: bytes = bytes(12)) -> bytes:
    """Return a file of NumPy's format with this header, true or not."""
    header = f"{{'descr': {dtype}, 'fortran_order': False, 'shape': {shape}}}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + content


def overlapping(file: Path) -> None:
    """Write an archive with a hundred names for the same megabyte."""
    content = io.BytesIO()
    with ZipFile(content, "w") as archive:
        archive.writestr("00.npy", bytes(1_000_000))
        first = archive.filelist[0]
        archive.filelist += [first] * 99
        archive.comment = b"changed"  # so that the list is written when the archive is closed
    file.write_bytes(content.getvalue())


BOMBS: dict[str, Callable[[Path], None]] = {
    "100 MB packed": lambda file: write_entries(file, {"a.npy": bytes(100_000_000)}, ZIP_DEFLATED),
    "overlapping entries": overlapping,
    "8 GB promised": lambda file: write_entries(file, {"a.npy": npy("'<f4'", "(2000000000,)")}),
    "negative lengths": lambda file: write_entries(file, {"a.npy": npy("'<f4'", "(-1, -3)")}),
    "numbers of 2 GB": lambda file: write_entries(file, {"a.npy": npy("'|V2000000000'", "(0,)")}),
    "objects": lambda file: write_entries(file, {"a.npy": npy("'|O'", "(1,)", bytes(8))}),
    "fields": lambda file: write_entries(file, {"meta.npy": npy("[('a', '<f4')]", "(3,)")}),
    "code as header": lambda file: write_entries(file, {"a.npy": npy("exit()", "(3,)")}),
    "deep header": lambda file: write_entries(file, {"a.npy": npy("[" * 60, "(3,)")}),
    "deep JSON": lambda file: write_json(file, b"[" * 1_000_000),
    "long number": lambda file: write_json(file, b'{"format": 1' + b"0" * 1_000_000 + b"}"),
    "list as JSON": lambda file: write_json(file, b"[]"),
    "no UTF-8": lambda file: write_json(file, b"\xff\xfe{}"),
    "50,000 entries": lambda file: write_entries(file, {f"{i}.npy": b"" for i in range(50_000)}),
    "no entries": lambda file: write_entries(file, {}),
}


def write_json(file: Path, text: bytes) -> None:
    """Write an archive that holds only this text."""
    write_entries(file, {"meta.npy": npy("'|u1'", f"({len(text)},)", text)})
