"""How fast the tutorial's training step runs here, and how fast it could run at best.

The floor of a step is the time of what cannot be left out: its matrix products, each repeated alone
on the arrays it had in the step, and Adam's memory traffic at the rate of a plain copy.  The rest
(activations, losses, data, Python, and what the products lose by waiting for memory) is overhead.
"""

from __future__ import annotations

import itertools
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from minigan.average import EVERY, update_average
from minigan.backend import Array, Backend, get_backend
from minigan.config import check_whole
from minigan.data import batches, load_mnist, pixel_values
from minigan.errors import InputError
from minigan.gan import GAN
from minigan.health import health
from minigan.history import ROW_EVERY
from minigan.models import IMAGE_SIZE, discriminator, generator

ROUNDS = 5  # of steps and floor in turns, so that other load on the machine meets both
SECONDS = 0.6  # of steps in a round, at least
LATENT_DIM = 100

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
    step: float  # data included
    phases: dict[str, float]  # where it goes
    products: float  # all matrix products of a step, each timed alone
    adam: float  # Adam's memory traffic at the rate of a copy
    floor: float  # products + adam
    share: float  # floor / step, median of the rounds
    health: float  # what the figures of health add: they are read every ``ROW_EVERY`` steps
    average: float  # what the moving average of G adds: it is updated every ``EVERY`` steps
    product_count: int
    gflop: float  # of the products
    adam_megabytes: float  # read and written
    copy_gigabytes_per_second: float
    steps_per_second: float
    images_per_second: float
    peak_megabytes: float | None  # of this process so far; None where the system does not tell


class Product(NamedTuple):
    """A matrix product as it was called in a step, and its result."""

    a: Array
    b: Array
    out: Array

    @property
    def gflop(self) -> float:
        rows, inner = self.a.shape
        return 2e-9 * float(rows * inner * self.b.shape[1])


class TimedStep:
    """The tutorial's training step on MNIST, with a clock beside each of its phases.

    Raises InputError for a backend that cannot be used.
    """

    def __init__(self, backend: str | Backend = "auto") -> None:
        self.backend = backend = get_backend(backend)
        images, _ = load_mnist("train")
        self.images = images.reshape(len(images), IMAGE_SIZE)
        self.pixel_values = pixel_values()
        self.rng = np.random.default_rng(0)
        self.gan = GAN(
            generator(LATENT_DIM, seed=self.rng, backend=backend),
            discriminator(seed=self.rng, backend=backend),
        )
        self.set_batch_size(64)
        self.spans: list[float] = []  # seconds, of the last step: its data, then its phases
        networks = self.gan.generator, self.gan.discriminator
        for owner in networks:
            self._watch(owner, "forward")
            self._watch(owner, "backward")
        self._watch(self.gan.adam_g, "step")
        self._watch(self.gan.adam_d, "step")

    def set_batch_size(self, batch_size: int) -> None:
        """From the next step on; InputError if it is larger than the data."""
        n = len(self.images)
        check_whole("--batch-size", batch_size, 1)
        if batch_size > n:
            raise InputError(f"--batch-size is {batch_size}, but the data has only {n} images")
        self.batch_size = batch_size
        whole = n // batch_size * batch_size  # no smaller last batch
        epochs = (batches(whole, batch_size, self.rng) for _ in itertools.count())
        self.minibatches = itertools.chain.from_iterable(epochs)

    def __call__(self) -> float:
        """Take a step; its seconds."""
        self.spans.clear()
        start = time.perf_counter()
        real = self.pixel_values[self.images[next(self.minibatches)]]
        z = self.rng.standard_normal((self.batch_size, LATENT_DIM), dtype=np.float32)
        self.spans.append(time.perf_counter() - start)
        result = self.gan.train_step(real, z)
        float(result.d_loss), float(result.g_loss)  # as whoever trains reads them
        return time.perf_counter() - start

    def products(self) -> list[Product]:
        """The matrix products of one step, caught on their way to the backend."""
        caught: list[Product] = []
        multiply = self.backend.matmul

        def catch(a: Array, b: Array, out: Array | None = None) -> Array:
            caught.append(Product(a, b, multiply(a, b, out)))
            return caught[-1].out

        self.backend.matmul = catch  # type: ignore[method-assign]
        try:
            self()
        finally:
            del self.backend.matmul  # the class's own shows again
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


def measure(step: TimedStep, batch_size: int) -> BatchReport:
    """Train for some seconds, and time step and floor in turns."""
    backend = step.backend
    step.set_batch_size(batch_size)
    step()  # Numba compiles, caches fill
    peak = peak_megabytes()  # before the arrays of a whole step are kept for comparison
    products = step.products()
    params = step.gan.generator.params, step.gan.discriminator.params
    adam_bytes = 7 * sum(p.nbytes for p in params)  # θ, m and v are read and written, g is read
    source = backend.asarray(np.zeros(2 * sum(p.size for p in params), np.float32))
    target = source.copy()  # both together as large as the four vectors

    def copy() -> None:
        target[...] = source

    rows: list[list[float]] = []  # of each step: the whole, its phases, what they leave
    rounds: list[tuple[float, float, float]] = []  # step, products, Adam
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

    fixed_z = step.rng.standard_normal((64, LATENT_DIM), dtype=np.float32)
    of_health = _seconds(lambda: health(step.gan, fixed_z), backend) / ROW_EVERY
    average = generator(seed=0, backend=backend)
    of_average = _seconds(lambda: update_average(average, step.gan.generator, 1), backend) / EVERY
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
        product_count=len(products),
        gflop=sum(product.gflop for product in products),
        adam_megabytes=adam_bytes / 1e6,
        copy_gigabytes_per_second=adam_bytes / adam / 1e6,
        steps_per_second=1e3 / whole,
        images_per_second=1e3 * batch_size / whole,
        peak_megabytes=peak,
    )


def _seconds(work: Callable[[], object], backend: Backend, times: int = 5) -> float:
    """Median seconds of some repetitions."""
    took = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        backend.synchronize()
        took.append(time.perf_counter() - start)
    return statistics.median(took)


def peak_megabytes() -> float | None:
    """The most main memory that this process has held; None where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak / 1e3  # bytes there, KiB elsewhere
