"""One flipped bit in a file: the damage is found, or it makes no difference."""

from __future__ import annotations

import contextlib
import functools
import io
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from faults.campaign import Case, Scale
from faults.small import copied, small_networks, straight_run

from minigan.cli import main
from minigan.data import load_mnist
from minigan.errors import InputError
from minigan.training import TrainConfig, Trainer, stored_generator
from minigan.training.checkpoint import stored_arrays
from minigan.training.sampling import PRETRAINED

MEANING = "a file with a flipped bit is refused in one line, or read as it was"
Read = Callable[[], Any]  # all that is read from a file


def cases(scale: Scale) -> Iterator[Case]:
    """Yield flipped bits in each kind of file; every tenth is read by a command as well."""
    number = scale.pick(60, 400)
    with small_networks():
        straight, data = straight_run(scale.folder)
        run = copied(straight, scale.folder / "run")

        def state() -> Any:
            run_state = Trainer(TrainConfig.of_run(run)).state
            arrays = [np.array(array) for array in stored_arrays(run_state).values()]
            history = [row.columns() for row in run_state.history]
            return arrays, run_state.step, run_state.epoch_state, run_state.log, history

        def best() -> Any:
            net, config, *_ = stored_generator(run / "best.npz")
            return net.params, config

        resume, sample = ("train", "--resume", run), ("sample", run / "best.npz", "--n", "1")
        for file, read, words in (
            (run / "checkpoint.npz", state, resume),
            (run / "best.npz", best, sample),
            (run / "config.json", lambda: TrainConfig.of_run(run), resume),
            (data / "train-labels-idx1-ubyte.gz", lambda: load_mnist(path=data), resume),
        ):
            yield from flipped(file, read, words, scale, number)
    copy = Path(shutil.copy(PRETRAINED, scale.folder))

    def shipped() -> Any:
        net, config, *_ = stored_generator(copy)
        return net.params, config

    yield from flipped(copy, shipped, ("sample", copy, "--n", "1"), scale, number)


def flipped(
    file: Path, read: Read, words: tuple[object, ...], scale: Scale, number: int
) -> Iterator[Case]:
    """Yield so many flipped bits of a file: one half anywhere, one half near its ends."""
    whole, expected = file.read_bytes(), read()
    for i in range(number):
        rng = random.Random(f"{scale.seed} {file.name} {i}")
        place = rng.randrange(len(whole))
        if i % 2:  # headers, the options, and the directory of an archive
            place = rng.choice((1, -1)) * rng.randrange(min(2000, len(whole)))
        check = functools.partial(flip, file, whole, place, rng.randrange(8), read, expected)
        yield Case(
            f"{file.name} {i}, byte {place}", functools.partial(check, words if i % 10 < 2 else ())
        )
    file.write_bytes(whole)


def flip(
    file: Path,
    whole: bytes,
    place: int,
    bit: int,
    read: Read,
    expected: Any,
    words: tuple[object, ...],
) -> None:
    """Flip a bit, and read the file."""
    damaged = bytearray(whole)
    damaged[place] ^= 1 << bit
    file.write_bytes(damaged)
    try:
        assert same(read(), expected), "it was read, but is not as it was"
        found = False
    except InputError as error:
        assert len(str(error).splitlines()) == 1, str(error)
        found = True
    if words:
        printed = io.StringIO()
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(printed):
            status = main([str(word) for word in words])
        assert status == (2 if found else 0), printed.getvalue()
        assert len(printed.getvalue().splitlines()) == found, printed.getvalue()


def same(one: Any, two: Any) -> bool:
    """Return whether two values are the same; nan equals nan, and arrays have the same bits."""
    if isinstance(one, TrainConfig):
        return bool(one == two)
    if isinstance(one, dict):
        return one.keys() == two.keys() and all(same(one[key], two[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(two) and all(map(same, one, two))
    if isinstance(one, np.ndarray):
        return bool(one.dtype == two.dtype and one.tobytes() == two.tobytes())
    return bool(one == two or (one != one and two != two))
