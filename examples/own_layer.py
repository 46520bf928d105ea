# %% [markdown]
# # Layers of your own: Softplus and Dropout
#
# This program adds two layers that minigan does not have, proves each by finite differences, and
# then trains a GAN with both of them.  Its real points lie on a circle.  The picture shows what the
# check of Softplus compares, and what the GAN has learnt.
#
# The program takes about five seconds; STEPS, SEED and the folder OUT (`runs`) can be set in the
# environment.

# %%
import os
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from threadpoolctl import threadpool_limits

import minigan as mg
from minigan.activations import sigmoid
from minigan.gradcheck import check_r1
from minigan.machine.files import atomic_write

steps = int(os.environ.get("STEPS", "1000"))
seed = int(os.environ.get("SEED", "0"))
out = Path(os.environ.get("OUT", "runs"))
out.mkdir(parents=True, exist_ok=True)
threadpool_limits(1)  # products as small as these are not worth a second thread

# %% [markdown]
# ## Softplus, in ten lines


# %%
class Softplus(mg.Layer):
    """A smooth ReLU.  y = log(1 + eˣ), dx = dy σ(x)"""

    def forward(self, x: Any) -> Any:
        return np.logaddexp(0, x), x

    def input_grad(self, dy: Any, x: Any) -> Any:
        return dy * sigmoid(x)


# %% [markdown]
# Does the rule belong to the formula?  And would the check notice if it did not?  ReLU and Tanh
# keep y in their caches, so it is an easy slip to keep y here too.


# %%
class WrongSoftplus(Softplus):
    def forward(self, x: Any) -> Any:
        y = np.logaddexp(0, x)
        return y, y  # so that input_grad computes σ(y)


x = np.random.default_rng([seed, 1]).standard_normal((4, 3))
print("Softplus      ", mg.check_gradients(Softplus(), x))
print("WrongSoftplus ", mg.check_gradients(WrongSoftplus(), x))

# %% [markdown]
# A discriminator that pays the penalty R1 goes back through its own backward pass, and asks its
# layers for one more rule: given t = dR/d(dx), what are dR/d(dy) and dR/dx?


# %%
class TwiceSoftplus(Softplus):
    def double_backward(self, t: Any, dy: Any, x: Any) -> Any:
        slope = sigmoid(x)
        return t * slope, t * dy * slope * (1 - slope)


judge = mg.Sequential(mg.Linear(3, 5), TwiceSoftplus(), mg.Linear(5, 1), seed=0, dtype="float64")
print("TwiceSoftplus ", check_r1(judge, x))

# %% [markdown]
# ## Dropout, whose cache holds the mask that was drawn
#
# In training each x survives with probability 1 - rate, and is divided by 1 - rate, so that y is x
# on average; when training is over, y is x.  Backward must use the very mask that forward drew, so
# the mask is the cache.


# %%
class Dropout(mg.Layer):
    """y = x · mask, dx = dy · mask; mask is 0 with probability rate, else 1 / (1 - rate)"""

    def __init__(self, rate: float, rng: np.random.Generator) -> None:
        self.rate, self.rng = rate, rng

    def forward(self, x: Any) -> Any:
        kept = self.rng.random(x.shape) >= self.rate
        mask = kept.astype(x.dtype) / (1 - self.rate)
        return x * mask, mask

    def evaluate(self, x: Any) -> Any:
        return x, np.ones_like(x)

    def input_grad(self, dy: Any, mask: Any) -> Any:
        return dy * mask


# %% [markdown]
# A difference of two losses gives a slope only if both are losses of the same function.  Dropout is
# another function at each call, so the check cannot resolve whether the rule is right.  The rule
# makes a claim about one mask, so it is checked with one mask: a subclass throws the same dice each
# time, and inherits the rule and everything else from `Dropout`.


# %%
class SameDice(Dropout):
    def forward(self, x: Any) -> Any:
        self.rng = np.random.default_rng(0)
        return super().forward(x)


class DrawsAgain(SameDice):
    def input_grad(self, dy: Any, mask: Any) -> Any:
        kept = self.rng.random(dy.shape) >= self.rate  # as forward does, a moment later
        return dy * kept / (1 - self.rate)


rng = np.random.default_rng([seed, 2])
print("new dice      ", mg.check_gradients(Dropout(0.5, rng), x))
print("same dice     ", mg.check_gradients(SameDice(0.5, rng), x))
print("drawn again   ", mg.check_gradients(DrawsAgain(0.5, rng), x))
print("after training", mg.check_gradients(Dropout(0.5, rng), x, training=False))

# %% [markdown]
# ## Both in a GAN
#
# In the generator, Softplus takes the place of ReLU, with BatchNorm1d before it, as in
# `mg.generator(batch_norm=True)`.  (The outputs of Softplus are positive, and most of each is the
# same for every z.  Without the normalisation, G ends up in one place.)  Dropout stands in the
# discriminator, where it keeps D from being too sure.

# %%
rng = np.random.default_rng(seed)
G = mg.Sequential(
    mg.Linear(2, 64), mg.BatchNorm1d(64), Softplus(),
    mg.Linear(64, 64), mg.BatchNorm1d(64), Softplus(),
    mg.Linear(64, 2), seed=rng,
)  # fmt: skip
D = mg.Sequential(
    mg.Linear(2, 64), mg.LeakyReLU(0.2), mg.Linear(64, 64), mg.LeakyReLU(0.2), Dropout(0.2, rng),
    mg.Linear(64, 1), mg.Sigmoid(), seed=rng,
)  # fmt: skip
gan = mg.GAN(G, D, lr=1e-3)


def circle(n: int) -> Any:
    """Draw n real points, (n, 2) float32: radius 2, with noise of standard deviation 0.1."""
    angle = rng.uniform(0, 2 * np.pi, n)
    points = 2 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return (points + 0.1 * rng.standard_normal((n, 2))).astype("float32")


def quality(points: Any) -> tuple[int, float]:
    """Return how many eighths of the circle have a fair share of the points, and the share of
    points near the circle.

    Near means within 3 standard deviations.  An eighth has a fair share if it has a fifth of its
    due, which is an eighth of the points."""
    near = np.abs(np.linalg.norm(points, axis=1) - 2) < 0.3
    eighth = np.floor(np.arctan2(points[:, 1], points[:, 0]) * 4 / np.pi).astype(int) % 8
    visits = np.bincount(eighth[near], minlength=8)
    return int((visits >= len(points) / 40).sum()), float(near.mean())


z = np.random.default_rng([seed, 3]).standard_normal((1000, 2), dtype=np.float32)
for step in range(steps + 1):
    if step > 0:
        gan.train_step(circle(128), rng.standard_normal((128, 2), dtype=np.float32))
    if step % 250 == 0 or step == steps:
        eighths, share = quality(G(z))
        print(f"step {step:4}  eighths of the circle {eighths}  points near it {share:.0%}")

# %% [markdown]
# ## The picture

# %%
figure = Figure(figsize=(9.5, 4.2), layout="constrained")
left, right = figure.subplots(1, 2)
line = np.linspace(-4, 4, 200)
dots = np.linspace(-4, 4, 17)
h = 1e-5
numeric = (Softplus()(dots + h) - Softplus()(dots - h)) / (2 * h)
one = np.ones_like(line)
for layer, style, name in (
    (Softplus(), {"color": "#0072b2"}, "its rule: σ(x)"),
    (WrongSoftplus(), {"color": "#d55e00", "ls": "--"}, "a wrong rule: σ(y)"),
):
    y, cache = layer.forward(line)
    left.plot(line, layer.backward(one, cache), label=name, **style)
left.plot(line, y, color="0.6", label="Softplus: y = log(1 + eˣ)", zorder=1)
left.plot(dots, numeric, "o", color="black", ms=4, label="central differences")
left.set(xlabel="x", ylim=(-0.1, 2.5), title="What the gradient check compares")
left.legend(frameon=False, loc="upper left")
left.grid(alpha=0.3)
right.plot(*circle(1000).T, ".", ms=4, color="#0072b2", label="real")
right.plot(*G(z).T, ".", ms=4, color="black", label="fake, G(z)")
right.set(aspect="equal", xlim=(-3, 3), ylim=(-3, 3), xticks=[], yticks=[])
right.set_title(f"A GAN with both layers, after {steps} steps")
right.legend(frameon=False, loc="center")
with atomic_write(out / "own_layer.png") as file:
    figure.savefig(file, format="png", dpi=100)
print(f"picture: {out / 'own_layer.png'}")
