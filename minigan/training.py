"""A training run: epochs over the data, and everything that it leaves in its folder.

Randomness comes from one host generator, drawn in this order: G's weights, D's weights, the fixed
z, then for each epoch its permutation and each step's z.  A checkpoint keeps the generator's state
at the start of the epoch, so that a resumed run draws what the interrupted one would have drawn.
"""

from __future__ import annotations

import contextlib
import math
import signal
import sys
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from minigan.average import EVERY, update_average
from minigan.backend import Array, get_backend
from minigan.blas import limited_threads
from minigan.config import TrainConfig
from minigan.data import batches, load_mnist, pixel_values
from minigan.epoch_end import draw_curves, finish_epoch
from minigan.errors import InputError
from minigan.failures import diverged, gpu_failures_named
from minigan.health import health, spread
from minigan.history import ROW_EVERY, HistoryRow, LogEntry, save_history, sum_up
from minigan.models import IMAGE_SIZE, generator
from minigan.recipes import RECIPES, new_gan
from minigan.run_folder import (
    CHECKPOINT,
    HISTORY,
    check_free,
    find_folder,
    locked,
    make_folder,
)
from minigan.run_state import Stamp, restore_run, save_run, stamp
from minigan.terminal import noted_signals, say, typed

if TYPE_CHECKING:
    from minigan.quality import QualityCheck


class Trainer:
    """Trains the GAN as a ``TrainConfig`` says: ``Trainer(TrainConfig(...)).run()``.

    ``gan`` is the GAN, ``history`` a list of ``HistoryRow``, ``folder`` where the results go, and
    ``generator`` what draws the samples: G or, with the recipe ``averaged``, its moving average.
    After Ctrl-C, another ``run()`` goes on.

    Raises InputError for data, a backend or a folder that cannot be used.
    """

    def __init__(self, config: TrainConfig) -> None:
        self.config = config
        recipe = RECIPES[config.recipe]
        self.folder = find_folder(config)
        backend = get_backend(config.backend)
        images, _ = load_mnist("train", path=None if config.data == "mnist" else config.data)
        if config.batch_size > len(images):
            raise InputError(
                f"--batch-size is {config.batch_size}, but the data has only {len(images)} images"
            )
        if recipe.batch_norm and (len(images) - 1) % config.batch_size == 0:
            raise InputError(
                f"--batch-size {config.batch_size} leaves a batch with a single one of "
                f"{len(images):,} images, and batch normalisation needs two: choose another, or "
                "--recipe tutorial"
            )
        self.data_crc32 = zlib.crc32(images.tobytes())  # a run is resumed on the same data only
        self.images = backend.asarray(images.reshape(len(images), IMAGE_SIZE))
        self.pixel_values = backend.asarray(pixel_values(config.dtype))
        self.steps_per_epoch = math.ceil(len(images) / config.batch_size)

        self.rng = np.random.default_rng(config.seed)
        self.gan = new_gan(
            recipe,
            self.rng,
            latent_dim=config.latent_dim,
            lr=config.lr,
            betas=config.betas,
            dtype=config.dtype,
            backend=backend,
        )
        self.generator = self.gan.generator
        if recipe.averaged:
            self.generator = generator(
                config.latent_dim,
                batch_norm=recipe.batch_norm,
                seed=0,  # no matter: the average begins with G's weights
                dtype=config.dtype,
                backend=backend,
            )
        self.train_step = backend.compile(self._step)
        self.figures = backend.asarray(np.zeros((ROW_EVERY, 4), config.dtype))  # of recent steps
        self.read_every = ROW_EVERY if backend.name == "cupy" else 1  # reading waits for a GPU
        self.fixed_z = self._draw_z(64)
        self.epoch_state = self.rng.bit_generator.state  # at the start of the current epoch
        self.real_spread = float(spread(pixel_values(config.dtype)[images[:1000].reshape(-1, 784)]))
        self.quality_check: QualityCheck | None = None
        if config.evaluate_every is not None:
            from minigan.quality import QualityCheck

            self.quality_check = QualityCheck(config.data)
        self.owns_folder = config.resume is not None
        self.checkpoint: Stamp = None  # of the file that this run has read or written
        self.step = 0
        self.log: list[LogEntry] = []  # of the current epoch
        self.history: list[HistoryRow] = []
        if (self.folder / CHECKPOINT).exists():
            restore_run(self)

    def run(self) -> Path:
        """Train until ``epochs`` are done; the folder with the results.

        Raises
        ------
        KeyboardInterrupt, SystemExit
            after Ctrl-C or SIGTERM (exit status 143): the step in progress is finished and all is
            saved first.
        InputError
            before training, if the folder cannot be made, is another run's, or holds a checkpoint
            that another process has written in the meantime; later, if a loss or weight is no
            longer finite, or the GPU fails: the last checkpoint is kept.
        OSError
            if a file cannot be written; the last checkpoint is kept.
        """
        config, last = self.config, self.config.epochs * self.steps_per_epoch
        with contextlib.ExitStack() as stack:
            if not self.owns_folder:
                self.folder = make_folder(self.folder, config)
            stack.enter_context(locked(self.folder))
            if not self.owns_folder:  # of two new runs with one --out, one was here first
                check_free(self.folder)
            self.owns_folder = True
            if stamp(self.folder / CHECKPOINT) != self.checkpoint:
                raise InputError(
                    f"{self.folder / CHECKPOINT} has changed since this Trainer was made or last "
                    "saved: make a new one, with resume, to go on from there"
                )
            config.save(self.folder)
            if self.step >= last:
                say(f"Nothing to do: {self.folder} has its {config.epochs} epochs.")
            stack.enter_context(limited_threads(config.threads))
            signals = stack.enter_context(noted_signals())
            stack.enter_context(np.errstate(all="ignore"))  # what is not finite is found below
            stack.enter_context(gpu_failures_named(self))
            stops = False
            while self.step < last and not stops:
                epoch = self.step // self.steps_per_epoch + 1
                self._train_epoch(epoch, signals)
                saves = epoch % config.save_every == 0 or self.step == last
                draws = saves or bool(signals)
                summary = finish_epoch(self, epoch, draws) if self._at_epoch_start() else None
                stops = bool(signals)  # asked once: a later signal stops after the next step
                if saves or stops:
                    save_run(self)  # first: it alone decides where the run stands
                    save_history(self.folder / HISTORY, self.history)
                if summary is not None:
                    say(summary)
            draw_curves(self)
        if self.step < last:
            say(f"Stopped after step {self.step:,}; all is saved.  To go on:\n")
            say(f"    minigan train --resume {typed(self.folder)}\n")
            raise KeyboardInterrupt if signals[0] == signal.SIGINT else SystemExit(128 + signals[0])
        return self.folder

    def _at_epoch_start(self) -> bool:
        return self.step % self.steps_per_epoch == 0

    def _train_epoch(self, epoch: int, signals: list[int]) -> None:
        """From the current step to the end of its epoch, or to the next signal."""
        from tqdm import tqdm

        done = self.step % self.steps_per_epoch
        self.rng.bit_generator.state = self.epoch_state
        bar = tqdm(
            total=self.steps_per_epoch,
            initial=done,
            desc=f"Epoch {epoch}/{self.config.epochs}",
            unit="step",
            leave=False,
            disable=True if sys.stderr is None else None,  # None: a bar on terminals only
        )
        with bar:
            order = batches(len(self.images), self.config.batch_size, self.rng)
            sizes: list[int] = []  # of the steps whose figures have not been read
            start = time.perf_counter()
            for i, batch in enumerate(order):
                z = self._draw_z(len(batch))
                if i < done:  # of a resumed epoch: the numbers are drawn, the step is behind us
                    start = time.perf_counter()
                    continue
                self.figures[len(sizes)] = self.train_step(batch, z)
                self._update_average((epoch - 1) * self.steps_per_epoch + i)
                sizes.append(len(batch))
                bar.update()
                last = i + 1 == self.steps_per_epoch or bool(signals)
                if last or (i + 1) % self.read_every == 0:
                    entry = self._read_figures(epoch, sizes, start)
                    start, sizes = time.perf_counter(), []
                    bar.set_postfix_str(
                        f"d_loss {entry.d_loss:.2f}  g_loss {entry.g_loss:.2f}", refresh=False
                    )
                if last:
                    break
        for net in (self.gan.generator, self.gan.discriminator):
            if not np.isfinite(net.backend.to_numpy(net.params)).all():
                raise diverged(self, "a weight is not finite")

    def _step(self, indices: Array, z: Array) -> Array:
        """One training step on the images of these numbers, which never leave the device."""
        result = self.gan.train_step(self.pixel_values[self.images[indices]], z)
        return np.concatenate([figure.reshape(1) for figure in result])

    def _update_average(self, step: int) -> None:
        """Let the moving average, if there is one, follow G after the steps 0, 10, 20, …"""
        if self.generator is not self.gan.generator and step % EVERY == 0:
            update_average(self.generator, self.gan.generator, step // EVERY + 1)

    def _read_figures(self, epoch: int, sizes: list[int], start: float) -> LogEntry:
        """Note the figures of the steps since ``start``, one a batch; the last one's entry.

        Every ``ROW_EVERY`` steps, and at an epoch's end, their means become a row of the history.
        """
        rows = self.gan.generator.backend.to_numpy(self.figures[: len(sizes)]).tolist()
        seconds = (time.perf_counter() - start) / len(sizes)  # reading has waited for the last step
        for (d_loss, g_loss, p_real, p_fake), images in zip(rows, sizes, strict=True):
            self.step += 1
            if not (math.isfinite(d_loss) and math.isfinite(g_loss)):
                raise diverged(self, f"d_loss is {d_loss} and g_loss is {g_loss}")
            entry = LogEntry(d_loss, g_loss, p_real, p_fake, seconds, images)
            self.log.append(entry)
            if len(self.log) % ROW_EVERY == 0 or len(self.log) == self.steps_per_epoch:
                since = (len(self.log) - 1) % ROW_EVERY + 1
                before = self.history[-1].seconds if self.history else 0.0
                row = sum_up(self.log[-since:], epoch, self.step, before)
                self.history.append(row.with_health(health(self.gan, self.fixed_z)))
        return entry

    def _draw_z(self, n: int) -> Array:
        shape = (n, self.config.latent_dim)
        if self.config.dtype == "float32":
            return self.rng.standard_normal(shape, dtype=np.float32)
        return self.rng.standard_normal(shape)
