"""A GAN of 14 x 14 digits that works, in one function whose lines the failures change."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

import minigan as mg
from minigan.activations import sigmoid

B = 64


@functools.cache
def mnist() -> tuple[Any, Any]:
    """Return the images, float32 (60000, 196) from 0 to 255, and the mean image of each digit.

    MNIST is made small, so that a run takes seconds: a pixel is the mean of four.  The images lie
    in the order of their digits, as they do where each class has a folder of its own.
    """
    whole, labels = mg.load_mnist("train")
    by_digit = np.argsort(labels, kind="stable")
    pixels = np.zeros((len(whole), 14, 14), "float32")
    for row, column in np.ndindex(2, 2):
        pixels += whole[by_digit, row::2, column::2]
    pixels = pixels.reshape(-1, 196) / 4
    digits = np.split(pixels, np.bincount(labels).cumsum()[:-1])
    return pixels, np.stack([images.mean(axis=0) for images in digits])


def scaled(images: Any) -> Any:
    """Return images (N, 196), from 0 to 255, in the range of G's tanh."""
    return images / 127.5 - 1


def networks(rng: np.random.Generator) -> tuple[mg.Sequential, mg.Sequential]:
    """Return G, from 32 numbers to 196 pixels, and D, from 196 pixels to a logit."""
    G = mg.Sequential(
        mg.Linear(32, 64), mg.BatchNorm1d(64), mg.ReLU(),
        mg.Linear(64, 128), mg.BatchNorm1d(128), mg.ReLU(),
        mg.Linear(128, 196), mg.Tanh(),
        seed=rng,
    )  # fmt: skip
    D = mg.Sequential(
        mg.Linear(196, 128),
        mg.LeakyReLU(0.2),
        mg.Linear(128, 64),
        mg.LeakyReLU(0.2),
        mg.Linear(64, 1),
        seed=rng,
    )
    return G, D


class Record(dict[str, Any]):
    """What a run measured: a list of numbers under each name, and the samples."""

    def note(self, **values: Any) -> None:
        for key, value in values.items():
            self.setdefault(key, []).append(float(np.mean(value)))


def same_digit(samples: Any) -> float:
    """Return the share of the samples (N, 196) that are nearest to the mean of the same digit."""
    distance = np.linalg.norm(samples[:, None] - (mnist()[1] / 127.5 - 1), axis=2)
    return float(np.bincount(distance.argmin(axis=1)).max() / len(samples))


def train(steps: int, seed: int) -> Record:
    """Train a GAN with every line in its right place, and return what was measured on the way."""
    rng = np.random.default_rng(seed)
    G, D = networks(rng)
    lr, betas = 2e-3, (0.5, 0.999)
    adam_g = mg.Adam(G, lr, betas)
    adam_d = mg.Adam(D, lr, betas)
    images = scaled(mnist()[0])
    order = rng.permutation(len(images))
    fixed_z, record = rng.standard_normal((64, 32), dtype="float32"), Record()
    for step in range(steps):
        real = images[order[np.arange(step * B, (step + 1) * B) % len(order)]]
        z = rng.standard_normal((B, 32), dtype="float32")
        before = G.grads.copy()

        fake, cache_g = G.forward(z)
        y, cache_d = D.forward(np.concatenate([real, fake]))
        loss_real, dy_real = mg.bce_with_logits(y[:B], 1.0)
        loss_fake, dy_fake = mg.bce_with_logits(y[B:], 0.0)
        D.backward(np.concatenate([dy_real, dy_fake]), cache_d, input_grad=False)
        adam_d.step()
        record.note(d_loss=loss_real + loss_fake, p_real=sigmoid(y[:B]), p_fake=sigmoid(y[B:]))
        record.note(d_norm=np.linalg.norm(D.grads), leak=np.linalg.norm(G.grads - before))

        y, cache_d = D.forward(fake)
        g_loss, dy = mg.bce_with_logits(y, 1.0)
        d_fake = D.backward(dy, cache_d, param_grads=False)
        G.backward(d_fake, cache_g, input_grad=False)
        adam_g.step()
        record.note(g_loss=g_loss, p_again=sigmoid(y))

        if step % 10 == 9:
            record["samples"] = G(fixed_z)
            record.note(spread=record["samples"].std(axis=0))
            record.note(same_digit=same_digit(record["samples"]))
    return record
