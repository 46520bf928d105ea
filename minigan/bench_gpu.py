"""How fast the training step runs on a GPU: launched kernel by kernel, and captured as one graph.

The floor is memory traffic: every product reads its factors and writes its result, Adam reads and
writes its vectors, all at the rate of a plain copy on the same GPU.  At small batches a step stays
far above it, because each of its launches takes some microseconds, however little it does.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigan.backend import Array, Backend
from minigan.backend.cuda_graph import CompiledStep
from minigan.config import check_whole
from minigan.data import load_mnist, pixel_values
from minigan.gan import GAN
from minigan.models import IMAGE_SIZE, discriminator, generator

ROUNDS = 5  # eager, captured and copy in turns
SECONDS = 0.2  # of each turn, about
LATENT_DIM = 100
COPY_BYTES = 256 << 20


@dataclass(frozen=True)
class GpuReport:
    """Figures for one batch size; times are medians by CUDA events, in milliseconds a step."""

    batch_size: int
    eager: float  # kernels launched one by one
    captured: float  # the same as a CUDA graph
    eager_to_captured: float  # median of the rounds' ratios
    launches: int | None  # kernels and copies in the graph; None if the driver does not tell
    megabytes: float  # moved by products and Adam
    copy_gigabytes_per_second: float
    floor: float  # the one at the rate of the other
    share: float  # floor / captured, median of the rounds
    steps_per_second: float  # captured
    images_per_second: float
    gflop: float  # of the products


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
        self.pixel_values = backend.asarray(pixel_values())
        self.source = backend.asarray(np.zeros(COPY_BYTES // 8, np.float32))  # half of the bytes

    def step(self, indices: Array, z: Array) -> Any:
        """What is timed: images are gathered, both networks move."""
        return self.gan.train_step(self.pixel_values[self.images[indices]], z)

    def measure(self, batch_size: int) -> GpuReport:
        """Time some steps.  Raises InputError for a batch size below 1."""
        check_whole("--batch-size", batch_size, 1)
        rng = np.random.default_rng(batch_size)
        draws: list[tuple[Any, Any]] = [
            (
                rng.integers(0, len(self.images), batch_size),
                rng.standard_normal((batch_size, LATENT_DIM), dtype=np.float32),
            )
            for _ in range(8)
        ]
        moved, gflop = self._products(*draws[0])
        for net in (self.gan.generator, self.gan.discriminator):
            moved += 7 * net.params.nbytes  # Adam reads g, reads and writes p, m and v
        compiled = self.backend.compile(self.step)
        target = self.source.copy()

        def copy(*_: Any) -> None:
            target[...] = self.source

        rounds = []
        for _ in range(ROUNDS):
            eager, captured = self._time(self._eager, draws), self._time(compiled, draws)
            rate = COPY_BYTES / self._time(copy, draws)  # bytes a millisecond
            rounds.append((eager, captured, rate, eager / captured, moved / rate / captured))
        eager, captured, rate, ratio, share = map(statistics.median, zip(*rounds, strict=True))
        launches = None
        if isinstance(compiled, CompiledStep):
            launches = next(iter(compiled.graphs.values())).launches
        return GpuReport(
            batch_size=batch_size,
            eager=eager,
            captured=captured,
            eager_to_captured=ratio,
            launches=launches,
            megabytes=moved / 1e6,
            copy_gigabytes_per_second=rate / 1e6,
            floor=moved / rate,
            share=share,
            steps_per_second=1e3 / captured,
            images_per_second=1e3 * batch_size / captured,
            gflop=gflop,
        )

    def _products(self, indices: Array, z: Array) -> tuple[float, float]:
        """Bytes that the products of a step read and write, and their GFLOP."""
        multiply, moved, gflop = self.backend.matmul, 0.0, 0.0

        def count(a: Array, b: Array, out: Array | None = None) -> Array:
            nonlocal moved, gflop
            result = multiply(a, b, out)
            moved += a.nbytes + b.nbytes + result.nbytes
            gflop += 2e-9 * a.shape[0] * a.shape[1] * b.shape[1]
            return result

        self.backend.matmul = count  # type: ignore[method-assign]
        try:
            self._eager(indices, z)
        finally:
            del self.backend.matmul  # the class's own shows again
        return moved, gflop

    def _eager(self, indices: Array, z: Array) -> Any:
        return self.step(self.backend.asarray(indices), z)

    def _time(self, work: Callable[..., Any], draws: list[tuple[Any, Any]]) -> float:
        """Milliseconds a call, by events around many calls, after a warm-up."""
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


def gpu_table(reports: list[GpuReport]) -> str:
    """The reports side by side, for people; milliseconds where nothing else is said."""
    rows: list[tuple[str, list[str]]] = [
        ("batch size", [f"{r.batch_size:,}" for r in reports]),
        ("", []),
        ("a step, eager", [f"{r.eager:,.3f}" for r in reports]),
        ("a step, captured", [f"{r.captured:,.3f}" for r in reports]),
        ("eager / captured", [f"{r.eager_to_captured:.2f}" for r in reports]),
        ("launches", [str(r.launches or "unknown") for r in reports]),
        ("", []),
        ("MB moved", [f"{r.megabytes:,.0f}" for r in reports]),
        ("the floor", [f"{r.floor:,.3f}" for r in reports]),
        ("share of the floor reached", [f"{100 * r.share:.0f} %" for r in reports]),
        ("", []),
        ("steps per second", [f"{r.steps_per_second:,.0f}" for r in reports]),
        ("images per second", [f"{r.images_per_second:,.0f}" for r in reports]),
        ("TFLOP/s of the products", [f"{r.gflop / r.captured:.1f}" for r in reports]),
        ("GB/s of the copy", [f"{r.copy_gigabytes_per_second:,.0f}" for r in reports]),
    ]
    return "\n".join(
        f"{name:28}" + "".join(f"{cell:>12}" for cell in cells) if cells else ""
        for name, cells in rows
    )
