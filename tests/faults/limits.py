"""Limits that the system may set to a command: the width of its terminal, memory, files, rights."""

from __future__ import annotations

import ctypes
import functools
import os
import resource
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

from faults.campaign import Case, Scale
from faults.children import assert_plain, command, forked
from faults.small import copied

Words: TypeAlias = Sequence[object]
MEGABYTE = 1 << 20


def cases(scale: Scale, straight: Path) -> Iterator[Case]:
    """Yield terminals of odd widths, then limits to a copy of a run."""
    for columns in (0, 1, 6, 39, -1, "abc", 1000):
        for line in ("--help", "train --help", "sample --n"):
            check = functools.partial(narrow, str(columns), line.split())
            yield Case(f"{line} with COLUMNS={columns}", check)
    run = scale.folder / "run"
    longer: Words = ("train", "--resume", run, "--epochs", 4)
    sample: Words = ("sample", run)
    tries: tuple[tuple[str, Words, Callable[[], None]], ...] = (
        *(
            (f"files of {n:,} bytes", longer, limit(resource.RLIMIT_FSIZE, n))
            for n in (2_000, 10_000, 300_000)
        ),
        *(
            (f"{n} open files", longer, limit(resource.RLIMIT_NOFILE, n))
            for n in (0, 3, 4, 5, 6, 7, 8)
        ),
        *(
            (f"{n} MB of memory more", words, more_memory(n, run))
            for n in (0, 1, 4, 16)
            for words in (longer, sample)
        ),
        ("a run that is read-only", longer, read_only(run)),
        ("a run that is read-only", sample, read_only(run)),
        ("samples that are read-only", longer, read_only(run / "samples")),
        ("a checkpoint that is secret", longer, read_only(run / "checkpoint.npz", 0)),
        ("a history that is read-only", longer, read_only(run / "history.csv", 0o444)),
    )
    for name, words, prepare in tries:
        check = functools.partial(limited, straight, run, words, prepare)
        yield Case(f"{words[0]} with {name}", check)


def narrow(columns: str, words: Words) -> None:
    """Run a command that prints help or a frame, on a terminal of this width."""

    def work() -> int:
        os.environ["COLUMNS"] = columns
        resource.setrlimit(resource.RLIMIT_CPU, (5, 5))  # a help that never ends
        return command(*words)()

    assert_plain(forked(work), 0, 2)


def limited(straight: Path, run: Path, words: Words, prepare: Callable[[], None]) -> None:
    """Run a command within a limit; afterwards the run can be resumed without it."""
    copied(straight, run)

    def work() -> int:
        prepare()
        return command(*words)()

    assert_plain(forked(work), 0, 2)
    for place in (run, run / "samples", run / "checkpoint.npz"):
        place.chmod(0o755)
    assert_plain(forked(command("train", "--resume", run, "--epochs", 4)), 0)
    assert not list(run.rglob("*.tmp")), "a temporary file was left"


def limit(what: int, most: int) -> Callable[[], None]:
    """Return what sets one of the limits of the system."""
    return lambda: resource.setrlimit(what, (most, most))


def more_memory(megabytes: int, run: Path) -> Callable[[], None]:
    """Return what limits a process to the memory that it has after a command, and a little more.

    The command has imported all that is imported late, and OpenBLAS has its memory: what these do
    without any is not up to minigan.
    """

    def prepare() -> None:
        command("sample", run, "--n", 1)()
        if sys.platform == "linux":
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            most = pages * os.sysconf("SC_PAGE_SIZE") + megabytes * MEGABYTE
            resource.setrlimit(resource.RLIMIT_AS, (most, most))

    return prepare


def read_only(place: Path, mode: int = 0o555) -> Callable[[], None]:
    """Return what forbids this process to write there, even if it belongs to root."""

    def prepare() -> None:
        place.chmod(mode)
        if os.geteuid() == 0:  # give up root's right to ignore the mode
            version, nothing = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
            assert ctypes.CDLL(None).capset(version, nothing) == 0

    return prepare
