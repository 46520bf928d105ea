"""The trainer, which takes a run through its epochs and keeps its folder.

The state of a run is a ``Run``, which is plain data; ``draws`` draws all its random numbers.  This
file holds the loop: it takes the steps, records their figures, stops on a signal, and saves.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from minigan.backend import check_tf32, get_backend, started_ranks, tf32_products
from minigan.data import ARRAYS
from minigan.errors import InputError
from minigan.gan import GAN
from minigan.machine.blas import limited_threads
from minigan.machine.memory import give_back_freed_memory
from minigan.machine.signals import noted_signals
from minigan.machine.terminal import say, typed
from minigan.network import Sequential
from minigan.training.average import follow, renew_statistics
from minigan.training.commands import model_option
from minigan.training.config import TrainConfig
from minigan.training.draws import draw_epoch
from minigan.training.epoch_end import begin_epoch, finish_epoch
from minigan.training.failures import DivergedError, check_finite, gpu_failures_named
from minigan.training.folder import BEST, FIRST_PICTURE
from minigan.training.history import HistoryRow
from minigan.training.images import read_data, training_data
from minigan.training.memory import MemoryCheck
from minigan.training.model_file import networks_of_run
from minigan.training.outputs import Outputs
from minigan.training.progress import Progress, announce
from minigan.training.quality import QualityCheck
from minigan.training.run import check_batches, new_run
from minigan.training.run_folder import RunFolder
from minigan.training.step_figures import StepFigures
from minigan.training.stepping import Stepping
from minigan.training.threads import ThreadChoice


class Trainer:
    """Trains the GAN with the options of a ``TrainConfig``: ``Trainer(TrainConfig(...)).run()``.

    ``state`` is the run as plain data, and ``folder`` is where the results go.  ``gan`` is the GAN,
    ``history`` a list of ``HistoryRow``, and ``generator`` the generator that draws the samples: G
    or, if the recipe keeps one, its moving average.  After Ctrl-C, another ``run()`` goes on.

    It trains on what ``config.data`` names, or on arrays: ``images``, uint8 (N, h, w) or
    (N, h, w, 3), or numbers of another type and range, and ``labels``, (N,), if there are any.

    ``generator`` and ``discriminator`` are networks of one's own that take the place of the
    recipe's, one of them or both: the run trains copies of them, which begin with their weights.

    Raises InputError for data, networks, a backend or a folder that cannot be used, and TypeError
    if ``config`` is not a TrainConfig, or a network is not a ``Sequential``.
    """

    def __init__(
        self,
        config: TrainConfig,
        *,
        images: Any = None,
        labels: Any = None,
        generator: Sequential | None = None,
        discriminator: Sequential | None = None,
    ) -> None:
        if not isinstance(config, TrainConfig):
            raise TypeError(f"config is {config!r}, expected a TrainConfig")
        self.ranks = started_ranks()  # the processes that share out each batch
        with self.ranks.agreeing():
            self._prepare(config, images, labels, generator, discriminator)
        self.ranks.connect(self.gan.generator.backend)  # once all have come so far

    def _prepare(
        self, config: TrainConfig, images: Any, labels: Any, generator: Any, discriminator: Any
    ) -> None:
        """Read the data, and make the run or restore it."""
        if config.resume is not None and config.lr is None:
            config = replace(config, lr=TrainConfig.of_run(config.resume).lr)
        if images is not None:
            config = replace(config, data=ARRAYS)
        self.config = config = config.resolved()
        self.place = RunFolder(config)
        backend = get_backend(config.backend)
        if config.tf32:
            check_tf32(backend)
        self.ranks.take_device(backend)
        dataset = read_data(config, images, labels)
        data = training_data(dataset, config, backend)
        networks = networks_of_run(config, self.place.checkpoint, generator, discriminator)
        self.own_networks = networks is not None
        self.images, self.real_spread = data.images, data.spread
        self.found = (f"Data: {dataset.line}.", *dataset.notes)  # the data set in words
        self.state = new_run(
            config, len(data.images), data.crc32, backend, data.classes, dataset.shape, networks
        )
        self.state.model, self.state.names = config.model, data.names
        check_batches(self.state, len(data.images), self.ranks.size)
        self.gan.share_out(self.ranks)
        self.train_step = Stepping(self.gan, data).compiled()
        self.figures = StepFigures(self.state)
        self.memory_check = MemoryCheck(dataset.test, data.images, data.labels, self.state)
        self.quality_check = None
        if config.evaluate_every:
            self.quality_check = QualityCheck(dataset, len(data.classes))

        self.z_columns = self.gan.z_columns or config.latent_dim
        self.failed = False  # True after an error in training: the state may be between two steps
        self.place.restore(self.state)

    @property
    def folder(self) -> Path:
        return self.place.path

    @property
    def gan(self) -> GAN:
        return self.state.gan

    @property
    def generator(self) -> Sequential:
        return self.state.drawing_generator

    @property
    def history(self) -> list[HistoryRow]:
        return self.state.history

    def run(self, on_epoch: Callable[[Trainer], bool | None] | None = None) -> Path:
        """Train until ``epochs`` are done, and return the folder with the results.

        After each epoch, when its line is printed and its files are written, ``on_epoch`` is called
        with this Trainer.  If it returns True, the run is saved and ends there; ``resume`` goes on.
        It may look at everything (``history``, ``generator``, ``state``, ``folder``) and should
        change nothing.  If it raises an error, the run is saved first, and the error passes on.
        (Of several processes under mpiexec, only the first calls it.)

        Raises
        ------
        KeyboardInterrupt, SystemExit
            after Ctrl-C, SIGTERM (exit status 143) or SIGHUP (129); the step in progress is
            finished and everything is saved first.
        InputError
            before training, if the folder cannot be made, belongs to another run, or holds a
            checkpoint that another process has written in the meantime, or if an error has ended an
            earlier ``run()`` of this Trainer; during training, if a loss, a weight, a moment of
            Adam or a running statistic is no longer finite, or if the GPU fails: the last
            checkpoint is kept.
        TypeError
            if ``on_epoch`` is not a function, or returns something else than True, False or None.
        OSError
            if the checkpoint cannot be written; the last one is kept.  For other files there is
            only a warning.
        """
        run, config = self.state, self.config
        if on_epoch is not None and not callable(on_epoch):
            raise TypeError(f"on_epoch is {on_epoch!r}, expected a function of the Trainer")
        if self.failed:
            raise InputError(
                "an error has ended the run of this Trainer: make a new one, with `resume`, to "
                "go on from the last checkpoint"
            )
        lead = self.ranks.lead
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.ranks.quiet())
            self.place.path = lead(lambda: self.place.take(run, stack, self.own_networks))
            signals = stack.enter_context(noted_signals())
            outputs = Outputs(run, self.folder, self.real_spread)
            lead(outputs.begin)
            if run.step >= run.last_step:
                say(f"Nothing to do: the run in {self.folder} ended with epoch {config.epochs}.")
                return self.folder
            stack.enter_context(tf32_products(self.gan.generator.backend, config.tf32))
            stack.enter_context(np.errstate(all="ignore"))  # checks below find nan and inf
            stack.enter_context(self.ranks.together(DivergedError))
            stack.enter_context(gpu_failures_named(run, self.place.checkpoint))
            announce(run, self.folder, outputs, self.memory_check, self.found, run.note_lr())
            threads = ThreadChoice(run, self.ranks)
            stack.enter_context(limited_threads(threads.most if threads.on_cpu else None))
            line = threads.choose()
            progress = Progress(run, stack)
            progress.say(line)
            stops, self.failed = False, True  # until the loop has come to its end
            while run.step < run.last_step and not stops:
                epoch, summary = run.step // run.steps_per_epoch + 1, None
                self._train_epoch(epoch, outputs, threads, progress, signals)
                saves = epoch % config.save_every == 0 or run.step == run.last_step
                if run.steps_of_epoch == 0:
                    if run.average is not None:
                        renew_statistics(run.average, run.fixed_z.shape[1], len(run.classes))
                    summary = lead(self._finish_epoch)
                    begin_epoch(run)
                # read once: a later signal stops the run after the next step
                stops = self.ranks.most(bool(signals)) > 0
                if saves or stops:
                    lead(partial(self._save, outputs, ends=stops or run.step == run.last_step))
                give_back_freed_memory()  # a picture or a page takes more than a step does
                progress.say(summary)
                if on_epoch is not None and run.steps_of_epoch == 0:
                    stops = lead(lambda: self._ended_by(on_epoch, outputs)) or stops
            self.failed = False
        if run.step < run.last_step:
            say(f"Stopped after step {run.step:,}; everything is saved.  To go on:\n")
            say(f"    minigan train --resume {typed(self.folder)}{model_option(run)}\n")
            if number := self.ranks.most(signals[0] if signals else 0):
                raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)
        return self.folder

    def _finish_epoch(self) -> str:
        checks = self.quality_check, self.memory_check
        return finish_epoch(self.state, self.folder / BEST, *checks, self.real_spread)

    def _save(self, outputs: Outputs, ends: bool) -> None:
        """Write the checkpoint and what is made from it; ``ends`` says that the run ends here."""
        self.place.save(self.state)
        outputs.save_history()
        if outputs.due_picture is not None:
            outputs.draw_samples(outputs.due_picture)
        if ends:
            outputs.draw_curves()
            outputs.write_page(live=False)
        else:
            outputs.draw_if_due()

    def _ended_by(self, on_epoch: Callable[[Trainer], bool | None], outputs: Outputs) -> bool:
        """Call ``on_epoch``; if it ends the run, by True or by an error, save the run."""
        try:
            ends = on_epoch(self)
            if ends is not None and not isinstance(ends, (bool, np.bool_)):
                raise TypeError(f"on_epoch returned {ends!r}, expected True, False or None")
        except BaseException:
            self._save(outputs, ends=True)
            self.failed = False  # the state stands between two epochs
            raise
        if ends:
            self._save(outputs, ends=True)
        return bool(ends)

    def _train_epoch(
        self,
        epoch: int,
        outputs: Outputs,
        threads: ThreadChoice,
        progress: Progress,
        signals: list[int],
    ) -> None:
        """Train from the current step to the end of its epoch, or until a signal arrives."""
        run, config = self.state, self.config
        done = run.steps_of_epoch
        run.rng.bit_generator.state = run.epoch_state
        draws = draw_epoch(
            run.rng, len(self.images), config.batch_size, self.z_columns, config.dtype
        )
        progress.begin_epoch(epoch)
        figures = self.figures
        figures.begin()
        for i, (indices, z) in enumerate(draws):
            if i < done:  # in a resumed epoch, only draw the numbers of the steps already taken
                figures.begin()
                continue
            mine = self.ranks.slice_of(len(indices))  # all rows, unless other processes take some
            figures.keep(self.train_step(indices[mine], z[mine]), len(indices))
            run.step += 1
            if run.average is not None:
                follow(run.average, run.gan.generator, run.step, config.settle_after or 0)
            progress.after_step()
            last = run.steps_of_epoch == 0 or self.ranks.most(bool(signals)) > 0
            if last or run.steps_of_epoch % figures.read_every == 0:
                read = figures.read(epoch, self.place.checkpoint)
                if run.step == FIRST_PICTURE and not last:
                    self.ranks.lead(outputs.draw_first)
                progress.after_reading(*read)
                progress.say(threads.after_step(read.seconds))
                figures.begin()
            if last:
                break
        check_finite(run, self.place.checkpoint)
