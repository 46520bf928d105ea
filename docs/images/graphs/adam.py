"""The picture of chapter 3: Adam over five steps, for two parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
from figures import rows_of
from pen import Picture

import minigan as mg

GRADS = np.array([[0.1, 0.1, 0.1, 0.1, -0.1], [100.0, -100, 100, -100, 100]]).T
BETAS = 0.9, 0.999


def five_steps() -> dict[str, Any]:
    """Return g, m, √v, their corrected forms and Adam's steps in units of lr, each (5, 2)."""
    net = mg.Sequential(mg.Linear(1, 1), seed=0, dtype="float64")
    lr = 1e-3
    adam = mg.Adam(net, lr=lr, betas=BETAS)
    m = v = np.zeros(2)
    rows: dict[str, list[Any]] = {name: [] for name in ("g", "m", "m_hat", "root_v_hat", "step")}
    for t, g in enumerate(GRADS, start=1):
        before = net.params.copy()
        net.grads[:] = g
        adam.step()
        m = BETAS[0] * m + (1 - BETAS[0]) * g
        v = BETAS[1] * v + (1 - BETAS[1]) * g * g
        rows["g"].append(g)
        rows["m"].append(m)
        rows["m_hat"].append(m / (1 - BETAS[0] ** t))
        rows["root_v_hat"].append(np.sqrt(v / (1 - BETAS[1] ** t)))
        rows["step"].append((net.params - before) / lr)
    return {name: np.array(values) for name, values in rows.items()}


def adam() -> Picture:
    s = five_steps()
    p = Picture(
        "Adam over five steps, for two parameters",
        "For a gradient of 0.1 that turns once, and one of 100 that turns in every step: g, m, the"
        " corrected m and root of v, and the step in units of lr.",
        486,
    )
    columns = [98 + 57 * t for t in range(5)]
    names = (
        ("g", "g", "gb"),
        ("m", "m", "vb"),
        ("m̂", "m_hat", "vb"),
        ("√v̂", "root_v_hat", "vb"),
        ("Δθ / lr", "step", "tb"),
    )
    p.text(16, 20, "t", "s b", "start")
    for t, x in enumerate(columns):
        p.text(x, 20, str(t + 1), "s")
    for which in range(2):
        top = 30 + 226 * which
        p.line([(12, top), (348, top)], "rule")
        for k, (label, identity, colour) in enumerate(names):
            values = s[identity][:, which]
            zero = top + 24 + 44 * k
            p.text(16, zero + 4, label, "b", "start")
            with p.group(f"{identity}{which}"):
                unit = 14 / (1 if identity == "step" else abs(GRADS[0, which]))
                for x, value in zip(columns, values, strict=True):
                    p.line([(x - 20, zero), (x + 20, zero)], "axis")
                    p.bar(x - 14, zero, unit * value, 28, colour)
                    below = zero + 12 if value > 0 else zero - 4
                    p.text(x, below, rows_of(value)[0])
            if identity == "m":  # m is made of the m before
                for x in columns[:-1]:
                    p.arrow([(x + 21, zero), (x + 36, zero)], "v")
    return p


PICTURES = {"adam": adam}
