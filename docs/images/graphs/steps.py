"""Pictures of the training step: the two steps of a GAN, and the penalty's extra pass."""

from __future__ import annotations

from typing import Any

import numpy as np
from by_hand import network
from pen import Box, Picture

import minigan as mg

Z, REAL = np.array([[0.5], [-1.0]]), np.array([[1.0], [3.0]])


def smallest_gan() -> tuple[mg.Sequential, mg.Sequential]:
    """Return G, which doubles z and adds 1, and D, whose logit is x."""
    G = mg.Sequential(mg.Linear(1, 1), dtype="float64")
    D = mg.Sequential(mg.Linear(1, 1), mg.Sigmoid(), dtype="float64")
    G.params[:], D.params[:] = [2, 1], [1, 0]
    return G, D


def one_step() -> tuple[dict[str, Any], dict[str, Any]]:
    """Take the step of ``minigan.gan`` with the smallest GAN; return all values and gradients."""
    G, D = smallest_gan()
    values: dict[str, Any] = {"z": Z, "real": REAL}
    grads: dict[str, Any] = {}
    B = len(Z)
    adam_d, adam_g = mg.Adam(D, lr=0.1), mg.Adam(G, lr=0.1)
    fake, cache_g = G.forward(Z)
    both = np.concatenate([REAL, fake])
    p, cache_d = D.forward(both)
    loss_real, dp_real = mg.bce(p[:B], 1.0)
    loss_fake, dp_fake = mg.bce(p[B:], 0.0)
    dp = np.concatenate([dp_real, dp_fake])
    D.backward(dp, cache_d, input_grad=False)
    values |= {"fake": fake, "both": both, "p": p, "d_loss": loss_real + loss_fake}
    values |= {"D": D.params.copy(), "G": G.params.copy()}
    grads |= {"p": dp, "D": D.grads.copy()}
    adam_d.step()
    p, cache_d = D.forward(fake)
    g_loss, dp = mg.bce(p, 1.0)
    d_fake = D.backward(dp, cache_d, param_grads=False)
    G.backward(d_fake, cache_g, input_grad=False)
    values |= {"D2": D.params.copy(), "p2": p, "g_loss": g_loss}
    grads |= {"p2": dp, "fake": d_fake, "G": G.grads.copy()}
    adam_g.step()
    return values, grads


def gan_step() -> Picture:
    v, g = one_step()
    p = Picture(
        "One step of a GAN: D's step on the left, G's step on the right",
        "z goes through G to fake.  Left: real on top of fake goes through D to p and d_loss; the"
        " gradients reach D's W and b and stop there (detach).  Right: fake goes through the"
        " updated D to g_loss; the gradients go through D, whose W and b are frozen, to fake and"
        " into G, and stop before z.",
        626,
    )
    one, two, level = 56, 304, 380  # the two ways down, and where D stands on both
    z = p.plate(268, 12, "z", v["z"])
    G = p.op(268, 88, "G")
    g_params = p.plate(
        150, 80, "W b", v["G"], g["G"], shape="", grad_name="dW db", kind="param", identity="G"
    )
    p.text(150, 74, "adam_g.step()", "b")
    fake = p.plate(268, 130, "fake", v["fake"], g["fake"], grad_name="d_fake")
    real = p.plate(58, 130, "real", v["real"])
    p.link(z, G, back=False, start=z.cx - 4.5, end=z.cx - 4.5)
    p.arrow([(z.cx + 4.5, 88), (z.cx + 4.5, 74)], "g")
    p.stop(z.cx + 4.5, 67)
    p.text(352, 74, "input_grad", "s", "end")
    p.text(352, 87, "=False", "s", "end")
    p.link(g_params, G, start=98, end=98, half=4)
    p.link(G, fake)

    p.rectangle(Box(8, 206, 170, 408), "group", 8)
    p.rectangle(Box(186, 206, 166, 408), "group", 8)
    p.text(20, 224, "1", "b", "start")
    p.text(340, 224, "2", "b", "end")

    join = p.op(82, 232, "concatenate")  # the step of D
    both = p.plate(one, 268, "x", v["both"])
    D = p.op(one - 3, level, "D")
    weights = p.tall(
        129, level - 22, "W b", v["D"], g["D"], "param", shape="", grad_name="dW db", identity="D"
    )
    p.arrow([(one - 8, real.bottom), (one - 8, 232)], "v")
    p.arrow([(fake.left, 158), (116, 158), (116, 232)], "v")
    p.link(join, both, back=False, start=one)
    p.link(both, D, back=False, end=one - 6, start=one - 6)
    p.arrow([(one + 4, level), (one + 4, level - 13)], "g")
    p.stop(one + 4, level - 19)
    p.text(98, 306, "input_grad", "s", "start")
    p.text(98, 319, "=False:", "s", "start")
    p.text(98, 338, "detach", "g b", "start")
    p.link(weights, D, half=4, end=D.cy, start=D.cy)
    answer = p.plate(76, 430, "p", v["p"], g["p"])
    p.link(D, answer, start=one - 2, end=one - 2)
    loss = p.op(76, 520, "bce(p[:B], 1)\n+ bce(p[B:], 0)")
    p.link(answer, loss, start=one, end=one)
    p.link(loss, p.plate(76, 572, "d_loss", v["d_loss"], 1.0, grad_name="d"), start=one, end=one)

    moved = p.plate(  # the step of G
        234, level - 8, "W b", v["D2"], shape="", kind="frozen", identity="D2"
    )
    p.text(192, 338, "adam_d.step()", "b", "start")
    p.arrow([(150, weights.top), (150, 346), (234, 346), (234, moved.top)], "v")
    D = p.op(two, level, "D", "frozen")
    p.link(moved, D, back=False, start=level + 6, end=level + 6)
    p.arrow([(D.left, level + 15), (D.left - 11, level + 15)], "g")
    p.stop(D.left - 16, level + 15)
    p.text(194, level + 40, "param_grads", "s", "start")
    p.text(194, level + 53, "=False", "s", "start")
    p.link(fake, D, start=two, end=two)
    answer = p.plate(two - 20, 452, "p", v["p2"], g["p2"], identity="p2")
    p.link(D, answer, end=two)
    loss = p.op(two - 20, 524, "bce(p, 1)")
    p.link(answer, loss, start=two, end=two)
    p.link(
        loss, p.plate(two - 20, 572, "g_loss", v["g_loss"], 1.0, grad_name="d"), start=two, end=two
    )
    return p


def r1() -> Picture:
    """The three passes of the penalty, for the network and the image of the page."""
    net, x, gamma = network(), np.array([[1.0, 2.0]]), 2
    penalty = float(mg.r1(net, x, gamma=gamma))
    first: Any = net.layers[0]
    relu: Any = net.layers[1]
    last: Any = net.layers[2]
    h, cache1 = first.forward(x)
    a, cache2 = relu.forward(h)
    logit, cache3 = last.forward(a)
    delta2 = np.ones_like(logit)
    da = last.backward(delta2, cache3, param_grads=False)
    delta1 = relu.backward(da, cache2)
    g = first.backward(delta1, cache1, param_grads=False)
    t0 = gamma / len(x) * g
    through, _ = first.double_backward(t0, delta1, cache1)
    t1, _ = relu.double_backward(through, da, cache2)
    last.double_backward(t1, delta2, cache3)
    p = Picture(
        "R1: forward, backward, and the penalty's pass",
        "Three columns.  Forward from x down to the logit D(x).  Backward from δ2 = 1 up to the"
        " slope g at the image.  From R = γ/2 |g|² down again: t0, t1, and the gradients of R with"
        " respect to W1 and W2.",
        470,
    )
    rows = 66, 164, 262, 360
    columns = 62, 176, 294

    def plate(column: int, row: int, name: str, value: Any, identity: str) -> Box:
        colour = "vgt"[column]
        return p.plate(columns[column], rows[row], name, value, colour=colour, identity=identity)

    down = [
        plate(0, k, name, value, name[:1])
        for k, (name, value) in enumerate((("x", x), ("h", h), ("a", a), ("D(x)", logit)))
    ]
    up = [
        plate(1, k, name, value, identity)
        for k, (name, value, identity) in enumerate(
            (("g", g, "g"), ("δ1", delta1, "delta1"), ("da", da, "da"), ("δ2", delta2, "delta2"))
        )
    ]
    again = [
        plate(2, k, name, value, identity)
        for k, (name, value, identity) in enumerate(
            (("t0", t0, "t0"), ("t0 W1", through, "through"), ("t1", t1, "t1"))
        )
    ]
    for column, boxes, words, colour in (
        (0, down, ("x W1 + b1", "ReLU", "a W2 + b2"), "v"),
        (1, up, ("δ1 W1ᵀ", "da · m", "δ2 W2ᵀ"), "g"),
        (2, again, ("t0 W1", "· m"), "t"),
    ):
        for k, operation in enumerate(words):
            pill = p.op(columns[column], rows[k] + 55, operation)
            ends = (boxes[k].bottom, pill.top), (pill.bottom, boxes[k + 1].top)
            for start, end in ends:
                way = [(columns[column], start), (columns[column], end)]
                p.arrow(way[::-1] if column == 1 else way, colour)
    R = p.plate(236, 12, "R = γ/2 |g|²", penalty, identity="R")
    p.arrow([(176, 66), (176, 40), (R.left, 40)], "g")
    p.arrow([(R.right, 40), (294 + 8, 40), (294 + 8, 66)], "t")
    results = (
        (last, "dR/dW2 = t1ᵀ δ2", "dW2", 340),
        (first, "dR/dW1 = t0ᵀ δ1", "dW1", 404),
    )
    for layer, name, identity, top in results:
        p.plate(286, top, name, layer.dW, shape="", kind="param", colour="t", identity=identity)
    p.arrow([(294, again[2].bottom), (294, 340)], "t")
    p.arrow([(up[3].right, 382), (230, 382)], "g")
    p.arrow([(up[1].right, 184), (222, 184), (222, 428), (230, 428)], "g")
    p.arrow([(again[0].right, 84), (353, 84), (353, 428), (342, 428)], "t")
    return p


PICTURES = {"gan_step": gan_step, "r1": r1}
