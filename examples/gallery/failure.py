"""The failures: the line that is changed, and the figure that gives the change away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from museum.exhibit import Edit

from .small_gan import Record, networks, scaled, train


@dataclass(frozen=True)
class Failure:
    """A mistake, and the figure that gives it away: on the far side of the limit."""

    title: str
    sign: str  # what is measured, in words
    measure: Callable[[Record], float]
    limit: float
    edits: tuple[Edit, ...]


def half(record: Record, key: str) -> Any:
    """Return the second half of a curve."""
    return np.array(record[key][len(record[key]) // 2 :])


def border(record: Record) -> float:
    """Return the mean of the outermost pixels of all samples, which are -1 in real ones."""
    outside = np.pad(np.zeros((12, 12), bool), 1, constant_values=True).ravel()
    return float(record["samples"][:, outside].mean())


def early(key: str) -> Callable[[Record], float]:
    return lambda record: float(np.mean(record[key][:100]))


STACKED = "D.backward(np.concatenate([dy_real, dy_fake]), cache_d, input_grad=False)"
WITH_BATCH_NORM = Edit(
    networks, "mg.Linear(196, 128),", "mg.Linear(196, 128), mg.BatchNorm1d(128),"
)
FAILURES = {
    "learning-rate": Failure(
        "the learning rate × 10",
        "how far d_loss swings: its standard deviation in the second half",
        lambda record: float(half(record, "d_loss").std()),
        0.28,
        (Edit(train, "lr, betas = 2e-3, (0.5, 0.999)", "lr, betas = 2e-2, (0.5, 0.999)"),),
    ),
    "momentum": Failure(
        "Adam's usual β₁",
        "g_loss, mean of the first 100 steps",
        early("g_loss"),
        2.0,
        (Edit(train, "lr, betas = 2e-3, (0.5, 0.999)", "lr, betas = 2e-3, (0.9, 0.999)"),),
    ),
    "d-too-strong": Failure(
        "D is too strong",
        "D(x) - D(G(z)), mean of the run",
        lambda record: float(np.mean(record["p_real"]) - np.mean(record["p_fake"])),
        0.4,
        (Edit(train, "adam_g = mg.Adam(G, lr, betas)", "adam_g = mg.Adam(G, lr / 20, betas)"),),
    ),
    "g-too-strong": Failure(
        "G is too strong",
        "the spread, mean of the second half (real images: 0.34)",
        lambda record: float(half(record, "spread").mean()),
        0.19,
        (Edit(train, "adam_d.step()", "if step % 10 == 0:\n    adam_d.step()"),),
    ),
    "no-shuffling": Failure(
        "no shuffling",
        "the share of the samples that are the same digit, mean of the second half",
        lambda record: float(half(record, "same_digit").mean()),
        0.45,
        (Edit(train, "order = rng.permutation(len(images))", "order = np.arange(len(images))"),),
    ),
    "bytes": Failure(
        "images in 0..255",
        "d_loss, mean of the second half",
        lambda record: float(half(record, "d_loss").mean()),
        0.5,
        (Edit(scaled, "return images / 127.5 - 1", "return images"),),
    ),
    "sum": Failure(
        "a sum instead of a mean",
        "the norm of D's gradient in the first step",
        lambda record: record["d_norm"][0],
        10.0,
        (Edit(train, STACKED, STACKED.replace("backward(", "backward(B * ")),),
    ),
    "half-a-sum": Failure(
        "one half a sum",
        "D(x), mean of the second half",
        lambda record: float(half(record, "p_real").mean()),
        0.3,
        (Edit(train, STACKED, STACKED.replace("dy_fake", "B * dy_fake")),),
    ),
    "detach": Failure(
        "a forgotten detach",
        "what D's step changes in G's gradients, mean of the run",
        lambda record: float(np.mean(record["leak"])),
        0.1,
        (
            Edit(
                train,
                STACKED,
                "dx = D.backward(np.concatenate([dy_real, dy_fake]), cache_d)\n"
                "G.backward(dx[B:], cache_g)\n"
                "left_over = G.grads.copy()",
            ),
            Edit(
                train,
                "G.backward(d_fake, cache_g, input_grad=False)",
                "G.backward(d_fake, cache_g, input_grad=False)\nG.grads += left_over",
            ),
        ),
    ),
    "batch-norm-apart": Failure(
        "BatchNorm in D, halves apart",
        "the mean of the samples' outermost pixels (real images: -1.00)",
        border,
        -0.6,
        (
            WITH_BATCH_NORM,
            Edit(
                train,
                "y, cache_d = D.forward(np.concatenate([real, fake]))",
                "y_real, cache_real = D.forward(real)\n"
                "y_fake, cache_fake = D.forward(fake)\n"
                "y = np.concatenate([y_real, y_fake])",
            ),
            Edit(
                train,
                STACKED,
                "D.backward(dy_real, cache_real)\n"
                "grads = D.grads.copy()\n"
                "D.backward(dy_fake, cache_fake)\n"
                "D.grads += grads",
            ),
        ),
    ),
    "batch-norm-half": Failure(
        "BatchNorm in D, G alone",
        "D(G(z)) in G's step - D(G(z)) in D's step, mean of the run",
        lambda record: float(np.mean(record["p_again"]) - np.mean(record["p_fake"])),
        0.3,
        (WITH_BATCH_NORM,),
    ),
}
