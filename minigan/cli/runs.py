"""The subcommands that make a run or work with one: train, sample, evaluate and report."""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from minigan.backend import Array
from minigan.cli.options import Evaluate, Report, Sample, Train
from minigan.data import MNIST
from minigan.errors import InputError, check_whole, counted, to_float
from minigan.machine.bar import ProgressBar, progress_bar
from minigan.machine.terminal import complain, note, say, typed
from minigan.styled import Styled
from minigan.training import (
    TrainConfig,
    Trainer,
    asked_classes,
    draw_samples,
    draw_truncated,
    find_generator,
    latent_picture,
    layers_of,
    stored_generator,
    write_page,
)
from minigan.training.asking import MOST_IMAGES
from minigan.training.commands import model_option
from minigan.training.drawn import FORMATS, save_images
from minigan.training.folder import prefix_of
from minigan.training.many import TABLE, table_of, train_seeds

RUNS = Path("runs")  # where minigan train puts new runs; pictures without a run go there, too


def train_command(options: Train) -> int:
    """Run ``minigan train``."""
    given = dict(vars(options))
    seeds, jobs = given.pop("seeds"), given.pop("jobs")
    config = TrainConfig(**given)
    if seeds is not None:
        return _train_seeds(config, seeds, jobs)
    if jobs is not None:
        raise InputError("`jobs` is how many runs of `seeds` to train at a time: give both")
    trainer = Trainer(config)
    folder = trainer.run()
    name = f"{typed(folder)}{model_option(trainer.state)}"
    noun = "digits" if trainer.config.data == MNIST else "images"
    say(
        f"\nDone.  Pictures, curves and checkpoint are in {folder}:\n"
        f"  {folder / 'report.html'}  a page with all of it, to open in a browser\n"
        f"  {folder / 'samples'}{os.sep}  images of the same latent points after every epoch\n"
        f"  {folder / 'training.gif'}  the same images as a film\n"
        f"  {folder / 'losses.png'}  losses, D(x) and D(G(z)), spread of G's images, D's memory\n"
        f"New {noun}:  minigan sample {name}"
    )
    return 0


def _train_seeds(config: TrainConfig, seeds: tuple[int, int], jobs: int | None) -> int:
    """Train one run for each seed; the exit status is 1 if one of them has failed."""
    note(f"A line comes for each run that has ended; the runs are the folders in {config.out}.")
    try:
        runs = train_seeds(config, *seeds, jobs, say=say)
    except KeyboardInterrupt:
        say("Stopped; everything is saved.  The same command goes on.")
        raise
    say(f"\n{table_of(runs)}\n")
    table = Path(config.out or "") / TABLE
    if table.is_file():  # else no run has come so far as to make its folder
        say(f"The same figures, without rounding: {table}")
    return 1 if any(run.error for run in runs) else 0


def sample_command(options: Sample) -> int:
    """Run ``minigan sample``."""
    if options.n is not None:
        check_whole("n", options.n, 1, MOST_IMAGES)
    check_whole("seed", options.seed, 0)
    if options.format not in FORMATS:
        raise InputError(f"`format` is {options.format!r}, expected {', '.join(FORMATS)}")
    if options.truncation is not None and not 0 <= to_float(options.truncation) < math.inf:
        raise InputError(
            f"`truncation` is {options.truncation!r}, expected a finite number of at least 0"
        )
    file = find_generator(options.run, classes=options.digits is not None)
    trained = stored_generator(file, layers=layers_of(options.model))
    asked = (
        None
        if options.digits is None
        else asked_classes(options.digits, trained.classes, trained.names)
    )
    out = _picture(options) if options.out is None else Path(options.out)
    ending = FORMATS[options.format]
    if ending and out.suffix.lower() != ending:
        raise InputError(f"`out` {out} does not end in {ending}")
    if not ending and os.path.lexists(out):  # before the images are drawn
        raise InputError(f"`out` {out} exists already, expected a new folder")
    draw: Callable[[Array], Array]
    if options.truncation is None:
        draw = functools.partial(draw_samples, trained.net)
    elif isinstance(trained.net, Styled):
        draw = functools.partial(draw_truncated, trained.net, psi=options.truncation)
    else:
        raise InputError(
            f"`truncation` is {options.truncation:g}, but this generator has no styles to draw "
            "towards their mean: train one with `recipe` style"
        )
    rng = np.random.default_rng(options.seed)
    inputs, columns = latent_picture(trained, rng, options.n, asked, options.interpolate, draw)
    images = draw(inputs)
    if options.run is None and options.out is None:
        RUNS.mkdir(exist_ok=True)
    files = save_images(out, images, options.format, columns, trained.shape)
    to = f" to {files[-1].name}" if len(files) > 1 else ""
    noun = "digit" if trained.config.data == MNIST else "image"
    say(f"{counted(len(images), noun)}: {files[0]}{to}")
    return 0


def _picture(options: Sample) -> Path:
    """Return the file or folder to write if the user has named none."""
    kind = "walk" if options.interpolate else "sample"
    folder = RUNS if options.run is None else Path(options.run)
    if options.run is not None and not folder.is_dir():
        kind = prefix_of(folder) + kind
        folder = folder.parent
    return folder / f"{kind}_{options.seed}{FORMATS[options.format]}"


def evaluate_command(options: Evaluate) -> int:
    """Run ``minigan evaluate``."""
    from minigan.evaluation import report_table, write_report

    note("Measuring the generator's images, and real ones to compare with, takes about a minute.")
    with progress_bar(100, desc="reading", unit="%") as bar:
        report, file = write_report(
            options.run,
            options.samples,
            options.seed,
            options.classifier,
            options.data,
            progress=_shown_on(bar),
            layers=layers_of(options.model),
        )
    picture = file.with_name(file.name.replace("metrics.json", "neighbours.png"))
    say(f"\n{report_table(report)}\n")
    say(f"All figures: {file}")
    say(f"Samples beside their nearest training images: {picture}")
    if report.asked:
        confusion = file.with_name(file.name.replace("metrics.json", "confusion.png"))
        say(f"Which digit was drawn for which: {confusion}")
    return 0


def report_command(options: Report) -> int:
    """Run ``minigan report``."""
    file = write_page(options.run, layers_of(options.model))
    say(f"The page of the run, to open in a browser: {file}")
    return 0


def _shown_on(bar: ProgressBar) -> Callable[[str], None]:
    """Return the function that shows each part of an evaluation on the bar, or else as a line."""
    from minigan.evaluation import PARTS

    shown = 0  # per cent

    def progress(line: str) -> None:
        nonlocal shown
        if line in PARTS and not bar.disable:
            bar.set_description(line)
            bar.update(PARTS[line] - shown)
            shown = PARTS[line]
        else:  # without a bar, or a remark
            bar.clear()
            complain(f"{line} ..." if line in PARTS else line)

    return progress
