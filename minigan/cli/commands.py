"""The function behind each subcommand: it takes the options and returns the exit status."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

import minigan
from minigan.backend import get_backend
from minigan.backend.cupy_backend import CupyBackend, why_unavailable
from minigan.backend.numba_loop import how_adam_runs
from minigan.cli.options import Bench, Evaluate, Exercise, GradCheck, Info, Sample, Trace, Train
from minigan.errors import InputError, check_whole
from minigan.gradcheck import TOLERANCE, check_everything
from minigan.machine.blas import blas_kernels, limited_threads
from minigan.machine.files import atomic_write
from minigan.machine.terminal import say, typed
from minigan.training import (
    RECIPES,
    TrainConfig,
    Trainer,
    draw_samples,
    draw_z,
    find_generator,
    save_grid,
    stored_generator,
    walk,
)
from minigan.training.folder import CHECKPOINT


def train_command(options: Train) -> int:
    """Run ``minigan train``."""
    folder = Trainer(TrainConfig(**vars(options))).run()
    say(
        f"\nDone.  Pictures, curves and checkpoint are in {folder}:\n"
        f"  {folder / 'samples'}{os.sep}  images of the same 64 latent points after every epoch\n"
        f"  {folder / 'training.gif'}  the same images as a film\n"
        f"  {folder / 'losses.png'}  losses, D(x) and D(G(z)), spread of G's images\n"
        f"New digits:  minigan sample {typed(folder)}"
    )
    return 0


def sample_command(options: Sample) -> int:
    """Run ``minigan sample``."""
    check_whole("n", options.n, 1, 1_000_000_000)
    check_whole("seed", options.seed, 0)
    net, config = stored_generator(find_generator(options.run))
    kind = "walk" if options.interpolate else "sample"
    folder = Path(options.run or "")
    if not folder.is_dir():  # pictures of best.npz must not replace those of the checkpoint
        kind = kind if folder.name == CHECKPOINT else f"{folder.stem}_{kind}"
        folder = folder.parent
    out = Path(options.out) if options.out else folder / f"{kind}_{options.seed}.png"
    if out.suffix.lower() != ".png":
        raise InputError(f"`out` {out} does not end in .png")
    rng = np.random.default_rng(options.seed)
    if options.interpolate:
        z = walk(rng, options.n, config.latent_dim)
    else:
        z = draw_z(rng, options.n, config.latent_dim, "float64")
    save_grid(out, draw_samples(net, z))
    print(f"{options.n} digits: {out}")
    return 0


def evaluate_command(options: Evaluate) -> int:
    """Run ``minigan evaluate``."""
    from minigan.evaluation import report_table, write_report

    report, file = write_report(
        options.run,
        options.samples,
        options.seed,
        options.classifier,
        options.data,
        progress=lambda line: print(line, file=sys.stderr),
    )
    picture = file.with_name(file.name.replace("metrics.json", "neighbours.png"))
    say(f"\n{report_table(report)}\n")
    say(f"All figures: {file}")
    say(f"Samples beside their nearest training images: {picture}")
    return 0


def gradcheck_command(options: GradCheck) -> int:
    """Run ``minigan gradcheck``."""
    with limited_threads(1):  # the products are small: threads would only wait for each other
        rows = check_everything(options.backend)
    print(f"{'backprop against slopes':46}{'worst error':>11}  {'at':28}{'entries':>18}")
    for name, report in rows:
        worst = report.worst
        checked = sum(array.checked for array in report.arrays)
        size = sum(array.size for array in report.arrays)
        entries = f"{checked:,}" + (f" of {size:,}" if checked < size else "")
        print(f"{name:46}{worst.error:11.1e}  {worst.where:28}{entries:>18}  {report.verdict}")
        if worst.reason:
            print(f"    {worst.reason}")
    passed = sum(report.passed for _, report in rows)
    print(
        f"{passed} of {len(rows)} pass (error: |numeric - backprop| over the largest |gradient| of "
        f"the array; at most {TOLERANCE:.0e})"
    )
    return 0 if passed == len(rows) else 1


def exercise_command(options: Exercise) -> int:
    """Run ``minigan exercise``."""
    from minigan.exercises import RIGHT, check_exercises, copy_blanks, verdict_table

    if options.copy_to is not None:
        if options.path is not None:
            raise InputError("`copy_to` only copies and checks nothing: give it without a path")
        folder = copy_blanks(options.copy_to)
        say(f"The exercises are in {folder}.  To check them:\n")
        say(f"    minigan exercise {typed(folder)}")
        return 0
    try:
        verdicts = check_exercises(options.path)
    except KeyboardInterrupt as stop:  # perhaps an answer would never have ended
        if stop.args:
            print(f"minigan: stopped in {stop}", file=sys.stderr)
        return 130
    say(verdict_table(verdicts))
    return 0 if all(one.verdict == RIGHT for one in verdicts) else 1


def trace_command(options: Trace) -> int:
    """Run ``minigan trace``."""
    from minigan.tape import first_step

    if options.recipe not in RECIPES:
        raise InputError(f"`recipe` is {options.recipe!r}, expected {', '.join(RECIPES)}")
    least = 2 if RECIPES[options.recipe].batch_norm else 1  # batch normalisation needs two rows
    batch_size = check_whole("batch_size", options.batch_size, least, 60_000)
    seed = check_whole("seed", options.seed, 0)
    out = _file_to_write("html", options.html)
    tape = minigan.trace(*first_step(options.recipe, batch_size, seed))
    say(str(tape))
    if out is not None:
        with atomic_write(out) as file:
            file.write(tape.html().encode())
        say(f"\nThe step as a page: {out}")
    return 0


def _file_to_write(option: str, value: str | None) -> Path | None:
    """Return the file to write; raise InputError, before any work, if it cannot be one."""
    if value is None:
        return None
    out = Path(value)
    file = Path(os.path.realpath(out)) if out.is_symlink() else out  # follow a link
    if not value:
        reason = "is empty"
    elif out.is_dir():
        reason = "is a folder"
    elif (out.exists() or os.path.lexists(file)) and not out.is_file():
        reason = "is not a regular file"  # a device, a pipe, a link to itself
    elif not file.parent.is_dir():
        reason = f"is in {file.parent}, which is not a folder"
    else:
        return file
    raise InputError(f"`{option}` {value or repr(value)} {reason}, expected a file to write")


def bench_command(options: Bench) -> int:
    """Run ``minigan bench``."""
    from minigan.bench import GpuBench, TimedStep, cpu_table, gpu_table, measure

    backend = get_backend(options.backend)
    for batch_size in options.batch_size:
        check_whole("batch_size", batch_size, 1, 60_000 if backend.name == "numpy" else 10**6)
    if not options.batch_size:
        raise InputError("`batch_size` has no value")
    if options.threads is not None:
        check_whole("threads", options.threads, 1, 1024)
    out = _file_to_write("json", options.json)
    with limited_threads(options.threads):
        machine = {
            "minigan": minigan.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
            "backend": backend.name,
            **backend.describe(),
        }
        say("The tutorial's training step on MNIST, float32; medians, in milliseconds\n")
        for name in list(machine)[3:]:
            say(f"{name:8} {machine[name]}")
        if isinstance(backend, CupyBackend):
            gpu = GpuBench(backend)
            on_gpu = [gpu.measure(batch_size) for batch_size in options.batch_size]
            text, figures = gpu_table(on_gpu), [asdict(report) for report in on_gpu]
        else:
            step = TimedStep(backend)
            reports = [measure(step, batch_size) for batch_size in options.batch_size]
            text, figures = cpu_table(reports), [asdict(report) for report in reports]
    say(f"\n{text}")
    if out is not None:
        with atomic_write(out) as file:
            file.write((json.dumps({**machine, "batches": figures}, indent=2) + "\n").encode())
    return 0


def info_command(options: Info) -> int:
    """Run ``minigan info``."""
    reason = why_unavailable()
    gpu = get_backend("cupy").describe()["gpu"] if reason is None else f"none: {reason}"
    for name, value in (
        ("minigan", minigan.__version__),
        ("Python", f"{platform.python_version()} on {platform.platform()}"),
        ("NumPy", np.__version__),
        ("backend", get_backend("auto").name),
        ("BLAS", blas_kernels()),
        ("Adam", how_adam_runs()),
        ("GPU", gpu),
    ):
        print(f"{name:8} {value}")
    return 0


# The commands in the order of the help: the options of each, and the function that runs it.
COMMANDS: dict[str, tuple[type, Callable[[Any], int]]] = {
    "train": (Train, train_command),
    "sample": (Sample, sample_command),
    "evaluate": (Evaluate, evaluate_command),
    "gradcheck": (GradCheck, gradcheck_command),
    "exercise": (Exercise, exercise_command),
    "trace": (Trace, trace_command),
    "bench": (Bench, bench_command),
    "info": (Info, info_command),
}
