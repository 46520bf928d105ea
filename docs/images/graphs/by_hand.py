"""Pictures of chapter 1 and of the beginning of chapter 2: single numbers, then arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from pen import Picture

import minigan as mg


def network() -> mg.Sequential:
    """Return the network of nine numbers."""
    net = mg.Sequential(mg.Linear(2, 2), mg.ReLU(), mg.Linear(2, 1), dtype="float64")
    net.params[:] = [1, -1, 0.5, 0.25, 0, -0.5, 0.5, 3, 0.5]
    return net


def walk(net: mg.Sequential, x: Any, target: float) -> tuple[list[Any], list[Any]]:
    """Return all values from x to y, and the gradients of (y - target)²/2 from dx to dy."""
    values, caches = [x], []
    for layer in net.layers:
        y, cache = layer.forward(values[-1])
        values.append(y)
        caches.append(cache)
    grads = [values[-1] - target]
    for layer, cache in zip(reversed(net.layers), reversed(caches), strict=True):
        grads.append(layer.backward(grads[-1], cache))
    return values, grads[::-1]


def two_two_one() -> Picture:
    net = network()
    (x, h, a, y), (dx, dh, da, dy) = walk(net, np.array([[1.0, 2.0]]), 1.0)
    first: Any = net.layers[0]
    last: Any = net.layers[2]
    p = Picture(
        "The 2-2-1 network, number by number",
        "Two inputs, two hidden units, one output and the loss, with each number of the forward"
        " pass and the gradient with respect to it.",
        484,
    )
    columns = 112, 248
    inputs = [
        p.plate(cx, 12, f"x[{i}]", x[0, i], dx[0, i], identity=f"x{i}")
        for i, cx in enumerate(columns)
    ]
    hidden = [
        p.plate(cx, 168, f"h[{j}]", h[0, j], dh[0, j], identity=f"h{j}")
        for j, cx in enumerate(columns)
    ]
    active = [
        p.plate(cx, 256, f"a[{j}]", a[0, j], da[0, j], identity=f"a{j}")
        for j, cx in enumerate(columns)
    ]
    output = p.plate(180, 356, "y", y[0, 0], dy[0, 0], identity="y")
    for i, source in enumerate(inputs):
        for j, target in enumerate(hidden):
            aside = 12 * (j - i)
            p.link(source, target, back=bool(dh[0, j]), start=source.cx + aside)
    for i, source in enumerate(inputs):
        for j, target in enumerate(hidden):
            at = 0.68 if i == j else 0.25
            aside = 12 * (j - i)
            cx = source.cx + aside + at * (target.cx - source.cx - aside)
            cy = source.bottom + at * (target.top - source.bottom)
            p.tag(cx, cy, first.W[i, j], first.dW[i, j], f"W1{i}{j}")
    for j, (below, above) in enumerate(zip(active, hidden, strict=True)):
        pill = p.op(columns[j], 217, "ReLU")
        on = bool(dh[0, j])
        p.link(above, pill, back=on)
        p.link(pill, below, back=True)
        if not on:
            p.stop(columns[j] + 12, above.bottom + 7)
        bias = p.tag((34, 326)[j], above.cy, first.b[j], first.db[j], f"b1{j}")
        p.link(bias, above, back=on)
        end = output.cx + (-10, 10)[j]
        p.link(below, output, end=end)
        middle = (below.cx + end) / 2, (below.bottom + output.top) / 2
        p.tag(*middle, last.W[j, 0], last.dW[j, 0], f"W2{j}")
    bias = p.tag(290, output.cy, last.b[0], last.db[0], "b2")
    p.link(bias, output)
    loss = p.op(180, 406, "½ (y − t)²")
    p.link(output, loss)
    result = p.plate(180, 442, "L", (dy**2 / 2).item(), 1.0)
    p.link(loss, result)
    return p


def two_two_one_arrays() -> Picture:
    net = network()
    (x, h, a, y), (dx, dh, da, dy) = walk(net, np.array([[1.0, 2.0]]), 1.0)
    first: Any = net.layers[0]
    last: Any = net.layers[2]
    p = Picture(
        "The 2-2-1 network, array by array",
        "A column of arrays and operations: x, the first Linear with W1 and b1, h, ReLU, a, the"
        " second Linear with W2 and b2, y, the loss.",
        492,
    )
    cx = 100
    boxes = [
        p.plate(cx, 12 + 88 * k, name, value, grad)
        for k, (name, value, grad) in enumerate(
            [("x", x, dx), ("h", h, dh), ("a", a, da), ("y", y, dy)]
        )
    ]
    pills = [p.op(cx, 62 + 88 * k, words) for k, words in enumerate(["x @ W1 + b1", "ReLU"])]
    pills.append(p.op(cx, 62 + 88 * 2, "a @ W2 + b2"))
    for above, pill, below in zip(boxes[:3], pills, boxes[1:], strict=True):
        p.link(above, pill)
        p.link(pill, below)
    for layer, pill, k in ((first, pills[0], 1), (last, pills[2], 2)):
        top = 20 if k == 1 else 198
        W = p.plate(275, top, f"W{k}", layer.W, layer.dW, kind="param")
        b = p.plate(275, W.bottom + 10, f"b{k}", layer.b, layer.db, kind="param")
        p.link(W, pill, end=pill.cy - 5, half=3)
        p.link(b, pill, end=pill.cy + 5, half=3)
    loss = p.op(cx, 62 + 88 * 3, "½ (y − t)²")
    p.link(boxes[-1], loss)
    result = p.plate(cx, 12 + 88 * 4, "L", (dy**2 / 2).item(), 1.0)
    p.link(loss, result)
    p.height = result.bottom + 12
    return p


def two_ways() -> Picture:
    x = 2.0
    u, v = 3 * x, x * x
    du, dv = v, u  # of L = u v
    through_u, through_v = du * 3, dv * 2 * x
    p = Picture(
        "x reaches L by two ways",
        "x becomes u = 3 x and v = x², which meet in L = u v.  Both ways back end at x, where the"
        " two gradients are added.",
        310,
    )
    top = p.plate(180, 12, "x", x, through_u + through_v)
    left, right = p.op(90, 86, "3 x"), p.op(270, 86, "x²")
    below = (
        p.plate(90, 140, "u", u, du),
        p.plate(270, 140, "v", v, dv),
    )
    p.link(top, left, start=166)
    p.link(top, right, start=194)
    p.text(136, 84, f"{through_u:g}", "g b", "start")
    p.text(240, 60, f"{through_v:g}", "g b", "start")
    p.text(top.right + 8, 39, f"= {through_u:g} + {through_v:g}", "g", "start")
    product = p.op(180, 214, "u · v")
    for pill, box, end in zip((left, right), below, (168, 192), strict=True):
        p.link(pill, box)
        p.link(box, product, end=end)
    result = p.plate(180, 262, "L", u * v, 1.0)
    p.link(product, result)
    return p


PICTURES = {
    "two_two_one": two_two_one,
    "two_two_one_arrays": two_two_one_arrays,
    "two_ways": two_ways,
}
