"""The slope of a function at one point, from differences alone, and how far off it may be.

The central difference (L(h) - L(-h)) / 2h is off by a multiple of h² where the curve bends, and by
rounding divided by h.  No h suits every function, so the difference is taken at h, h/4, h/16, …,
and what shrinks with h² is worked out from two of them and subtracted (Richardson 1911).  From the
results, what shrinks with h⁴ is removed in the same way, and so on.  The best value is the one
that agrees best with the two that it was made from: this is the method of Ridders (1982), as in
Numerical Recipes, section 5.7.  Two errors are added here to the disagreement: rounding, and a
kink, which the differences alone do not show.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

LEVELS = 16  # h, h/4, …: the last step is a billion times smaller than the first
FACTOR = 4


class Slope(NamedTuple):
    """A slope, and an estimate of how far it may be from the true one."""

    value: float
    error: float  # math.inf: nothing is known about the value
    kink: float = 0.0  # the part of the error that is due to a kink


def slope(L: Callable[[Any], Any], h: Any, noise: float, enough: float) -> Slope:
    """Return dL/dt at t = 0.

    Parameters
    ----------
    L : function of a number t
        It is computed in the precision of h.
    h : NumPy float
        The first step.  It is made larger where rounding would hide what it does to L, as long as
        L is a straight line.
    noise : float
        How far rounding may move a value of L.
    enough : float
        An error that is small enough: once it is reached, no smaller step is tried.
    """
    L0, plus, minus = L(0 * h), L(h), L(-h)
    if max(abs(plus - L0), abs(minus - L0)) <= 4 * noise:  # h may be a whole number of periods
        odd = type(h)(0.6180339887) * h
        if max(abs(L(odd) - L0), abs(L(-odd) - L0)) > 4 * noise:
            h, plus, minus = odd, L(odd), L(-odd)
    for _ in range(LEVELS):
        if 4 * noise <= float(h) * enough:
            break
        further = 8 * h
        up, down = L(further), L(-further)
        curved = max(abs(up + down - 2 * L0), abs((up - down) - 8 * (plus - minus)))
        if not curved <= abs(up - down) / 8 + 32 * noise:
            break
        h, plus, minus = further, up, down

    best = Slope(math.nan, math.inf)
    row: list[Any] = []  # the slope from this h; without its error in h²; without that in h⁴; …
    bend: Any = math.nan
    for _ in range(LEVELS):
        wider, wider_bend = row, bend
        row = [(plus - minus) / (2 * h)]
        bend = (plus - 2 * L0 + minus) / h  # shrinks with h, but at a kink stays the slope's jump
        kink = abs(float(FACTOR * bend - wider_bend)) / (FACTOR - 1) / 2
        rounding = 4 * noise / float(h)
        if wider and abs(row[0]) > 2 * abs(wider[0]) + rounding:
            wider = []  # the wider step reached far beyond where L is straight: begin anew
        for k, older in enumerate(wider, 1):
            row.append(row[-1] + (row[-1] - older) / (FACTOR ** (2 * k) - 1))
            apart = abs(float(row[-1] - older))  # of the two it was made from, the one farther off
            if apart + kink + rounding < best.error:
                best = Slope(float(row[-1]), apart + kink + rounding, kink)
        if best.error <= max(enough, rounding):
            break
        h = h / FACTOR
        plus, minus = L(h), L(-h)
    return best
