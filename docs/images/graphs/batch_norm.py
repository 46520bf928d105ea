"""Pictures of batch normalisation: the worked batch of 3 × 2, in steps and in the compact form."""

from __future__ import annotations

from typing import Any

from figures import rows_of
from pages import numbers_of
from pen import Box, Picture


def numbers() -> dict[str, Any]:
    return numbers_of("rules.md", "**A worked batch.**", "Both forms agree")


def block(p: Picture, x: float, top: float, title: str, values: Any, identity: str) -> None:
    """Write what one way contributes to a gradient: a title and the numbers."""
    with p.group(identity):
        p.text(x, top, title, "g b")
        for k, row in enumerate(rows_of(values)):
            p.text(x, top + 14 * (k + 1), row, "g")


def in_steps() -> Picture:
    s = numbers()
    p = Picture(
        "Batch normalisation of a batch of 3 × 2, in steps",
        "x goes to centred directly and through the mean; centred goes to x_hat directly and"
        " through the variance; gamma and beta make y of x_hat.  Where two ways meet, their"
        " gradients are added.",
        664,
    )
    cx, side, wide = 104, 296, 196

    def plate(top: float, name: str, value: Any, grad: Any) -> Box:
        return p.plate(cx, top, name, value, grad, width=wide)

    x = plate(12, "x", s["x"], s["dx"])
    minus = p.op(cx, 112, "x − mean")
    centred = plate(176, "centred", s["centred"], s["dcentred"])
    divide = p.op(cx, 372, "centred / std")
    x_hat = plate(414, "x_hat", s["x_hat"], s["dx_hat"])
    scale = p.op(cx, 516, "gamma * x_hat + beta")
    out = plate(562, "y", s["y"], s["dy"])

    sums = p.op(side, 33, "Σ x / N")
    mean = p.tall(side, 74, "mean", s["mean"], s["dmean"])
    squares = p.op(side, 197, "Σ centred² / N")
    var = p.tall(side, 238, "var", s["var"], s["dvar"])
    root = p.op(side, 314, "√(var + eps)")
    std = p.tall(side, 350, "std", s["std"], s["dstd"])
    gamma = p.tall(side, 454, "gamma", s["gamma"], s["dgamma"], "param")
    beta = p.tall(side, 534, "beta", s["beta"], s["dbeta"], "param")

    p.link(x, minus)
    p.link(x, sums)
    p.link(sums, mean)
    p.link(mean, minus, start=122, end=122)
    p.link(minus, centred)
    p.link(centred, divide)
    p.link(centred, squares)
    p.link(squares, var)
    p.link(var, root)
    p.link(root, std)
    p.link(std, divide)
    p.link(divide, x_hat)
    p.link(x_hat, scale)
    p.link(gamma, scale, start=490, end=522, half=3)
    p.link(beta, scale, start=560, end=530, half=3)
    p.link(scale, out)

    # the two ways back to centred
    block(p, 52, 286, "dx_hat / std", s["direct"], "direct")
    block(p, 172, 286, "2 centred dvar / N", s["through_var"], "through_var")
    p.height = 640
    return p


def compact() -> Picture:
    s = numbers()
    dx = s["dx"]
    p = Picture(
        "The compact form of batch normalisation's gradient, as bars",
        "For both columns: dy, minus its mean, minus the part along x_hat, leaves what gets"
        " through; times gamma / std this is dx.",
        434,
    )
    rows = (
        ("dy", s["dy"], "gb", "dy", 86),
        ("− mean(dy)", -s["moves"], "vb", "moves", 128),
        ("− x_hat * mean(dy * x_hat)", -s["stretches"], "tb", "stretches", 214),
        ("=", s["rest"], "gb", "rest", 304),
        ("dx = gamma / std * …", dx, "gb", "dx", 384),
    )
    for title, values, colour, identity, zero in rows:
        above = zero - 24 * max(values.max(), 0) - (21 if values.max() > 0 else 10)
        p.text(16, above, title, "g b" if "d" in title[:1] else "b", "start")
        with p.group(identity):
            for column in range(2):
                left = 24 + 168 * column
                p.line([(left - 6, zero), (left + 144, zero)], "axis")
                for n in range(3):
                    value = values[n, column]
                    x, end = left + 48 * n, zero - 24 * value
                    p.bar(x + 6, zero, 24 * value, 30, colour)
                    p.text(x + 21, end - 4 if value > -1e-9 else end + 12, rows_of(value)[0])
    for column in range(2):
        p.text(93 + 168 * column, 420, f"Σ dx = {abs(dx[:, column].sum()):.0f}", "g b")
    return p


PICTURES = {"batch_norm": in_steps, "batch_norm_compact": compact}
