"""The three blanks of the exercise about the GAN step: the gradients that are needed, and no more.

Each check runs one backward pass of the reader's on a small GAN, compares the gradients with finite
differences, and reports a gradient that was computed although nothing uses it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import minigan as mg
from minigan.backend import Array
from minigan.exercises.diagnosis import AnswerError, call, check_values, slopes
from minigan.gradcheck.problem import POISON

N = 7  # images in a batch


class Watched(mg.Linear):
    """A Linear that notes which of its gradients have been asked for."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__(n_in, n_out)
        self.asked: set[str] = set()

    def param_grads(self, dy: Array, x: Array) -> None:
        self.asked.add("dW")
        super().param_grads(dy, x)

    def input_grad(self, dy: Array, x: Array) -> Array:
        self.asked.add("dx")
        return super().input_grad(dy, x)


class SmallGan:
    """A small G and D with one batch; their gradient arrays hold POISON until they are filled."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.first_of_g, self.first_of_d = Watched(2, 5), Watched(3, 5)
        G = mg.Sequential(
            self.first_of_g, mg.Tanh(), mg.Linear(5, 3), mg.Tanh(), seed=rng, dtype="float64"
        )
        D = mg.Sequential(
            self.first_of_d, mg.Tanh(), mg.Linear(5, 1), mg.Sigmoid(), seed=rng, dtype="float64"
        )
        self.G, self.D = G, D
        self.z, self.real = rng.standard_normal((N, 2)), rng.standard_normal((N, 3))
        self.fake, self.cache_g = G.forward(self.z)
        G.grads[...] = D.grads[...] = POISON

    def d_loss(self) -> Any:
        p = self.D(np.concatenate([self.real, self.fake]))
        return mg.bce(p[:N], 1.0)[0] + mg.bce(p[N:], 0.0)[0]

    def g_loss(self, fake: Array) -> Any:
        return mg.bce(self.D(fake), 1.0)[0]


def d_learns(module: Any) -> None:
    gan = SmallGan()
    D = gan.D
    expected = slopes(D.params, gan.d_loss)
    p, cache = D.forward(np.concatenate([gan.real, gan.fake]))
    dp_real, dp_fake = mg.bce(p[:N], 1.0)[1], mg.bce(p[N:], 0.0)[1]
    kept = {"dp_real": dp_real, "dp_fake": dp_fake, "D.params": D.params}
    call(module.d_learns, D, dp_real, dp_fake, cache, kept=kept)
    _check_filled("D.grads", D.grads, expected)
    if "dx" in gan.first_of_d.asked:
        raise AnswerError(
            "D.grads is right, but the gradient at the images, which nothing uses, was computed too"
        )


def through_d(module: Any) -> None:
    gan = SmallGan()
    expected = slopes(gan.fake, lambda: gan.g_loss(gan.fake))
    p, cache = gan.D.forward(gan.fake)
    dp = mg.bce(p, 1.0)[1]
    kept = {"dp": dp, "fake": gan.fake, "D.params": gan.D.params}
    came = call(module.through_d, gan.D, dp, cache, kept=kept)
    check_values("d_fake", came, expected, sizes={"B": N})
    if "dW" in gan.first_of_d.asked or np.any(gan.D.grads != POISON):
        raise AnswerError("d_fake is right, but D.grads, which nothing uses, was computed too")


def g_learns(module: Any) -> None:
    gan = SmallGan()
    G = gan.G
    expected = slopes(G.params, lambda: gan.g_loss(G(gan.z)))
    d_fake = slopes(gan.fake, lambda: gan.g_loss(gan.fake))
    kept = {"d_fake": d_fake, "G.params": G.params}
    call(module.g_learns, G, d_fake, gan.cache_g, kept=kept)
    _check_filled("G.grads", G.grads, expected)
    if "dx" in gan.first_of_g.asked:
        raise AnswerError(
            "G.grads is right, but the gradient at z, which nothing uses, was computed too"
        )


def _check_filled(name: str, came: Array, expected: Array) -> None:
    if np.any(came == POISON):
        raise AnswerError(f"{name} was not filled")
    check_values(name, came, expected, sizes={"B": N})
