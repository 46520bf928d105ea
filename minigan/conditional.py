"""How G and D are told the class of an image.

A label is a whole number from 0 to K - 1.  Its one-hot vector c has K entries, 1 in the label's
column and 0 elsewhere.  Beside z it is K more columns of G's input; and of the K outputs of D,
which ask "is this a real 0?", "is this a real 1?" and so on, it picks the one of the label.

Without classes there is no c, and each function returns its first argument.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigan.backend import Array, backend_of, check_labels


def one_hot(labels: Any, n: int, table: Array) -> Array | None:
    """Return the rows of the table for n labels, (n, K).  The table is the unit matrix, (K, K).

    Raises ValueError if labels are missing, or given for a table without rows, or not from 0 to
    K - 1; TypeError if they are not whole numbers.
    """
    K = len(table)
    if (labels is None) != (K == 0):
        what = "missing" if labels is None else "given"
        raise ValueError(f"labels are {what}, for a GAN with {K or 'no'} classes")
    if labels is None:
        return None
    check_labels(labels, n, K)
    rows: Array = table[backend_of(table).asarray(labels)]
    return rows


def beside(z: Array, c: Array | None) -> Array:
    """Return the columns of c beside those of z, (N, latent_dim + K).

    In x W, c then picks the row of W that belongs to the class, as from a table; and in dW = xᵀ dy,
    this row gets the sum of dy over the images of the class, while all others get nothing.
    """
    return z if c is None else np.concatenate([z, c], axis=1)


def picked(y: Array, c: Array | None) -> Array:
    """Return the output that each row of c picks: p = Σₖ y[:, k] c[:, k], (N, 1)."""
    return y if c is None else (y * c).sum(axis=1, keepdims=True)


def into_picked(dp: Array, c: Array | None) -> Array:
    """Return the gradient of all outputs, dy = dp c, (N, K): only the picked one has a part in p.

    dp is (N, 1).
    """
    return dp if c is None else dp * c
