"""A run of very many epochs: no epoch takes longer than the first ones, nor more memory."""

from __future__ import annotations

import functools
import itertools
import json
import os
import signal
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

from faults.campaign import Case, Scale
from faults.children import assert_plain, command, forked
from faults.small import BATCH, small_networks, write_data

from minigan.training.outputs import SHARE, Outputs

MEANING = "the epochs of a long run take the same time and memory; history.csv grows"
SHORT = 8  # seconds of the miniature
# The quickest epoch of the last fifth may take so much more CPU time than that of the first fifth.
# Other programs on the machine can only slow an epoch down, so the quickest one tells most.  They
# also slow down a piece of work that is always the same and is timed beside each epoch: the time of
# an epoch counts in units of this work.  What is left varies by a tenth over minutes, and by more
# over the seconds of the miniature.
SLOWER = {True: 1.2, False: 1.6}
WORK = bytes(range(256)) * 512
# Bytes that may be added after the first tenth.  A row of the history takes 1 kB as Python objects
# (17 floats and their tuples), and as much for a moment in each of the lists made from it.  The
# film grows to 100 frames of a quarter of a megabyte each, and the real networks' arrays go to the
# disk in pieces of 16 MB, some of which the memory manager keeps.
A_ROW = 4_000
SLACK = {True: 48_000_000, False: 16_000_000}


class Epoch(NamedTuple):
    """What was measured when an epoch was saved."""

    cpu: float  # seconds of CPU time that it took
    unit: float  # seconds of CPU time that the same work took as beside every epoch
    memory: int  # bytes that it has now
    file: int  # the inode of history.csv
    size: int  # its bytes
    whole: bool  # whether its last line is complete


def cases(scale: Scale) -> Iterator[Case]:
    """Train for hours with the networks and curves of every run, or for seconds with small ones."""
    seconds = scale.soak_minutes * 60 if scale.long else SHORT
    data, notes = write_data(scale.folder / "data"), scale.folder / "epochs.json"
    run = scale.folder / "run"
    with nullcontext() if scale.long else small_networks(SHARE):
        words = ["train", "--data", data, "--out", run, "--threads", 1, "--batch-size", BATCH]
        words += ["--epochs", 1_000_000_000]  # more than any machine can train in this time
        yield Case(
            "the run goes on until it is told to stop",
            functools.partial(soak, words, seconds, notes),
        )
    epochs = [Epoch(*one) for one in json.loads(notes.read_text())] if notes.exists() else []
    for check in (flat_time, flat_memory, appended):
        yield Case(
            f"{check.__name__}, {len(epochs):,} epochs",
            functools.partial(check, epochs, scale.long),
        )


def soak(words: Sequence[object], seconds: float, notes: Path) -> None:
    """Train for so long, and note what each epoch took."""
    end, epochs = time.monotonic() + seconds, []
    save_history, start = Outputs.save_history, [0.0]

    def measured(self: Outputs) -> None:
        save_history(self)
        if notes.exists():  # the step after the signal adds no row
            return
        used = time.process_time() - start[0]
        epochs.append(measure(self.history_file.path, used))
        start[0] = time.process_time()
        if time.monotonic() > end:
            notes.write_text(json.dumps(epochs))
            os.kill(os.getpid(), signal.SIGTERM)

    def work() -> int:
        with patch.object(Outputs, "save_history", measured):
            return command(*words)()

    assert_plain(forked(work, limit=int(2 * seconds) + 600), 128 + signal.SIGTERM)


def measure(history: Path, cpu: float) -> Epoch:
    """Return what there is to know about this process and its history.csv now."""
    found = history.stat()
    with history.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        whole = file.read() == b"\n"
    start = time.process_time()
    zlib.compress(WORK)
    unit = time.process_time() - start
    return Epoch(cpu, unit, memory_now(), found.st_ino, found.st_size, whole)


def memory_now() -> int:
    """Return how many bytes of memory this process has; 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def flat_time(epochs: Sequence[Epoch], long: bool) -> None:
    """Compare the CPU time of the quickest epoch at the end with that of the quickest at first."""
    fifth = len(epochs) // 5
    assert fifth >= 2, "too few epochs"
    first, last = (
        min(one.cpu for one in part) / min(one.unit for one in part)
        for part in (epochs[:fifth], epochs[-fifth:])
    )
    told = f"an epoch took {last / first:.2f} times as long at last as at first"
    assert last < SLOWER[long] * first, told


def flat_memory(epochs: Sequence[Epoch], long: bool) -> None:
    """Compare the memory at the end with that after the first tenth of the epochs."""
    tenth = len(epochs) // 10
    most = max(epoch.memory for epoch in epochs[-tenth:])
    warm = max(epoch.memory for epoch in epochs[: tenth + 1])
    told = f"{warm:,} bytes at first, {most:,} at last"
    assert most <= warm + SLACK[long] + A_ROW * len(epochs), told


def appended(epochs: Sequence[Epoch], long: bool) -> None:
    """Check that history.csv was one and the same file, which grew by whole rows."""
    assert len({epoch.file for epoch in epochs}) == 1, "history.csv was written anew"
    assert all(epoch.whole for epoch in epochs), "a row was not complete"
    sizes = [epoch.size for epoch in epochs]
    assert all(one < two for one, two in itertools.pairwise(sizes)), "it did not grow"
