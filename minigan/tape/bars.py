"""How the values of an array are spread, as the bars of a histogram, for the page of a tape."""

from __future__ import annotations

import math

import numpy as np

from minigan.backend import Array, backend_of
from minigan.tape.rows import Bars

COUNT = 33  # bars, of one width
OUTSIDE = 0.005  # share of the values below the first bar, and above the last one


MOST = 1 << 20  # values that are looked at


def bars_of(array: Array) -> Bars:
    """Return the histogram of an array.

    Zeros are counted apart: ReLU makes so many of them that they would dwarf every bar.  A few
    values are far from all others as a rule, so the bars stand for the middle 99 %, and the first
    and the last one count what is beyond them, too.  Of a large array every second value is looked
    at, or every third, and so on, in all columns.
    """
    every = math.ceil(array.size / MOST) or 1
    while array.ndim and math.gcd(every, array.shape[-1]) > 1:
        every += 1
    a = backend_of(array).to_numpy(array.reshape(-1)[::every]).astype(np.float64)
    finite = a[np.isfinite(a)]
    used = finite[finite != 0]
    low, high = 0.0, 0.0
    counts: tuple[int, ...] = ()
    if len(used):
        low, high = np.quantile(used, [OUTSIDE, 1 - OUTSIDE], method="nearest").tolist()
        half = high / 2 - low / 2  # the whole may be beyond the largest number
        if half > 0:
            shares = (used.clip(low, high) / 2 - low / 2) / half
            places = np.minimum((shares * COUNT).astype(int), COUNT - 1)
            counts = tuple(np.bincount(places, minlength=COUNT).tolist())
        else:
            counts = (len(used),)
    return Bars(low, high, counts, a.size, len(finite) - len(used), a.size - len(finite), every)
