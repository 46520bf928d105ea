# %% [markdown]
# # A GAN from scratch, on one page
#
# The generator G turns random numbers z into images.  The discriminator D looks at images and says
# which are real digits and which are fake, made by G.  D learns to tell them apart, G to deceive D.
# Learning makes one number small, the loss L; dy means dL/dy: how L changes with each number in y.
# `python examples/from_scratch.py` takes less than a minute on one CPU core and draws 64 digits
# into runs/from_scratch.png.  STEPS, SEED and the folder OUT can be set in the environment.

# %%
import gzip
import os
from pathlib import Path
from typing import Any

import numpy as np

MNIST = Path(__file__).parent.parent / "minigan/data/shipped/mnist/train-images-idx3-ubyte.gz"
Array = np.ndarray[Any, Any]
Net = list[Any]  # a network is a list of layers, from the first to the last


# %% Two layers.  forward takes x to y and a cache, with which backward takes dy to dx.
class Linear:  # each output is a weighted sum of all inputs, plus a number of its own
    def __init__(self, n_in: int, n_out: int, rng: np.random.Generator) -> None:
        self.W: Array = (rng.uniform(-1, 1, (n_in, n_out)) / n_in**0.5).astype("float32")
        self.b: Array = (rng.uniform(-1, 1, n_out) / n_in**0.5).astype("float32")

    def forward(self, x: Array) -> tuple[Array, Array]:  # x (N, n_in): a row for each of N images
        return x @ self.W + self.b, x  # y (N, n_out), and the cache, which is x

    def backward(self, dy: Array, x: Array) -> Array:
        self.dW = x.T @ dy
        self.db = dy.sum(axis=0)
        return dy @ self.W.T  # dx


class LeakyReLU:  # makes negative numbers small; without it, two Linears could do no more than one
    def forward(self, x: Array) -> tuple[Array, Array]:
        return np.where(x > 0, x, 0.01 * x), x

    def backward(self, dy: Array, x: Array) -> Array:
        return np.where(x > 0, dy, 0.01 * dy)


def forward(net: Net, x: Array) -> tuple[Array, list[Array]]:
    caches = []
    for layer in net:
        x, cache = layer.forward(x)
        caches.append(cache)
    return x, caches


def backward(net: Net, dy: Array, caches: list[Array]) -> Array:
    for layer, cache in zip(reversed(net), reversed(caches), strict=True):
        dy = layer.backward(dy, cache)  # the dx of a layer is the dy of the layer before it
    return dy


# %% Two losses.  D gives each image a logit x: it is real with probability p = 1 / (1 + e⁻ˣ).
def loss_real(logits: Array) -> tuple[Any, Any]:  # mean of log(1 + e⁻ˣ) = -log p, and (p - 1) / N
    return np.logaddexp(0, -logits).mean(), -np.exp(-np.logaddexp(0, logits)) / len(logits)


def loss_fake(logits: Array) -> tuple[Any, Any]:  # mean of log(1 + eˣ) = -log(1 - p), and p / N
    return np.logaddexp(0, logits).mean(), np.exp(-np.logaddexp(0, -logits)) / len(logits)


class Adam:  # moves each number of W and b against its gradient, by about lr at each step
    def __init__(self, net: Net, lr: float) -> None:
        self.net, self.lr, self.betas, self.eps, self.t = net, lr, (0.5, 0.999), 1e-8, 0
        self.m: dict[int, Array] = {}  # running means of the gradients, starting at 0
        self.v: dict[int, Array] = {}  # running means of their squares, starting at 0

    def step(self) -> None:
        self.t = t = self.t + 1
        beta1, beta2 = self.betas
        for layer in [layer for layer in self.net if isinstance(layer, Linear)]:
            for w, g in ((layer.W, layer.dW), (layer.b, layer.db)):
                m = self.m[id(w)] = beta1 * self.m.get(id(w), 0) + (1 - beta1) * g
                v = self.v[id(w)] = beta2 * self.v.get(id(w), 0) + (1 - beta2) * g**2
                w -= self.lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + self.eps)


# %% One step: D learns from real and fake images, then G learns from the new D.
def train_step(G: Net, D: Net, adam_g: Adam, adam_d: Adam, real: Array, z: Array) -> list[float]:
    fake, caches_g = forward(G, z)
    logits, caches_d = forward(D, np.concatenate([real, fake]))
    real_loss, dlogits_real = loss_real(logits[: len(real)])
    fake_loss, dlogits_fake = loss_fake(logits[len(real) :])
    backward(D, np.concatenate([dlogits_real, dlogits_fake]), caches_d)  # G does not learn yet
    adam_d.step()

    logits, caches_d = forward(D, fake)
    g_loss, dlogits = loss_real(logits)  # G wants D to call its images real
    dfake = backward(D, dlogits, caches_d)  # D only passes the gradient on: adam_d does not step
    backward(G, dfake, caches_g)
    adam_g.step()
    return [float(real_loss + fake_loss), float(g_loss)]


if __name__ == "__main__":  # the training, with the digits of MNIST, and the picture
    rng = np.random.default_rng(int(os.environ.get("SEED", "0")))
    images = np.frombuffer(gzip.decompress(MNIST.read_bytes()), "uint8", offset=16).reshape(-1, 784)
    G: Net = [Linear(32, 128, rng), LeakyReLU(), Linear(128, 256, rng), LeakyReLU()]
    G += [Linear(256, 784, rng), LeakyReLU()]  # 784 = 28 x 28 pixels
    D: Net = [Linear(784, 256, rng), LeakyReLU(), Linear(256, 1, rng)]
    adam_g, adam_d = Adam(G, lr=1e-3), Adam(D, lr=1e-3)
    for step in range(1, int(os.environ.get("STEPS", "6000")) + 1):
        real = images[rng.integers(len(images), size=64)].astype("float32") / 255
        z = rng.standard_normal((64, 32), dtype="float32")
        d_loss, g_loss = train_step(G, D, adam_g, adam_d, real, z)
        if step % 500 == 0:
            print(f"step {step}  d_loss {d_loss:.2f}  g_loss {g_loss:.2f}")
    from PIL import Image

    grid = forward(G, z)[0].clip(0, 1).reshape(8, 8, 28, 28).transpose(0, 2, 1, 3).reshape(224, 224)
    os.makedirs(out := os.environ.get("OUT", "runs"), exist_ok=True)
    Image.fromarray((255 * grid).astype("uint8")).resize((672, 672)).save(f"{out}/from_scratch.png")
    print(f"picture: {out}/from_scratch.png")
