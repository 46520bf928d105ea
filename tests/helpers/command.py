"""The command ``minigan``, as tests call it: as a process of its own, or to see it refuse."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from minigan.cli import main


def minigan(
    *args: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """The finished process: its exit status and all that it printed."""
    command = [sys.executable, "-m", "minigan", *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, env=env)


def fails(args: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The command exits with 2 and prints one line that matches, and nothing else."""
    assert main(args) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert re.fullmatch(f"minigan: .*{message}.*\n", printed.err), printed.err
