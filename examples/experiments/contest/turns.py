"""Processes that wait for their turn, rounds of turns, and the ratios of times from one round."""

from __future__ import annotations

import multiprocessing
import os
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from contest.same_for_all import LATENT_DIM

Times = dict[str, list[float]]  # milliseconds of each round, by contestant


@dataclass
class Contestant:
    """A process that has made its training step, and runs it when it is asked to."""

    name: str
    make: Callable[[], Any]
    kernels: str | None = None  # the value of OPENBLAS_CORETYPE in the process

    def start(self) -> str | None:
        """Start the process; returns None, or the reason why it cannot take part."""
        context = multiprocessing.get_context("spawn")
        self.pipe, other = context.Pipe()
        self.process = context.Process(target=serve, args=(self.make, other), daemon=True)
        old = os.environ.pop("OPENBLAS_CORETYPE", None)
        if self.kernels is not None:
            os.environ["OPENBLAS_CORETYPE"] = self.kernels
        self.process.start()  # the process loads NumPy with this environment
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
    """Yield the same numbers of images and the same z for all contestants, again and again."""
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

    Batch size 0 asks for a whole epoch.  The answer holds the milliseconds of a step (or an epoch),
    the losses after each step if no seconds were asked for, the peak memory of the process in MB,
    and the BLAS kernels.
    """
    try:
        from minigan.bench.cpu import peak_megabytes
        from minigan.machine.blas import blas_libraries

        step = make()
        pipe.send(None)
    except Exception as error:  # the contestant cannot run, and this is its reason
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
            float(result[0]), float(result[1])  # waits for a step that returned before it was done
            took = 1e3 * (time.perf_counter() - start) / done
            kernels = [lib.get("architecture") for lib in blas_libraries() if "architecture" in lib]
            pipe.send((took, losses, peak_megabytes(), kernels))
        except Exception as error:
            pipe.send(f"{type(error).__name__}: {error}".splitlines()[0])


def admit(
    candidates: list[Contestant], agreed: bool = True, tolerance: float = 1e-3
) -> tuple[list[Contestant], list[str]]:
    """Return those that start and agree with the first one's losses, and why others do not start.

    Raises SystemExit if the losses of a contestant differ by more than ``tolerance``.
    """
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
                if off > tolerance:  # in float32, sums in another order differ by less than 1e-4
                    raise SystemExit(f"{contestant.name} does not train the same GAN")
        if reason is None:
            admitted.append(contestant)
        else:
            notes.append(f"{contestant.name} takes no part: {reason}")
            print(f"  {notes[-1]}")
    return admitted, notes


def take_turns(
    contestants: list[Contestant], rounds: int, *request: Any
) -> tuple[Times, dict[str, float]]:
    """Return the times of all rounds, and each contestant's peak memory in MB."""
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
    """Return a Markdown table: median times, and their ratios to the times of each of ``ours``."""
    rows = ["| | ms | " + " | ".join(f"/ {name}" for name in ours) + " |"]
    rows.append("|---|---:|" + "---:|" * len(ours))
    for name, took in times.items():
        median = statistics.median(took)
        cells = [f"{median:,.{1 if median >= 1 else 3}f}"]
        for our in ours:
            ratios = ratio(times, name, our)
            low, high = min(ratios), max(ratios)
            spread = f" ({low:.2f} to {high:.2f})" if name != our else ""
            cells.append(f"{statistics.median(ratios):.2f}{spread}")
        rows.append(f"| {name} | " + " | ".join(cells) + " |")
    return rows
