"""The end of an epoch: its line, its quality, D's memory, and warnings if something is wrong."""

from __future__ import annotations

import math
from pathlib import Path

from minigan.training.collapse import warning_of_collapse
from minigan.training.history import sum_up
from minigan.training.memory import MemoryCheck, warning_of_memory
from minigan.training.outputs import tolerated
from minigan.training.quality import QualityCheck
from minigan.training.recipes import RECIPES
from minigan.training.run import Run
from minigan.training.trained import save_best


def finish_epoch(
    run: Run, best: Path, check: QualityCheck | None, memory: MemoryCheck, real_spread: float
) -> str:
    """Measure D's memory, and the quality if it is due; return the epoch's summary.

    The summary is one line, with a warning on a line of its own if there are signs of a collapse,
    or if D remembers the training images.  The generator is written to the file ``best`` if it is
    the best so far.
    """
    config, epoch = run.config, run.step // run.steps_per_epoch
    row = sum_up(run.log, epoch, run.step)
    line = (
        f"Epoch [{epoch}/{config.epochs}]  d_loss {row.d_loss:.2f}  g_loss {row.g_loss:.2f}  "
        f"D(x) {row.p_real:.2f}  D(G(z)) {row.p_fake:.2f}  {row.seconds:.1f} s"
    )
    run.history[-1] = run.history[-1]._replace(**memory.measure()._asdict())
    every = config.evaluate_every
    if check is not None and every and (epoch % every == 0 or epoch == config.epochs):
        line += measure_quality(run, best, check)
    for warning in (
        warning_of_collapse(run.history, epoch, real_spread, RECIPES[config.recipe]),
        warning_of_memory(run.history, epoch, run.gan.r1),
    ):
        line += "" if warning is None else f"\n{warning}"
    return line


def begin_epoch(run: Run) -> None:
    """Begin a new log, and note the random state from which the next epoch is drawn."""
    run.log = []
    run.epoch_state = dict(run.rng.bit_generator.state)


def measure_quality(run: Run, file: Path, check: QualityCheck) -> str:
    """Add the quality to the last row of the history, and save the generator if it is the best.

    Return the figures as text for the epoch's line.
    """
    quality = check.measure(run.drawing_generator)
    best = min((row.js for row in run.history if not math.isnan(row.js)), default=math.inf)
    run.history[-1] = run.history[-1]._replace(**quality._asdict())
    if quality.js < best:
        with tolerated(file):
            save_best(run, file)
    classes = (
        ""
        if math.isnan(quality.classes)
        else f"  {quality.classes:.0f} class{'es' * (quality.classes != 1)}"
    )
    return f"  JS {quality.js:.4f}{classes}"
