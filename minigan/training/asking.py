"""What a picture of new digits is drawn from: latent points, and the classes that are asked for."""

from __future__ import annotations

import numpy as np

from minigan.backend import Array
from minigan.conditional import beside
from minigan.errors import InputError
from minigan.training.draws import FIXED, ROWS, class_grid, draw_z, with_classes
from minigan.training.sampling import walk
from minigan.training.trained import Trained

COLUMNS = 8  # images in a row of a picture, unless the classes give another number
MOST_COLUMNS = 40
MOST_IMAGES = 10_000  # drawn at once


def asked_classes(digits: str, classes: tuple[int, ...]) -> list[int]:
    """Return the columns of the classes that ``digits`` asks for, in its order.

    ``digits`` are digits in a row, as "2026", or labels with commas between them, as "3,1,20";
    ``classes`` are the generator's labels.  Raises InputError for other text, for a class that the
    generator does not know, and for a generator without classes.
    """
    if not classes:
        raise InputError(
            f"`digits` is {digits!r}, but this generator was trained without classes, and draws "
            "what it likes: train one with `recipe` conditional"
        )
    words = digits.removesuffix(",").split(",") if "," in digits else list(digits)
    words = [word.strip() for word in words]
    if not words or not all(word.isascii() and word.isdigit() and len(word) < 4 for word in words):
        raise InputError(
            f"`digits` is {digits!r}, expected digits such as 2026, or labels with commas between "
            "them such as 3,1,20"
        )
    for word in words:
        if int(word) not in classes:
            known = ", ".join(map(str, classes))
            raise InputError(f"`digits` asks for {int(word)}, but the generator knows {known}")
    return [classes.index(int(word)) for word in words]


def latent_picture(
    trained: Trained,
    rng: np.random.Generator,
    n: int | None = None,
    asked: list[int] | None = None,
    interpolate: bool = False,
) -> tuple[Array, int]:
    """Return what the generator draws a picture from, and how many images stand in a row.

    ``n`` is the number of images, or None for as many as make a picture; ``asked`` are the columns
    of the classes, or None for all.  Without classes the images are those of random latent points,
    or of a walk between such.  With classes, the picture is one of these:

    - a grid of all classes: a row for each latent point, which gives all its digits one style;
    - the classes that were asked for, in this order, each with a latent point of its own;
    - a walk between latent points, on which the class changes from row to row only;
    - a walk between the classes that were asked for, on which the latent point stays.

    Raises InputError if more classes are asked for than a picture has room for.
    """
    wanted = len(asked or ()) * (COLUMNS if interpolate else 1)
    if n is None and wanted > MOST_IMAGES:
        raise InputError(f"`digits` makes {wanted:,} images, expected up to {MOST_IMAGES:,}")
    K = len(trained.classes)
    latent_dim = (trained.net.n_in or 1) - K  # with noise, if the generator takes some
    if not K:
        n = n or FIXED
        z = walk(rng, n, latent_dim) if interpolate else draw_z(rng, n, latent_dim, "float64")
        return z, COLUMNS
    if interpolate and asked is None:
        n = n or K * COLUMNS
        return with_classes(walk(rng, n, latent_dim), np.arange(n) // COLUMNS % K, K), COLUMNS
    if interpolate and asked is not None:
        n = n or len(asked) * COLUMNS
        z = draw_z(rng, 1, latent_dim, "float64").repeat(n, axis=0)
        row, t = np.arange(n) // COLUMNS, (np.arange(n) % COLUMNS / COLUMNS)[:, None]
        corners = np.eye(K)[asked]
        here, there = corners[row % len(asked)], corners[(row + 1) % len(asked)]
        return beside(z, (1 - t) * here + t * there), COLUMNS
    if asked is None:
        rows = -(-(n or ROWS * K) // K)
        return class_grid(draw_z(rng, rows, latent_dim, "float64"), K)[:n], K
    n = n or len(asked)
    z = draw_z(rng, n, latent_dim, "float64")
    labels = np.resize(asked, n)
    columns = len(asked) if len(asked) > 1 else COLUMNS
    return with_classes(z, labels, K), min(columns, MOST_COLUMNS)
