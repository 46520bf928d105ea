"""Pictures of chapter 2: a graph for each rule, and the kink of chapter 4."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from figures import rows_of
from pen import Picture

import minigan as mg


def linear() -> Picture:
    layer = mg.Linear(2, 2, dtype="float64")
    layer.W[...] = [[1.0, -1.0], [0.5, 0.25]]
    layer.b[...] = [0, -0.5]
    x, dy = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 0.0], [2.0, -1.0]])
    y, cache = layer.forward(x)
    dx = layer.backward(dy, cache)
    p = Picture(
        "Linear with a batch of two rows",
        "x, W and b enter x @ W + b, which gives y.  dy comes back, and each of the three gets its"
        " gradient: dx = dy Wᵀ, dW = xᵀ dy, db = the sum of dy's rows.",
        240,
    )
    top = p.plate(92, 12, "x", x, dx)
    p.text(20, top.bottom + 16, "dx = dy Wᵀ", "g", "start")
    W = p.plate(264, 12, "W", layer.W, layer.dW, kind="param")
    p.text(340, W.bottom + 16, "dW = xᵀ dy", "g", "end")
    pill = p.op(130, 126, "x @ W + b")
    b = p.plate(264, 117, "b", layer.b, layer.db, kind="param")
    p.text(340, b.bottom + 16, "db = Σ dy", "g", "end")
    p.link(top, pill, start=112, end=116)
    p.link(W, pill, start=224, end=152)
    p.link(b, pill)
    out = p.plate(130, 172, "y", y, dy)
    p.link(pill, out)
    return p


def element_wise(name: str, layer: Any, low: float, high: float) -> Callable[[], Picture]:
    """Return what draws a layer that acts on each number alone: its curve, x, y, dy and dx."""

    def draw() -> Picture:
        x = np.array([[-3.0, -1.0, 1.0, 3.0]])
        dy = np.array([[1.0, -1.0, 2.0, 1.0]])
        y, cache = layer.forward(x)
        dx = layer.backward(dy, cache)
        slope = layer.backward(np.ones_like(dy), cache)
        p = Picture(
            f"{name}: its curve, and four numbers forward and backward",
            f"The curve of {name} with its tangents at x = -3, -1, 1 and 3.  Below each of them x,"
            " y, the slope y′, dy, and dx = dy · y′.",
            302,
        )
        columns = [100 + 72 * k for k in range(4)]

        def at(a: float, b: float) -> tuple[float, float]:
            return 208 + 36 * a, 14 + 128 * (high - b) / (high - low)

        for column, a, b in zip(columns, x[0], y[0], strict=True):
            p.line([at(a, b), (column, 150)], "sl")
        p.line([at(-3.9, 0), at(3.9, 0)], "axis")
        p.line([at(0, low), at(0, high)], "axis")
        grid = np.array([[*np.linspace(-3.9, 3.9, 79)]])  # with the kink at 0
        curve, _ = layer.forward(grid)
        p.line([at(a, b) for a, b in zip(grid[0], curve[0], strict=True)], "vl")
        for a, b, s in zip(x[0], y[0], slope[0], strict=True):
            steep = s * 128 / (high - low) / 36  # on paper
            far = 0.6 / np.hypot(1, steep)
            p.line([at(a - far, b - s * far), at(a + far, b + s * far)], "gl")
            p.dot(*at(a, b), "v")
        rows = (
            ("x", "x", x, "v"),
            ("y", "y", y, "v"),
            ("y′", "slope", slope, "s"),
            ("dy", "dy", dy, "g"),
            ("dx", "dx", dx, "g"),
        )
        for k, (label, identity, values, colour) in enumerate(rows):
            line = 166 + 26 * k
            with p.group(identity):
                p.text(20, line, label, f"{colour} b", "start")
                for column, cell in zip(columns, rows_of(values)[0].split(), strict=True):
                    p.text(column, line, cell, colour)
        p.line([(20, 227), (340, 227)], "rule")
        p.text(340, 290, "dx = dy · y′", "g", "end")
        return p

    return draw


def sigmoid_bce() -> Picture:
    x, t = np.array([[2.0], [-1.0]]), np.array([[1.0], [0.0]])
    layer = mg.Sigmoid()
    probability, cache = layer.forward(x)
    loss, dp = mg.bce(probability, t)
    dx = layer.backward(dp, cache)
    direct, _ = mg.bce_with_logits(x, t)
    p = Picture(
        "Sigmoid and BCE, one after the other and as one step",
        "x goes through Sigmoid to p and through bce with the targets t to L.  On the long way back"
        " two factors meet: dp, and p (1 − p).  bce_with_logits goes back in one step.",
        318,
    )
    cx = 96
    top = p.plate(cx, 12, "x", x, dx)
    pill = p.op(cx, 88, "Sigmoid")
    middle = p.plate(cx, 128, "p", probability, dp)
    bce = p.op(cx, 204, "bce")
    out = p.plate(cx, 244, "L", float(loss), 1.0)
    for a, b in ((top, pill), (pill, middle), (middle, bce), (bce, out)):
        p.link(a, b)
    p.text(cx + 14, 79, "dx = dp · p (1 − p)", "g", "start")
    p.text(cx + 14, 195, "dp = (p − t) / (p (1 − p)) / n", "g", "start")
    targets = p.plate(214, 210, "t", t, shape="")
    p.link(targets, bce, back=False, start=bce.cy)
    one_step = p.op(286, 92, "bce_with_logits")
    p.arrow([(top.right, 27), (281, 27), (281, 92)], "v")
    p.arrow([(291, 92), (291, 37), (top.right, 37)], "g")
    p.text(345, 52, "(p − t)", "g", "end")
    p.text(345, 66, "/ n", "g", "end")
    other = p.plate(286, 132, "L", float(direct), 1.0, identity="L_direct")
    p.link(one_step, other)
    p.height = 290
    return p


def kink() -> Picture:
    """The slope of ReLU that a nudge of h measures, beside backprop's: 4e-6 with h = 1e-5."""
    relu, h = mg.ReLU(), 1e-5
    x = np.array([[-2e-5, -4e-6, 4e-6, 2e-5]])
    y, cache = relu.forward(x)
    numeric = (relu(x + h) - relu(x - h)) / (2 * h)
    backprop = relu.backward(np.ones_like(y), cache)
    p = Picture(
        "A nudge across the kink of ReLU measures neither slope",
        "ReLU near 0, with four secants from x - h to x + h.  Those that cross 0 have the slopes"
        " 0.3 and 0.7, where backprop says 0 and 1.",
        262,
    )

    def at(a: float, b: float) -> tuple[float, float]:
        return 200 + 4.4e6 * a, 128 - 3.6e6 * b

    p.line([at(-3.1e-5, 0), at(3.1e-5, 0)], "axis")
    p.line([at(0, -4e-6), at(0, 3.1e-5)], "axis")
    p.line([at(-3.1e-5, 0), at(0, 0), at(3.1e-5, 3.1e-5)], "vl")
    columns = [at(a, 0)[0] for a in x[0]]
    columns[1:3] = [columns[1] - 12, columns[2] + 12]
    for a, column in zip(x[0], columns, strict=True):
        ends = [
            (a - h, relu(np.array([[a - h]])).item()),
            (a + h, relu(np.array([[a + h]])).item()),
        ]
        p.line([at(*ends[0]), at(*ends[1])], "gl")
        for end in ends:
            p.dot(*at(*end), "g", 2.5)
        p.line([at(a, sum(b for _, b in ends) / 2), (at(a, 0)[0], 160), (column, 168)], "sl")
    rows = (
        ("x / h", "x", x / h, "v"),
        ("numeric", "numeric", numeric, "g"),
        ("backprop", "backprop", backprop, "g"),
    )
    for k, (label, identity, values, colour) in enumerate(rows):
        line = 184 + 26 * k
        with p.group(identity):
            p.text(20, line, label, f"{colour} b", "start")
            for column, cell in zip(columns, rows_of(values)[0].split(), strict=True):
                p.text(column, line, cell, colour)
    p.height = 254
    return p


PICTURES: dict[str, Callable[[], Picture]] = {
    "linear": linear,
    "relu": element_wise("ReLU", mg.ReLU(), -0.5, 4),
    "leaky_relu": element_wise("LeakyReLU", mg.LeakyReLU(0.2), -1.1, 4),
    "tanh": element_wise("Tanh", mg.Tanh(), -1.25, 1.25),
    "sigmoid": element_wise("Sigmoid", mg.Sigmoid(), -0.1, 1.15),
    "sigmoid_bce": sigmoid_bce,
    "kink": kink,
}
