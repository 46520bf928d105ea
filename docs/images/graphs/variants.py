"""Pictures of the conditional GAN and of the generator with styles."""

from __future__ import annotations

from typing import Any

import numpy as np
from figures import rows_of
from pen import Picture

import minigan as mg
from minigan.conditional import beside, into_picked, one_hot, picked
from minigan.style import Constant, ModulatedLinear, Noise
from minigan.styled import Styled

LABELS = np.array([1, 3, 1])
F64: dict[str, Any] = {"dtype": "float64", "seed": 0}


def condition_of(classes: int = 4) -> Any:
    return one_hot(LABELS, len(LABELS), np.eye(classes))


def conditional_g() -> Picture:
    z, c = np.array([[1.0, 0.0], [2.0, 1.0], [0.0, -1.0]]), condition_of()
    layer = mg.Linear(2 + 4, 2, dtype="float64")
    layer.W[...] = np.array([[1, -1], [0.5, 2], [3, 3], [0.25, 1], [4, 4], [-1, 0.5]])
    layer.b[...] = 0
    x = beside(z, c)
    y, cache = layer.forward(x)
    dy = np.array([[1.0, 0.0], [0.0, 2.0], [3.0, -1.0]])
    layer.backward(dy, cache)
    p = Picture(
        "A class picks a row of W",
        "z and the one-hot c stand side by side and are multiplied by W.  The rows of W of the"
        " classes 1 and 3 are used, and get gradients; those of the classes 0 and 2 are not.",
        260,
    )
    z_box, c_box = p.plate(44, 40, "z", z), p.plate(118, 40, "c", c)
    pill = p.op(81, 138, "[z, c] @ W")
    p.link(z_box, pill, back=False, end=62)
    p.link(c_box, pill, back=False, end=100)
    W = p.plate(280, 12, "W", layer.W, layer.dW, kind="param")
    for k, label in enumerate(("z[0]", "z[1]", "c[0]", "c[1]", "c[2]", "c[3]")):
        used = k < 2 or k - 2 in LABELS
        p.text(W.left - 8, W.top + 13 + 14 * (k + 1), label, "b" if used else "s", "end")
    out = p.plate(81, 186, "y", y, dy)
    p.link(pill, out)
    p.arrow([(W.cx - 4.5, W.bottom), (W.cx - 4.5, 143.5), (pill.right, 143.5)], "v")
    p.arrow([(pill.right, 152.5), (W.cx + 4.5, 152.5), (W.cx + 4.5, W.bottom)], "g")
    p.text(W.cx - 4, 170, "dW = [z, c]ᵀ dy", "g")
    return p


def conditional_d() -> Picture:
    c = condition_of()
    y = np.array([[0.5, 2.0, -1.0, 0.0], [1.0, -2.0, 0.5, -1.0], [-0.5, 1.0, 3.0, 0.5]])
    answer = picked(y, c)
    loss, dp = mg.bce_with_logits(answer, 1.0)
    dy = into_picked(dp, c)
    p = Picture(
        "A class picks an answer of D",
        "D gives four answers to each of three images, y.  c picks one in each row, p.  Only the"
        " answers that were picked get a gradient.",
        330,
    )
    top = p.plate(180, 12, "y", y, dy)
    c_box = p.plate(290, 96, "c", c)
    pill = p.op(110, 118, "Σ y · c")
    p.link(top, pill, start=110)
    p.link(c_box, pill, back=False, end=pill.cy, start=pill.cy)
    out = p.plate(110, 162, "p", answer, dp)
    p.link(pill, out)
    bce = p.op(110, 244, "bce_with_logits(p, 1)")
    p.link(out, bce)
    p.link(bce, p.plate(110, 284, "L", float(loss), 1.0))
    return p


def modulated() -> Picture:
    layer = ModulatedLinear(2, 2, dtype="float64", seed=0)
    layer.W[...] = [[1.2, 0.3], [3.2, -0.8]]
    layer.b[...] = 0
    x, s = np.array([[1.0, 2.0]]), np.array([[0.0, -0.5]])
    y, (_, scale, v, d) = layer.forward(np.concatenate([x, s], axis=1))
    dy = np.array([[1.0, 2.0]])
    cache = (x, scale, v, d)
    layer.param_grads(dy, cache)
    dxs = layer.input_grad(dy, cache)
    dv, dd = dy * d, dy * v
    dq = dd * -0.5 * d**3
    du, dsquare = dv @ layer.W.T, dq @ (layer.W**2).T
    u, q = scale * x, scale**2 @ layer.W**2
    dscale_u, dscale_q = x * du, 2 * scale * dsquare
    assert np.allclose(dxs[:, 2:], dscale_u + dscale_q, rtol=0, atol=1e-12)
    p = Picture(
        "A modulated layer: s and W are used twice",
        "x times 1 + s is u, u W is v; (1 + s)² W² is q, of which d is made; y is d v + b.  s and W"
        " get two gradients each, which are added.",
        510,
    )
    left, right = 82, 270
    x_box = p.plate(left, 12, "x", x, dxs[:, :2])
    s_box = p.plate(right, 12, "s", s, dxs[:, 2:])
    times = p.op(left, 84, "(1 + s) · x")
    square = p.op(right, 84, "(1 + s)²")
    p.link(x_box, times)
    p.link(s_box, square, start=right + 20, end=right + 20)
    p.link(s_box, times, start=220, end=120)
    u_box = p.plate(left, 138, "u", u, du)
    p.link(times, u_box)
    r_box = p.plate(
        right, 138, "(1+s)²", scale**2, dsquare, identity="square", shape="", grad_name="d(1+s)²"
    )
    p.link(square, r_box)
    W = p.plate(176, 196, "W", layer.W, layer.dW, kind="param")
    product = p.op(left, 274, "u @ W")
    squares = p.op(right, 274, "(1+s)² @ W²")
    p.link(u_box, product, start=40, end=62)
    p.link(r_box, squares, start=320, end=300)
    p.link(W, product, start=130, end=100)
    p.link(W, squares, start=222, end=250)
    v_box = p.plate(left, 318, "v", v, dv)
    q_box = p.plate(right, 318, "q", q, dq)
    p.link(product, v_box)
    p.link(squares, q_box)
    root = p.op(right, 374, "1 / √(q + eps)")
    d_box = p.plate(right, 416, "d", d, dd)
    p.link(q_box, root)
    p.link(root, d_box)
    last = p.op(left, 423, "d · v + b")
    p.link(v_box, last)
    p.link(d_box, last, start=d_box.cy, end=last.cy)
    y_box = p.plate(left, 464, "y", y, dy)
    p.link(last, y_box)
    return p


def style() -> Picture:
    constant, first, noise = Constant(2, **F64), ModulatedLinear(2, 2, **F64), Noise(2, **F64)
    relu, second = mg.ReLU(), ModulatedLinear(2, 1, **F64)
    mapping = mg.Linear(2, 2, **F64)
    net = Styled((mapping,), (constant, first, noise, relu, second), dtype="float64")
    affine1: Any
    affine2: Any
    affine1, affine2 = (net.layers[i - 1] for i in net.way if net.layers[i].beside == "style")
    mapping.W[...] = [[1, 0], [1, 1]]
    mapping.b[...] = 0
    affine1.W[...] = [[1, 0], [0.5, 1]]
    affine1.b[...] = 0
    affine2.W[...] = [[1, 1], [1, 0]]
    affine2.b[...] = 0
    constant.c[...] = [1, 2]
    noise.k[...] = [0.1, 0.2]
    first.W[...] = [[1, 0.5], [0.5, 1]]
    first.b[...] = 0
    second.W[...] = [[1.0], [0.5]]
    second.b[...] = 0
    z, epsilon, dy = np.array([[1.0, -0.5]]), np.array([[1.0, -1.0]]), np.array([[1.0]])

    w, at_mapping = mapping.forward(z)
    s1, at1 = affine1.forward(w)
    s2, at2 = affine2.forward(w)
    c, _ = constant.forward(z)
    x1, at_first = first.forward(np.concatenate([c, s1], axis=1))
    x2, at_noise = noise.forward(np.concatenate([x1, epsilon], axis=1))
    x3, at_relu = relu.forward(x2)
    y, at_second = second.forward(np.concatenate([x3, s2], axis=1))
    back = second.backward(dy, at_second)
    dx3, ds2 = back[:, :2], back[:, 2:]
    dx1 = noise.backward(relu.backward(dx3, at_relu), at_noise)[:, :2]
    back = first.backward(dx1, at_first)
    dc, ds1 = back[:, :2], back[:, 2:]
    way1, way2 = affine1.backward(ds1, at1), affine2.backward(ds2, at2)
    dz = mapping.backward(way1 + way2, at_mapping)

    whole = np.concatenate([z, epsilon], axis=1)
    answer, cache = net.forward(whole)
    assert np.array_equal(answer, y)
    assert np.allclose(net.backward(dy, cache)[:, :2], dz, rtol=0, atol=1e-12)
    p = Picture(
        "A network with styles: w goes two ways, and gets two gradients",
        "z becomes w.  w becomes s1 for the first modulated layer and s2 for the second.  What goes"
        " through them begins as a constant.  The gradients that come back to w are added.",
        548,
    )
    trunk, side = 94, 256
    z_box = p.plate(side, 12, "z", z, dz)
    f = p.op(side, 66, "mapping")
    w_box = p.plate(side, 106, "w", w, way1 + way2, width=186)
    a1 = p.op(side - 24, 200, "w A1 + a1")
    s1_box = p.plate(side - 12, 240, "s1", s1, ds1)
    a2 = p.op(side - 24, 344, "w A2 + a2")
    s2_box = p.plate(side - 12, 384, "s2", s2, ds2)
    p.link(z_box, f)
    p.link(f, w_box)
    p.link(w_box, a1, start=side - 24)
    p.link(a1, s1_box, end=side - 24)
    p.arrow([(334, w_box.bottom), (334, 350), (a2.right, 350)], "v")
    p.arrow([(a2.right, 359), (343, 359), (343, w_box.bottom)], "g")
    p.link(a2, s2_box, end=side - 24)
    for way, x, top, identity in ((way1, side - 14, 160, "way1"), (way2, 327, 310, "way2")):
        with p.group(identity):
            anchor = "start" if way is way1 else "end"
            p.text(x, top, f"ds{identity[-1]} A{identity[-1]}ᵀ", "g b", anchor)
            p.text(x, top + 14, rows_of(way)[0], "g", anchor)

    c_box = p.plate(trunk, 170, "c", c, dc, kind="param")
    m1 = p.op(trunk, 247, "modulated")
    x1_box = p.plate(trunk, 290, "x", x1, dx1, identity="x1")
    more = p.op(trunk, 340, "+ noise, ReLU")
    m2 = p.op(trunk, 391, "modulated")
    y_box = p.plate(trunk, 440, "y", y, dy)
    p.link(c_box, m1)
    p.link(s1_box, m1)
    p.link(m1, x1_box)
    p.link(x1_box, more)
    p.link(more, m2)
    p.link(s2_box, m2)
    p.link(m2, y_box)
    p.height = 486
    return p


PICTURES = {
    "conditional_g": conditional_g,
    "conditional_d": conditional_d,
    "modulated": modulated,
    "style": style,
}
