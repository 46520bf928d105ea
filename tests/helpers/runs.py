"""What tests of training runs share: comparing two runs, and sending a run a signal."""

from __future__ import annotations

import itertools
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigan as mg
from minigan.backend import Array
from minigan.data import load_archive
from minigan.training.folder import CHECKPOINT

Configure = Callable[..., mg.TrainConfig]


def saved_run(folder: Path) -> tuple[dict[str, Array], dict[str, Any]]:
    """All that a checkpoint holds, less the measured times."""
    arrays, meta = load_archive(folder / CHECKPOINT)
    arrays["history"] = np.delete(arrays["history"], [6, 7], axis=1)
    arrays["log"] = arrays["log"][:, :4]
    return arrays, meta


def assert_same_run(one: Path, two: Path) -> None:
    (arrays, meta), (other_arrays, other_meta) = saved_run(one), saved_run(two)
    assert meta == other_meta
    assert arrays.keys() == other_arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, other_arrays[name], err_msg=name)
    for picture in sorted((one / "samples").iterdir()):
        assert picture.read_bytes() == (two / "samples" / picture.name).read_bytes()


def assert_resumes(config: Configure, step: int, elsewhere: Path, **options: Any) -> None:
    """Let a run be interrupted in this step, and resume it: it must end as one that was not."""
    straight = mg.Trainer(config(**options)).run()
    trainer = mg.Trainer(config(**options, out=str(elsewhere)))
    interrupt_at(trainer, step)
    with pytest.raises(KeyboardInterrupt):
        trainer.run()
    mg.Trainer(mg.TrainConfig.of_run(trainer.folder)).run()
    assert_same_run(straight, trainer.folder)


def interrupt_at(trainer: mg.Trainer, step: int, number: int = signal.SIGINT) -> None:
    """Let a signal arrive in the middle of that step."""
    train_step, calls = trainer.train_step, itertools.count(trainer.state.step + 1)

    def interrupted(indices: Array, z: Array) -> Any:
        if next(calls) == step:
            signal.raise_signal(number)
        return train_step(indices, z)

    trainer.train_step = interrupted
