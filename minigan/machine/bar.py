"""The progress bar: on a terminal or in a notebook, and whatever happens to it, work goes on."""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import io
import os
import sys
from typing import Any, Protocol, TextIO

from minigan.machine.colour import is_terminal
from minigan.machine.notebook import in_notebook
from minigan.machine.terminal import complain


class ProgressBar(Protocol):
    """The part of tqdm's bar that the library uses; it stands in a ``with`` block."""

    disable: bool | None  # whether it shows nothing

    def __enter__(self) -> Any: ...
    def __exit__(self, kind: Any, error: Any, trace: Any, /) -> Any: ...
    def update(self, n: int = 1) -> Any: ...
    def clear(self) -> Any: ...
    def set_description(self, desc: str) -> Any: ...
    def set_postfix_str(self, s: str, refresh: bool = True) -> Any: ...


def progress_bar(total: int, initial: int = 0, desc: str = "", unit: str = "it") -> ProgressBar:
    """Return a bar on standard error, or one that shows nothing if that is not a terminal.

    In a notebook, the bar is a widget below its cell, if the package ipywidgets is installed.
    The bar shows ``initial`` of ``total`` at first, and the time that is left; when its ``with``
    block ends, it disappears.  With the unit ``%``, it shows no rate.  A terminal that fails
    meanwhile is no error.
    """
    widget = in_notebook() and importlib.util.find_spec("ipywidgets") is not None
    if not (widget or is_terminal(sys.stderr)) or not _tqdm_works():
        return _NoBar()
    form = "{l_bar}{bar}| [{elapsed}<{remaining}]" if unit == "%" else None
    bar: ProgressBar = _tqdm(widget)(
        total=total,
        initial=initial,
        desc=desc,
        unit=unit,
        leave=False,
        disable=False,
        bar_format=form,
        file=_Forgiving(sys.stderr),
    )
    return bar


def _tqdm(widget: bool = False) -> Any:
    """Return tqdm's class without its monitor, a thread that refreshes bars that stand still.

    After an error in a bar, this thread waits for a lock that tqdm never gives back, and Python
    waits at its end for the thread.
    """
    tqdm = importlib.import_module("tqdm.notebook" if widget else "tqdm").tqdm
    return type("tqdm", (tqdm,), {"monitor_interval": 0})


@functools.cache
def _tqdm_works() -> bool:
    """Return whether tqdm can draw a bar; if not, say why not, once.

    tqdm takes settings from variables of the environment such as TQDM_NCOLS, and raises ValueError
    in the middle of its import or of a later line if one makes no sense.  A run must not end
    because of them: it goes on without a bar, and a line tells the user which they are.
    """
    try:
        # Nothing is drawn before the delay is over: a bar that failed while it is made would print
        # a traceback when Python deletes it.
        with _tqdm()(total=2, file=io.StringIO(), disable=False, delay=1e-9) as trial:
            trial.refresh()
    except Exception as error:
        found = ", ".join(sorted(name for name in os.environ if name.startswith("TQDM_")))
        reason = f"look at {found}" if found else "tqdm fails"
        complain(f"minigan: no progress bar is shown, {reason}: {' '.join(str(error).split())}")
        return False
    return True


class _Forgiving:
    """A stream whose writes never fail: a bar that cannot be drawn must not end a run."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError, ValueError):
            self.stream.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self.stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


class _NoBar:
    """A bar that shows nothing."""

    disable: bool | None = True

    def __enter__(self) -> _NoBar:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def update(self, n: int = 1) -> None:
        pass

    def clear(self) -> None:
        pass

    def set_description(self, desc: str) -> None:
        pass

    def set_postfix_str(self, s: str, refresh: bool = True) -> None:
        pass
