"""Surroundings that a command does not expect: its environment, streams, folder and limits."""

from __future__ import annotations

import functools
import os
import shutil
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from faults import limits
from faults.campaign import Case, Scale
from faults.children import Ended, assert_plain, process
from faults.small import SMALL, options, small_networks, straight_run

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
    {"MATPLOTLIBRC": "/dev/null/rc", "TMPDIR": "/dev/null/tmp", "HOME": "/dev/null/nowhere"},
    {"PYTHONIOENCODING": "ascii", "LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0"},
    {"PYTHONIOENCODING": "utf-16", "LANG": "ko_KR.EUC-KR", "TERM": None},
    {"OMP_NUM_THREADS": "abc", "OPENBLAS_NUM_THREADS": "-1", "OPENBLAS_CORETYPE": "Nonsense"},
    {"NO_COLOR": "1", "FORCE_COLOR": "1", "TERM": "dumb", "PYTHONOPTIMIZE": "2"},
)
ON_A_TERMINAL: tuple[Mapping[str, str | None], ...] = (
    {"TQDM_NCOLS": "abc"},
    {"TQDM_MININTERVAL": "x", "TQDM_ASCII": "", "COLUMNS": "-1", "LINES": "0"},
)
Words: TypeAlias = Sequence[object]


def cases(scale: Scale) -> Iterator[Case]:
    """Yield the environment, the streams and the current folder, then the limits."""
    with small_networks():
        straight, data = straight_run(scale.folder)
        yield from in_real_processes(scale, data)
        yield from limits.cases(scale, straight)


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
