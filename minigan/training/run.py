"""A training run as plain data: what its checkpoint keeps, and nothing else."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minigan.backend import Array, Backend, get_backend
from minigan.batch_norm import BatchNorm1d
from minigan.errors import InputError, counted
from minigan.gan import GAN
from minigan.network import Sequential
from minigan.training.config import TrainConfig
from minigan.training.draws import draw_start
from minigan.training.health import gradient_groups
from minigan.training.history import HistoryRow, LogEntry
from minigan.training.networks import Networks, make_network
from minigan.training.recipes import RECIPES
from minigan.weights import build, own_classes

MNIST_SHAPE = 28, 28  # of the images of all runs of version 0.1


@dataclass
class Run:
    """The state of a run.  The functions that act on it take it as an argument."""

    config: TrainConfig  # its options, resolved
    data_crc32: int  # checksum of the images: a run is resumed on the same data only
    steps_per_epoch: int  # number of images / batch size, rounded up
    rng: np.random.Generator
    epoch_state: dict[str, Any]  # state of rng at the start of the current epoch
    gan: GAN
    texts: dict[str, str]  # the calls that make G and D, by "generator" and "discriminator"
    average: Sequential | None  # the moving average of G, if the recipe has one
    fixed_z: Array  # (64, latent_dim): what G draws the pictures from; see ``draw_start``
    classes: tuple[int, ...] = ()  # the labels of the classes that G and D are told, in order
    names: tuple[str, ...] = ()  # the name of each of these classes, if they have names
    shape: tuple[int, ...] = MNIST_SHAPE  # of an image: (h, w), or (h, w, 3) in colour
    step: int = 0  # training steps taken
    log: list[LogEntry] = field(default_factory=list)  # entries of the current epoch
    history: list[HistoryRow] = field(default_factory=list)
    threads: list[tuple[int, int]] = field(default_factory=list)  # first step, BLAS threads
    lrs: list[tuple[int, float]] = field(default_factory=list)  # first step, learning rate
    model: str | None = None  # the file of code that made the networks, as it was named

    @property
    def drawing_generator(self) -> Sequential:
        """The generator that draws the samples: the moving average of G if there is one, else G."""
        return self.gan.generator if self.average is None else self.average

    @property
    def last_step(self) -> int:
        """The number of steps that are taken when all epochs are done."""
        return self.config.epochs * self.steps_per_epoch

    @property
    def steps_of_epoch(self) -> int:
        """How many steps of the current epoch are done; 0 between two epochs."""
        return self.step % self.steps_per_epoch

    def note_threads(self, threads: int) -> bool:
        """Note the number of BLAS threads from the next step on; return whether it is another."""
        changed = not self.threads or self.threads[-1][1] != threads
        if changed:
            self.threads.append((self.step + 1, threads))
        return changed

    def note_lr(self) -> float | None:
        """Note the learning rate from the next step on; return the one before it if it changed."""
        before, lr = self.lrs[-1][1] if self.lrs else None, self.gan.adam_g.lr
        if before != lr:
            self.lrs.append((self.step + 1, lr))
        return None if before == lr else before

    @property
    def layer_counts(self) -> tuple[int, int]:
        """How many gradient norms a row of the history has for D and for G."""
        nets = self.gan.discriminator, self.gan.generator
        d_layers, g_layers = (len(gradient_groups(net)) for net in nets)
        return d_layers, g_layers


def new_run(
    config: TrainConfig,
    images: int,
    data_crc32: int,
    backend: Backend,
    classes: tuple[int, ...] = (),
    shape: tuple[int, ...] = MNIST_SHAPE,
    networks: Networks | None = None,
) -> Run:
    """Return a run before its first step, on so many images of this shape and of these classes.

    ``networks`` are those of one's own, if there are any.  Raises InputError if they do not fit.
    """
    recipe, rng = RECIPES[config.recipe], np.random.default_rng(config.seed)
    gan, fixed_z = draw_start(
        recipe,
        rng,
        latent_dim=config.latent_dim,
        classes=len(classes),
        image_size=math.prod(shape),
        networks=networks,
        lr=config.lr,
        betas=config.betas,
        r1=config.r1,
        settle_after=config.settle_after,
        dtype=config.dtype,
        backend=backend,
    )
    average = None
    if recipe.averaged:
        average = blank_copy(gan.generator)
    nets = {"generator": gan.generator, "discriminator": gan.discriminator}
    return Run(
        config=config,
        data_crc32=data_crc32,
        steps_per_epoch=-(-images // config.batch_size),
        rng=rng,
        epoch_state=dict(rng.bit_generator.state),
        gan=gan,
        texts={name: net.architecture for name, net in nets.items()},
        average=average,
        fixed_z=fixed_z,
        classes=classes,
        shape=shape,
    )


def blank_copy(net: Sequential) -> Sequential:
    """Return a network like this one; the weights that it has so far do not matter."""
    own = own_classes(net)
    return build(net.architecture, own, seed=0, dtype=net.dtype.name, backend=net.backend)


def blank_generator(
    config: TrainConfig,
    classes: int,
    backend: str | Backend,
    shape: tuple[int, ...] = MNIST_SHAPE,
    networks: Networks | None = None,
) -> Sequential:
    """Return a run's G, to copy weights into; the weights that it has so far do not matter.

    It is that of the recipe, or of ``networks``.
    """
    if networks is not None and networks.generator is not None:
        n_in, rng = config.latent_dim + classes, np.random.default_rng(0)
        options = {"dtype": config.dtype, "backend": get_backend(backend)}
        return make_network(networks, "generator", n_in, math.prod(shape), rng, **options)
    return RECIPES[config.recipe].generator(
        config.latent_dim,
        classes,
        image_size=math.prod(shape),
        seed=0,
        dtype=config.dtype,
        backend=backend,
    )


def check_batches(run: Run, images: int, ranks: int = 1) -> None:
    """Raise InputError unless the images can be put into batches of the size that was given.

    Each of so many ``ranks``, the processes that share out a batch, needs an image of each.
    """
    batch_size = run.config.batch_size
    if batch_size > images:
        have = counted(images, "image")
        raise InputError(f"`batch_size` is {batch_size:,}, but the data has only {have}")
    smallest = images % batch_size or batch_size
    if smallest < ranks:
        raise InputError(
            f"`batch_size` {batch_size} leaves a batch of {smallest} of {images:,} images, but "
            f"there are {ranks} processes: choose another size, or fewer processes"
        )
    layers = (*run.gan.generator.layers, *run.gan.discriminator.layers)
    normalised = any(isinstance(layer, BatchNorm1d) for layer in layers)
    if normalised and (images - 1) % batch_size == 0:
        raise InputError(
            f"`batch_size` {batch_size} leaves a batch with a single one of {images:,} images, but "
            "batch normalisation needs two: choose another size, or `recipe` tutorial"
        )
