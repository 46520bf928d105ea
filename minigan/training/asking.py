"""What a picture of new digits is drawn from: latent points, and the classes that are asked for."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from minigan.backend import Array
from minigan.conditional import beside
from minigan.errors import InputError
from minigan.training.class_names import columns_by_name, listed, one_line
from minigan.training.draws import FIXED, ROWS, class_grid, draw_z, with_classes
from minigan.training.sampling import draw_samples
from minigan.training.trained import Trained
from minigan.training.walking import LEG, Way, even_times, random_way

COLUMNS = LEG  # images in a row of a picture, unless the classes give another number
MOST_COLUMNS = 40
MOST_IMAGES = 10_000  # drawn at once


def asked_classes(digits: str, classes: tuple[int, ...], names: tuple[str, ...] = ()) -> list[int]:
    """Return the columns of the classes that ``digits`` asks for, in its order.

    ``digits`` are digits in a row, as "2026", or labels and names with commas between them, as
    "3,1,20" or "cats,dogs"; ``classes`` are the generator's labels, and ``names`` their names.  A
    word that is both is the name.  Raises InputError for other text, for a class that the generator
    does not know, and for a generator without classes.
    """
    if not classes:
        raise InputError(
            f"`digits` is {digits!r}, but this generator was trained without classes, and draws "
            "what it likes: train one with `recipe` conditional"
        )
    by_name = columns_by_name(names)
    return [_column(word, digits, classes, names, by_name) for word in _words(digits, by_name)]


def _words(digits: str, by_name: dict[str, int]) -> list[str]:
    """Return the words that stand for a class each: a name may have commas if it stands alone."""
    if digits.strip() in by_name:
        return [digits.strip()]
    if "," in digits:
        return [word.strip() for word in digits.removesuffix(",").split(",")]
    in_a_row = digits.isdigit() or not by_name
    return (in_a_row and list(digits)) or [digits.strip()]


def _column(
    word: str,
    digits: str,
    classes: tuple[int, ...],
    names: tuple[str, ...],
    by_name: dict[str, int],
) -> int:
    """Return the column of the class that a word of ``digits`` asks for."""
    if word in by_name:
        return by_name[word]
    label = int(word) if word.isascii() and word.isdigit() and len(word) < 4 else None
    if label in classes:
        return classes.index(label)
    if label is not None or (names and word):
        what = one_line(word) if label is None else label
        raise InputError(
            f"`digits` asks for {what}, but the generator knows {listed(classes, names)}"
        )
    raise InputError(
        f"`digits` is {digits!r}, expected digits such as 2026, or labels with commas between "
        "them such as 3,1,20"
    )


def latent_picture(
    trained: Trained,
    rng: np.random.Generator,
    n: int | None = None,
    asked: list[int] | None = None,
    interpolate: bool = False,
    draw: Callable[[Array], Array] | None = None,
) -> tuple[Array, int]:
    """Return what the generator draws a picture from, and how many images stand in a row.

    ``n`` is the number of images, or None for as many as make a picture; ``asked`` are the columns
    of the classes, or None for all.  Without classes the images are those of random latent points,
    or of a walk between such.  With classes, the picture is one of these:

    - a grid of all classes: a row for each latent point, which gives all its digits one style;
    - the classes that were asked for, in this order, each with a latent point of its own;
    - a walk between latent points, on which the class changes from row to row only;
    - a walk between the classes that were asked for, on which the latent point stays.

    The steps of a walk are even in the space of images, which ``draw`` makes of such points; if it
    is not given, the generator does.

    Raises InputError if more classes are asked for than a picture has room for.
    """
    wanted = len(asked or ()) * (COLUMNS if interpolate else 1)
    if n is None and wanted > MOST_IMAGES:
        raise InputError(f"`digits` makes {wanted:,} images, expected up to {MOST_IMAGES:,}")
    K = len(trained.classes)
    latent_dim = (trained.net.n_in or 1) - K  # with noise, if the generator takes some
    if interpolate:
        draw = draw or functools.partial(draw_samples, trained.net)
        if not K:
            return _walk(draw, random_way(rng, n or FIXED, latent_dim), n or FIXED), COLUMNS
        return _walk_in_rows(draw, rng, latent_dim, K, asked, n), COLUMNS
    if not K:
        return draw_z(rng, n or FIXED, latent_dim, "float64"), COLUMNS
    if asked is None:
        rows = -(-(n or ROWS * K) // K)
        return class_grid(draw_z(rng, rows, latent_dim, "float64"), K)[:n], K
    n = n or len(asked)
    z = draw_z(rng, n, latent_dim, "float64")
    labels = np.resize(asked, n)
    columns = len(asked) if len(asked) > 1 else COLUMNS
    return with_classes(z, labels, K), min(columns, MOST_COLUMNS)


def _walk(draw: Callable[[Array], Array], way: Way, n: int, leg: int = 0) -> Array:
    """Return n points of a way, of which the images are evenly spaced, from time ``leg`` on."""
    return way(even_times(lambda t: draw(way(t)), leg, leg + n / LEG, n))


def _walk_in_rows(
    draw: Callable[[Array], Array],
    rng: np.random.Generator,
    latent_dim: int,
    K: int,
    asked: list[int] | None,
    n: int | None,
) -> Array:
    """Return the walk of a conditional generator: in each row, z or the class moves."""
    n = n or (K if asked is None else len(asked)) * LEG
    if asked is None:
        latent = random_way(rng, n, latent_dim)
    else:
        z, corners = draw_z(rng, 1, latent_dim, "float64"), np.eye(K)[asked]

    def way(row: int, t: Array) -> Array:
        if asked is None:
            return with_classes(latent(t), np.full(len(t), row % K), K)
        here, there = corners[row % len(asked)], corners[(row + 1) % len(asked)]
        part = (t - row)[:, None]
        return beside(z.repeat(len(t), axis=0), (1 - part) * here + part * there)

    return np.concatenate(
        [
            _walk(draw, functools.partial(way, row), min(LEG, n - row * LEG), row)
            for row in range(-(-n // LEG))
        ]
    )
