"""Which BLAS kernels run, and which could."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from threadpoolctl import threadpool_info

from minigan.backend import machine
from minigan.backend.machine import (
    better_kernels,
    blas_kernels,
    limited_threads,
    restart_with_better_kernels,
)

ZEN_5 = "processor : 0\nflags\t: fpu avx2 avx512f avx512dq avx512cd avx512bw avx512vl\n"
OLDER = "processor : 0\nflags\t: fpu avx2\n"


def pretend(monkeypatch: pytest.MonkeyPatch, cpuinfo: Path, text: str, kernels: str) -> None:
    cpuinfo.write_text(text)
    library = {"internal_api": "openblas", "version": "0", "num_threads": 2}
    monkeypatch.setattr(machine, "CPUINFO", cpuinfo)
    monkeypatch.setattr(machine, "blas_libraries", lambda: [{**library, "architecture": kernels}])


@pytest.mark.parametrize(
    ("cpu", "running", "better"),
    [
        (ZEN_5, "Haswell", "SkylakeX"),
        (ZEN_5, "Zen", "SkylakeX"),
        (ZEN_5, "SkylakeX", None),
        (OLDER, "Haswell", None),
        ("no flags", "Haswell", None),
    ],
)
def test_better_kernels(
    cpu: str, running: str, better: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(monkeypatch, tmp_path / "cpuinfo", cpu, running)
    assert better_kernels() == better
    assert blas_kernels() == f"openblas 0, {running} kernels, 2 threads"


def test_a_system_without_cpuinfo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, tmp_path / "cpuinfo", ZEN_5, "Haswell")
    (tmp_path / "cpuinfo").unlink()
    assert better_kernels() is None


def test_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []
    monkeypatch.setattr(os, "execve", lambda *args: calls.append(args))
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    pretend(monkeypatch, tmp_path / "cpuinfo", ZEN_5, "Haswell")
    restart_with_better_kernels(["python", "-m", "minigan", "info"])
    ((file, argv, environment),) = calls
    assert (file, argv) == ("python", ["python", "-m", "minigan", "info"])
    assert environment == {**os.environ, "OPENBLAS_CORETYPE": "SkylakeX"}

    monkeypatch.setenv(
        "OPENBLAS_CORETYPE", "Haswell"
    )  # the user's choice, or the restarted process
    restart_with_better_kernels(["python"])
    monkeypatch.delenv("OPENBLAS_CORETYPE")
    pretend(monkeypatch, tmp_path / "cpuinfo", OLDER, "Haswell")
    restart_with_better_kernels(["python"])
    assert len(calls) == 1


def test_a_restarted_command_is_the_same_command(tmp_path: Path) -> None:
    # With the restart forced, once, for real.
    code = (
        "import os, sys\n"
        "from minigan.backend import machine\n"
        "machine.better_kernels = lambda: 'SkylakeX'\n"
        "sys.orig_argv[1:] = ['-m', 'minigan', *sys.argv[1:]]\n"
        "from minigan.cli import console\n"
        "sys.exit(console())\n"
    )
    environment = {k: v for k, v in os.environ.items() if k != "OPENBLAS_CORETYPE"}
    result = subprocess.run(
        [sys.executable, "-c", code, "sample", "no such run"],
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    assert result.returncode == 2
    assert result.stderr == "minigan: checkpoint no such run does not exist\n"


def test_limited_threads() -> None:
    def threads() -> list[int]:
        return [lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"]

    before = threads()
    with limited_threads(1):
        assert set(threads()) <= {1}
    with limited_threads(None):
        assert threads() == before
