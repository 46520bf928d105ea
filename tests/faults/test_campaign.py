"""The campaigns notice a fault that is planted: they cannot pass because they see nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from faults.soak import Epoch, flat_time

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs fork and SIGKILL")

FOLDER = Path(__file__).parent
# In a process of its own: the campaigns fork, and pytest may have threads.
CODE = """
import contextlib, os, sys, tempfile
import numpy as np
from pathlib import Path
sys.path.insert(0, {tests!r})
from faults import {module} as campaign
from faults.campaign import Scale, perform
import minigan.data.archive

@contextlib.contextmanager
def in_place(path):  # what atomic_write is there to avoid
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    with os.fdopen(os.open(path, flags, 0o666), "wb") as file:
        yield file

def unchecked(self, *args):  # a CRC that is not looked at
    return None

{plant}

class Few:
    MEANING = campaign.MEANING
    def cases(scale):
        return (case for case in campaign.cases(scale) if {chosen})

with tempfile.TemporaryDirectory() as folder:
    result = perform(Few, Scale(Path(folder).resolve()))
print(result.passed, result.total)
"""
IN_PLACE = "minigan.data.archive.atomic_write = in_place"
CRC = "import zipfile; zipfile.ZipExtFile._update_crc = unchecked"
ANY_SIZE = "campaign.read_idx = lambda file, item: np.zeros((200, *item), 'u1')"


@pytest.mark.parametrize(
    ("module", "chosen", "plant"),
    [
        (
            "operations",
            "case.name.startswith(('ended before operation 134', 'ended before operation 141'))",
            IN_PLACE,
        ),
        ("flips", "case.name.startswith('best.npz 1')", CRC),
        ("data", "'length_changed plain' in case.name", ANY_SIZE),
    ],
)
def test_a_planted_fault_is_noticed(module: str, chosen: str, plant: str) -> None:
    def passed_and_all(planted: str) -> list[int]:
        code = CODE.format(tests=str(FOLDER.parent), module=module, chosen=chosen, plant=planted)
        environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
        ended = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return [int(number) for number in ended.stdout.splitlines()[-1].split()]

    passed, number = passed_and_all("")
    assert passed == number > 0
    passed, number = passed_and_all(plant)
    assert passed < number


def epochs_of(times: list[float]) -> list[Epoch]:
    """Return epochs that took so much CPU time, beside work that always takes as much."""
    return [Epoch(cpu, 0.01, 0, 0, number, True) for number, cpu in enumerate(times)]


@pytest.mark.parametrize("long", [False, True])
def test_a_soak_bears_other_programs_but_not_slower_epochs(long: bool) -> None:
    """A machine that is busy for most epochs at the end is no fault; ever slower epochs are."""
    quiet = [0.2] * 21
    flat_time(epochs_of([*quiet, 0.2, 0.4, 0.5, 0.4]), long)
    flat_time(epochs_of([0.4, 0.5, 0.4, 0.2, *quiet]), long)
    for times in (
        [0.2 * (1 + number / 24) for number in range(25)],  # twice as long after 25 epochs
        [*quiet, 0.4, 0.4, 0.5, 0.4, 0.6],
    ):
        with pytest.raises(AssertionError, match="times as long at last as at first"):
            flat_time(epochs_of(times), long)


COUNT = """
import sys, tempfile
from pathlib import Path
sys.path.insert(0, {tests!r})
from faults import {module} as campaign
from faults.campaign import Scale
with tempfile.TemporaryDirectory() as folder:
    print(sum(1 for _ in campaign.cases(Scale(Path(folder).resolve()))))
"""


@pytest.mark.slow
@pytest.mark.parametrize("module", ["flips", "folders", "data", "commands", "surroundings"])
def test_the_page_has_the_number_of_cases(module: str) -> None:
    """Of the short campaigns, where neither a clock nor the libraries have a say in it."""
    code = COUNT.format(tests=str(FOLDER.parent), module=module)
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    number = int(ended.stdout.splitlines()[-1])
    page = (FOLDER.parents[1] / "docs" / "reliability.md").read_text(encoding="utf-8")
    (row,) = [line for line in page.splitlines() if line.startswith(f"| {module} |")]
    assert row.split(" | ")[2] == f"{number:,} of {number:,}"
