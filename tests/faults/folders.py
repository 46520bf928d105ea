"""Folders that somebody else has prepared: links, pipes and devices in the place of files."""

from __future__ import annotations

import functools
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

from faults import archives
from faults.campaign import Case, Scale
from faults.children import assert_plain, command, contents, forked
from faults.small import copied, small_networks, straight_run

MEANING = "prepared folders end in one line or are used; nothing else is changed"
PLACES = (
    "checkpoint.npz",
    "best.npz",
    "config.json",
    "history.csv",
    "losses.png",
    "training.gif",
    "report.html",
    "samples",
    "samples/epoch_0001.png",
    "samples/epoch_0004.png",  # written next
    ".minigan-0123456789abcdef.tmp",
    "samples/.minigan-0123456789abcdef.tmp",
    "sample_0.png",
    "metrics.json",
)
COMMANDS: dict[str, Callable[[Path], tuple[object, ...]]] = {
    "train": lambda run: ("train", "--resume", run, "--epochs", 4),
    "sample": lambda run: ("sample", run, "--n", 1),
    "sample best": lambda run: ("sample", run / "best.npz", "--n", 1),
    "evaluate": lambda run: ("evaluate", run, "--samples", 100),
}


def cases(scale: Scale) -> Iterator[Case]:
    """Yield each kind of thing in each place, for each command that may touch it."""
    with small_networks():
        straight, _ = straight_run(scale.folder)
        for name, words in COMMANDS.items():
            yield Case(f"sound run, {name}", functools.partial(sound, straight, words))
            for place in PLACES:
                if name != "train" and place not in ("checkpoint.npz", "best.npz", "sample_0.png"):
                    continue
                for kind, make in KINDS.items():
                    check = functools.partial(prepared, straight, place, make, words)
                    yield Case(f"{kind} as {place}, {name}", check)
        yield from archives.cases(scale, straight)


def sound(straight: Path, words: Callable[[Path], tuple[object, ...]]) -> None:
    """Check that the command does its work, so that the others are worth something."""
    run = copied(straight, straight.with_name("run"))
    assert_plain(forked(command(*words(run))), 0)


def prepared(
    straight: Path,
    place: str,
    make: Callable[[Path, Path], None],
    words: Callable[[Path], tuple[object, ...]],
) -> None:
    """Put something in the place of a file, and run a command on the folder."""
    run, outside = (straight.with_name(name) for name in ("run", "outside"))
    copied(straight, run)
    shutil.rmtree(outside, ignore_errors=True)
    outside.mkdir()
    (outside / "folder").mkdir()
    original = run / place
    for file in (outside / "file", outside / "folder" / "epoch_0001.png"):
        file.write_bytes(original.read_bytes() if original.is_file() else b"somebody else's")
    if original.is_dir():
        shutil.rmtree(original)
    original.unlink(missing_ok=True)
    make(original, outside)
    before = contents(outside)
    ended = forked(command(*words(run)), limit=60)
    assert_plain(ended, 0, 2)
    assert contents(outside) == before, f"something outside has changed\n{ended}"


def pipe(place: Path, outside: Path) -> None:
    """A pipe that nobody writes to: reading it would never end."""
    os.mkfifo(place)


def listening(place: Path, outside: Path) -> None:
    """A socket, by a short name: the whole name may be too long for one."""
    with socket.socket(socket.AF_UNIX) as made:
        here = os.getcwd()
        os.chdir(place.parent)
        try:
            made.bind(place.name)
        finally:
            os.chdir(here)


def full_folder(place: Path, outside: Path) -> None:
    """A folder that is not empty."""
    (place / "inside").mkdir(parents=True)


def link_to(target: str) -> Callable[[Path, Path], None]:
    """Return what makes a link."""
    return lambda place, outside: place.symlink_to(outside / target)


KINDS: dict[str, Callable[[Path, Path], None]] = {
    "link to a file": link_to("file"),
    "dangling link": link_to("nothing"),
    "link to a folder": link_to("folder"),
    "link to /dev/zero": link_to("/dev/zero"),
    "link to /dev/full": link_to("/dev/full"),
    "link to itself": lambda place, outside: place.symlink_to(place),
    "hard link": lambda place, outside: os.link(outside / "file", place),
    "pipe": pipe,
    "socket": listening,
    "folder": full_folder,
    "empty file": lambda place, outside: place.touch(),
}
