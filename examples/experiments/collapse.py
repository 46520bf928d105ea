# %% [markdown]
# # Why does a GAN collapse, and what helps?
#
# This program trains the tutorial's GAN, or a variant of it, and measures its gradients and
# activations.  Backprop by hand has every gradient within reach, so the possible causes can be
# examined one by one:
#
# - *saturated outputs*: near ±1 the slope of tanh, 1 - y², is near 0 and lets no gradient through.
#   The column `through_tanh` is |dx| / |dy| at G's tanh.
# - *dead units*: a ReLU that is 0 for every z hands no z up and no gradient down.  The columns
#   `alive_1` to `alive_3` are the share of each hidden layer's units that are on for at least one
#   of 1000 z.
# - *a certain discriminator*: the columns are `p_real`, `p_fake` and `at_image`, the norm of the
#   gradient that D sends to the images.
# - *one push for all*: `common` is how much of that gradient is the same for all images of a batch
#   (1 is all of it; independent gradients of 64 images have 1/8), and `varies` is how much of the
#   last hidden layer depends on z (0 to 1).
#
#     VARIANT=tutorial SEED=100 EPOCHS=8 OUT=collapse.csv python examples/experiments/collapse.py
#
# VARIANT is one of the names below, and LR is the learning rate of both networks (2e-4).  OUT is
# the file that gets a row for each epoch.  START can name the checkpoint of a run of the tutorial's
# recipe: training then begins there (with fresh moments of Adam), which shows whether the variant
# brings a collapsed run back.  SAVE is a file for a checkpoint of that kind, written at the end.

# %%
import csv
import itertools
import math
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

import minigan as mg
from minigan.data import load_archive, pixel_values, save_archive
from minigan.layers import Layer
from minigan.machine.blas import limited_threads
from minigan.training import QualityCheck, draw_epoch, draw_z
from minigan.training.draws import FIXED
from minigan.training.health import spread

VARIANTS = {
    "tutorial": "exactly the tutorial",
    "batch-norm": "BatchNorm1d before each ReLU of G",
    "logits": "the loss computed from D's logits, without the clamps of BCE",
    "small-last-layer": "G's last layer starts ten times smaller, far from tanh's saturation",
    "slow-d": "D's learning rate is a quarter of G's",
    "slow-g": "G's learning rate is half of D's",
    "straight-tanh": "tanh hands its gradient on as it is, as if nothing were saturated",
    "noise": "N(0, 0.1) is added to all images that D sees",
    "leaky-g": "LeakyReLU(0.2) in G as well: no unit can die",
}
variant = os.environ.get("VARIANT", "tutorial")
lr = float(os.environ.get("LR", "2e-4"))
seed = int(os.environ.get("SEED", "100"))
epochs = int(os.environ.get("EPOCHS", "8"))
steps = int(os.environ.get("STEPS", "938"))  # in an epoch; take fewer for a first look
threads = int(os.environ["THREADS"]) if "THREADS" in os.environ else None
if variant not in VARIANTS:
    sys.exit(f"VARIANT is {variant!r}, expected one of {', '.join(VARIANTS)}")
if variant == "batch-norm" and "SAVE" in os.environ:
    sys.exit("SAVE keeps the tutorial's networks, VARIANT=batch-norm has another generator")


# %%
class StraightTanh(mg.Tanh):
    """tanh with a wrong derivative, which is always 1."""

    def input_grad(self, dy: Any, y: Any) -> Any:
        return dy.copy()


def hidden(n: int) -> list[Layer]:
    """Return the layers that stand behind a hidden Linear of G."""
    if variant == "batch-norm":
        return [mg.BatchNorm1d(n), mg.ReLU()]
    return [mg.LeakyReLU(0.2) if variant == "leaky-g" else mg.ReLU()]


rng = np.random.default_rng(seed)  # the numbers of `minigan train --seed`, in the same order
output = StraightTanh() if variant == "straight-tanh" else mg.Tanh()
G = mg.Sequential(
    mg.Linear(100, 256), *hidden(256), mg.Linear(256, 512), *hidden(512),
    mg.Linear(512, 1024), *hidden(1024), mg.Linear(1024, 784), output, seed=rng,
)  # fmt: skip
D = mg.discriminator(seed=rng)
loss: Any = mg.bce
if variant == "logits":  # D has the same weights, but no Sigmoid
    params = D.params
    D = mg.Sequential(
        mg.Linear(784, 1024), mg.LeakyReLU(0.2), mg.Linear(1024, 512), mg.LeakyReLU(0.2),
        mg.Linear(512, 256), mg.LeakyReLU(0.2), mg.Linear(256, 1),
    )  # fmt: skip
    D.params[...] = params
    loss = mg.bce_with_logits
if "START" in os.environ:
    arrays, _ = load_archive(Path(os.environ["START"]))
    collapsed = mg.generator()
    if arrays["generator"].shape != collapsed.params.shape:
        sys.exit(f"START={os.environ['START']} is of another recipe, expected the tutorial's")
    collapsed.params[...], D.params[...] = arrays["generator"], arrays["discriminator"]
    linear = [[x for x in net.layers if isinstance(x, mg.Linear)] for net in (G, collapsed)]
    for ours, theirs in zip(*linear, strict=True):
        ours.W[...], ours.b[...] = theirs.W, theirs.b
if variant == "small-last-layer":
    last = G.layers[-2]
    assert isinstance(last, mg.Linear)
    last.W /= 10
    last.b /= 10
adam_g = mg.Adam(G, lr / 2 if variant == "slow-g" else lr, betas=(0.5, 0.999))
adam_d = mg.Adam(D, lr / 4 if variant == "slow-d" else lr, betas=(0.5, 0.999))
noise_rng = np.random.default_rng([seed, 1])


def judge(x: Any) -> Any:
    """Run D forward; returns its answers and the cache."""
    if variant == "noise":
        x = x + 0.1 * noise_rng.standard_normal(x.shape, dtype=np.float32)
    return D.forward(x)


# %% [markdown]
# The training step is that of `minigan.GAN`, changed where a variant needs it.


# %%
def train_step(real: Any, z: Any) -> tuple[float, ...]:
    B = len(real)
    fake, cache_g = G.forward(z)
    p, cache_d = judge(np.concatenate([real, fake]))
    (loss_real, dp_real), (loss_fake, dp_fake) = loss(p[:B], 1.0), loss(p[B:], 0.0)
    D.backward(np.concatenate([dp_real, dp_fake]), cache_d, input_grad=False)
    adam_d.step()
    if variant == "logits":
        p = 1 / (1 + np.exp(-p.astype(float)))
    p_real, p_fake = p[:B].mean(), p[B:].mean()

    p, cache_d = judge(fake)
    g_loss, dp = loss(p, 1.0)
    at_image = D.backward(dp, cache_d, param_grads=False)
    G.backward(at_image, cache_g, input_grad=False)
    adam_g.step()

    before_tanh = at_image * (1 - fake * fake)
    with np.errstate(invalid="ignore"):  # nan where there is no gradient at all
        through_tanh = np.linalg.norm(before_tanh) / np.linalg.norm(at_image)
        common = math.sqrt(B) * np.linalg.norm(at_image.mean(axis=0)) / np.linalg.norm(at_image)
    return (
        float(loss_real + loss_fake), float(g_loss), float(p_real), float(p_fake),
        float(np.linalg.norm(at_image)), float(through_tanh), float(common),
    )  # fmt: skip


def inside(z: Any) -> list[float]:
    """Return, for each hidden layer, the share of units that are on for any z; and `varies`."""
    shares = []
    for layer in G.layers:
        z = layer(z)
        if isinstance(layer, (mg.ReLU, mg.LeakyReLU)):
            shares.append(float((z > 0).any(axis=0).mean()))
            varies = math.sqrt(z.var(axis=0).sum() / (z * z).mean(axis=0).sum())
    return [*shares, varies]


# %%
images = mg.load_mnist("train")[0].reshape(-1, 784)
draw_z(rng, FIXED, 100)  # `minigan train` draws its fixed z here
check = QualityCheck()
columns = ["epoch", "d_loss", "g_loss", "p_real", "p_fake", "at_image", "through_tanh", "common"]
columns += ["alive_1", "alive_2", "alive_3", "varies", "saturated", "spread"]
columns += ["ndb", "js", "classes"]
with (
    limited_threads(threads),
    open(os.environ.get("OUT", "collapse.csv"), "w", newline="") as file,
):
    writer = csv.writer(file)
    writer.writerow(columns)
    for epoch in range(1, epochs + 1):
        figures = []
        for indices, z in itertools.islice(draw_epoch(rng, len(images), 64), steps):
            figures.append(train_step(pixel_values(images[indices]), z))
        z = np.random.default_rng(0).standard_normal((1000, 100), dtype=np.float32)
        fake = G(z)
        row = [*np.mean(figures, axis=0).tolist(), *inside(z)]
        row += [float((np.abs(fake) > 0.999).mean()), float(spread(fake)), *check.measure(G)]
        writer.writerow([epoch, *(f"{x:.4g}" for x in row)])
        file.flush()
        text = "  ".join(f"{name} {x:.3g}" for name, x in zip(columns[1:], row, strict=True))
        print(f"{variant} [{epoch}/{epochs}]  {text}", flush=True)
if "SAVE" in os.environ:
    save_archive(Path(os.environ["SAVE"]), {"generator": G.params, "discriminator": D.params}, {})
