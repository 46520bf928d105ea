"""The subcommands about this machine: bench and info."""

from __future__ import annotations

import importlib.metadata
import json
import platform
from dataclasses import asdict
from typing import Any

import numpy as np

import minigan
from minigan.backend import check_tf32, get_backend, tf32_products
from minigan.backend.cupy_backend import CupyBackend, nccl_library, why_unavailable
from minigan.backend.numba_loop import how_adam_runs
from minigan.cli.options import Bench, Info
from minigan.cli.reports import file_to_write
from minigan.errors import InputError, check_whole
from minigan.machine.bar import progress_bar
from minigan.machine.blas import blas_kernels, limited_threads
from minigan.machine.files import atomic_write
from minigan.machine.terminal import note, say


def bench_command(options: Bench) -> int:
    """Run ``minigan bench``."""
    from minigan.bench import (
        GpuBench,
        TimedStep,
        by_recipe,
        cpu,
        cpu_table,
        gpu,
        gpu_table,
        measure,
        recipe_table,
        time_recipes,
    )

    backend = get_backend(options.backend)
    if options.tf32:
        check_tf32(backend)
    for batch_size in options.batch_size:
        check_whole("batch_size", batch_size, 1, 60_000 if backend.name == "numpy" else 10**6)
    if not options.batch_size:
        raise InputError("`batch_size` has no value")
    if options.threads is not None:
        check_whole("threads", options.threads, 1, 1024)
    out = file_to_write("json", options.json)
    with limited_threads(options.threads), tf32_products(backend, options.tf32):
        machine = {
            "minigan": minigan.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
            "backend": backend.name,
            **backend.describe(),
            **({"products": "with factors rounded to ten bits (TF32)"} if options.tf32 else {}),
        }
        say("The tutorial's training step on MNIST, float32; medians, in milliseconds\n")
        for name in list(machine)[3:]:
            say(f"{name:8} {machine[name]}")
        sizes = options.batch_size
        on_gpu = isinstance(backend, CupyBackend)
        seconds = (8 if on_gpu else 5) * len(sizes) + (0 if on_gpu else 15)
        note(f"\nMeasuring takes about {seconds} seconds, more for large batches.")
        rounds = gpu.ROUNDS * len(sizes) if on_gpu else cpu.ROUNDS * len(sizes) + by_recipe.CYCLES
        figures: dict[str, Any]
        with progress_bar(rounds, desc="bench", unit="round") as bar:
            if on_gpu:
                bench = GpuBench(backend)
                of_gpu = [bench.measure(size, bar.update) for size in sizes]
                text, figures = gpu_table(of_gpu), {"batches": list(map(asdict, of_gpu))}
            else:
                step = TimedStep(backend)
                reports = [measure(step, size, bar.update) for size in sizes]
                recipes = time_recipes(backend, bar.update)
                text = f"{cpu_table(reports)}\n\n{recipe_table(recipes)}"
                figures = {"batches": list(map(asdict, reports))}
                figures["recipes"] = list(map(asdict, recipes))
    if out is not None:
        with atomic_write(out) as file:
            file.write((json.dumps({**machine, **figures}, indent=2) + "\n").encode())
    say(f"\n{text}", needed=True)
    return 0


def _processes() -> str:
    """Return what lets several processes train one GAN."""
    try:
        version = importlib.metadata.version("mpi4py")
    except importlib.metadata.PackageNotFoundError:
        return "one process only: mpi4py is not installed"
    way = "in main memory"
    if why_unavailable() is None and nccl_library() is not None:
        way = "by NCCL if each has a GPU, and in main memory otherwise"
    return f"several processes by mpi4py {version}; they add up gradients {way}"


def info_command(options: Info) -> int:
    """Run ``minigan info``."""
    reason = why_unavailable()
    gpu = get_backend("cupy").describe()["gpu"] if reason is None else f"none: {reason}"
    lines = (
        ("minigan", minigan.__version__),
        ("Python", f"{platform.python_version()} on {platform.platform()}"),
        ("NumPy", np.__version__),
        ("backend", get_backend("auto").name),
        ("BLAS", blas_kernels()),
        ("Adam", how_adam_runs()),
        ("GPU", gpu),
        ("mpiexec", _processes()),
    )
    say("\n".join(f"{name:8} {value}" for name, value in lines), needed=True)
    return 0
