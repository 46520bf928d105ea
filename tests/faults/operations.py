"""Every file operation of a run: the process dies there, or the operation fails."""

from __future__ import annotations

import errno
import functools
import io
import json
import os
import re
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from faults.campaign import Case, Scale
from faults.children import Ended, assert_plain, command, forked
from faults.same import assert_same
from faults.small import SMALL, options, resumed, small_networks, write_data

MEANING = "ended or failing at a file operation, a resumed run equals the straight one"
ERRORS = (errno.ENOSPC, errno.EACCES, errno.EIO, errno.EINVAL)
WARNING = re.compile(r"^Warning: (\S+) cannot be written \(", re.MULTILINE)
STEP = 7  # in the short campaign, from one operation that is tried to the next
At = Callable[[int, str], int | None]  # called before an operation; returns how much is written


class Watched(io.FileIO):
    """A file each of whose writes is an operation."""

    before: Callable[[str], int | None]

    def write(self, content: Any) -> int:
        """Write the content, or one half of it if the process is to die here."""
        if self.before("write") is None:
            return super().write(content)
        content = memoryview(content).cast("B")
        super().write(content[: len(content) // 2])
        return die()


def watch(folder: Path, at: At) -> None:
    """Call ``at`` before each operation on files in the folder, for the rest of this process."""
    count = 0

    def before(operation: str, place: Any = None) -> int | None:
        nonlocal count
        if place is not None and not str(place).startswith(str(folder)):
            return None
        count += 1
        name = "" if place is None else Path(place).name
        temporary = name.startswith(".minigan-")
        return at(count, f"{operation} {'temporary file' if temporary else name}".strip())

    def watched(function: Callable[..., Any], operation: str, place: int = 0) -> Any:
        def wrapper(*args: Any, **kwds: Any) -> Any:
            if before(operation, args[place] if place >= 0 else None) is not None:
                die()
            return function(*args, **kwds)

        return wrapper

    def opened(descriptor: Any, mode: str) -> Any:
        file = Watched(descriptor, mode)
        file.before = before
        return io.BufferedWriter(file)

    open_descriptor, open_path = os.fdopen, io.open
    system: Any = os
    system.fdopen = lambda number, mode="r", *args: (
        opened(number, mode) if mode == "wb" else open_descriptor(number, mode, *args)
    )
    for name, place in (("open", 0), ("fsync", -1), ("replace", 1), ("unlink", 0), ("mkdir", 0)):
        setattr(system, name, watched(getattr(os, name), name, place))

    def open_file(path: Any, mode: str = "r", *args: Any, **kwds: Any) -> Any:
        if mode != "ab":
            return open_path(path, mode, *args, **kwds)
        if before("append", path) is not None:
            die()
        return opened(path, mode)

    builtin: Any = io
    builtin.open = open_file


def die() -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def train(run: Path, data: Path, at: At) -> Ended:
    """Train a new run in a process of its own, and call ``at`` before each operation."""

    def work() -> int:
        watch(run, at)
        return command("train", *options(data), *SMALL, "--out", run)()

    return forked(work)


def cases(scale: Scale) -> Iterator[Case]:
    """Yield, for every operation or every so many, a process that dies and one that goes on."""
    with small_networks():
        data, straight = write_data(scale.folder / "data"), scale.folder / "straight"
        list_file, names = scale.folder / "operations.json", []

        def listed(number: int, name: str) -> None:
            names.append(name)  # in the process that trains
            with open(list_file, "w") as file:
                json.dump(names, file)

        assert_plain(train(straight, data, listed), 0)
        found = json.loads(list_file.read_text())
        step = scale.pick(STEP, 1)
        for number in range(1 + scale.seed % step, len(found) + 1, step):
            place = f"operation {number} of {len(found)}, {found[number - 1]}"
            arguments = straight, scale.folder / "run", data, number
            yield Case(f"ended before {place}", functools.partial(ended_at, *arguments))
            codes = ERRORS if scale.long else (ERRORS[number // step % len(ERRORS)],)
            for code in codes:
                name = f"{errno.errorcode[code]} from {place}"
                yield Case(name, functools.partial(failed_at, *arguments, code))


def ended_at(straight: Path, run: Path, data: Path, number: int) -> None:
    """Let the process die before that operation, or in the middle of it, if it is a write."""
    shutil.rmtree(run, ignore_errors=True)
    ended = train(run, data, lambda count, name: 0 if count == number else None)
    assert ended.status == -signal.SIGKILL, str(ended)
    resumed(run, data)
    assert_same(straight, run)


def failed_at(straight: Path, run: Path, data: Path, number: int, code: int) -> None:
    """Let that operation raise an error: the run goes on, or ends with the last checkpoint."""
    shutil.rmtree(run, ignore_errors=True)

    def fail(count: int, name: str) -> None:
        if count == number:
            raise OSError(code, os.strerror(code))

    ended = train(run, data, fail)
    assert_plain(ended, 0, 2)
    resumed(run, data)
    missing = [str(Path(file).relative_to(run)) for file in WARNING.findall(ended.out)]
    assert_same(straight, run, missing)
