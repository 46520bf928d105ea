"""A run on the stand-in for CuPy: the same figures, few transfers, a GPU that fails."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.runs import Configure, saved_run
from helpers.strict_cupy import Counts

import minigan as mg
from minigan.backend import Array, Backend
from minigan.errors import InputError


def test_on_the_stand_in(config: Configure, stand_in: Backend, tmp_path: Path) -> None:
    there = mg.Trainer(config(epochs=2, lr=2e-4, backend="cupy")).run()
    numpy = config(epochs=2, lr=2e-4, backend="numpy", out=str(tmp_path / "numpy"))
    here = mg.Trainer(numpy).run()
    # Sums in another order differ in their last bits; where a gradient is next to nothing, that may
    # turn its sign, and Adam's steps of some lr go the other way.
    want = saved_run(here)[0]
    for name, array in saved_run(there)[0].items():
        np.testing.assert_allclose(array, want[name], rtol=1e-3, atol=1e-3, err_msg=name)
        assert np.sum(np.abs(array - want[name]) > 1e-4) <= 1e-3 * array.size
    # and a run goes on where the other backend left it
    resumed = replace(mg.TrainConfig.of_run(there), epochs=3, backend="numpy")
    mg.Trainer(resumed).run()


def test_images_stay_on_the_device_and_figures_are_read_now_and_then(
    config: Configure, stand_in: Backend
) -> None:
    trainer = mg.Trainer(config(epochs=2, backend="cupy"))
    first = trainer.train_step
    seen = []

    def counted(indices: Array, z: Array) -> Any:
        before = Counts.to_device, Counts.to_host, Counts.waits
        result = first(indices, z)
        after = Counts.to_device, Counts.to_host, Counts.waits
        seen.append(tuple(b - a for a, b in zip(before, after, strict=True)))
        return result

    trainer.train_step = counted
    Counts.reset()
    trainer.run()
    assert len(seen) == 14
    # Each step: numbers of images, z, and seven numbers for each Adam (the second step is captured,
    # and gives its graph the first values).  The first one reads the range of the images.
    assert seen[0] == (4, 0, 2)
    steps = [move for move in seen[1:] if move != (6, 0, 0)]
    assert steps == [(4, 0, 0)] * 11
    # Each epoch: one reading of all figures, both networks, their two Adams'
    # moments, the running statistics of three batch norms, both of the average, the samples, the
    # figures of health, D's memory
    assert Counts.to_host == 2 * (1 + 6 + 6 + 7 + 1 + 1 + 1)
    assert Counts.launches == 14 - 3  # first steps: of each of two sizes, and without the penalty


def test_a_gpu_that_fails_is_one_line_and_the_checkpoint_stays(
    config: Configure, stand_in: Backend, capsys: pytest.CaptureFixture[str]
) -> None:
    class OutOfMemoryError(MemoryError):
        __module__ = "cupy.cuda.memory"

    trainer = mg.Trainer(config(backend="cupy"))
    step = trainer.train_step

    def fails(indices: Array, z: Array) -> Any:
        if trainer.state.step >= 7:
            raise OutOfMemoryError("Out of memory allocating\n1,024 bytes")
        return step(indices, z)

    trainer.train_step = fails
    message = (
        "after step 7 the GPU failed: OutOfMemoryError: Out of memory allocating 1,024 bytes; "
        "the last checkpoint is kept"
    )
    with pytest.raises(InputError, match=message):
        trainer.run()
    assert saved_run(trainer.folder)[1]["step"] == 7
