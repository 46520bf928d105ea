"""The subcommands that report something: data, gradcheck, exercise and trace.

Their text is needed: if it cannot be printed, ``say`` raises OSError.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import minigan
from minigan.backend import get_backend
from minigan.cli.options import Data, Exercise, GradCheck, Trace
from minigan.data import MNIST, in_words, load_images
from minigan.errors import InputError, check_whole, counted
from minigan.gradcheck import ROWS, TOLERANCE, check_everything
from minigan.machine.bar import progress_bar
from minigan.machine.blas import limited_threads
from minigan.machine.files import atomic_write
from minigan.machine.pager import say_long
from minigan.machine.terminal import complain, note, say, typed
from minigan.training import RECIPES, TrainConfig, layers_of, save_grid

if TYPE_CHECKING:
    from minigan.tape import Start

VERDICTS = {"PASS": "green", "FAIL": "red", "NOT RESOLVED": "yellow"}
ANSWERS = {"right": "green", "wrong": "red"}


def data_command(options: Data) -> int:
    """Run ``minigan data``."""
    runs = Path("runs")  # where minigan train puts new runs
    data = load_images(options.path, resize=options.resize)
    name = Path(options.path).resolve().name
    out = file_to_write("out", options.out) or runs / f"data_{name}.png"
    parts = [part for part in (data.train, data.test) if part is not None]
    images = data.train.images
    lines = [("found", data.source), ("images", f"{sum(len(part.images) for part in parts):,}")]
    if data.test is not None:
        lines.append(("", f"{len(images):,} to train with, {len(data.test.images):,} to test with"))
    low = min(int(part.images.min()) for part in parts)
    high = max(int(part.images.max()) for part in parts)
    dark = "; no pixel is brighter than a quarter of white" * (high < 64)
    lines += [
        ("size", in_words(data.shape)),
        ("levels", f"{low} to {high}{dark}"),
        ("classes", _classes([part.labels for part in parts], data.names)),
    ]
    lines += [("note", text) for text in data.notes]
    say("\n".join(f"{name:8} {value}" for name, value in lines), needed=True)
    where = np.random.default_rng(0).permutation(len(images))[:64]
    if options.out is None:
        runs.mkdir(exist_ok=True)
    save_grid(out, images[np.sort(where)] / 255, shape=data.shape)
    say(f"\n{counted(len(where), 'image')} of them: {out}")
    return 0


def _classes(labels: Sequence[Any], names: Sequence[str]) -> str:
    """Return the classes and how many images each has: ``2: 0 (cats) 120 images, 1 (dogs) 90``."""
    known = [some for some in labels if some is not None]
    if not known:
        return "none: there are no labels"
    values, counts = np.unique(np.concatenate(known), return_counts=True)
    each: list[str] = []
    for label, n in zip(values.tolist(), counts.tolist(), strict=True):
        name = f" ({names[label]})" if names else ""
        each.append(f"{label}{name} " + (f"{n:,}" if each else counted(n, "image")))
    return f"{len(values)}: {', '.join(each[:40])}" + ", …" * (len(each) > 40)


def gradcheck_command(options: GradCheck) -> int:
    """Run ``minigan gradcheck``."""
    backend, rows = get_backend(options.backend), []
    note(f"{ROWS} checks, which take about ten seconds")
    # one thread, because the products are small: threads would only wait for each other
    with limited_threads(1), progress_bar(ROWS, desc="gradcheck", unit="check") as bar:
        for row in check_everything(backend):
            rows.append(row)
            bar.update()
    lines = [f"{'backprop against slopes':46}{'worst error':>11}  {'at':28}{'entries':>18}"]
    for name, report in rows:
        worst = report.worst
        checked = sum(array.checked for array in report.arrays)
        size = sum(array.size for array in report.arrays)
        entries = f"{checked:,}" + (f" of {size:,}" if checked < size else "")
        figures = f"{worst.error:11.1e}  {worst.where:28}{entries:>18}"
        lines.append(f"{name:46}{figures}  {report.verdict}")
        if worst.reason:
            lines.append(f"    {worst.reason}")
    passed = sum(report.passed for _, report in rows)
    lines.append(
        f"{passed} of {len(rows)} pass (error: |numeric - backprop| over the largest |gradient| of "
        f"the array; at most {TOLERANCE:.0e})"
    )
    say("\n".join(lines), VERDICTS, needed=True)
    return 0 if passed == len(rows) else 1


def exercise_command(options: Exercise) -> int:
    """Run ``minigan exercise``."""
    from minigan.exercises import RIGHT, check_exercises, copy_blanks, verdict_table

    if options.copy_to is not None:
        if options.path is not None:
            raise InputError("`copy_to` only copies and checks nothing: give it without a path")
        folder = copy_blanks(options.copy_to)
        say(f"The exercises are in {folder}.  To check them:\n")
        say(f"    minigan exercise {typed(folder)}")
        return 0
    try:
        verdicts = check_exercises(options.path)
    except KeyboardInterrupt as stop:  # perhaps an answer would never have ended
        if stop.args:
            complain(f"minigan: stopped in {stop}")
        return 130
    say(verdict_table(verdicts), ANSWERS, needed=True)
    return 0 if all(one.verdict == RIGHT for one in verdicts) else 1


def trace_command(options: Trace) -> int:
    """Run ``minigan trace``."""
    from minigan.tape import coloured

    out = file_to_write("html", options.html)
    start = _new_run(options) if options.run is None else _stored_run(options.run, options)
    tape = minigan.trace(*start.step)
    if out is not None:
        with atomic_write(out) as file:
            file.write(tape.html(start.shape, start.classes).encode())
    say_long(str(tape), coloured)
    if out is not None:
        say(f"\nThe step as a page: {out}")
    return 0


def _new_run(options: Trace) -> Start:
    """Return the first step of a new run."""
    from minigan.tape import start_of

    recipe = TrainConfig.recipe if options.recipe is None else options.recipe
    if recipe not in RECIPES:
        raise InputError(f"`recipe` is {recipe!r}, expected {', '.join(RECIPES)}")
    least = 2 if RECIPES[recipe].batch_norm else 1  # batch normalisation needs two rows
    size = TrainConfig.batch_size if options.batch_size is None else options.batch_size
    size = check_whole("batch_size", size, least, 60_000)
    seed = check_whole("seed", 0 if options.seed is None else options.seed, 0)
    data = MNIST if options.data is None else options.data
    return start_of(recipe, size, seed, data, options.resize, options.model)


def _stored_run(run: str, options: Trace) -> Start:
    """Return the next step of a run, which has its own options."""
    from minigan.tape import next_step

    for name in ("recipe", "batch_size", "seed", "resize"):
        if getattr(options, name) is not None:
            raise InputError(
                f"`{name}` is for the first step of a new run, but {run} takes its next step with "
                "options of its own: give one of them"
            )
    return next_step(run, options.data, layers_of(options.model))


def file_to_write(option: str, value: str | None) -> Path | None:
    """Return the file to write; raise InputError, before any work, if it cannot be one."""
    if value is None:
        return None
    out = Path(value)
    file = Path(os.path.realpath(out)) if out.is_symlink() else out  # follow a link
    if not value:
        reason = "is empty"
    elif out.is_dir():
        reason = "is a folder"
    elif (out.exists() or os.path.lexists(file)) and not out.is_file():
        reason = "is not a regular file"  # a device, a pipe, a link to itself
    elif not file.parent.is_dir():
        reason = f"is in {file.parent}, which is not a folder"
    else:
        return file
    raise InputError(f"`{option}` {value or repr(value)} {reason}, expected a file to write")
