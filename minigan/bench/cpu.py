"""How fast the tutorial's training step runs here, and how fast it could run at best.

The floor of a step is the time of the work that cannot be left out: its matrix products, each
repeated alone on the arrays that it had in the step, and Adam's memory traffic at the rate of a
plain copy.  The rest (activations, losses, data, Python, and what the products lose by waiting for
memory) is overhead.
"""

from __future__ import annotations

import itertools
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigan.backend import Backend, Product, get_backend, noted_products
from minigan.data import batches, load_mnist, pixel_values
from minigan.errors import InputError, check_whole, counted
from minigan.gan import GAN, R1_EVERY
from minigan.models import IMAGE_SIZE, LATENT_DIM, discriminator, generator
from minigan.penalty import r1
from minigan.training import draw_z
from minigan.training.average import EVERY, update_average
from minigan.training.health import measure_health
from minigan.training.history import ROW_EVERY

ROUNDS = 5  # each round times step and floor, so that other load on the machine meets both
WARM_UP = 8  # steps in which Numba compiles and caches fill
SECONDS = 0.6  # the steps of one round take about this long

# The calls that a training step makes, in their order.
PHASES = (
    "G forward",
    "D forward, real and fake",
    "D backward",
    "Adam of D",
    "D forward, fake",
    "D backward, to the images",
    "G backward",
    "Adam of G",
)


@dataclass(frozen=True)
class BatchReport:
    """Figures for one batch size; times are medians, in milliseconds a step."""

    batch_size: int
    step: float  # a whole step, data included
    phases: dict[str, float]  # the parts of this time
    products: float  # all matrix products of a step, each timed alone
    adam: float  # Adam's memory traffic at the rate of a copy
    floor: float  # products + adam
    share: float  # floor / step, median of the rounds
    health: float  # what the figures of health add: computed every ``ROW_EVERY`` steps
    average: float  # what the moving average of G adds: updated every ``EVERY`` steps
    penalty: float  # what R1 adds: paid every ``R1_EVERY`` steps
    product_count: int
    gflop: float  # billions of operations in the products
    adam_megabytes: float  # what Adam reads and writes
    copy_gigabytes_per_second: float
    steps_per_second: float
    images_per_second: float
    peak_megabytes: float | None  # of this process so far; None where the system does not tell


class TimedStep:
    """The tutorial's training step on MNIST, with a clock beside each of its phases.

    Raises InputError for a backend that cannot be used.
    """

    def __init__(self, backend: str | Backend = "auto") -> None:
        self.backend = backend = get_backend(backend)
        images, _ = load_mnist("train")
        self.images = images.reshape(len(images), IMAGE_SIZE)
        self.rng = np.random.default_rng(0)
        self.gan = GAN(
            generator(LATENT_DIM, seed=self.rng, backend=backend),
            discriminator(seed=self.rng, backend=backend),
        )
        self.set_batch_size(64)
        self.spans: list[float] = []  # seconds of the last step: its data, then each of its phases
        networks = self.gan.generator, self.gan.discriminator
        for owner in networks:
            self._watch(owner, "forward")
            self._watch(owner, "backward")
        self._watch(self.gan.adam_g, "step")
        self._watch(self.gan.adam_d, "step")

    def set_batch_size(self, batch_size: int) -> None:
        """Set the batch size of the next steps; InputError if it is larger than the data."""
        n = len(self.images)
        check_whole("batch_size", batch_size, 1)
        if batch_size > n:
            raise InputError(
                f"`batch_size` is {batch_size}, but the data has only {counted(n, 'image')}"
            )
        self.batch_size = batch_size
        whole = n // batch_size * batch_size  # without the smaller last batch
        epochs = (batches(whole, batch_size, self.rng) for _ in itertools.count())
        self.minibatches = itertools.chain.from_iterable(epochs)

    def __call__(self) -> float:
        """Take one step, and return how many seconds it took."""
        self.spans.clear()
        start = time.perf_counter()
        real = pixel_values(self.images[next(self.minibatches)])
        z = draw_z(self.rng, self.batch_size, LATENT_DIM)
        self.spans.append(time.perf_counter() - start)
        result = self.gan.train_step(real, z)
        float(result.d_loss), float(result.g_loss)  # a training loop reads them, too
        return time.perf_counter() - start

    def products(self) -> list[Product]:
        """Take one step, and return its matrix products with the arrays that they had in it."""
        caught: list[Product] = []
        with noted_products(self.backend, caught.append):
            self()
        return caught

    def _watch(self, owner: Any, method: str) -> None:
        call = getattr(owner, method)

        def timed(*args: Any, **kwargs: Any) -> Any:
            start = time.perf_counter()
            result = call(*args, **kwargs)
            self.backend.synchronize()
            self.spans.append(time.perf_counter() - start)
            return result

        setattr(owner, method, timed)


def measure(
    step: TimedStep, batch_size: int, progress: Callable[[], object] = lambda: None
) -> BatchReport:
    """Train for a few seconds, time the step and the floor in turns, and return the figures.

    ``progress`` is called after each of the ``ROUNDS``.
    """
    backend = step.backend
    step.set_batch_size(batch_size)
    for _ in range(WARM_UP):
        step()
    peak = peak_megabytes()  # read before the arrays of a whole step are kept
    products = step.products()
    params = step.gan.generator.params, step.gan.discriminator.params
    adam_bytes = 7 * sum(p.nbytes for p in params)  # θ, m and v are read and written, g is read
    source = backend.asarray(np.zeros(2 * sum(p.size for p in params), np.float32))
    target = source.copy()  # both together are as large as θ, m, v and g

    def copy() -> None:
        target[...] = source

    rows: list[list[float]] = []  # seconds of each step: the whole, its parts, the rest
    rounds: list[tuple[float, float, float]] = []  # seconds of step, products and Adam
    steps = max(3, round(SECONDS / step()))
    for _ in range(ROUNDS):
        taken = len(rows)
        for _ in range(steps):
            seconds = step()
            rows.append([seconds, *step.spans, seconds - sum(step.spans)])
        alone = sum(
            _seconds(lambda p=product: backend.matmul(*p), backend)  # type: ignore[misc]
            for product in products
        )
        adam = _seconds(copy, backend) * adam_bytes / (2 * source.nbytes)
        rounds.append((statistics.median(row[0] for row in rows[taken:]), alone, adam))
        progress()

    fixed_z = draw_z(step.rng, 64, LATENT_DIM)
    of_health = _seconds(lambda: measure_health(step.gan, fixed_z), backend) / ROW_EVERY
    average = generator(seed=0, backend=backend)
    of_average = _seconds(lambda: update_average(average, step.gan.generator, 1), backend) / EVERY
    D = discriminator(logits=True, seed=0, backend=backend)
    real = backend.asarray(pixel_values(step.images[:batch_size]))

    def pay() -> None:
        grads = D.grads.copy()
        r1(D, real, R1_EVERY * 0.1)
        D.grads[...] += grads

    of_penalty = _seconds(pay, backend) / R1_EVERY
    whole, *phases = (1e3 * float(value) for value in np.median(rows, axis=0))
    _, multiply, adam = (1e3 * float(value) for value in np.median(rounds, axis=0))
    return BatchReport(
        batch_size=batch_size,
        step=whole,
        phases=dict(zip(("data", *PHASES, "losses and all else"), phases, strict=True)),
        products=multiply,
        adam=adam,
        floor=multiply + adam,
        share=statistics.median((p + a) / s for s, p, a in rounds),
        health=1e3 * of_health,
        average=1e3 * of_average,
        penalty=1e3 * of_penalty,
        product_count=len(products),
        gflop=1e-9 * sum(product.flop for product in products),
        adam_megabytes=adam_bytes / 1e6,
        copy_gigabytes_per_second=adam_bytes / adam / 1e6,
        steps_per_second=1e3 / whole,
        images_per_second=1e3 * batch_size / whole,
        peak_megabytes=peak,
    )


def _seconds(work: Callable[[], object], backend: Backend, times: int = 5) -> float:
    """Return the median time of ``work``, in seconds, over ``times`` calls."""
    took = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        backend.synchronize()
        took.append(time.perf_counter() - start)
    return statistics.median(took)


def peak_megabytes() -> float | None:
    """Return the most main memory that this process has held; None if the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak / 1e3  # macOS counts bytes, others KiB
