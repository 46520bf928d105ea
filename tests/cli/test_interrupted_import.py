"""Ctrl-C while the command is still importing its modules."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

PYTHON = [sys.executable, "-X", "importtime"]  # prints a line for every module that was imported


def interrupted_after(module: str, command: list[str]) -> tuple[int, str]:
    """The status of a command that got Ctrl-C when it had imported this module, and its lines."""
    null = subprocess.DEVNULL
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=null, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.split("|")[-1].strip() == module:
                process.send_signal(signal.SIGINT)
                break
        printed = process.stderr.read()
    lines = [line for line in printed.splitlines() if not line.startswith("import time:")]
    return process.returncode, "\n".join(lines)


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT to a process")
@pytest.mark.parametrize("module", ["numpy.exceptions", "numpy", "minigan.layers", "tyro"])
def test_the_command_ends_without_a_traceback(module: str) -> None:
    status, printed = interrupted_after(module, [*PYTHON, "-m", "minigan", "info"])
    assert printed == ""
    assert status in (-signal.SIGINT, 130)  # which is 130 in a shell, either way


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT to a process")
@pytest.mark.parametrize("name", ["program.py", "-m"])
def test_other_programs_keep_their_own_way(name: str) -> None:
    """A program that imports minigan can catch KeyboardInterrupt during the import and later."""
    code = (
        "import sys; sys.argv[0] = sys.argv[1]; import signal, minigan\n"
        "print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code, name], capture_output=True, text=True, check=True
    ).stdout
    assert printed == "True\n"


def test_a_program_that_ignores_ctrl_c_goes_on_ignoring_it() -> None:
    code = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "sys.argv[0] = 'minigan'; from minigan.cli import main; main(['--version'])\n"
        "print(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert printed.splitlines()[-1] == "True"
