"""Signals at random moments: the run that is resumed ends as if nothing had happened."""

from __future__ import annotations

import functools
import random
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

from faults.campaign import Case, Scale
from faults.children import Ended, Meanwhile, Send, assert_plain, command, forked, process
from faults.same import assert_same
from faults.small import (
    SMALL,
    go_on,
    options,
    small_networks,
    write_data,
)

MEANING = "after signals at random moments, a resumed run equals the straight one"
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
MOST = 3  # signals in a run
ATTEMPTS = 8  # runs until a signal has come before the end of one
Words: TypeAlias = list[object]
Train: TypeAlias = Callable[..., Ended]  # of a command line, and what happens meanwhile


def cases(scale: Scale) -> Iterator[Case]:
    """Yield runs that are disturbed: small ones, and a few real commands with real networks."""

    def small(words: Words, meanwhile: Meanwhile | None = None) -> Ended:
        return forked(command(*words, *(SMALL if "--out" in words else ())), meanwhile)

    with small_networks():
        data = write_data(scale.folder / "small" / "data")
        yield from disturbed(small, data, scale, scale.pick(12, 192))
    data = write_data(scale.folder / "real" / "data")
    yield from disturbed(process, data, scale, scale.pick(1, 8))


def disturbed(train: Train, data: Path, scale: Scale, number: int) -> Iterator[Case]:
    """Yield so many runs that are disturbed, and compared with one that is not."""
    straight = data.with_name("straight")
    for _ in range(2):  # the second one is timed: it finds everything compiled and in the cache
        shutil.rmtree(straight, ignore_errors=True)
        start = time.perf_counter()
        assert_plain(train(["train", *options(data), "--out", straight]), 0)
    length = 0.8 * (time.perf_counter() - start)  # few signals are to come when all is over
    for i in range(number):
        rng = random.Random(f"{scale.seed} {i}")
        arguments = rng, train, straight, data.with_name(f"run{i}"), data, length
        yield Case(f"{data.parent.name} run {i}", functools.partial(disturb, *arguments))


def disturb(
    rng: random.Random, train: Train, straight: Path, run: Path, data: Path, length: float
) -> None:
    """Train with a few signals, and compare the end of the run with the straight run."""
    for attempt in range(ATTEMPTS):  # a run may be faster than the one that was timed
        came_before_end = False
        for _ in range(rng.randint(1, MOST)):
            number, moment = rng.choice(SIGNALS), rng.uniform(0, length / 2**attempt)
            ended = train(go_on(run, data), meanwhile=signal_after(moment, number))
            assert_plain(ended, *statuses(number))
            if ended.status == 0:
                break
            came_before_end = True
        assert_plain(train(go_on(run, data)), 0)
        assert_same(straight, run)
        shutil.rmtree(run)
        if came_before_end:
            return
    raise AssertionError("no signal came before the end of the run: nothing was tried")


def statuses(number: int) -> tuple[int, ...]:
    """Return how a command may end that got a signal: at any moment, or after its work."""
    return (0, -number) if number == signal.SIGKILL else (0, 128 + number, -number)


def signal_after(seconds: float, number: int) -> Meanwhile:
    """Return what sends a process a signal after that time, if it is still there."""

    def wait_and_send(send: Send) -> None:
        time.sleep(seconds)
        send(number)

    return wait_and_send
