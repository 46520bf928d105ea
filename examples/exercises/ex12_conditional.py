"""Exercise 12: how G and D of a conditional GAN are told the class of an image.

    y[n] = T[labels[n]]         what G is told: each class owns a row of the table T, (K, n_out)
    p[n] = y[n, labels[n]]      what D is asked: of its K outputs, "is this a real 0?", "is this a
                                real 1?" and so on, the label picks one

labels (N,) are whole numbers from 0 to K - 1.  A class may occur several times in a batch, or not
at all.  Write

    dT      return dL/dT, (K, n_out), for the look-up.      dy: (N, n_out)
    dy      return dL/dy, (N, K), of all outputs of D.      dp: (N, 1)

Hint: nudge one entry of T.  Which rows of y move, if two images are of that class?  Does your line
of NumPy count both?  Then nudge an output that no label picks.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from minigan.backend import Array

Labels = npt.NDArray[np.integer[Any]]


def look_up(T: Array, labels: Labels) -> Array:
    """Return a row of the table for each label, (N, n_out)."""
    y: Array = T[labels]
    return y


def look_up_grad(dy: Array, labels: Labels, K: int) -> Array:
    raise NotImplementedError("dT")  # yours to write


def picked(y: Array, labels: Labels) -> Array:
    """Return the output that each label picks, (N, 1)."""
    return np.take_along_axis(y, labels[:, None], axis=1)


def picked_grad(dp: Array, labels: Labels, K: int) -> Array:
    raise NotImplementedError("dy")  # yours to write
