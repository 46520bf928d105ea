"""A trained generator in a file: ``best.npz``, or the part of a checkpoint that draws samples."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from minigan.backend import Array
from minigan.data import LARGEST, SMALLEST, check_arrays, load_archive, save_archive
from minigan.errors import InputError
from minigan.network import Sequential
from minigan.training.class_names import stored_names
from minigan.training.config import TrainConfig
from minigan.training.networks import Networks, described_networks
from minigan.training.recipes import RECIPES
from minigan.training.run import MNIST_SHAPE, Run, blank_generator

GENERATOR, AVERAGE = "generator", "average"  # the networks' names in a file
SQUARES = (".v", "running_var")  # ends of the names of arrays that are means of squares


class Trained(NamedTuple):
    """A trained generator, and what is known of it."""

    net: Sequential
    config: TrainConfig  # the options of its run
    classes: tuple[int, ...]  # the labels that it can be asked for, in the order of their columns
    shape: tuple[int, ...] = MNIST_SHAPE  # of an image: (h, w), or (h, w, 3) in colour
    names: tuple[str, ...] = ()  # the name of each class, if they have names


def save_best(run: Run, file: Path) -> None:
    """Write the generator that draws the samples, and the last row of the history.

    Raises OSError if the file cannot be written.
    """
    measured = {name: x for name, x in run.history[-1].columns().items() if x == x}  # without nan
    trained = Trained(run.drawing_generator, run.config, run.classes, run.shape, run.names)
    save_trained(trained, file, figures=measured)


def save_trained(trained: Trained, file: Path, **more: Any) -> None:
    """Write a generator alone, as ``best.npz``, with ``more`` beside it.

    Raises OSError if the file cannot be written.
    """
    G = trained.net
    arrays = {name: G.backend.to_numpy(a) for name, a in network_arrays(GENERATOR, G).items()}
    meta = {
        "config": trained.config.stored(),
        "classes": trained.classes,
        "names": trained.names,
        "shape": trained.shape,
        "networks": {GENERATOR: G.architecture},
    }
    save_archive(file, arrays, meta | more)


def stored_generator(
    file: Path, backend: str = "numpy", layers: Mapping[str, type] | None = None
) -> Trained:
    """Return the generator that draws the samples.

    ``file`` is a checkpoint or a ``best.npz``; ``layers`` are the classes of layers that are not
    minigan's, by name.  Raises InputError if the file is missing or damaged, or a layer unknown.
    """
    arrays, meta = load_archive(file)
    config = TrainConfig.from_stored(meta.get("config"), file)
    classes, shape = stored_classes(file, meta, config), image_shape(file, meta)
    networks = networks_of(file, meta, arrays, layers)
    net = blank_generator(config, len(classes), backend, shape, networks)
    trained = network_arrays(AVERAGE if AVERAGE in arrays else GENERATOR, net)
    check_networks(file, arrays, trained)
    for name, array in trained.items():
        array[...] = net.backend.asarray(arrays[name])
    return Trained(net, config, classes, shape, stored_names(file, meta, classes))


def stored_texts(file: Path, meta: dict[str, Any]) -> dict[str, str]:
    """Return the calls that make the networks of a file, by name: none in older files."""
    texts = meta.get("networks", {})
    if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
        raise InputError(f"{file} is damaged: its networks are {texts!r}")
    return texts


def networks_of(
    file: Path,
    meta: dict[str, Any],
    arrays: Mapping[str, Array],
    layers: Mapping[str, type] | None = None,
) -> Networks | None:
    """Return the networks that a file describes; None for those of the recipe, in older files.

    ``layers`` are the classes of layers that are not minigan's, by name.  No network of minigan's
    layers can have more parameters than the file has numbers.
    """
    most = sum(array.size for array in arrays.values())
    return described_networks(stored_texts(file, meta), str(file), layers or {}, most)


def stored_classes(file: Path, meta: dict[str, Any], config: TrainConfig) -> tuple[int, ...]:
    """Return the labels of a run's classes; raise InputError unless they are such."""
    classes = meta.get("classes", [])  # older runs have none
    right = isinstance(classes, list) and all(type(x) is int and 0 <= x <= 255 for x in classes)
    if (
        not right
        or sorted(set(classes)) != classes
        or (RECIPES[config.recipe].conditional != bool(classes))
    ):
        raise InputError(f"{file} is damaged: its classes are {classes!r}")
    return tuple(classes)


def image_shape(file: Path, meta: dict[str, Any]) -> tuple[int, ...]:
    """Return the shape of a run's images that is in ``meta``; raise InputError unless it is one."""
    shape = meta.get("shape", list(MNIST_SHAPE))  # older runs have none
    right = isinstance(shape, list) and all(type(x) is int for x in shape)
    if (
        not right
        or shape[2:] not in ([], [3])
        or len(shape) < 2
        or not all(SMALLEST <= x <= LARGEST for x in shape[:2])
    ):
        raise InputError(f"{file} is damaged: the shape of its images is {shape!r}")
    return tuple(shape)


def check_networks(file: Path, arrays: dict[str, Array], expected: dict[str, Array]) -> None:
    """Raise InputError unless each expected array is there, finite, and not below 0 if it is a
    mean of squares."""
    check_arrays(file, arrays, expected)
    for name in expected:
        if name.endswith(SQUARES) and (arrays[name] < 0).any():
            raise InputError(f"{file} is damaged: {name!r} has numbers below 0")


def network_arrays(name: str, net: Sequential) -> dict[str, Array]:
    """Return what is stored of a network, on its device: its parameters and its buffers."""
    return {f"{name}.{key}".removesuffix(".params"): array for key, array in net.state().items()}
