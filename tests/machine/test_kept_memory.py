"""Freed memory is kept for the next step, unless somebody has chosen otherwise."""

from __future__ import annotations

import ctypes
import os
import platform
import subprocess
import sys
from typing import Any

import pytest

from minigan.machine import memory

# Makes and frees what a few steps of 256 images would, and counts the pages it gets for that.
STEPS = """
import sys, resource
import numpy as np
{first}

def step():
    return [np.ones((512, 1024), np.float32) for _ in range(12)]

step(), step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def pages(first: str, **environment: str) -> int:
    plain = {key: value for key, value in os.environ.items() if key not in memory.CHOICES}
    result = subprocess.run(
        [sys.executable, "-c", STEPS.format(first=first)],
        env={**plain, **environment}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return int(result.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="not glibc")
def test_steps_get_no_new_pages() -> None:
    first_step = "import minigan as mg; mg.Adam(mg.Sequential(mg.Linear(2, 3))).step()"
    kept = pages(first_step)
    assert kept < 100
    # 24 MB a step are 6,000 pages of 4 KB, or 12 where the system has pages of 2 MB
    assert pages("") > 200
    assert pages("import minigan as mg; mg.Linear(2, 3)") > 200  # without training nothing changes
    assert pages(first_step, MALLOC_TRIM_THRESHOLD_="131072") > 200  # somebody's choice


def test_other_c_libraries_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in memory.CHOICES:
        monkeypatch.delenv(name, raising=False)

    class NoMallopt:
        def __init__(self, name: Any) -> None:
            pass

    monkeypatch.setattr(ctypes, "CDLL", NoMallopt)
    assert not memory.keep_freed_memory()
