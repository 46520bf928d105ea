# %% [markdown]
# # The tutorial's GAN: minigan against PyTorch and JAX, on a CPU or a GPU
#
# The same weights, images and latent points go through the tutorial's PyTorch program, the same
# program tuned by hand, the whole step in one `jax.jit`, and minigan.  Each contestant is a process
# of its own.  First all train a few steps, and their losses must agree.  Then they take turns, in
# alternating order, so that whatever else the machine does meets all of them; what counts is the
# ratio of two times from one round, and the median of these ratios.
#
#     python -m pip install ".[torch]"                   # or torch and torchvision as you have them
#     python -m pip install jax                          # optional
#     python examples/benchmark_vs_pytorch.py            # a quarter of an hour; --help for less
#     python examples/benchmark_vs_pytorch.py --device cuda   # takes CuPy and PyTorch for CUDA
#
# Contestants that are not installed, or cannot compile, are left out, and the output says why.

# %%
from __future__ import annotations

import multiprocessing
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from contestants import (
    LATENT_DIM,
    epoch_of_minigan,
    epoch_of_the_tutorial,
    jax_one_jit,
    minigan,
    minigan_on_gpu,
    minigan_without_numba,
    pytorch_tuned,
    pytorch_tutorial,
)

OTHER_KERNELS = {"Haswell": "SkylakeX", "Zen": "SkylakeX", "SkylakeX": "Haswell"}

# %% [markdown]
# ## Processes that wait for their turn


# %%
@dataclass
class Contestant:
    """A process that has made its step, and takes some when told to."""

    name: str
    make: Callable[[], Any]
    kernels: str | None = None  # OPENBLAS_CORETYPE

    def start(self) -> str | None:
        """None, or the reason why it cannot take part."""
        context = multiprocessing.get_context("spawn")
        self.pipe, other = context.Pipe()
        self.process = context.Process(target=serve, args=(self.make, other), daemon=True)
        old = os.environ.pop("OPENBLAS_CORETYPE", None)
        if self.kernels is not None:
            os.environ["OPENBLAS_CORETYPE"] = self.kernels
        self.process.start()  # with this environment: NumPy is loaded in there
        os.environ.pop("OPENBLAS_CORETYPE", None)
        if old is not None:
            os.environ["OPENBLAS_CORETYPE"] = old
        other.close()
        reason: str | None = self.answer()
        return reason

    def ask(self, batch_size: int, steps: int, seconds: float = 0) -> Any:
        self.pipe.send((batch_size, steps, seconds))
        return self.answer()

    def answer(self) -> Any:
        try:
            return self.pipe.recv()
        except EOFError:
            return "its process died"

    def stop(self) -> None:
        self.pipe.close()
        self.process.join()


def fixed_batches(batch_size: int) -> Iterator[tuple[Any, Any]]:
    """The same numbers of images and the same z for everyone, round and round."""
    import numpy as np

    rng = np.random.default_rng(batch_size)
    draws = [
        (rng.integers(0, 60_000, batch_size), rng.standard_normal((batch_size, LATENT_DIM), "f4"))
        for _ in range(16)
    ]
    while True:
        yield from draws


def serve(make: Callable[[], Any], pipe: Any) -> None:
    """Make the step, then answer requests (batch size, steps, seconds).

    Batch size 0 is a whole epoch.  The answer: milliseconds a step (or an epoch), the losses after
    each step if no seconds were asked for, the peak memory of the process in MB, the BLAS kernels.
    """
    try:
        from minigan.bench import peak_megabytes
        from minigan.blas import blas_libraries

        step = make()
        pipe.send(None)
    except Exception as error:  # whatever keeps a rival from running is its reason
        pipe.send(f"{type(error).__name__}: {error}".splitlines()[0])
        return
    while True:
        try:
            batch_size, steps, seconds = pipe.recv()
        except EOFError:
            return
        try:
            draws = fixed_batches(batch_size) if batch_size else iter(lambda: (), None)
            losses, done, start = [], 0, time.perf_counter()
            while done < steps or time.perf_counter() - start < seconds:
                result = step(*next(draws))
                done += 1
                if seconds == 0:
                    losses.append((float(result[0]), float(result[1])))
            float(result[0]), float(result[1])  # waits, where a step returns before it is done
            took = 1e3 * (time.perf_counter() - start) / done
            kernels = [lib.get("architecture") for lib in blas_libraries() if "architecture" in lib]
            pipe.send((took, losses, peak_megabytes(), kernels))
        except Exception as error:
            pipe.send(f"{type(error).__name__}: {error}".splitlines()[0])


# %% [markdown]
# ## Rounds and ratios


# %%
@dataclass
class Options:
    """Time the tutorial's GAN in minigan, PyTorch and JAX, in turns, on this machine."""

    rounds: int = 5
    """Turns of each contestant; the first of a round is the last of the next."""
    batch_sizes: tuple[int, ...] = (64, 256, 1024)
    """Images in a step."""
    device: Literal["cpu", "cuda"] = "cpu"
    """On cuda the tables have a second part with TF32 on, and there are no epochs."""
    seconds: float = 1.5
    """Of a turn, at least."""
    epochs: bool = True
    """Time whole epochs too, which takes about five minutes."""
    write: str | None = None
    """Put the tables into this Markdown file, between its two benchmark comments."""


Times = dict[str, list[float]]  # milliseconds of each round, by contestant


def take_turns(
    contestants: list[Contestant], rounds: int, *request: Any
) -> tuple[Times, dict[str, float]]:
    """The times of all rounds, and each contestant's peak memory in MB."""
    times: Times = {contestant.name: [] for contestant in contestants}
    peaks: dict[str, float] = {}
    for i in range(rounds):
        for contestant in contestants if i % 2 == 0 else reversed(contestants):
            answer = contestant.ask(*request)
            if isinstance(answer, str):  # an error
                raise SystemExit(f"{contestant.name} failed: {answer}")
            took, _, peaks[contestant.name], _ = answer
            times[contestant.name].append(took)
            print(f"  round {i + 1}  {contestant.name:32} {took:10.2f} ms", flush=True)
    return times, peaks


def ratio(times: Times, rival: str, ours: str) -> list[float]:
    return [a / b for a, b in zip(times[rival], times[ours], strict=True)]


def comparison(times: Times, ours: list[str]) -> list[str]:
    """A Markdown table: median times, and how many times as long each takes as each of ours."""
    rows = ["| | ms | " + " | ".join(f"/ {name}" for name in ours) + " |"]
    rows.append("|---|---:|" + "---:|" * len(ours))
    for name, took in times.items():
        cells = [f"{statistics.median(took):,.1f}"]
        for our in ours:
            ratios = ratio(times, name, our)
            low, high = min(ratios), max(ratios)
            spread = f" ({low:.2f} to {high:.2f})" if name != our else ""
            cells.append(f"{statistics.median(ratios):.2f}{spread}")
        rows.append(f"| {name} | " + " | ".join(cells) + " |")
    return rows


def admit(
    candidates: list[Contestant], agreed: bool = True, tolerance: float = 1e-3
) -> tuple[list[Contestant], list[str]]:
    """Those that start and whose losses agree with the first one's; why the others do not."""
    admitted: list[Contestant] = []
    notes: list[str] = []
    expected: Any = None
    for contestant in candidates:
        reason = contestant.start()
        if reason is None and agreed:
            answer = contestant.ask(64, 10)
            if isinstance(answer, str):
                reason = answer
            elif contestant.kernels is not None and contestant.kernels not in answer[3]:
                reason = f"OpenBLAS took {answer[3]}"
            elif expected is None:
                expected = answer[1]
            else:
                off = max(
                    abs(loss / reference - 1)
                    for losses, references in zip(answer[1], expected, strict=True)
                    for loss, reference in zip(losses, references, strict=True)
                )
                print(f"  {contestant.name:32} losses of 10 steps differ by at most {off:.0e}")
                if off > tolerance:  # in float32 another order of sums stays below 1e-4
                    raise SystemExit(f"{contestant.name} does not train the same GAN")
        if reason is None:
            admitted.append(contestant)
        else:
            notes.append(f"{contestant.name} takes no part: {reason}")
            print(f"  {notes[-1]}")
    return admitted, notes


def time_to_first_step(rounds: int) -> list[str]:
    """A new process each: `minigan train` up to its first step, and `import torch` alone."""
    first_step = """
import os, minigan.cli
step = minigan.GAN.train_step
minigan.GAN.train_step = lambda *args: (step(*args), os._exit(0))
minigan.cli.main(["train", "--out", "run"])
"""
    codes = {"minigan train, to its first step": first_step, "import torch alone": "import torch"}
    times: Times = {name: [] for name in codes}
    for i in range(rounds + 1):
        with tempfile.TemporaryDirectory() as folder:
            for name, code in codes.items():
                start = time.perf_counter()
                subprocess.run([sys.executable, "-c", code], cwd=folder, check=True)
                if i > 0:  # the first ones read the libraries from the disk
                    times[name].append(1e3 * (time.perf_counter() - start))
    return comparison(times, list(codes)[:1])


def on_cpu() -> tuple[list[Contestant], list[str]]:
    """The contestants, and the names of those that are ours."""
    from minigan.blas import blas_libraries, has_avx512

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
    """Likewise; the images are on the GPU from the start, for all of them."""
    tuned = partial(pytorch_tuned, device="cuda", tf32=tf32)
    contestants = [
        Contestant("minigan, captured", partial(minigan_on_gpu, True, tf32)),
        Contestant("minigan, eager", partial(minigan_on_gpu, False, tf32)),
        Contestant("JAX, one jit", partial(jax_one_jit, "cuda", tf32)),
        Contestant("PyTorch tuned, eager", tuned),
        Contestant("PyTorch tuned, torch.compile with graphs", partial(tuned, "compiled")),
        Contestant("PyTorch tuned, one CUDA graph", partial(tuned, "graph")),
        Contestant("the tutorial's PyTorch step", partial(pytorch_tutorial, "cuda", tf32)),
    ]
    return contestants, ["minigan, captured"]


def time_steps(contestants: list[Contestant], ours: list[str], options: Options) -> list[str]:
    """A table for each batch size; ends the contestants."""
    lines = []
    for batch_size in options.batch_sizes:
        print(f"Batch size {batch_size}:")
        for contestant in contestants:
            contestant.ask(batch_size, 5)  # compiles, fills caches
        times, _ = take_turns(contestants, options.rounds, batch_size, 3, options.seconds)
        lines += ["", f"### A step of {batch_size} images", "", *comparison(times, ours)]
    for contestant in contestants:
        contestant.stop()
    return lines


def time_epochs(ours: list[Contestant], options: Options) -> tuple[list[str], list[str]]:
    """Tables of times and of peak memory, and why a program takes no part."""
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
    """What computes here, in a sentence."""
    from minigan.blas import blas_kernels

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
    return f"{line}; {backend.describe()}."


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
        write_between(Path(options.write), text)


def write_between(file: Path, text: str) -> None:
    """Replace what stands between the two benchmark comments of a Markdown file."""
    before, found, rest = file.read_text(encoding="utf-8").partition("<!-- benchmark -->\n")
    _, end, after = rest.partition("<!-- end of benchmark -->")
    if not found or not end:
        raise SystemExit(f"{file} has no <!-- benchmark --> and <!-- end of benchmark -->")
    file.write_text(f"{before}{found}\n{text}\n\n{end}{after}", encoding="utf-8")


if __name__ == "__main__":
    import tyro

    try:
        main(tyro.cli(Options))
    except ValueError as error:  # of minigan, for a GPU that cannot be used
        print(error, file=sys.stderr)
        sys.exit(2)
