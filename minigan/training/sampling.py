"""New digits from a trained generator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from minigan.backend import Array, backend_of
from minigan.data import SHIPPED
from minigan.errors import InputError
from minigan.network import Sequential
from minigan.styled import Styled
from minigan.training.draws import draw_z, with_classes
from minigan.training.folder import BEST, CHECKPOINT
from minigan.training.trained import stored_generator

PRETRAINED = SHIPPED / "pretrained.npz"  # of the default recipe, seed 100, 100 epochs
CONDITIONAL = SHIPPED / "conditional.npz"  # of the recipe conditional, seed 100, 100 epochs
SAMPLE_COUNT = 10_000  # images that a measurement draws, unless another number is given
LARGEST = 1e30  # in an image: a difference of two is finite
CHUNK = 1000  # images drawn at a time; their activations take 10 MB


def find_generator(run: str | Path | None, classes: bool = False) -> Path:
    """Return the file that holds the generator.

    ``run`` is a run's folder, which stands for the checkpoint in it, or for the ``best.npz`` if it
    has no checkpoint, or the file itself.  None stands for a generator that comes with the package:
    with ``classes``, for the one that can be asked for a digit.
    """
    if run is None:
        return CONDITIONAL if classes else PRETRAINED
    folder = Path(run)
    if not folder.is_dir():
        return folder
    alone = not (folder / CHECKPOINT).exists() and (folder / BEST).exists()  # it was imported
    return folder / (BEST if alone else CHECKPOINT)


def load_generator(
    run: str | Path | None = None,
    backend: str = "numpy",
    layers: Mapping[str, type] | None = None,
    *,
    classes: bool = False,
) -> Sequential:
    """Return the trained generator of a run, or one that comes with the package.

    ``run`` is the folder of the run, its ``checkpoint.npz`` or its ``best.npz``; None loads a
    generator of the package: that of the default recipe or, with ``classes=True``, that of the
    recipe conditional.  A conditional generator takes z, (N, 100), with the one-hot vector of the
    class beside it, (N, 10).  ``layers`` names the classes of layers that are not minigan's:
    ``{"Swish": Swish}``.

    Raises InputError if there is no such file, or if it is damaged, and ValueError if ``classes``
    is given for a run, which has classes or has none.
    """
    if classes and run is not None:
        raise ValueError(f"`classes` chooses a generator of the package, but run is {str(run)!r}")
    return stored_generator(find_generator(run, classes), backend, layers).net


def draw_samples(net: Sequential, z: Array) -> Array:
    """Return images in [-1, 1], (N, 784) in main memory, for latent points z, (N, latent_dim).

    Raises InputError if they hold numbers beyond 1e30, or that are not finite.
    """
    return _in_chunks(
        z, lambda chunk: net(net.backend.asarray(chunk, net.dtype)), "its weights are"
    )


def draw_truncated(net: Styled, x: Array, psi: float) -> Array:
    """Return images in [-1, 1], whose styles are drawn towards the mean style w̄.

        w' = w̄ + ψ (w - w̄)

    With ψ below 1 they are more alike, and more of them are good; with 0 only the noise differs.
    x is what ``draw_samples`` takes.  Raises InputError as it does: ψ may be too large.

    Source: the truncation trick of Karras et al. 2019.
    """
    mean = mean_style(net)

    def draw(chunk: Array) -> Array:
        chunk = net.backend.asarray(chunk, net.dtype)
        w = mean + psi * (net.styles(chunk[:, : net.n_z]) - mean)
        return net.images([w] * net.styled, chunk)

    return _in_chunks(x, draw, f"its weights are, or `truncation`, {psi:g}, is")


def _in_chunks(x: Array, draw: Callable[[Array], Array], cause: str) -> Array:
    """Return what ``draw`` makes of the rows of x, a part of them at a time, in main memory.

    Raises InputError for numbers that no image has; ``cause`` says what may be too large.
    """
    chunks = (x[start : start + CHUNK] for start in range(0, len(x), CHUNK))
    with np.errstate(over="ignore", invalid="ignore"):  # numbers too large are found below
        drawn = [draw(chunk) for chunk in chunks]
    images = np.concatenate([backend_of(some).to_numpy(some) for some in drawn])
    if not np.abs(images).max() <= LARGEST:  # NaN must not pass
        raise InputError(
            f"the generator draws images with numbers beyond {LARGEST:g}, or not finite: {cause} "
            "too large"
        )
    return images


def mean_style(net: Styled) -> Array:
    """Return the mean style w̄ of many latent points, always the same ones, on the net's device."""
    z = np.random.default_rng(0).standard_normal((SAMPLE_COUNT, net.n_z or 1))
    with np.errstate(over="ignore", invalid="ignore"):  # what is drawn with it will be looked at
        mean: Array = net.styles(net.backend.asarray(z, net.dtype)).mean(axis=0)
    return mean


def unit_samples(net: Sequential, n: int, seed: int, classes: int = 0) -> Array:
    """Draw n images for the measures: (n, 784), float32, in [0, 1] instead of tanh's [-1, 1].

    A conditional generator is asked for its classes in turn: 0, 1, 2, …
    """
    z = draw_z(np.random.default_rng(seed), n, (net.n_in or 1) - classes, "float64")
    images = draw_samples(net, with_classes(z, np.arange(n) % max(classes, 1), classes))
    return (images.astype(np.float32) + 1) / 2
