"""Run work in processes that may be killed, hang, or need too much memory."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple, TypeAlias

from minigan.cli import main

LIMIT = 120  # seconds after which a process is ended: it hangs
TOO_LONG = -int(signal.SIGALRM)  # the status of a process that hung
Send: TypeAlias = Callable[[int], None]  # sends a signal to a process, if it has not ended
Meanwhile: TypeAlias = Callable[[Send], None]


class Ended(NamedTuple):
    """What is left of a process."""

    status: int  # its exit status, or minus the number of the signal that ended it
    out: str
    err: str
    peak: int = 0  # most memory that it had at a time, in bytes

    def __str__(self) -> str:
        return f"status {self.status}\n{self.out}{self.err}".strip()


def forked(
    work: Callable[[], Any], meanwhile: Meanwhile | None = None, limit: int = LIMIT
) -> Ended:
    """Do the work in a copy of this process, which has imported everything already.

    The result of ``work`` is the exit status.  ``meanwhile`` is called while the process works, and
    may send it signals.
    """
    sys.stdout.flush()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        number = os.fork()
        if number == 0:
            _work(work, out.fileno(), err.fileno(), limit)
        if meanwhile is not None:
            meanwhile(functools.partial(os.kill, number))  # the number is taken until wait4
        _, status, usage = os.wait4(number, 0)
        unit = 1 if sys.platform == "darwin" else 1024
        peak = usage.ru_maxrss * unit
        return Ended(os.waitstatus_to_exitcode(status), _text(out), _text(err), peak)


def _work(work: Callable[[], Any], out: int, err: int, limit: int) -> None:
    """Be the process: work, and end as Python would."""
    status = 1
    try:
        signal.alarm(limit)
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's & lets it be ignored
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # as nohup does
        os.dup2(out, 1)
        os.dup2(err, 2)
        sys.stdout, sys.stderr = (os.fdopen(number, "w", closefd=False) for number in (1, 2))
        status = work() or 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except KeyboardInterrupt:
        status = 130
    except BaseException:
        with contextlib.suppress(BaseException):
            traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(BaseException):
                stream.flush()
        os._exit(status)


def _text(stream: IO[bytes]) -> str:
    stream.seek(0)
    return _decoded(stream.read())


def command(*words: object) -> Callable[[], int]:
    """Return the work of one command of minigan, for ``forked``."""
    return lambda: main([str(word) for word in words])


def process(
    words: Sequence[object],
    environment: Mapping[str, str | None] = {},
    code: str | None = None,
    meanwhile: Meanwhile | None = None,
    **options: Any,
) -> Ended:
    """Run a command of minigan as a real process.

    A variable of the environment that is None is removed.  ``code`` is Python code that runs
    instead of ``-m minigan``, and ``options`` go to ``subprocess.Popen``.
    """
    changed = {name: value for name, value in environment.items() if value is not None}
    kept = {name: value for name, value in os.environ.items() if name not in environment}
    start = ["-c", code] if code else ["-m", "minigan"]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    child: subprocess.Popen[Any] = subprocess.Popen(
        [sys.executable, *start, *map(str, words)],
        env=kept | changed,
        stdin=subprocess.DEVNULL,
        **options,
    )
    if meanwhile is not None:
        threading.Thread(target=meanwhile, args=(child.send_signal,)).start()
    try:
        out, err = child.communicate(timeout=LIMIT)
        status = child.returncode
    except subprocess.TimeoutExpired:
        child.kill()
        out, err = child.communicate()
        status = TOO_LONG
    return Ended(status, _decoded(out), _decoded(err))


def _decoded(text: bytes | None) -> str:
    """Return what a process has written; a stream that was given to it is read by nobody here."""
    return (text or b"").decode(errors="replace")


def assert_plain(ended: Ended, *statuses: int) -> None:
    """Fail unless a command ended with one of these statuses, and told errors in one line."""
    assert ended.status != TOO_LONG, f"it hung\n{ended}"
    assert ended.status in statuses, f"expected {statuses}\n{ended}"
    assert "Traceback" not in ended.out + ended.err, str(ended)
    if ended.status == 2:
        *progress, last = ended.err.splitlines() or [""]
        assert last.startswith("minigan: "), str(ended)
        # evaluate says what it does before it finds an error
        assert all(line.startswith("note:") or line.endswith(" ...") for line in progress), ended


def contents(*places: Path) -> dict[Path, bytes | None]:
    """Return the content of all files in these places, None for what is none."""
    found = [
        file for place in places for file in ([place] if place.is_file() else place.rglob("*"))
    ]
    return {file: file.read_bytes() if file.is_file() else None for file in found}
