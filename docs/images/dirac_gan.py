"""Draw the picture of docs/gradient-of-a-gradient.md: the Dirac-GAN without and with R1.

python docs/images/dirac_gan.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from minigan.activations import sigmoid

LR, STEPS = 0.05, 600


def step(theta: float, w: float, gamma: float) -> tuple[float, float]:
    """Return dθ and dw: D(x) = w x judges the real 0 and the fake θ."""
    push = float(sigmoid(np.float64(w * theta)))
    return -push * w, push * theta + gamma * w


def path(gamma: float) -> tuple[list[float], list[float]]:
    """Return all θ and all w from (1, 0) on."""
    thetas, ws = [1.0], [0.0]
    for _ in range(STEPS):
        dtheta, dw = step(thetas[-1], ws[-1], gamma)
        thetas.append(thetas[-1] - LR * dtheta)
        ws.append(ws[-1] - LR * dw)
    return thetas, ws


def main() -> None:
    figure = Figure(figsize=(9, 5.2), layout="constrained")
    grid = np.linspace(-1.3, 1.3, 15)
    for axes, gamma, title in zip(
        figure.subplots(1, 2, sharex=True, sharey=True),
        (0.0, 0.3),
        ("without a penalty: round and round", "with R1, γ = 0.3: into the goal"),
        strict=True,
    ):
        moves = [[step(theta, w, gamma) for theta in grid] for w in grid]
        arrows = -np.array(moves)
        axes.quiver(grid, grid, arrows[..., 0], arrows[..., 1], color="0.75", width=0.004)
        axes.plot(*path(gamma), color="#0072b2", lw=1.6)
        axes.plot(1, 0, "o", color="#0072b2", label="start")
        axes.plot(0, 0, "*", color="#d55e00", markersize=13, label="goal: fake = real, D is flat")
        axes.set(title=title, xlabel="θ, the point that G draws", aspect="equal")
        axes.set(xlim=(-1.4, 1.4), ylim=(-1.4, 1.4))
    figure.axes[0].set_ylabel("w, the slope of D")
    figure.axes[1].legend(loc="lower left", framealpha=0.9)
    figure.savefig(Path(__file__).with_name("dirac_gan.png"), dpi=110)


if __name__ == "__main__":
    main()
