"""How many threads BLAS uses: measured, since more are not always faster.

Threads share out a matrix product and wait for each other in a busy loop.  Alone on a machine, two
threads are about one and a half times as fast as one; beside other programs that want a core too,
the one that has a core waits for the one that has none, and both together are slower than one
alone, by three to four times where it was measured.  Which of the two it is can only be measured.

The number of threads changes the last digits of a product, because the sums are split at other
places.  For this reason the measurement takes its steps with a copy of the GAN, and the run keeps
a list of the numbers that it used and from which step on.
"""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Callable

import numpy as np

from minigan.backend import ALONE, Ranks
from minigan.errors import counted
from minigan.machine.blas import blas_threads, set_blas_threads
from minigan.training.run import Run

LARGEST = 256  # images in a step that is timed: with more, the measurement would take long
WARM_UP = 8  # steps that are not timed
STEPS = 5  # timed for each number of threads
FASTER = 0.9  # another number is chosen if its steps take at most this share of the time
SLOWER = 1.5  # steps that take so many times as long as they did are measured again
WINDOW = 20  # steps whose median tells how long a step takes now
SOON = 100  # steps from one measurement to the next at least
AGAIN = 2000  # steps after which fewer than all threads are measured again: a core may be free


class ThreadChoice:
    """Sets the number of BLAS threads of a run: the one that was given, or the fastest.

    Every change is noted in ``run.threads``.  A run on a GPU has none.  Several ``ranks`` share the
    cores of their machine evenly, and nothing is measured.
    """

    def __init__(self, run: Run, ranks: Ranks = ALONE) -> None:
        self.run, given = run, run.config.threads
        self.on_cpu = run.gan.generator.backend.name == "numpy"
        if ranks.size > 1:  # they share the cores, and must not measure each for itself
            given = given or max(1, blas_threads() // ranks.neighbours)
        self.most = given or blas_threads()
        before = run.threads[-1][1] if run.threads else self.most
        self.choice = min(before, self.most) if given is None else given
        powers = (2**k for k in range(self.most.bit_length()))
        self.numbers = sorted({*powers, self.most, self.choice})
        self.measures = self.on_cpu and given is None and self.most > 1
        self.recent: list[float] = []  # seconds of the last steps
        self.usual = 0.0  # seconds of a step soon after the last measurement
        self.steps = 0  # since the last measurement

    def choose(self) -> str | None:
        """Set the number, by measurement if none was given; return a line if it is another."""
        seconds: dict[int, float] = {}
        if self.measures:
            seconds = time_threads(scratch_step(self.run), self.numbers)
            best = min(seconds, key=seconds.__getitem__)
            if seconds[best] <= FASTER * seconds[self.choice]:
                self.choice = best
            self.recent, self.usual, self.steps = [], 0.0, 0
        if not self.on_cpu:
            return None
        set_blas_threads(self.choice)
        if not self.run.note_threads(self.choice) or not seconds:
            return None
        times = ", ".join(f"{1000 * t:.0f} ms with {n}" for n, t in seconds.items())
        if seconds[self.choice] > min(seconds.values()):
            times += ": no real difference"
        what = counted(self.choice, "thread")
        return (
            f"Matrix products use {what} from step {self.run.step + 1:,} on (a step takes {times})."
        )

    def after_step(self, seconds: float) -> str | None:
        """Note how long a step took, and choose anew if it is time; return what ``choose`` does."""
        if not self.measures:
            return None
        self.steps += 1
        self.recent.append(seconds)
        if len(self.recent) < WINDOW:
            return None
        now = statistics.median(self.recent)
        self.recent = []
        self.usual = min(self.usual or now, now)
        slower = now > SLOWER * self.usual and self.steps >= SOON
        if slower or (self.choice < self.most and self.steps >= AGAIN):
            return self.choose()
        return None


def time_threads(step: Callable[[], object], numbers: list[int]) -> dict[int, float]:
    """Return how many seconds a step takes with each of these numbers of BLAS threads.

    Some steps come first, with the smallest number: Numba compiles, and caches fill.  Then the
    numbers take turns, so that what other programs do falls on all of them alike.  The result is a
    median.
    """
    set_blas_threads(numbers[0])
    for _ in range(WARM_UP):
        step()
    seconds: dict[int, list[float]] = {number: [] for number in numbers}
    for _ in range(STEPS):
        for number in numbers:
            set_blas_threads(number)
            start = time.perf_counter()
            step()
            seconds[number].append(time.perf_counter() - start)
    return {number: statistics.median(times) for number, times in seconds.items()}


def scratch_step(run: Run) -> Callable[[], object]:
    """Return a training step of a copy of the run's GAN, which leaves the run as it is."""
    twin, config = copy.deepcopy(run.gan), run.config
    batch_size = min(config.batch_size, LARGEST)
    real = np.zeros((batch_size, twin.discriminator.n_in or 1), config.dtype)
    z = np.ones((batch_size, twin.z_columns or config.latent_dim), config.dtype)
    labels = np.zeros(batch_size, int) if twin.classes else None
    return lambda: twin.train_step(real, z, labels)
