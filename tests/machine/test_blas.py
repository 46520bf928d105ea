"""What OpenBLAS is told before NumPy loads it, and what is said of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from minigan.machine import blas

FLAGS = "flags : fpu avx2 avx512f avx512dq avx512cd avx512bw avx512vl\n"
ZEN_5 = "vendor_id\t: AuthenticAMD\ncpu family\t: 26\n" + FLAGS
ZEN_4 = "vendor_id\t: AuthenticAMD\ncpu family\t: 25\n" + FLAGS
NAMELESS = "vendor_id\t: AuthenticAMD\n" + FLAGS
SAPPHIRE_RAPIDS = "vendor_id\t: GenuineIntel\ncpu family\t: 6\n" + FLAGS
ZEN_3 = "vendor_id\t: AuthenticAMD\ncpu family\t: 25\nflags : fpu avx2\n"
SLEEPS = {"OPENBLAS_THREAD_TIMEOUT": "20"}


@pytest.fixture
def pretend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A machine with this /proc/cpuinfo (None: without), on which NumPy is not imported yet."""
    environment = {key: value for key, value in os.environ.items() if "OPENBLAS" not in key}
    monkeypatch.setattr(os, "environ", environment)
    monkeypatch.delitem(sys.modules, "numpy")
    monkeypatch.setattr(blas, "CPUINFO", tmp_path / "cpuinfo")

    def set_up(cpuinfo: str | None) -> dict[str, str]:
        if cpuinfo is not None:
            (tmp_path / "cpuinfo").write_text(cpuinfo)
        return environment

    return set_up


def told(environment: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in environment.items() if "OPENBLAS" in key}


@pytest.mark.parametrize(
    ("cpuinfo", "expected"),
    [
        (ZEN_5, {**SLEEPS, "OPENBLAS_CORETYPE": "SkylakeX"}),
        (ZEN_4, {**SLEEPS, "OPENBLAS_CORETYPE": "Haswell"}),
        (ZEN_3, SLEEPS),
        (NAMELESS, SLEEPS),
        (SAPPHIRE_RAPIDS, SLEEPS),  # OpenBLAS knows these
        (None, SLEEPS),
    ],
)
def test_configure(cpuinfo: str | None, expected: dict[str, str], pretend: Any) -> None:
    environment = pretend(cpuinfo)
    blas.configure()
    assert told(environment) == expected


def test_what_is_set_stays(pretend: Any) -> None:
    environment = pretend(ZEN_5)
    chosen = {"OPENBLAS_CORETYPE": "Haswell", "OPENBLAS_THREAD_TIMEOUT": "26"}
    environment.update(chosen)
    blas.configure()
    assert told(environment) == chosen


def test_too_late_once_numpy_is_there(pretend: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = pretend(ZEN_5)
    monkeypatch.setitem(sys.modules, "numpy", object())
    blas.configure()
    assert told(environment) == {}


@pytest.mark.parametrize(("first", "expected"), [("minigan", "20"), ("numpy", "None")])
def test_import_order(first: str, expected: str) -> None:
    code = f"import {first}, minigan, os; print(os.environ.get('OPENBLAS_THREAD_TIMEOUT'))"
    environment = {key: value for key, value in os.environ.items() if "OPENBLAS" not in key}
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert result.stdout == f"{expected}\n"


@pytest.mark.parametrize(
    ("cpuinfo", "kernels", "hint"),
    [(ZEN_5, "Haswell", True), (ZEN_5, "SkylakeX", False), (ZEN_4, "Haswell", False)],
)
def test_what_runs_and_what_could(
    cpuinfo: str, kernels: str, hint: bool, pretend: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(cpuinfo)
    library = {"internal_api": "openblas", "version": "0.3", "num_threads": 2}
    monkeypatch.setattr(blas, "blas_libraries", lambda: [{**library, "architecture": kernels}])
    line = f"openblas 0.3, {kernels} kernels, 2 threads"
    line += " (this CPU has AVX-512: try OPENBLAS_CORETYPE=SkylakeX)" if hint else ""
    assert blas.blas_kernels() == line


def test_no_library_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blas, "blas_libraries", list)
    assert blas.blas_kernels() == "unknown to threadpoolctl"


def test_limited_threads() -> None:
    def threads() -> list[int]:
        return [lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"]

    with threadpool_limits(2):  # the tests themselves run with one
        before = threads()
        assert set(before) <= {2}
        with blas.limited_threads(1):
            assert set(threads()) <= {1}
        assert threads() == before
        with blas.limited_threads(None):
            assert threads() == before
