"""OpenBLAS, which computes NumPy's matrix products: two settings for speed, and what it reports.

OpenBLAS reads its settings once, while NumPy loads it.  For this reason ``import minigan`` calls
``configure`` before it imports NumPy.  If NumPy was imported earlier, no setting is changed, and an
environment variable that is set already keeps its value.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CPUINFO = Path("/proc/cpuinfo")  # exists on Linux only
AVX512 = {"avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"}  # SkylakeX kernels use these
ZEN_5 = 26  # the family of its models; Zen 3 and Zen 4 are family 25


def configure() -> None:
    """Set the variables that OpenBLAS reads, unless they are set or NumPy has been imported.

    - OPENBLAS_THREAD_TIMEOUT: a worker thread of OpenBLAS waits for the next product in a busy
      loop, for 2²⁶ ticks of the clock by default.  A worker that never sleeps stays on the core
      where the system first put it.  On some machines this core is far from the caches of the main
      thread, and each exchange of weights and gradients takes several times as long.  With 2²⁰
      ticks, about 0.4 ms, workers stay awake between two products and sleep during Adam.
    - OPENBLAS_CORETYPE: OpenBLAS chooses kernels by the model of the CPU, and on AMD's with AVX-512
      the slower ones.  A Zen 5 gets those for AVX2 (Haswell), but a large product is 1.5 times as
      fast with those for AVX-512 (SkylakeX).  A Zen 4, which takes two turns for each instruction
      of AVX-512, gets SkylakeX, but a training step takes 3 to 9 % longer with them than with
      Haswell.
    """
    if "numpy" in sys.modules:
        return
    os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "20")
    kernels = faster_kernels()
    if kernels is not None:
        os.environ.setdefault("OPENBLAS_CORETYPE", kernels)


def faster_kernels() -> str | None:
    """Return which kernels an AMD CPU with AVX-512 should run; None for all other CPUs."""
    family = re.search(r"^cpu family\s*: (\d+)$", _cpuinfo(), re.MULTILINE)
    if family is None or "AuthenticAMD" not in _cpuinfo() or not has_avx512():
        return None
    return "SkylakeX" if int(family[1]) >= ZEN_5 else "Haswell"


def has_avx512() -> bool:
    """Return whether the CPU can run OpenBLAS's kernels for AVX-512; False if that is unknown."""
    return set(_cpuinfo().split()) >= AVX512


def _cpuinfo() -> str:
    try:
        return CPUINFO.read_text()
    except (OSError, UnicodeDecodeError):
        return ""


def blas_libraries() -> list[dict[str, Any]]:
    """Return what threadpoolctl reports about each BLAS library that this process has loaded."""
    from threadpoolctl import threadpool_info

    return [library for library in threadpool_info() if library["user_api"] == "blas"]


def blas_kernels() -> str:
    """Return the name, version, kernels and threads of the BLAS library, in one line."""
    lines = []
    for library in blas_libraries():
        kernels, threads = library.get("architecture", "unknown"), library["num_threads"]
        line = (
            f"{library['internal_api']} {library['version']}, {kernels} kernels, {threads} thread"
        )
        line += "s" * (threads != 1)
        if kernels in ("Haswell", "Zen") and has_avx512() and faster_kernels() != "Haswell":
            line += " (this CPU has AVX-512: try OPENBLAS_CORETYPE=SkylakeX)"
        lines.append(line)
    return "; ".join(lines) or "unknown to threadpoolctl"


@contextlib.contextmanager
def limited_threads(threads: int | None) -> Iterator[None]:
    """Let BLAS use this many threads until the ``with`` block ends; None leaves BLAS its choice."""
    if threads is None:
        yield
        return
    from threadpoolctl import threadpool_limits

    with threadpool_limits(threads):
        yield


def blas_threads() -> int:
    """Return how many threads BLAS uses; 1 if that is unknown."""
    return max((library["num_threads"] for library in blas_libraries()), default=1)


def set_blas_threads(threads: int) -> None:
    """Let BLAS use this many threads from now on.  It takes some microseconds."""
    for library in _controllers():
        library.set_num_threads(threads)


@functools.cache
def _controllers() -> list[Any]:
    from threadpoolctl import ThreadpoolController

    controllers: list[Any] = ThreadpoolController().select(user_api="blas").lib_controllers
    return controllers
