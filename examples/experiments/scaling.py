# %% [markdown]
# # Does it pay to share a batch out among processes?
#
# The program times a training step of the default recipe in three ways, in turns: one process with
# one BLAS thread, one with as many threads as there are cores, and as many processes as cores with
# one thread each, which MPI lets add up their gradients.  It also times that addition alone, for
# docs/scaling.md.  It takes three minutes, and needs mpi4py, an MPI, and an idle machine:
#
#     python -m pip install ".[fast,mpi]" mpich
#     python examples/experiments/scaling.py

# %%
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from minigan.backend import started_ranks
from minigan.machine.blas import blas_threads, limited_threads
from minigan.training import RECIPES, draw_start


@dataclass
class Options:
    batch_sizes: tuple[int, ...] = (64, 256, 1024)
    rounds: int = 5
    """How many times each way is timed; the table has medians."""
    steps: int = 10
    """Steps in each round."""
    time_one: tuple[int, int] | None = None
    """Used by the program itself: time a step of so many images, with so many threads."""


def time_steps(batch_size: int, threads: int, steps: int) -> tuple[float, float]:
    """Return the milliseconds of a step, and of adding up both networks' gradients, medians."""
    ranks, rng = started_ranks(), np.random.default_rng(0)
    gan, _ = draw_start(RECIPES["averaged"], rng)
    gan.share_out(ranks)
    real = rng.uniform(-1, 1, (batch_size, 784)).astype("float32")
    z = rng.standard_normal((batch_size, 100), dtype="float32")
    mine = ranks.slice_of(batch_size)
    nets = gan.generator, gan.discriminator
    steps_ms, adds_ms = list[float](), list[float]()
    with limited_threads(threads):
        for _ in range(steps + 3):
            ranks.most(0)  # all begin together
            start = time.perf_counter()
            gan.train_step(real[mine], z[mine])
            middle = time.perf_counter()
            for net in nets:
                ranks.add(net.grads)
            steps_ms.append(1000 * (middle - start))
            adds_ms.append(1000 * (time.perf_counter() - middle))
    return statistics.median(steps_ms[3:]), statistics.median(adds_ms[3:])


# %%
def main(options: Options) -> None:
    if options.time_one is not None:
        step, add = time_steps(*options.time_one, options.steps)
        if started_ranks().rank == 0:
            print(step, add)
        return
    cores = blas_threads()
    mpiexec = Path(sys.executable).with_name("mpiexec")
    starter = str(mpiexec) if mpiexec.exists() else shutil.which("mpiexec") or "mpiexec"
    ways = {
        "1 process, 1 thread": ([], 1),
        f"1 process, {cores} threads": ([], cores),
        f"{cores} processes, 1 thread each": ([starter, "-n", str(cores)], 1),
    }
    print(f"{'images':>8}  " + "  ".join(f"{way:>28}" for way in ways) + "      last / middle")
    for batch_size in options.batch_sizes:
        found: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
        for _ in range(options.rounds):
            for way, (before, threads) in ways.items():
                command = [*before, sys.executable, __file__, "--steps", str(options.steps)]
                command += ["--time-one", str(batch_size), str(threads)]
                result = subprocess.run(command, capture_output=True, text=True, check=True)
                step, add = map(float, result.stdout.split())
                found[way].append((step, add))
        _, two, many = ways
        ratio = statistics.median(m[0] / t[0] for m, t in zip(found[many], found[two], strict=True))
        cells = []
        for times in found.values():
            step, add = (statistics.median(column) for column in zip(*times, strict=True))
            cells.append(f"{step:.1f} ms" + (f", adding {add:.1f} ms" if add > 0.05 else ""))
        print(
            f"{batch_size:>8}  " + "  ".join(f"{cell:>28}" for cell in cells) + f"  {ratio:>17.2f}"
        )


if __name__ == "__main__":
    import tyro

    main(tyro.cli(Options))
