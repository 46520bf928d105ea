"""The end of an epoch: its picture, its line, its quality, a warning; and the run's curves."""

from __future__ import annotations

import math
from pathlib import Path

from minigan.training.checkpoint import save_best
from minigan.training.collapse import warning_of_collapse
from minigan.training.folder import BEST, CURVES, FILM, SAMPLES
from minigan.training.history import sum_up
from minigan.training.pictures import save_gif, save_grid, save_losses
from minigan.training.quality import QualityCheck
from minigan.training.run import Run


def draw_samples_of_epoch(run: Run, folder: Path, epoch: int) -> None:
    """Write the images of the fixed z to ``samples/epoch_0001.png`` and so on.  Raises OSError."""
    G = run.drawing_generator
    images = G.backend.to_numpy(G(G.backend.asarray(run.fixed_z)))
    (folder / SAMPLES).mkdir(exist_ok=True)
    save_grid(folder / SAMPLES / f"epoch_{epoch:04d}.png", images)


def finish_epoch(run: Run, folder: Path, check: QualityCheck | None, real_spread: float) -> str:
    """Measure the run's quality if it is due, begin a new log, and return the epoch's summary.

    The summary is one line, with a warning as a second line if there are signs of a collapse.
    Raises OSError if a file cannot be written.
    """
    config, epoch = run.config, run.step // run.steps_per_epoch
    row = sum_up(run.log, epoch, run.step)
    line = (
        f"Epoch [{epoch}/{config.epochs}]  d_loss {row.d_loss:.2f}  g_loss {row.g_loss:.2f}  "
        f"D(x) {row.p_real:.2f}  D(G(z)) {row.p_fake:.2f}  {row.seconds:.1f} s"
    )
    every = config.evaluate_every
    if check is not None and every and (epoch % every == 0 or epoch == config.epochs):
        line += measure_quality(run, folder, check)
    warning = warning_of_collapse(run.history, epoch, real_spread)
    if warning is not None:
        line += f"\n{warning}"
    run.log = []
    run.epoch_state = dict(run.rng.bit_generator.state)
    return line


def measure_quality(run: Run, folder: Path, check: QualityCheck) -> str:
    """Add the quality to the last row of the history, and save the generator if it is the best.

    Return the figures as text for the epoch's line.
    """
    quality = check.measure(run.drawing_generator)
    best = min((row.js for row in run.history if not math.isnan(row.js)), default=math.inf)
    run.history[-1] = run.history[-1]._replace(**quality._asdict())
    if quality.js < best:
        save_best(run, folder / BEST)
    classes = "" if math.isnan(quality.classes) else f"  {quality.classes:.0f} classes"
    return f"  JS {quality.js:.4f}{classes}"


def draw_curves(run: Run, folder: Path, real_spread: float) -> None:
    """Write ``losses.png`` and ``training.gif``.  Raises OSError if one cannot be written."""
    if run.history:
        save_losses(folder / CURVES, run.history, run.steps_per_epoch, real_spread)
    epochs = range(1, run.step // run.steps_per_epoch + 1)
    frames = [folder / SAMPLES / f"epoch_{epoch:04d}.png" for epoch in epochs]
    save_gif(folder / FILM, [frame for frame in frames if frame.exists()])
