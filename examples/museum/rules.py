"""First room: formulas.  With each bug an easy problem still trains, and the curve looks fine."""

from __future__ import annotations

from typing import Any

import numpy as np

import minigan as mg
from minigan import losses, optim

from .exhibit import Edit, Exhibit

POINTS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float)
XOR = np.array([[0], [1], [1], [0]], dtype=float)


def two_layers() -> mg.Sequential:
    layers = mg.Linear(2, 8), mg.Tanh(), mg.Linear(8, 1), mg.Sigmoid()
    return mg.Sequential(*layers, seed=0, dtype="float64")


def descend(net: mg.Sequential, x: Any, target: Any, step: Any) -> float:
    """Return the loss after 300 steps."""
    for _ in range(300):
        p, cache = net.forward(x)
        net.backward(mg.bce(p, target)[1], cache)
        step()
    return float(mg.bce(net(x), target)[0])


# ------------------------------------------------------------------ Adam


def xor_by_adam() -> str:
    net = two_layers()
    return f"{descend(net, POINTS, XOR, mg.Adam(net, lr=0.01, betas=(0.5, 0.999)).step):.3f}"


adam_power = Exhibit(
    name="adam-power",
    bug="Adam without the power of t",
    edits=(
        Edit(
            optim.numbers_of_step,
            "correction1, correction2 = 1 - beta1**t, 1 - beta2**t",
            "correction1, correction2 = 1 - beta1, 1 - beta2",
        ),
    ),
    figure="XOR, loss after 300 steps of Adam",
    symptom=xor_by_adam,
    check="mathematics/test_optim.py::test_twenty_steps_of_each_parameter",
    arguments=(2e-4, (0.5, 0.999), 1e-8, "float64", mg.get_backend()),
    mend="Count the steps and raise both betas to that power.",
)


def first_step() -> str:
    net = mg.Sequential(mg.Linear(1, 1), dtype="float64")
    before = net.params.copy()
    net.grads[...] = 1e-7
    mg.Adam(net, lr=1.0).step()
    return f"{(before - net.params)[0]:.2f}"


adam_eps = Exhibit(
    name="adam-eps",
    bug="Adam's eps is added before the bias correction",
    edits=(
        Edit(
            optim.update,
            "theta = theta - lr_t * m / (np.sqrt(v) / root_t + eps)",
            "theta = theta - lr_t * m / ((np.sqrt(v) + eps) / root_t)",
        ),
    ),
    figure="first step for a gradient of 1e-7, in units of lr",
    symptom=first_step,
    check="mathematics/test_optim.py::test_twenty_steps_of_each_parameter",
    arguments=(0.1, (0.9, 0.99), 0.5, "float64", mg.get_backend()),
    mend="Correct v first, take the root, then add eps.",
)

# ------------------------------------------------------------------ gradients


def distance_from_the_point() -> str:
    """Return how far the fakes of a small GAN are from its one real image after 400 steps."""
    rng, dtype = np.random.default_rng(0), "float64"
    G = mg.Sequential(mg.Linear(3, 8), mg.ReLU(), mg.Linear(8, 5), mg.Tanh(), seed=rng, dtype=dtype)
    D = mg.Sequential(
        mg.Linear(5, 8), mg.LeakyReLU(0.2), mg.Linear(8, 1), mg.Sigmoid(), seed=rng, dtype=dtype
    )
    gan, point = mg.GAN(G, D, lr=0.01), np.array([0.5, -0.5, 0.2, 0.8, -0.8])
    for _ in range(400):
        gan.train_step(np.tile(point, (16, 1)), rng.standard_normal((16, 3)))
    return f"{np.abs(G(rng.standard_normal((64, 3))) - point).mean():.2f}"


accumulate = Exhibit(
    name="accumulate",
    bug="old gradients are added to",
    edits=(
        Edit(
            mg.Linear.param_grads,
            "matmul(x.T, dy, out=self.dW)",
            "self.dW += matmul(x.T, dy)",
        ),
        Edit(
            mg.Linear.param_grads,
            "sum_rows(dy, out=self.db)",
            "self.db += np.sum(dy, axis=0)",
        ),
    ),
    figure="a small GAN, how far its fakes are from the one real image",
    symptom=distance_from_the_point,
    check="mathematics/test_layers.py::test_gradients_are_overwritten_not_accumulated",
    arguments=(),
    mend="Overwrite gradients; where a framework adds them up, call zero_grad() for both networks.",
)


def xor_a_hundred_times() -> str:
    net, x, target = two_layers(), np.tile(POINTS, (100, 1)), np.tile(XOR, (100, 1))

    def step() -> None:
        net.params -= 1.0 * net.grads  # plain gradient descent, lr = 1

    return f"{descend(net, x, target, step):.3f}"


sum_for_mean = Exhibit(
    name="sum-for-mean",
    bug="the loss is a mean, its gradient a sum",
    edits=(
        Edit(
            losses._bce,
            "return -(t * log_p + (1 - t) * log_q), (p - t) / np.maximum(p * (1 - p), 1e-12) / n",
            "return -(t * log_p + (1 - t) * log_q), (p - t) / np.maximum(p * (1 - p), 1e-12)",
        ),
    ),
    figure="XOR, each point 100 times, loss after gradient descent",
    symptom=xor_a_hundred_times,
    check="gradcheck/test_gradcheck.py::test_rejects_a_missing_one_over_n",
    arguments=(),
    mend="Take value and gradient from one formula, with the 1/N in one place: the loss.",
)


def two_clouds() -> str:
    rng, target = np.random.default_rng(0), np.repeat([0.0, 1.0], 200)[:, None]
    x = rng.standard_normal((400, 2)) + (2 * target - 1)  # two clouds that overlap
    net = mg.Sequential(mg.Linear(2, 1), mg.Sigmoid(), seed=0, dtype="float64")
    return f"{descend(net, x, target, mg.Adam(net, lr=0.1).step):.3f}"


sigma_of_sigma = Exhibit(
    name="sigma-of-sigma",
    bug="a derivative written for x is given y",
    edits=(
        Edit(
            mg.Sigmoid.input_grad,
            "return dy * y * (1 - y)",
            "return dy * sigmoid(y) * (1 - sigmoid(y))",
        ),
    ),
    figure="two clouds, loss of logistic regression",
    symptom=two_clouds,
    check="gradcheck/test_gradcheck.py::test_saturated_networks_pass_and_their_bugs_do_not",
    arguments=(),
    mend="Say in the name of the argument what it is: the rule that takes y is dy y (1 - y).",
)

ROOM = (adam_power, adam_eps, accumulate, sum_for_mean, sigma_of_sigma)
