"""How fast the training step runs on a GPU: launched kernel by kernel, and captured as one graph.

The floor is the largest of three times, none of which a step can go below:

- memory: every product reads its factors and writes its result, and Adam reads and writes its
  vectors, all at the rate of a plain copy on the same GPU;
- arithmetic: the products' operations at the speed of one large product in the same precision;
- launches: a graph of as many kernels as the step's graph has, each after the other, that do
  nothing.  Each launch takes a microsecond or more, which is most of the time of a small batch.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigan.backend import Array, Backend, Product, noted_products
from minigan.backend.cuda_graph import CompiledStep
from minigan.data import load_mnist, pixel_values
from minigan.errors import check_whole
from minigan.gan import GAN
from minigan.models import IMAGE_SIZE, LATENT_DIM, discriminator, generator
from minigan.training import draw_z

ROUNDS = 5  # each round times eager, captured, copy, product and empty kernels
SECONDS = 0.2  # each of them takes about this long
COPY_BYTES = 256 << 20
SIDE = 4096  # rows and columns of the factors of the large product
NOTHING = 'extern "C" __global__ void nothing() {}'


@dataclass(frozen=True)
class GpuReport:
    """Figures for one batch size; times are medians by CUDA events, in milliseconds a step."""

    batch_size: int
    eager: float  # kernels launched one by one
    captured: float  # the same kernels as one CUDA graph
    eager_to_captured: float  # median of the rounds' ratios
    launches: int | None  # kernels and copies in the graph; None if the driver does not tell
    megabytes: float  # what products and Adam move
    copy_gigabytes_per_second: float
    product_teraflop_per_second: float  # of the large product
    memory: float  # time to move these megabytes at that rate
    arithmetic: float  # time of the operations in the products at that speed
    chain: float | None  # a graph of as many kernels that do nothing; None if launches is None
    floor: float  # the largest of these three
    limit: str  # which of the three it is: "memory", "arithmetic" or "launches"
    share: float  # floor / captured, median of the rounds
    steps_per_second: float  # of the captured step
    images_per_second: float
    gflop: float  # billions of operations in the products


class GpuBench:
    """The tutorial's GAN with MNIST on the GPU, ready to be timed."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        rng = np.random.default_rng(0)
        self.gan = GAN(
            generator(LATENT_DIM, seed=rng, backend=backend),
            discriminator(seed=rng, backend=backend),
        )
        self.images = backend.asarray(load_mnist("train")[0].reshape(-1, IMAGE_SIZE))
        self.source = backend.asarray(np.zeros(COPY_BYTES // 8, np.float32))  # half of COPY_BYTES
        self.nothing = backend.xp.RawKernel(NOTHING, "nothing")

    def step(self, indices: Array, z: Array) -> Any:
        """Gather the images and take one training step: this is what is timed."""
        return self.gan.train_step(pixel_values(self.images[indices]), z)

    def measure(self, batch_size: int, progress: Callable[[], object] = lambda: None) -> GpuReport:
        """Time the step at one batch size.  Raises InputError for a batch size below 1.

        ``progress`` is called after each of the ``ROUNDS``.
        """
        check_whole("batch_size", batch_size, 1)
        rng = np.random.default_rng(batch_size)
        draws: list[tuple[Any, Any]] = [
            (
                rng.integers(0, len(self.images), batch_size),
                draw_z(rng, batch_size, LATENT_DIM),
            )
            for _ in range(8)
        ]
        moved, gflop = self._products(*draws[0])
        for net in (self.gan.generator, self.gan.discriminator):
            moved += 7 * net.params.nbytes  # Adam reads g, reads and writes p, m and v
        compiled = self.backend.compile(self.step)
        target = self.source.copy()
        factor = self.backend.asarray(np.ones((SIDE, SIDE), np.float32))
        product = self.backend.asarray(np.zeros((SIDE, SIDE), np.float32))

        def copy(*_: Any) -> None:
            target[...] = self.source

        def multiply(*_: Any) -> None:
            self.backend.matmul(factor, factor, out=product)

        chain, launches, rounds = None, None, []
        for _ in range(ROUNDS):
            eager, captured = self._time(self._eager, draws), self._time(compiled, draws)
            if chain is None and (launches := _launches(compiled)) is not None:
                chain = self._empty_kernels(launches)
            rate = COPY_BYTES / self._time(copy, draws)  # bytes per millisecond
            speed = 2e-9 * SIDE**3 / self._time(multiply, draws)  # GFLOP per millisecond
            empty = self._time(chain, draws) if chain is not None else 0.0
            share = max(moved / rate, gflop / speed, empty) / captured
            rounds.append((eager, captured, eager / captured, rate, speed, empty, share))
            progress()
        eager, captured, ratio, rate, speed, empty, share = map(
            statistics.median, zip(*rounds, strict=True)
        )
        memory, arithmetic = moved / rate, gflop / speed
        floor, limit = max((memory, "memory"), (arithmetic, "arithmetic"), (empty, "launches"))
        return GpuReport(
            batch_size=batch_size,
            eager=eager,
            captured=captured,
            eager_to_captured=ratio,
            launches=launches,
            megabytes=moved / 1e6,
            copy_gigabytes_per_second=rate / 1e6,
            product_teraflop_per_second=speed,
            memory=memory,
            arithmetic=arithmetic,
            chain=None if chain is None else empty,
            floor=floor,
            limit=limit,
            share=share,
            steps_per_second=1e3 / captured,
            images_per_second=1e3 * batch_size / captured,
            gflop=gflop,
        )

    def _products(self, indices: Array, z: Array) -> tuple[int, float]:
        """Return the bytes that the products of a step read and write, and their GFLOP."""
        moved, flop = [], []

        def note(product: Product) -> None:
            moved.append(product.nbytes)
            flop.append(product.flop)

        with noted_products(self.backend, note):
            self._eager(indices, z)
        return sum(moved), 1e-9 * sum(flop)

    def _empty_kernels(self, launches: int) -> Callable[..., Any]:
        """Return a function that replays a graph of so many kernels that do nothing."""

        def chain() -> None:
            for _ in range(launches):
                self.nothing((1,), (1,), ())

        compiled = self.backend.compile(chain)
        return lambda *_: compiled()

    def _eager(self, indices: Array, z: Array) -> Any:
        return self.step(self.backend.asarray(indices), z)

    def _time(self, work: Callable[..., Any], draws: list[tuple[Any, Any]]) -> float:
        """Return the milliseconds of one call, from events around many calls after a warm-up."""
        cuda = self.backend.xp.cuda
        calls = 3
        while True:
            start = cuda.get_current_stream().record()
            for i in range(calls):
                work(*draws[i % len(draws)])
            end = cuda.get_current_stream().record()
            end.synchronize()
            took = float(cuda.get_elapsed_time(start, end))
            if calls > 3:
                return took / calls
            calls = max(4, round(1e3 * SECONDS / (took / calls)))


def _launches(compiled: Callable[..., Any]) -> int | None:
    """Return how many kernels and copies the graph of a compiled step has; None if unknown."""
    if not isinstance(compiled, CompiledStep):
        return None
    return next(iter(compiled.graphs.values()))[0].launches
