"""What each subcommand does: a function that takes its options and returns the exit status."""

from __future__ import annotations

import json
import os
import platform
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np

import minigan
from minigan.backend import get_backend
from minigan.backend.cupy_backend import CupyBackend, why_unavailable
from minigan.backend.one_loop import how_adam_runs
from minigan.blas import blas_kernels, limited_threads
from minigan.central_difference import TOLERANCE
from minigan.checkpoint import atomic_write
from minigan.config import TrainConfig, check_whole
from minigan.errors import InputError
from minigan.gradcheck_all import check_everything
from minigan.options import Bench, Evaluate, Exercise, GradCheck, Info, Sample, Trace, Train
from minigan.recipes import RECIPES
from minigan.run_folder import CHECKPOINT
from minigan.terminal import say, typed
from minigan.training import Trainer


def train(options: Train) -> int:
    """``minigan train``"""
    folder = Trainer(TrainConfig(**vars(options))).run()
    say(
        f"\nDone.  Pictures, curves and checkpoint are in {folder}:\n"
        f"  {folder / 'samples'}{os.sep}  the same 64 latent points after every epoch\n"
        f"  {folder / 'training.gif'}  them in motion\n"
        f"  {folder / 'losses.png'}  losses, D(x) and D(G(z)), spread of G's images\n"
        f"New digits:  minigan sample {typed(folder)}"
    )
    return 0


def sample(options: Sample) -> int:
    """``minigan sample``"""
    from minigan.plotting import save_grid
    from minigan.sampling import draw_samples, load_generator, walk

    check_whole("--n", options.n, 1, 1_000_000_000)
    check_whole("--seed", options.seed, 0)
    net = load_generator(options.run)
    assert net.n_in is not None
    kind = "walk" if options.interpolate else "sample"
    folder = Path(options.run or "")
    if not folder.is_dir():  # a file of a run: its pictures do not replace the checkpoint's
        kind = kind if folder.name == CHECKPOINT else f"{folder.stem}_{kind}"
        folder = folder.parent
    out = Path(options.out) if options.out else folder / f"{kind}_{options.seed}.png"
    if out.suffix.lower() != ".png":
        raise InputError(f"--out {out} does not end in .png")
    rng = np.random.default_rng(options.seed)
    if options.interpolate:
        z = walk(rng, options.n, net.n_in)
    else:
        z = rng.standard_normal((options.n, net.n_in))
    save_grid(out, draw_samples(net, z))
    print(f"{options.n} digits: {out}")
    return 0


def evaluate(options: Evaluate) -> int:
    """``minigan evaluate``"""
    from minigan.evaluate import evaluate, table

    report, file = evaluate(
        options.run,
        options.samples,
        options.seed,
        options.classifier,
        options.data,
        progress=lambda line: print(line, file=sys.stderr),
    )
    picture = file.with_name(file.name.replace("metrics.json", "neighbours.png"))
    say(f"\n{table(report)}\n")
    say(f"All figures: {file}")
    say(f"Samples beside their nearest training images: {picture}")
    return 0


def gradcheck(options: GradCheck) -> int:
    """``minigan gradcheck``"""
    rows = check_everything(options.backend)
    title = "backprop against central differences"
    print(f"{title:42}{'worst error':>11}  {'at':28}{'entries':>18}")
    for name, report in rows:
        worst = report.worst
        checked = sum(array.checked for array in report.arrays)
        size = sum(array.size for array in report.arrays)
        entries = f"{checked:,}" + (f" of {size:,}" if checked < size else "")
        verdict = "PASS" if report.passed else "FAIL"
        print(f"{name:42}{worst.error:11.1e}  {worst.where:28}{entries:>18}  {verdict}")
    failed = sum(not report.passed for _, report in rows)
    print(
        f"{len(rows) - failed} of {len(rows)} pass (error: |numeric - backprop| over the largest "
        f"|gradient| of the array; at most {TOLERANCE:.0e})"
    )
    return 1 if failed else 0


def exercise(options: Exercise) -> int:
    """``minigan exercise``"""
    from minigan.exercise import RIGHT, check_exercises, table

    try:
        verdicts = check_exercises(options.path)
    except KeyboardInterrupt as stop:  # perhaps of an answer that does not end
        if stop.args:
            print(f"minigan: stopped in {stop}", file=sys.stderr)
        return 130
    say(table(verdicts))
    return 0 if all(one.verdict == RIGHT for one in verdicts) else 1


def trace(options: Trace) -> int:
    """``minigan trace``"""
    from minigan.trace import first_step

    if options.recipe not in RECIPES:
        raise InputError(f"--recipe is {options.recipe!r}, expected {', '.join(RECIPES)}")
    least = 2 if RECIPES[options.recipe].batch_norm else 1  # one row alone is its own mean
    batch_size = check_whole("--batch-size", options.batch_size, least, 60_000)
    seed = check_whole("--seed", options.seed, 0)
    out = _file_to_write("--html", options.html)
    tape = minigan.trace(*first_step(options.recipe, batch_size, seed))
    say(str(tape))
    if out is not None:
        with atomic_write(out) as file:
            file.write(tape.html().encode())
        say(f"\nAs a page: {out}")
    return 0


def _file_to_write(option: str, value: str | None) -> Path | None:
    """The file; InputError, before any work, if there can be none of that name."""
    if value is None:
        return None
    out = Path(value)
    file = Path(os.path.realpath(out)) if out.is_symlink() else out  # a link is written through
    if not value:
        reason = "is empty"
    elif out.is_dir():
        reason = "is a folder"
    elif (out.exists() or os.path.lexists(file)) and not out.is_file():
        reason = "is no regular file"  # a device, a pipe, a link to itself: not to be replaced
    elif not file.parent.is_dir():
        reason = f"is in {file.parent}, which is no folder"
    else:
        return file
    raise InputError(f"{option} {value or repr(value)} {reason}, expected a file to write")


def bench(options: Bench) -> int:
    """``minigan bench``"""
    from minigan.bench import TimedStep, measure
    from minigan.bench_gpu import GpuBench, gpu_table
    from minigan.bench_table import table

    backend = get_backend(options.backend)
    for batch_size in options.batch_size:
        check_whole("--batch-size", batch_size, 1, 60_000 if backend.name == "numpy" else 10**6)
    if not options.batch_size:
        raise InputError("--batch-size has no value")
    if options.threads is not None:
        check_whole("--threads", options.threads, 1, 1024)
    out = _file_to_write("--json", options.json)
    with limited_threads(options.threads):
        machine = {
            "minigan": minigan.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
            "backend": backend.name,
        }
        if isinstance(backend, CupyBackend):
            machine["gpu"] = backend.describe()
        else:
            machine |= {"blas": blas_kernels(), "adam": how_adam_runs()}
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
            text, figures = table(reports), [asdict(report) for report in reports]
    say(f"\n{text}")
    if out is not None:
        with atomic_write(out) as file:
            file.write((json.dumps({**machine, "batches": figures}, indent=2) + "\n").encode())
    return 0


def info(options: Info) -> int:
    """``minigan info``"""
    reason = why_unavailable()
    cupy = get_backend("cupy") if reason is None else None
    gpu = cupy.describe() if isinstance(cupy, CupyBackend) else f"none: {reason}"
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
