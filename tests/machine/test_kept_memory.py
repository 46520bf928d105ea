"""Freed memory is kept for the next step, unless somebody has chosen otherwise."""

from __future__ import annotations

import ctypes
import os
import platform
import subprocess
import sys
from pathlib import Path
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


GIVEN_BACK = """
import os
from pathlib import Path
import numpy as np
from minigan.machine.memory import give_back_freed_memory, keep_freed_memory

def size():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

assert keep_freed_memory()
picture = [np.ones(1 << 17) for _ in range(100)]  # 100 MB
later = np.ones(1 << 17)  # which lies behind them and stays
drawn = size()
del picture
kept = size()
give_back_freed_memory()
print(drawn - kept, kept - size())
"""


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc" or not Path("/proc/self/statm").exists(), reason="not glibc"
)
def test_memory_of_a_picture_goes_back() -> None:
    plain = {key: value for key, value in os.environ.items() if key not in memory.CHOICES}
    result = subprocess.run(
        [sys.executable, "-c", GIVEN_BACK], env=plain, capture_output=True, text=True, check=True
    )
    at_once, given_back = map(int, result.stdout.split())
    assert at_once < 20e6
    assert given_back > 80e6


def test_other_c_libraries_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in memory.CHOICES:
        monkeypatch.delenv(name, raising=False)

    class OtherLibrary:
        def __init__(self, name: Any) -> None:
            pass

    monkeypatch.setattr(ctypes, "CDLL", OtherLibrary)
    assert not memory.keep_freed_memory()
    memory.give_back_freed_memory()  # does nothing
