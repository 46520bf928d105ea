"""Fourth room: penalties and options.  The pictures look plausible with and without these bugs."""

from __future__ import annotations

from typing import Any

import numpy as np

import minigan as mg

from .exhibit import Edit, Exhibit


def flat_at(point: Any, gamma: float) -> float:
    """Return |∇D| at the one real image of a small GAN after 300 steps with the penalty R1."""
    rng, dtype = np.random.default_rng(0), "float64"
    G = mg.Sequential(mg.Linear(3, 8), mg.ReLU(), mg.Linear(8, 5), mg.Tanh(), seed=rng, dtype=dtype)
    D = mg.Sequential(mg.Linear(5, 8), mg.LeakyReLU(0.2), mg.Linear(8, 1), seed=rng, dtype=dtype)
    gan = mg.GAN(G, D, lr=0.01, logits=True, r1=gamma, r1_every=1)
    for _ in range(300):
        gan.train_step(np.tile(point, (16, 1)), rng.standard_normal((16, 3)))
    logit, cache = D.forward(point[None])
    return float(np.linalg.norm(D.backward(np.ones_like(logit), cache)))


def slope_with_a_penalty() -> str:
    return f"{flat_at(np.array([0.5, -0.5, 0.2, 0.8, -0.8]), 10.0):.3f}"


penalty_without_gradient = Exhibit(
    name="penalty-unlearnt",
    bug="the penalty is computed, and its gradient is left out",
    edits=(Edit(mg.GAN.train_step, "D.grads += grads", "D.grads[...] = grads"),),
    figure="slope of a small D at its one real image, with R1",
    symptom=slope_with_a_penalty,
    check="mathematics/test_penalty.py"
    "::test_the_penalty_is_paid_in_the_first_of_so_many_steps_with_their_weight",
    arguments=(),
    mend="Go back through backprop as well, and check the sum of both gradients.",
)


def penalty_of_a_steep_d() -> str:
    """Return R for D(x) = 10 x, γ = 1, at an image of which D is sure."""
    net = mg.Sequential(mg.Linear(1, 1), dtype="float64")
    net.params[...] = 10.0, 0.0
    return f"{mg.r1(net, np.array([[1.0]]), 1.0):.7f}"


penalty_on_probability = Exhibit(
    name="penalty-of-p",
    bug="the penalty is taken on the probability instead of the logit",
    edits=(
        Edit(
            mg.r1,
            "dy = np.zeros_like(logits) + 1",
            "dy = np.exp(-logits) / (1 + np.exp(-logits)) ** 2",
        ),
    ),
    figure="R1 of D(x) = σ(10 x) at x = 1",
    symptom=penalty_of_a_steep_d,
    check="mathematics/test_penalty.py::test_one_weight_by_hand",
    arguments=(),
    mend="Give D no Sigmoid, and take the slope of what it returns.",
)


def gradient_where_d_is_flat() -> str:
    """Return dR/dW of a D whose weights are 0, for one of its two images."""
    net = mg.Sequential(mg.Linear(2, 1), dtype="float64")
    net.params[...] = 0.0
    mg.r1(net, np.ones((1, 2)), 1.0)
    return f"{net.grads[0]:.1f}"


root_at_zero = Exhibit(
    name="root-at-zero",
    bug="the length of the gradient is taken, and its derivative divides by it",
    edits=(
        Edit(
            mg.r1,
            "t, dxs = gamma / N * g, []",
            "t, dxs = gamma / N * g / np.sqrt((g * g).sum(axis=1, keepdims=True)), []",
        ),
    ),
    figure="gradient of the penalty where D is flat",
    symptom=gradient_where_d_is_flat,
    check="mathematics/test_penalty.py::test_where_d_is_flat_there_is_nothing_to_pay",
    arguments=(),
    mend="Take the square of the length; if you need the length, add an eps under the root.",
)


def mixed(real: Any, fake: Any, rng: np.random.Generator) -> Any:
    """Return images between real and fake ones, at which WGAN-GP punishes D's slope.  (N, n)"""
    t = rng.uniform(0, 1, (len(real), 1))
    return t * real + (1 - t) * fake


def beyond_both_ends() -> str:
    """Return how many images of a thousand lie beyond their real or their fake end."""
    points = mixed(np.ones((1000, 1)), np.zeros((1000, 1)), np.random.default_rng(0))
    return f"{np.mean((points < 0) | (points > 1)):.0%}"


mixing_normal = Exhibit(
    name="mixing-normal",
    bug="real and fake images are mixed by normal instead of uniform numbers",
    edits=(
        Edit(
            mixed,
            "t = rng.uniform(0, 1, (len(real), 1))",
            "t = rng.normal(0, 1, (len(real), 1))",
        ),
    ),
    figure="WGAN-GP's mixed images that lie on no line between two",
    symptom=beyond_both_ends,
    check="examples/test_museum.py::test_mixed_images_lie_between_real_and_fake",
    arguments=(),
    mend="Draw t from U(0, 1), and test that every mixture lies between its ends.",
)


def variance_after_batch_norm() -> str:
    """Return the variance of y for a column with the standard deviation 0.1."""
    layer: Any = mg.BatchNorm1d
    x = 0.1 * np.random.default_rng(0).standard_normal((1000, 1))
    y, _ = layer(1, 0.8, dtype="float64").forward(x)
    return f"{y.var():.3f}"


eps_for_momentum = Exhibit(
    name="eps-for-momentum",
    bug="BatchNorm1d(n, 0.8): the second argument is eps, and momentum was meant",
    edits=(Edit(mg.BatchNorm1d.__init__, "*,", "# no *: options go by their places"),),
    figure="variance after BatchNorm1d(1, 0.8), which should be 1",
    symptom=variance_after_batch_norm,
    check="mathematics/test_batch_norm.py::test_options_must_be_named",
    arguments=(),
    mend="Let options be given by name only.",
)

ROOM = (
    penalty_without_gradient,
    penalty_on_probability,
    root_at_zero,
    mixing_normal,
    eps_for_momentum,
)
