"""What runs NumPy's matrix products on this machine, and whether something faster could."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

AVX512 = {"avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"}
CPUINFO = Path("/proc/cpuinfo")


def blas_libraries() -> list[dict[str, Any]]:
    """What threadpoolctl tells of each BLAS library that this process has loaded."""
    from threadpoolctl import threadpool_info

    return [lib for lib in threadpool_info() if lib["user_api"] == "blas"]


def blas_kernels() -> str:
    """Name, version, kernels and threads of the BLAS library, in a line."""
    return (
        ", ".join(
            f"{lib['internal_api']} {lib['version']}, {lib.get('architecture', 'unknown')} "
            f"kernels, {lib['num_threads']} thread{'s' * (lib['num_threads'] != 1)}"
            for lib in blas_libraries()
        )
        or "unknown to threadpoolctl"
    )


def better_kernels() -> str | None:
    """A value of OPENBLAS_CORETYPE that is faster than what OpenBLAS chose by itself, or None.

    OpenBLAS knows CPUs by their model.  One that is younger than the library gets its kernels for
    AVX2 (Haswell), even if it has AVX-512: on a Zen 5 those take half as long again as SkylakeX's.
    The choice is made while NumPy loads, so it takes a new process.
    """
    running = {lib.get("architecture") for lib in blas_libraries()}
    if not running & {"Haswell", "Zen"}:
        return None
    try:
        lines = CPUINFO.read_text().splitlines()
    except (OSError, UnicodeDecodeError):  # not Linux
        return None
    flags = next((line for line in lines if line.startswith("flags")), "")
    return "SkylakeX" if set(flags.split()) >= AVX512 else None


def restart_with_better_kernels(argv: list[str]) -> None:
    """Become ``argv``, with the better kernels; return if there are none or the user chose some."""
    if "OPENBLAS_CORETYPE" not in os.environ and (kernels := better_kernels()):
        os.execve(argv[0], argv, os.environ | {"OPENBLAS_CORETYPE": kernels})


def limited_threads(threads: int | None) -> contextlib.AbstractContextManager[Any]:
    """While inside, the BLAS library uses that many threads; None leaves it its own choice."""
    if threads is None:
        return contextlib.nullcontext()
    from threadpoolctl import threadpool_limits

    return threadpool_limits(threads)  # type: ignore[no-any-return]
