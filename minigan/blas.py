"""OpenBLAS, which computes NumPy's matrix products: two settings of it that pay, and what runs.

OpenBLAS reads its settings once, while NumPy loads it.  So ``import minigan`` calls ``configure``
before it imports NumPy; where NumPy was imported earlier, or a variable is set, all stays as it is.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import Any

CPUINFO = Path("/proc/cpuinfo")  # of Linux
AVX512 = {"avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"}  # what SkylakeX means


def configure() -> None:
    """Set what OpenBLAS will read, unless it is set or NumPy has been imported.

    - Its worker threads wait for the next product in a busy loop, for 2²⁶ ticks of the clock.  A
      worker that never sleeps stays where the system first put it, on some machines far from the
      main thread's caches, where each exchange of weights and gradients takes several times as
      long.  After 2²⁰ ticks, some 0.4 ms, it is awake between two products, asleep during Adam.
    - It knows CPUs by their model, and AMD's newest get its kernels for AVX2 (Haswell) though they
      have AVX-512.  On a Zen 5 SkylakeX's are half as fast again; on a Zen 4 they are its choice.
    """
    if "numpy" in sys.modules:
        return
    os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "20")
    if "AuthenticAMD" in _cpu_words() and has_avx512():
        os.environ.setdefault("OPENBLAS_CORETYPE", "SkylakeX")


def has_avx512() -> bool:
    """Whether the CPU can run OpenBLAS's kernels for AVX-512; False where nothing tells."""
    return _cpu_words() >= AVX512


def _cpu_words() -> set[str]:
    try:
        return set(CPUINFO.read_text().split())
    except (OSError, UnicodeDecodeError):
        return set()


def blas_libraries() -> list[dict[str, Any]]:
    """What threadpoolctl tells of each BLAS library that this process has loaded."""
    from threadpoolctl import threadpool_info

    return [library for library in threadpool_info() if library["user_api"] == "blas"]


def blas_kernels() -> str:
    """Name, version, kernels and threads of the BLAS library, in a line."""
    lines = []
    for library in blas_libraries():
        kernels, threads = library.get("architecture", "unknown"), library["num_threads"]
        line = (
            f"{library['internal_api']} {library['version']}, {kernels} kernels, {threads} thread"
        )
        line += "s" * (threads != 1)
        if kernels in ("Haswell", "Zen") and has_avx512():
            line += " (this CPU has AVX-512: try OPENBLAS_CORETYPE=SkylakeX)"
        lines.append(line)
    return "; ".join(lines) or "unknown to threadpoolctl"


def limited_threads(threads: int | None) -> contextlib.AbstractContextManager[Any]:
    """While inside, the BLAS library uses that many threads; None leaves it its own choice."""
    if threads is None:
        return contextlib.nullcontext()
    from threadpoolctl import threadpool_limits

    return threadpool_limits(threads)  # type: ignore[no-any-return]
