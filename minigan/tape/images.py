"""The images of a step: noted while it is taken, and as the page of a tape shows them."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from minigan.activations import sigmoid
from minigan.backend import Array, backend_of
from minigan.gan import GAN
from minigan.layers import Layer
from minigan.losses import bce, bce_with_logits
from minigan.tape.rows import Pictures

MOST = 16  # images of each kind
SMALLEST = 64  # numbers: fewer are no image, but a point in the plane, say


class Album:
    """Notes the first images of a step, what D answers, and the gradient that arrives at them."""

    def __init__(self, gan: GAN) -> None:
        self.last, self.first = gan.generator.layers[-1], gan.discriminator.layers[0]
        self.probable = gan.loss in (bce, bce_with_logits)  # then D's answers are probabilities
        self.probability = _probability(gan.loss)
        self.fakes: Array | None = None
        self.gradient: Array | None = None
        self.answers: list[Array] = []

    def note_forward(self, layer: Layer, y: Array) -> None:
        """Keep the images if this was G's last layer."""
        if layer is self.last:
            self.fakes = _first(y)

    def note_backward(self, layer: Layer, dx: Array | None) -> None:
        """Keep the gradient of the step of G if this was D's first layer."""
        if layer is self.first and dx is not None:
            self.gradient = _first(dx)

    def note_answers(self, p: Array) -> None:
        """Keep what D says to the images that a loss is computed of."""
        self.answers.append(self.probability(_first(p).reshape(len(p[:MOST]), -1)[:, 0]))

    def pictures(self, real: Array, labels: Any) -> Pictures | None:
        """Return what was noted, or None if something is missing."""
        if self.fakes is None or self.gradient is None or len(self.answers) != 3:
            return None
        columns = () if labels is None else tuple(_first(labels).tolist())
        return Pictures(
            _first(real), self.fakes, self.gradient, tuple(self.answers), self.probable, columns
        )


def _probability(loss: Any) -> Callable[[Array], Array]:
    """Return the function that makes probabilities of D's answers, if the loss has such."""
    return sigmoid if loss is bce_with_logits else np.asarray


def _first(array: Any) -> npt.NDArray[Any]:
    """Return the first rows of an array, in main memory, as a copy."""
    rows = array[:MOST]
    return np.array(rows if isinstance(rows, (list, tuple)) else backend_of(rows).to_numpy(rows))


def images_for_page(
    pictures: Pictures | None, shape: tuple[int, ...] | None, classes: Sequence[str]
) -> dict[str, Any] | None:
    """Return the images as the page shows them, or None if there are none.

    Real images and fakes are bytes, with the range of the real ones from 0 to 255.  Of the gradient
    the page shows how each pixel should change, minus the gradient, as signed bytes: the root of
    its size, and in colour of the sum of the three.  Each map is scaled by its largest value.
    """
    if pictures is None:
        return None
    n = pictures.real.shape[1]
    shape = shape or _square(n)
    if shape is None or math.prod(shape) != n:
        return None
    low, high = float(pictures.real.min()), float(pictures.real.max())
    form = ".3f" if pictures.probable else ".3g"
    change = -pictures.gradient.astype(np.float64)
    return {
        "height": shape[0],
        "width": shape[1],
        "channels": n // (shape[0] * shape[1]),
        "real": _bytes((pictures.real - low) / (high - low or 1) * 255, np.uint8),
        "fakes": _bytes((pictures.fakes - low) / (high - low or 1) * 255, np.uint8),
        "changes": _bytes(
            _roots(change.reshape(len(change), shape[0] * shape[1], -1).sum(2)), np.int8
        ),
        "norms": [f"{norm:.2g}" for norm in np.sqrt((change * change).sum(axis=1))],
        "answers": [[f"{answer:{form}}" for answer in some.tolist()] for some in pictures.answers],
        "probable": pictures.probable,
        "classes": [str(classes[label]) if classes else str(label) for label in pictures.labels],
    }


def _square(n: int) -> tuple[int, ...] | None:
    """Return the shape of a square image of n numbers, grey or in colour, if there is one."""
    for channels in ((), (3,)):
        side = math.isqrt(n // math.prod(channels))
        if n >= SMALLEST and side * side * math.prod(channels) == n:
            return side, side, *channels
    return None


def _roots(maps: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the root of each value's size, with its sign, as a share of 127 of the largest."""
    most = np.abs(maps).max(axis=1, keepdims=True)
    shares = np.divide(maps, most, out=np.zeros_like(maps), where=(most > 0) & np.isfinite(most))
    roots: npt.NDArray[Any] = 127 * np.sign(shares) * np.sqrt(np.abs(shares))
    return roots


def _bytes(values: npt.NDArray[Any], kind: Any) -> str:
    limits = np.iinfo(kind)
    whole = np.nan_to_num(np.rint(values)).clip(limits.min, limits.max).astype(kind)
    return base64.b64encode(whole.tobytes()).decode()
