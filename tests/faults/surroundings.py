"""Surroundings that a command does not expect: its environment, streams, folder and limits."""

from __future__ import annotations

import ctypes
import functools
import os
import resource
import shutil
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from faults.campaign import Case, Scale
from faults.children import Ended, assert_plain, command, forked, process
from faults.small import SMALL, copied, options, small_networks, straight_run

MEANING = "in odd surroundings a command ends with 0 or 141, or in one line with 2"
# A run with small networks, in a real process: it begins with this code instead of -m minigan.
SMALL_RUN = """
import sys
sys.path.insert(0, {tests!r})
from faults.small import curves_drawn, small_networks
from minigan.cli import main
with small_networks(), curves_drawn():
    raise SystemExit(main())
"""
# Variables of the environment, None for one that is not there.  Those of one line go together.
VARIABLES: tuple[Mapping[str, str | None], ...] = (
    {"MPLBACKEND": "nonsense", "MPLCONFIGDIR": "/dev/null/nowhere"},
    {"MPLBACKEND": "module://nowhere", "HOME": None, "XDG_CONFIG_HOME": None, "USER": None},
    {"MATPLOTLIBRC": "/nowhere", "TMPDIR": "/nowhere", "HOME": "/nowhere"},
    {"PYTHONIOENCODING": "ascii", "LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0"},
    {"PYTHONIOENCODING": "utf-16", "LANG": "ko_KR.EUC-KR", "TERM": None},
    {"OMP_NUM_THREADS": "abc", "OPENBLAS_NUM_THREADS": "-1", "OPENBLAS_CORETYPE": "Nonsense"},
    {"NO_COLOR": "1", "FORCE_COLOR": "1", "TERM": "dumb", "PYTHONOPTIMIZE": "2"},
)
ON_A_TERMINAL: tuple[Mapping[str, str | None], ...] = (
    {"TQDM_NCOLS": "abc"},
    {"TQDM_MININTERVAL": "x", "TQDM_ASCII": "", "COLUMNS": "-1", "LINES": "0"},
)
MEGABYTE = 1 << 20
Words: TypeAlias = Sequence[object]


def cases(scale: Scale) -> Iterator[Case]:
    """Yield the environment, the streams and the current folder, then the limits."""
    with small_networks():
        straight, data = straight_run(scale.folder)
        yield from in_real_processes(scale, data)
        yield from in_copies(scale, straight)


def in_real_processes(scale: Scale, data: Path) -> Iterator[Case]:
    """Yield what must be so when Python starts."""
    code = SMALL_RUN.format(tests=str(Path(__file__).parents[1]))

    def train(name: str, **more: Any) -> Ended:
        run = scale.folder / f"실행 {name}"  # a name that not every encoding has
        return process(["train", *options(data), *SMALL, "--out", run], code=code, **more)

    for i, variables in enumerate(VARIABLES):
        check = functools.partial(with_variables, train, f"v{i}", variables)
        yield Case(f"train with {variables}", check)
    for i, variables in enumerate(ON_A_TERMINAL):
        check = functools.partial(on_a_terminal, train, f"t{i}", variables)
        yield Case(f"train on a terminal with {variables}", check)
    for i, (name, streams) in enumerate(STREAMS.items()):
        check = functools.partial(with_streams, functools.partial(train, f"s{i}"), *streams)
        yield Case(f"train with {name}", check)
        check = functools.partial(with_streams, functools.partial(process, ["info"]), *streams)
        yield Case(f"info with {name}", check)
    gone = scale.folder / "gone"
    lines: tuple[Words, ...] = (["info"], ["sample"], ["train", "--data", data, "--epochs", 1])
    for words in lines:
        yield Case(
            f"{words[0]} in a deleted folder", functools.partial(in_deleted_folder, gone, words)
        )


def with_variables(
    train: Callable[..., Ended], name: str, variables: Mapping[str, str | None]
) -> None:
    """Train with these variables in the environment."""
    assert_plain(train(name, environment=variables), 0)


def on_a_terminal(
    train: Callable[..., Ended], name: str, variables: Mapping[str, str | None]
) -> None:
    """Train with a terminal as standard error, where a bar is shown."""
    ours, theirs = os.openpty()
    shown: list[bytes] = []

    def read(pid: int) -> None:
        try:
            while part := os.read(ours, 1000):
                shown.append(part)
        except OSError:  # nobody has the other end any more
            pass

    reader = threading.Thread(target=read, args=(0,))
    reader.start()
    ended = train(name, environment=variables, stderr=theirs)
    os.close(theirs)
    reader.join()
    os.close(ours)
    text = b"".join(shown).decode(errors="replace")
    assert_plain(Ended(ended.status, ended.out, text), 0)


FULL = "/dev/full"
STREAMS: dict[str, tuple[str | None, str | None]] = {  # standard output, standard error
    "closed output": ("closed", None),
    "closed errors": (None, "closed"),
    "closed streams": ("closed", "closed"),
    "full output": (FULL, None),
    "full errors": (None, FULL),
    "full streams": (FULL, FULL),
    "a closed pipe": ("pipe", None),
    "closed pipes": ("pipe", "pipe"),
}


def with_streams(run: Callable[..., Ended], *kinds: str | None) -> None:
    """Run a command whose streams are of these kinds; None is as usual."""
    close = [number for number, kind in enumerate(kinds, 1) if kind == "closed"]
    opened: dict[str, Any] = {}
    for name, kind in zip(("stdout", "stderr"), kinds, strict=True):
        if kind == FULL:
            opened[name] = os.open(FULL, os.O_WRONLY)
        elif kind == "pipe":
            nobody, opened[name] = os.pipe()
            os.close(nobody)
    if close:
        opened["preexec_fn"] = lambda: deque(map(os.close, close))
    ended = run(**opened)
    for name in opened.keys() & {"stdout", "stderr"}:
        os.close(opened[name])
    assert ended.status in (0, 2, 141), str(ended)
    assert "Traceback" not in ended.out + ended.err, str(ended)
    assert "Exception ignored" not in ended.err, str(ended)


def in_deleted_folder(folder: Path, words: Words) -> None:
    """Run a command whose current folder is not there any more."""
    folder.mkdir()
    ended = process(words, cwd=folder, preexec_fn=lambda: os.rmdir(os.getcwd()))
    shutil.rmtree(folder, ignore_errors=True)
    assert_plain(ended, 0, 2)


def in_copies(scale: Scale, straight: Path) -> Iterator[Case]:
    """Yield what can be so in a copy of this process, which takes less time."""
    for columns in (0, 1, 6, 39, -1, "abc", 1000):
        for line in ("--help", "train --help", "sample --n"):
            check = functools.partial(narrow, str(columns), line.split())
            yield Case(f"{line} with COLUMNS={columns}", check)
    run = scale.folder / "run"
    longer: Words = ("train", "--resume", run, "--epochs", 4)
    sample: Words = ("sample", run)
    tries: tuple[tuple[str, Words, Callable[[], None]], ...] = (
        *(
            (f"files of {n:,} bytes", longer, limit(resource.RLIMIT_FSIZE, n))
            for n in (2_000, 10_000, 300_000)
        ),
        *(
            (f"{n} open files", longer, limit(resource.RLIMIT_NOFILE, n))
            for n in (0, 3, 4, 5, 6, 7, 8)
        ),
        *(
            (f"{n} MB of memory more", words, more_memory(n, scale.folder))
            for n in (0, 1, 4, 16)
            for words in (longer, sample)
        ),
        ("a run that is read-only", longer, read_only(run)),
        ("a run that is read-only", sample, read_only(run)),
        ("samples that are read-only", longer, read_only(run / "samples")),
        ("a checkpoint that is secret", longer, read_only(run / "checkpoint.npz", 0)),
        ("a history that is read-only", longer, read_only(run / "history.csv", 0o444)),
    )
    for name, words, prepare in tries:
        check = functools.partial(limited, straight, run, words, prepare)
        yield Case(f"{words[0]} with {name}", check)


def narrow(columns: str, words: Words) -> None:
    """Run a command that prints help or a frame, on a terminal of this width."""

    def work() -> int:
        os.environ["COLUMNS"] = columns
        resource.setrlimit(resource.RLIMIT_CPU, (5, 5))  # a help that never ends
        return command(*words)()

    assert_plain(forked(work), 0, 2)


def limited(straight: Path, run: Path, words: Words, prepare: Callable[[], None]) -> None:
    """Run a command within a limit; afterwards the run can be resumed without it."""
    copied(straight, run)

    def work() -> int:
        prepare()
        return command(*words)()

    assert_plain(forked(work), 0, 2)
    for place in (run, run / "samples", run / "checkpoint.npz"):
        place.chmod(0o755)
    assert_plain(forked(command("train", "--resume", run, "--epochs", 4)), 0)
    assert not list(run.rglob("*.tmp")), "a temporary file was left"


def limit(what: int, most: int) -> Callable[[], None]:
    """Return what sets one of the limits of the system."""
    return lambda: resource.setrlimit(what, (most, most))


def more_memory(megabytes: int, scratch: Path) -> Callable[[], None]:
    """Return what limits a process to the memory that it has after a command, and a little more.

    The command has imported all that is imported late, and OpenBLAS has its memory: what these do
    without any is not up to minigan.
    """

    def prepare() -> None:
        command("sample", "--n", 1, "--out", scratch / "warm.png")()
        if sys.platform == "linux":
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            most = pages * os.sysconf("SC_PAGE_SIZE") + megabytes * MEGABYTE
            resource.setrlimit(resource.RLIMIT_AS, (most, most))

    return prepare


def read_only(place: Path, mode: int = 0o555) -> Callable[[], None]:
    """Return what forbids this process to write there, even if it belongs to root."""

    def prepare() -> None:
        place.chmod(mode)
        if os.geteuid() == 0:  # give up root's right to ignore the mode
            version, nothing = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
            assert ctypes.CDLL(None).capset(version, nothing) == 0

    return prepare
