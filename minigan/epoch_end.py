"""What a run leaves at an epoch's end: a picture, a line, its quality, a warning; its curves."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from minigan.health import warning_of_collapse
from minigan.history import sum_up
from minigan.run_folder import CURVES, FILM, SAMPLES
from minigan.run_state import save_best

if TYPE_CHECKING:
    from minigan.training import Trainer


def finish_epoch(run: Trainer, epoch: int, draws: bool) -> str:
    """Draw samples if so told, measure if it is time, start a new log; the epoch in a line or two.

    Raises OSError.
    """
    from minigan.plotting import save_grid

    config, row = run.config, sum_up(run.log, epoch, run.step)
    if draws:
        backend, G = run.generator.backend, run.generator
        images = backend.to_numpy(G(backend.asarray(run.fixed_z)))
        (run.folder / SAMPLES).mkdir(exist_ok=True)
        save_grid(run.folder / SAMPLES / f"epoch_{epoch:04d}.png", images)
    line = (
        f"Epoch [{epoch}/{config.epochs}]  d_loss {row.d_loss:.2f}  g_loss {row.g_loss:.2f}  "
        f"D(x) {row.p_real:.2f}  D(G(z)) {row.p_fake:.2f}  {row.seconds:.1f} s"
    )
    every = config.evaluate_every
    if every is not None and (epoch % every == 0 or epoch == config.epochs):
        line += evaluate(run)
    warning = warning_of_collapse(run.history, epoch, run.real_spread)
    if warning is not None:
        line += f"\n{warning}"
    run.log = []
    run.epoch_state = run.rng.bit_generator.state
    return line


def evaluate(run: Trainer) -> str:
    """Put the generator's quality into the last row of the history, and keep the best generator."""
    assert run.quality_check is not None
    quality = run.quality_check.measure(run.generator)
    best = min((row.js for row in run.history if not math.isnan(row.js)), default=math.inf)
    run.history[-1] = run.history[-1].with_quality(quality)
    if quality.js < best:
        save_best(run)
    classes = "" if math.isnan(quality.classes) else f"  {quality.classes:.0f} classes"
    return f"  JS {quality.js:.4f}{classes}"


def draw_curves(run: Trainer) -> None:
    """``losses.png`` and ``training.gif``.  Raises OSError."""
    from minigan.plotting import save_gif, save_losses

    if run.history:
        save_losses(run.folder / CURVES, run.history, run.steps_per_epoch, run.real_spread)
    epochs = range(1, run.step // run.steps_per_epoch + 1)
    frames = [run.folder / SAMPLES / f"epoch_{epoch:04d}.png" for epoch in epochs]
    save_gif(run.folder / FILM, [frame for frame in frames if frame.exists()])
