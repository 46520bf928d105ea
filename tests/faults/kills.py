"""Signals at random moments: the run that is resumed ends as if nothing had happened."""

from __future__ import annotations

import contextlib
import functools
import os
import random
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

from faults.campaign import Case, Scale
from faults.children import Ended, assert_plain, command, forked, process
from faults.small import (
    SMALL,
    assert_same,
    go_on,
    options,
    small_networks,
    straight_run,
    write_data,
)

MEANING = "after signals at random moments, a resumed run equals the straight one"
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
MOST = 3  # signals in a run
Words: TypeAlias = list[object]
Meanwhile: TypeAlias = Callable[[int], None] | None
Train: TypeAlias = Callable[..., Ended]  # of a command line, and what happens meanwhile


def cases(scale: Scale) -> Iterator[Case]:
    """Yield runs that are disturbed: small ones, and a few real commands with real networks."""
    with small_networks():
        start = time.perf_counter()
        straight, data = straight_run(scale.folder / "small")
        length = time.perf_counter() - start

        def small(words: Words, meanwhile: Meanwhile = None) -> Ended:
            return forked(command(*words, *(SMALL if "--out" in words else ())), meanwhile)

        yield from disturbed(small, straight, data, length, scale, scale.pick(10, 192))
    data, straight = write_data(scale.folder / "real" / "data"), scale.folder / "real" / "straight"
    start = time.perf_counter()
    assert_plain(process(["train", *options(data), "--out", straight]), 0)
    length = time.perf_counter() - start
    yield from disturbed(process, straight, data, length, scale, scale.pick(1, 8))


def disturbed(
    train: Train, straight: Path, data: Path, length: float, scale: Scale, number: int
) -> Iterator[Case]:
    """Yield so many runs like the straight one, which took ``length`` seconds."""
    for i in range(number):
        rng = random.Random(f"{scale.seed} {i}")
        run = straight.with_name(f"run{i}")
        check = functools.partial(disturb, rng, train, straight, run, data, length)
        yield Case(f"{straight.parent.name} run {i}", check)


def disturb(
    rng: random.Random, train: Train, straight: Path, run: Path, data: Path, length: float
) -> None:
    """Train with a few signals, and compare the end of the run with the straight run."""
    for _ in range(rng.randint(1, MOST)):
        number, moment = rng.choice(SIGNALS), rng.uniform(0, length)
        ended = train(go_on(run, data), meanwhile=signal_after(moment, number))
        assert_plain(ended, *statuses(number))
    assert_plain(train(go_on(run, data)), 0)
    assert_same(straight, run)
    shutil.rmtree(run)


def statuses(number: int) -> tuple[int, ...]:
    """Return how a command may end that got a signal: at any moment, or after its work."""
    return (0, -number) if number == signal.SIGKILL else (0, 128 + number, -number)


def signal_after(seconds: float, number: int) -> Callable[[int], None]:
    """Return what sends a process a signal after that time, if it is still there."""

    def send(process: int) -> None:
        time.sleep(seconds)
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, number)

    return send
