"""Make a run of minigan from a file of weights, whoever has trained them.

If the file holds G, D and the states of both Adams, the run goes on with ``--resume``.  If it holds
a generator alone, the folder has what ``minigan sample`` and ``evaluate`` need.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minigan.backend import get_backend
from minigan.data import MNIST
from minigan.errors import InputError
from minigan.exchange.bundle import (
    AVERAGE,
    DISCRIMINATOR,
    GENERATOR,
    OPTIMIZER_D,
    OPTIMIZER_G,
    AdamState,
    Bundle,
)
from minigan.exchange.names import first_weight, set_network, set_vector
from minigan.exchange.reading import read_bundle
from minigan.machine.files import new_folder
from minigan.training import RECIPES, Run, TrainConfig, Trained, save_run, save_trained
from minigan.training.class_names import stored_names
from minigan.training.folder import BEST, CHECKPOINT
from minigan.training.images import read_data, training_data
from minigan.training.model_file import read_model
from minigan.training.networks import Networks
from minigan.training.run import blank_generator, check_batches, new_run
from minigan.training.trained import image_shape, networks_of, stored_classes

RUNS = Path("runs")
EPS = 1e-8  # of the Adams of every run


class Imported(NamedTuple):
    """The folder of an imported run, and what its file was."""

    folder: Path
    epochs: int | None  # that are complete; None for a generator alone
    planned: int  # epochs after which the run ends
    recipe: str


def import_file(
    file: str | Path,
    out: str | Path | None = None,
    recipe: str | None = None,
    data: str | None = None,
    model: str | Path | None = None,
) -> Imported:
    """Make the folder of a run from a file of PyTorch, safetensors or NumPy.

    ``out`` is the new folder, by default ``runs/<name of the file>``.  ``recipe`` says how the
    networks were trained; by default it is what the file says, or, if it says nothing,
    ``batch-norm`` for a G with batch normalisation, else ``tutorial``.  ``data`` is what D was
    trained on, ``mnist`` or a folder, which the run goes on with.  ``model`` is a file of code that
    makes the networks, or that defines their layers, if they are not those of the recipe.

    Raises InputError for a file that cannot be read, for tensors that are not those of the recipe's
    networks, for an Adam that minigan does not have, or if the folder exists.
    """
    source = Path(file)
    folder = Path(out) if out is not None else RUNS / source.stem
    if folder.exists() or folder.is_symlink():
        raise InputError(f"`out` {folder} exists already, expected a new folder")
    if recipe is not None and recipe not in RECIPES:
        raise InputError(f"`recipe` is {recipe!r}, expected {', '.join(RECIPES)}")
    bundle = read_bundle(source)
    if GENERATOR not in bundle.networks:
        raise InputError(f"{source} holds no generator")
    config, classes = _options(bundle, source, recipe)
    networks = _networks(bundle, source, model)
    adams = [bundle.optimizers.get(name) for name in (OPTIMIZER_G, OPTIMIZER_D)]
    if DISCRIMINATOR in bundle.networks and None not in adams:
        states = [adam for adam in adams if adam is not None]
        config = _with_adam(config, states, source)
        run = _run(bundle, _with_data(config, data, source), classes, states, source, networks)
        run.model = None if model is None else str(model)
        with new_folder(folder) as temporary:
            run.config.save(temporary)
            save_run(run, temporary / CHECKPOINT)
        epochs = run.step // run.steps_per_epoch
        return Imported(folder, epochs, run.config.epochs, config.recipe)
    shape = image_shape(source, bundle.notes)
    names = stored_names(source, bundle.notes, classes)
    net = blank_generator(config, len(classes), "numpy", shape, networks)
    tensors = bundle.networks.get(AVERAGE, bundle.networks[GENERATOR])
    set_network(net, tensors, f"{source}: the generator")
    config = replace(config, data=config.data if data is None else data)
    with new_folder(folder) as temporary:
        save_trained(Trained(net, config, classes, shape, names), temporary / BEST)
    return Imported(folder, None, config.epochs, config.recipe)


def _options(bundle: Bundle, file: Path, recipe: str | None) -> tuple[TrainConfig, tuple[int, ...]]:
    """Return the options of the run and its classes: as the file says, or as its tensors look."""
    notes = bundle.notes
    if "config" in notes:
        config = TrainConfig.from_stored(notes["config"], file)
        if recipe is not None and recipe != config.recipe:
            raise InputError(f"`recipe` is {recipe}, but {file} says that it is {config.recipe}")
        return config, stored_classes(file, notes, config)
    tensors = bundle.networks[GENERATOR]
    first = first_weight(tensors)
    if first is None:
        raise InputError(f"{file}: the generator has no weight of a Linear")
    normalised = any(key.endswith("running_mean") for key in tensors)
    recipe = recipe or ("batch-norm" if normalised else "tutorial")
    try:
        config = TrainConfig(
            recipe=recipe, latent_dim=first.shape[1], dtype=first.dtype.name
        ).resolved()
    except InputError as error:
        raise InputError(f"{file}: {error}") from error
    if RECIPES[recipe].conditional or RECIPES[recipe].styled:
        raise InputError(
            f"`recipe` is {recipe}, but {file} does not say what its generator takes beside z: "
            "only files that minigan has exported do"
        )
    return config, ()


def _networks(bundle: Bundle, file: Path, model: str | Path | None) -> Networks | None:
    """Return the networks of a file of code, or those that the bundle describes, if it does."""
    read = None if model is None else read_model(model)
    if read is not None and read.networks[:2] != (None, None):
        return read.networks
    arrays = {f"{part}.{key}": a for part, d in bundle.networks.items() for key, a in d.items()}
    return networks_of(file, bundle.notes, arrays, {} if read is None else read.layers)


def _with_adam(config: TrainConfig, adams: list[AdamState], file: Path) -> TrainConfig:
    """Return the options with the learning rate and the betas of the two Adams.

    Raises InputError unless both Adams have the same numbers and have taken the same steps.
    """
    one, two = adams
    for name in ("lr", "betas", "eps", "step"):
        values = getattr(one, name), getattr(two, name)
        if values[0] != values[1]:
            raise InputError(
                f"{file}: {name} of Adam is {values[0]} for G and {values[1]} for D, expected the "
                "same, as in each run of minigan"
            )
    if one.eps != EPS:
        raise InputError(f"{file}: eps of Adam is {one.eps}, expected {EPS}")
    try:
        return replace(config, lr=one.lr, betas=one.betas)
    except InputError as error:
        raise InputError(f"{file}: {error}") from error


def _with_data(config: TrainConfig, data: str | None, file: Path) -> TrainConfig:
    if data is None and config.data != MNIST:
        raise InputError(
            f"{file} was trained on {Path(config.data).name}: say with `data` in which folder it is"
        )
    return config if data is None else replace(config, data=data)


def _run(
    bundle: Bundle,
    config: TrainConfig,
    classes: tuple[int, ...],
    adams: list[AdamState],
    file: Path,
    networks: Networks | None,
) -> Run:
    """Return the run that goes on from here.

    It stands at the end of the last epoch that Adam's steps make complete; Adam itself counts on
    from its own step.  What the other program would have drawn at random is unknown, so that the
    random numbers begin anew, from the seed and this step.
    """
    config = config.resolved()
    backend, dataset = get_backend("numpy"), read_data(config)
    data = training_data(dataset, config, backend)
    if dataset.shape != image_shape(file, bundle.notes):
        raise InputError(f"{config.data} has images of another size than {file}")
    if data.classes != classes:
        raise InputError(f"{config.data} has other classes than {file}")
    t = adams[0].step
    epochs = t // -(-len(data.images) // config.batch_size)
    config = replace(config, epochs=max(config.epochs, epochs))
    run = new_run(config, len(data.images), data.crc32, backend, classes, dataset.shape, networks)
    run.names = data.names
    check_batches(run, len(data.images))
    gan = run.gan
    set_network(gan.generator, bundle.networks[GENERATOR], f"{file}: the generator")
    set_network(gan.discriminator, bundle.networks[DISCRIMINATOR], f"{file}: the discriminator")
    if run.average is not None:
        run.average.copy_from(gan.generator)
        if AVERAGE in bundle.networks:
            set_network(run.average, bundle.networks[AVERAGE], f"{file}: the average")
    for adam, state, name in zip((gan.adam_g, gan.adam_d), adams, "GD", strict=True):
        if t:  # PyTorch has no state before the first step
            set_vector(adam.net, adam.m, state.exp_avg, f"{file}: exp_avg of {name}'s Adam")
            set_vector(adam.net, adam.v, state.exp_avg_sq, f"{file}: exp_avg_sq of {name}'s Adam")
        if (adam.v < 0).any():
            raise InputError(f"{file}: exp_avg_sq of {name}'s Adam has numbers below 0")
        adam.t = t
    run.step = epochs * run.steps_per_epoch
    run.rng = np.random.default_rng([config.seed, t])
    run.epoch_state = dict(run.rng.bit_generator.state)
    return run
