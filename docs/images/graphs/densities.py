"""Pictures of chapter 5: expectation, the best D, KL and JS, of the four kinds of images there.

The numbers are those of the page's own code, which is run.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from figures import rows_of
from pages import numbers_of
from pen import Picture

LEFT, WIDE = 24, 312  # where probability 0 begins, and how long probability 1 is


def numbers() -> dict[str, Any]:
    return numbers_of("the-gan.md", "# The GAN", "## The non-saturating loss")


def short(value: float) -> str:
    return rows_of(value)[0]


def boxes(
    p: Picture,
    zero: float,
    unit: float,
    wide: Any,
    high: Any,
    identity: str,
    colour: str,
    mean: float | None = None,
) -> None:
    """Draw a box for each kind, as wide as its probability and as high as its number.

    A line goes through at the height ``mean``, where one box of width 1 has the same area.
    """
    with p.group(identity):
        ends = LEFT + WIDE * np.cumsum([0, *wide])
        tall = [66.0 if math.isinf(height) else unit * height for height in high]
        drawn = [k for k, width in enumerate(wide) if width]
        for k in drawn:
            p.bar(ends[k], zero, tall[k], ends[k + 1] - ends[k], colour)
            p.line([(ends[k + 1], zero - 3), (ends[k + 1], zero + 3)], "axis")
        p.line([(LEFT, zero), (LEFT + WIDE, zero)], "axis")
        if mean is not None:
            p.line([(LEFT, zero - unit * mean), (LEFT + WIDE, zero - unit * mean)], "tl")
        for k in drawn:
            middle, top = (ends[k] + ends[k + 1]) / 2, zero - tall[k]
            if math.isinf(high[k]):
                p.arrow([(middle, zero - 8), (middle, top - 16)], "g")
                p.text(middle + 16, top - 6, "∞", "b")
            else:
                p.text(middle, top - 4 if high[k] >= 0 else top + 12, short(high[k]), "b h")
            p.text(middle, zero + (13 if high[k] >= 0 else -5), short(wide[k]), "s")


def expectation() -> Picture:
    n = numbers()
    p = Picture(
        "An expectation is an area",
        "Each kind of image is a box: as wide as it is frequent, as high as its number.  The line"
        " has the height at which one box of width 1 has the same area, 19 and 47.",
        252,
    )
    for name, zero, colour in (("p_r", 108, "vb"), ("p_g", 228, "gb")):
        mean = float(n[name] @ n["ink"])
        boxes(p, zero, 0.85, n[name], n["ink"], name, colour, mean)
        with p.group(f"E_{name}"):
            p.text(LEFT, zero - 72, f"E over {name}: {short(mean)}", "t b", "start")
    return p


def best_d() -> Picture:
    n = numbers()
    p = Picture(
        "The best D, for four kinds of images",
        "Bars show how often each kind is real and how often it is drawn; above them stands"
        " the best D, p_r / (p_r + p_g): 0.83, 0.5, 0.5 and 0.",
        214,
    )
    zero, unit = 190, 140
    p.line([(LEFT, zero - unit / 2), (LEFT + WIDE, zero - unit / 2)], "sl")
    p.text(LEFT + WIDE, zero - unit / 2 - 5, "½", "s", "end")
    for k in range(4):
        left = LEFT + 12 + 76 * k
        for name, colour, kind, x in (("p_r", "vb", "v", left), ("p_g", "gb", "g", left + 30)):
            value = n[name][k]
            p.bar(x, zero, unit * value, 26, colour)
            p.text(x + 13, zero + 14, short(value), kind)
        at = zero - unit * n["D"][k]
        p.line([(left - 2, at), (left + 58, at)], "tl")
        shown = f"{n['D'][k]:.2f}" if n["D"][k] else "0"
        p.text(left + (28 if n["D"][k] else 13), at - 5, shown, "t b")
    p.line([(LEFT, zero), (LEFT + WIDE, zero)], "axis")
    p.text(LEFT + 150, 20, "p_r", "v b", "start")
    p.text(LEFT + 186, 20, "p_g", "g b", "start")
    p.text(LEFT + 222, 20, "D*", "t b", "start")
    return p


def log_ratio(p: Any, q: Any) -> Any:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(p / q)


def kl() -> Picture:
    n = numbers()
    p = Picture(
        "KL is the average of ln(p/q) over p",
        "Each kind is a box as wide as p and as high as ln(p/q).  KL(p_r, p_g) is 0.805.  The other"
        " way round one box is infinitely high, since the kind never occurs among real images.",
        308,
    )
    for a, b, zero, colour in (("p_r", "p_g", 84, "vb"), ("p_g", "p_r", 218, "gb")):
        boxes(p, zero, 36, n[a], log_ratio(n[a], n[b]), f"{a}_{b}", colour)
        value = n["kl"](n[a], n[b])
        shown = "∞" if math.isinf(value) else short(value)
        x = 112 if a == "p_g" else LEFT + WIDE
        p.text(
            x,
            zero - (54 if a == "p_r" else 58),
            f"KL({a}, {b}) = {shown}",
            "t b",
            "end" if a == "p_r" else "middle",
        )
    return p


def js() -> Picture:
    n = numbers()
    p = Picture(
        "JS compares both with their mixture",
        "KL(p_r, q) is 0.255 and KL(p_g, q) is 0.167, where q is the mean of both.  JS is the mean"
        " of the two, 0.211, on a scale from 0 to ln 2.",
        298,
    )
    for a, zero, colour in (("p_r", 66, "vb"), ("p_g", 162, "gb")):
        boxes(p, zero, 36, n[a], log_ratio(n[a], n["q"]), f"{a}_q", colour)
        value = n["kl"](n[a], n["q"])
        where = LEFT + WIDE, zero - 50
        p.text(*where, f"KL({a}, q) = {short(value)}", "t b", "end")
    zero, top = 270, math.log(2)
    p.add("rect", "tb", x=LEFT, y=zero - 14, width=WIDE * n["js"] / top, height=14)
    p.line([(LEFT, zero), (LEFT + WIDE, zero)], "axis")
    p.text(LEFT + WIDE * n["js"] / top, zero - 20, f"JS = {short(n['js'])}", "t b")
    p.text(LEFT, zero + 14, "0", "s")
    p.text(LEFT + WIDE, zero + 14, f"ln 2 = {short(top)}", "s", "end")
    return p


PICTURES = {"expectation": expectation, "best_d": best_d, "kl": kl, "js": js}
