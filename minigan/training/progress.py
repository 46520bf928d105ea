"""What a run tells its user while it trains: where the results are, and how long it takes."""

from __future__ import annotations

import contextlib
import os
import statistics
from collections.abc import Sequence
from pathlib import Path

from minigan.errors import counted
from minigan.machine.bar import ProgressBar, progress_bar
from minigan.machine.signals import ignores_interrupt
from minigan.machine.terminal import duration, say
from minigan.training.folder import PAGE
from minigan.training.memory import MemoryCheck
from minigan.training.outputs import Outputs
from minigan.training.run import Run

ESTIMATE_AFTER = 100  # steps of this process, from which the time of the others is known


def announce(
    run: Run,
    folder: Path,
    outputs: Outputs,
    memory: MemoryCheck,
    found: Sequence[str],
    old_lr: float | None,
) -> None:
    """Say what the data are, where the results will be, and what will not be known.

    ``found`` is the data set in lines.  ``old_lr`` is the learning rate of the steps before if the
    others have another one, else None.
    """
    for line in found:
        say(line)
    if memory.missing is not None:
        say(f"note: whether D remembers its images cannot be told: {memory.missing}")
    if run.step > 0:
        say(f"Going on after step {run.step:,} of {run.last_step:,} in {folder}.")
        if old_lr is not None:
            say(f"The learning rate was {old_lr:g}; from now on it is {run.gan.adam_g.lr:g}.")
    else:
        steps, file = outputs.first_picture
        stop = f"`kill {os.getpid()}`" if ignores_interrupt() else "Ctrl-C"
        say(f"Training in {folder}; {stop} stops and saves.")
        say(f"The first picture comes after {counted(steps, 'step')}: {file}")
    say(f"A page to watch it in a browser: {folder / PAGE}")


class Progress:
    """A bar for the whole run, on a terminal, and lines above it."""

    def __init__(self, run: Run, stack: contextlib.ExitStack) -> None:
        self.run = run
        self.bar: ProgressBar = stack.enter_context(
            progress_bar(run.last_step, run.step, unit="step")
        )
        self.seconds: list[float] = []  # of the steps so far, until the estimate is out

    def say(self, text: str | None) -> None:
        """Print a line above the bar, if there is one to print."""
        if text is not None:
            self.bar.clear()
            say(text)

    def begin_epoch(self, epoch: int) -> None:
        """Name the epoch in the bar."""
        self.bar.set_description(f"Epoch {epoch}/{self.run.config.epochs}")

    def after_step(self) -> None:
        """Move the bar on."""
        self.bar.update()

    def after_reading(self, d_loss: float, g_loss: float, seconds: float, steps: int) -> None:
        """Show the losses of the last step; ``seconds`` is what each of the last steps took.

        Once enough steps are taken, say how long the others will take.
        """
        self.bar.set_postfix_str(f"d_loss {d_loss:.2f}  g_loss {g_loss:.2f}", refresh=False)
        if len(self.seconds) >= ESTIMATE_AFTER:
            return
        self.seconds += [seconds] * steps
        left = self.run.last_step - self.run.step
        if len(self.seconds) >= ESTIMATE_AFTER and left > 0:
            time = duration(left * statistics.median(self.seconds))
            self.say(f"The other {counted(left, 'step')} will take about {time}.")
