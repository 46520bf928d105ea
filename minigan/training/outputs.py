"""The files that are made from the state of a run: history.csv, pictures, curves, film and page.

They follow the checkpoint, which alone decides where a run stands.  A file that cannot be written
costs a warning and not the run; it is written when its turn comes again.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from minigan.losses import mse
from minigan.machine.files import atomic_write, remove_leftovers
from minigan.machine.notebook import NotebookPicture
from minigan.machine.terminal import say
from minigan.training.film import film_gif
from minigan.training.folder import (
    CURVES,
    FILM,
    FIRST_PICTURE,
    HISTORY,
    PAGE,
    SAMPLES,
    epoch_picture,
    first_picture,
    frames_of,
    step_picture,
    words_of,
)
from minigan.training.history import HistoryFile, column_names
from minigan.training.page import RunPage
from minigan.training.pictures import curves_png, grid_png
from minigan.training.recipes import RECIPES
from minigan.training.run import Run

SHARE = 0.02  # of the time of a run that goes into curves and film, at most; or into the page


class Outputs:
    """Writes the files of one run into its folder.

    ``real_spread`` is a line in the curves: the spread of real images.
    """

    def __init__(self, run: Run, folder: Path, real_spread: float) -> None:
        self.run, self.folder, self.real_spread = run, folder, real_spread
        self.history_file = HistoryFile(folder / HISTORY, column_names(*run.layer_counts))
        self.page = RunPage(run, folder, real_spread)
        self.in_notebook = NotebookPicture()
        # the times from which on curves and film may be drawn again, and the page be written
        self.next_drawing = self.next_page = 0.0

    def begin(self) -> None:
        """Write the page of a new run, or make what an interrupted run has left open.

        The picture of the last epoch is drawn if the run was ended between this epoch's checkpoint
        and its picture.
        """
        run = self.run
        for folder in (self.folder, self.folder / SAMPLES):
            remove_leftovers(folder)
        if run.step == 0:
            self.write_page(live=True)
            return
        picture = self.due_picture
        if picture is not None and not picture.is_file():
            self.draw_samples(picture)
        self.draw_curves()
        self.save_history()
        self.write_page(live=run.step < run.last_step)

    @property
    def first_picture(self) -> tuple[int, Path]:
        """The first picture of a new run: the steps before it, and its file."""
        epoch = first_picture(self.run.config, self.run.steps_per_epoch)
        if epoch == 0:
            return FIRST_PICTURE, self.step_picture
        return epoch * self.run.steps_per_epoch, self.epoch_picture(epoch)

    @property
    def due_picture(self) -> Path | None:
        """The picture of the epoch that has just ended, if ``save_every`` lets it have one."""
        run, epoch = self.run, self.run.step // self.run.steps_per_epoch
        due = epoch % run.config.save_every == 0 or run.step == run.last_step
        return self.epoch_picture(epoch) if due and run.steps_of_epoch == 0 else None

    @property
    def step_picture(self) -> Path:
        return step_picture(self.folder)

    def epoch_picture(self, epoch: int) -> Path:
        return epoch_picture(self.folder, epoch)

    def draw_samples(self, file: Path) -> None:
        """Write the images that the generator makes of the fixed z, and show them in a notebook."""
        with tolerated(file):
            G = self.run.drawing_generator
            images = G.backend.to_numpy(G(G.backend.asarray(self.run.fixed_z)))
            content = grid_png(images, len(self.run.classes) or 8, self.run.shape)
            file.parent.mkdir(exist_ok=True)
            _write(file, content)
            with tolerated("the picture in the notebook"):
                self.in_notebook.show(content)

    def draw_first(self) -> None:
        """Write the first picture, and the page with it, and try whether curves can be drawn.

        They are first needed at the end of an epoch.  Matplotlib, which draws them, takes as long
        to load as dozens of steps, so it is not waited for before training.
        """
        self.draw_samples(self.step_picture)
        with tolerated("the run's curves"):
            self._curves()
        self.write_page()

    def save_history(self) -> None:
        """Let ``history.csv`` have all rows of the history."""
        with tolerated(self.history_file.path):
            self.history_file.follow(self.run.history)

    def draw_if_due(self) -> None:
        """Draw curves and film, and write the page, unless they took too much time lately."""
        self.next_drawing = _if_due(self.draw_curves, self.next_drawing)
        self.next_page = _if_due(self.write_page, self.next_page)

    def draw_curves(self) -> None:
        """Write ``losses.png`` and ``training.gif``."""
        run, curves, film = self.run, self.folder / CURVES, self.folder / FILM
        if run.history:
            with tolerated(curves):
                _write(curves, self._curves())
        with tolerated(film):
            frames = frames_of(self.folder, run.step // run.steps_per_epoch)
            content = film_gif([(words_of(epoch), file) for epoch, file in frames])
            if content is not None:
                _write(film, content)

    def write_page(self, live: bool = True) -> None:
        """Write ``report.html``; while the run is ``live``, the page looks for news by itself."""
        file = self.folder / PAGE
        with tolerated(file):
            _write(file, self.page.html(live))

    def _curves(self) -> bytes:
        run, squared = self.run, RECIPES[self.run.config.recipe].loss is mse
        return curves_png(run.history, run.steps_per_epoch, self.real_spread, squared=squared)


@contextlib.contextmanager
def tolerated(file: Path | str) -> Iterator[None]:
    """Turn an error inside the block into a warning: no picture is worth the end of a run.

    With MINIGAN_TRACEBACK in the environment, errors stay errors, so that they can be found.
    """
    try:
        yield
    except Exception as error:
        if os.environ.get("MINIGAN_TRACEBACK"):
            raise
        reason = (isinstance(error, OSError) and error.strerror) or str(error)
        reason = " ".join(reason.split()) or type(error).__name__
        say(f"Warning: {file} cannot be written ({reason}); the run goes on without it for now.")


def _if_due(draw: Callable[[], None], due: float) -> float:
    """Draw if it is time, and return the time from which on it may be done again."""
    start = time.perf_counter()
    if start < due:
        return due
    draw()
    now = time.perf_counter()
    return now + (now - start) / SHARE


def _write(file: Path, content: bytes) -> None:
    with atomic_write(file) as stream:
        stream.write(content)
