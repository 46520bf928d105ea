# %% [markdown]
# # The tutorial's GAN: minigan against PyTorch and JAX, on a CPU or a GPU
#
# The same weights, images and latent points go through the tutorial's PyTorch program, the same
# program tuned by hand, the whole step in one `jax.jit`, and minigan.  Each contestant is a process
# of its own.  First all of them train a few steps, and their losses must agree.  Then they take
# turns, in alternating order, so that whatever else the machine does affects all of them.  What
# counts is the ratio of two times from one round, and the median of these ratios.
#
#     python -m pip install ".[torch]"           # or torch and torchvision as you have them
#     python -m pip install jax                  # optional
#     python examples/experiments/benchmark_vs_pytorch.py
#     python examples/experiments/benchmark_vs_pytorch.py --device cuda
#
# The third line takes a quarter of an hour, or less with the options that --help lists.  The last
# line needs CuPy and PyTorch for CUDA.  Contestants that are not installed, or cannot compile, are
# left out, and the output says why.  Their programs, and the code that gives them their turns, are
# in the folder `contest`.

# %%
from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from between_marks import write_between
from contest.turns import Contestant, Times, admit, comparison, take_turns
from contest.with_jax import jax_one_jit
from contest.with_minigan import (
    epoch_of_minigan,
    minigan,
    minigan_on_gpu,
    minigan_without_numba,
)
from contest.with_pytorch import epoch_of_the_tutorial, pytorch_tuned, pytorch_tutorial

OTHER_KERNELS = {"Haswell": "SkylakeX", "Zen": "SkylakeX", "SkylakeX": "Haswell"}


# %%
@dataclass
class Options:
    """Time the tutorial's GAN in minigan, PyTorch and JAX, in turns, on this machine."""

    rounds: int = 5
    """How many turns each contestant gets; the order is reversed from round to round."""
    batch_sizes: tuple[int, ...] = (64, 256, 1024)
    """How many images a step has; one table for each."""
    device: Literal["cpu", "cuda"] = "cpu"
    """With cuda the tables have a second part with TF32 on, and epochs are not timed."""
    seconds: float = 1.5
    """How long a turn takes at least."""
    epochs: bool = True
    """Time whole epochs as well, which takes about five minutes."""
    write: str | None = None
    """Put the tables into this Markdown file, between its two benchmark comments."""


def time_to_first_step(rounds: int) -> list[str]:
    """Time new processes: `minigan train` up to its first step, and `import torch` alone."""
    first_step = """
import os, minigan.cli.entry
step = minigan.GAN.train_step
minigan.GAN.train_step = lambda *args: (step(*args), os._exit(0))
minigan.cli.entry.main(["train", "--out", "run"])
"""
    codes = {"minigan train, to its first step": first_step, "import torch alone": "import torch"}
    times: Times = {name: [] for name in codes}
    for i in range(rounds + 1):
        with tempfile.TemporaryDirectory() as folder:
            for name, code in codes.items():
                start = time.perf_counter()
                subprocess.run([sys.executable, "-c", code], cwd=folder, check=True)
                if i > 0:  # the first processes read the libraries from the disk
                    times[name].append(1e3 * (time.perf_counter() - start))
    return comparison(times, list(codes)[:1])


def on_cpu() -> tuple[list[Contestant], list[str]]:
    """Return the contestants, and the names of those that are minigan's own."""
    from minigan.machine.blas import blas_libraries, has_avx512

    ours = [Contestant("minigan", minigan)]
    running = str(next((lib.get("architecture") for lib in blas_libraries()), None))
    if running in OTHER_KERNELS and has_avx512():
        other = OTHER_KERNELS[running]
        ours.append(Contestant(f"minigan, {other} kernels", minigan, other))
    rivals = [
        Contestant("minigan without Numba", minigan_without_numba),
        Contestant("JAX, one jit", jax_one_jit),
        Contestant("PyTorch tuned, eager", pytorch_tuned),
        Contestant("PyTorch tuned, torch.compile", partial(pytorch_tuned, "compiled")),
        Contestant("the tutorial's PyTorch step", pytorch_tutorial),
    ]
    return [*ours, *rivals], [contestant.name for contestant in ours]


def on_cuda(tf32: bool) -> tuple[list[Contestant], list[str]]:
    """Return the contestants on a GPU, as ``on_cpu``; all have the images there from the start."""
    tuned = partial(pytorch_tuned, device="cuda", tf32=tf32)
    contestants = [
        Contestant("minigan, captured", partial(minigan_on_gpu, True, tf32)),
        Contestant("minigan, eager", partial(minigan_on_gpu, False, tf32)),
        Contestant("JAX, one jit", partial(jax_one_jit, "cuda", tf32)),
        Contestant("PyTorch tuned, eager", tuned),
        Contestant("PyTorch tuned, one CUDA graph", partial(tuned, "graph")),
        Contestant("the tutorial's PyTorch step", partial(pytorch_tutorial, "cuda", tf32)),
    ]
    return contestants, ["minigan, captured"]


def time_steps(contestants: list[Contestant], ours: list[str], options: Options) -> list[str]:
    """Return a table for each batch size, and stop the contestants."""
    lines = []
    for batch_size in options.batch_sizes:
        print(f"Batch size {batch_size}:")
        for contestant in contestants:
            contestant.ask(batch_size, 5)  # compiles its step and fills its caches
        times, _ = take_turns(contestants, options.rounds, batch_size, 3, options.seconds)
        lines += ["", f"### A step of {batch_size} images", "", *comparison(times, ours)]
    for contestant in contestants:
        contestant.stop()
    return lines


def time_epochs(ours: list[Contestant], options: Options) -> tuple[list[str], list[str]]:
    """Return the tables of times and of peak memory, and why a program takes no part."""
    print("Whole epochs:")
    programs = [Contestant(c.name, epoch_of_minigan, c.kernels) for c in ours]
    programs.append(Contestant("the tutorial's program", epoch_of_the_tutorial))
    programs, missing = admit(programs, agreed=False)
    times, peaks = take_turns(programs, options.rounds, 0, 1)
    lines = ["", "### An epoch of MNIST, data loading included", ""]
    lines += comparison(times, [c.name for c in ours])
    lines += ["", "| | peak memory, MB |", "|---|---:|"]
    lines += [f"| {name} | {peak:,.0f} |" for name, peak in peaks.items()]
    for program in programs:
        program.stop()
    return lines, missing


def machine(device: str) -> str:
    """Describe the machine and the libraries, in a sentence."""
    from minigan.machine.blas import blas_kernels

    line = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    for package in ("numpy", "numba", "torch", "jax"):
        try:
            line += f", {package} {metadata.version(package)}"
        except metadata.PackageNotFoundError:
            line += f", no {package}"
    if device == "cpu":
        return f"{line}; NumPy's products by {blas_kernels()}."
    import minigan as mg

    backend: Any = mg.get_backend("cupy")
    return f"{line}; {backend.describe()['gpu']}."


def main(options: Options) -> None:
    lines, notes = [machine(options.device)], []
    if options.device == "cuda":
        for tf32 in (False, True):
            print(f"Ten steps each, from the same weights, TF32 {'on' if tf32 else 'off'}:")
            candidates, names = on_cuda(tf32)
            contestants, missing = admit(candidates, tolerance=3e-2 if tf32 else 1e-3)
            if tf32:
                lines += ["", "With TF32 on, in all of them:"]
            lines += time_steps(contestants, names, options)
            notes += missing
    else:
        print("Ten steps each, from the same weights:")
        candidates, names = on_cpu()
        contestants, notes = admit(candidates)
        lines += time_steps(contestants, names, options)
        if options.epochs:
            ours = [contestant for contestant in contestants if contestant.name in names]
            tables, missing = time_epochs(ours, options)
            lines, notes = lines + tables, notes + missing
        if any("PyTorch" in contestant.name for contestant in contestants):
            print("From start to first step ...")
            lines += ["", "### From the start of the process", ""]
            lines += time_to_first_step(options.rounds)
    lines += ["", *notes] if notes else []
    text = "\n".join(lines)
    print(f"\n{text}")
    if options.write is not None:
        write_between(Path(options.write), "benchmark", text)


if __name__ == "__main__":
    import tyro

    try:
        main(tyro.cli(Options))
    except ValueError as error:  # minigan raises it for a GPU that cannot be used
        print(error, file=sys.stderr)
        sys.exit(2)
