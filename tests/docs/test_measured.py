"""Numbers in the prose of the docs that a second of work can measure again."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import minigan as mg
from minigan.metrics import (
    count_classes,
    features_and_probabilities,
    frechet_distance,
    load_classifier,
)
from minigan.styled import Styled
from minigan.training import unit_samples

ROOT = Path(__file__).parents[2]


def gflop_of_r1() -> float:
    """Four products for each Linear of D: forward, back to the images, and two on the way up."""
    D = mg.discriminator(seed=0)
    weights = sum(layer.W.size for layer in D.layers if isinstance(layer, mg.Linear))
    return 4 * 2 * 64 * weights / 1e9


def distance_of_two_numbers() -> float:
    """The Dirac-GAN of the page, with the loss of this project for G."""
    theta, w = 1.0, 0.0
    for _ in range(800):
        p = 1 / (1 + math.exp(-w * theta))  # D(G(z))
        theta, w = theta + 0.05 * (1 - p) * w, w - 0.05 * p * theta
    return math.hypot(theta, w)


@functools.cache
def of_real_images() -> tuple[float, float, float]:
    """How many % of the test images are read rightly, and of how many digits one is sure; Fréchet.

    The images that stand for perfect samples are training images, as in ``minigan evaluate``.
    """
    looked = []
    for images in (mg.load_mnist("test")[0], mg.load_mnist("train")[0][:10_000]):
        pixels = images.reshape(-1, 784).astype("float32") / 127.5 - 1
        looked.append(features_and_probabilities(load_classifier(), pixels))
    (test, p), (train, p_train) = looked
    labels = mg.load_mnist("test")[1]
    right = float((p.argmax(axis=1) == labels).mean())
    sure = count_classes(p_train, labels).confident
    return 100 * right, 100 * sure, float(frechet_distance(train, test))


@functools.cache
def of_the_conditional_generator() -> tuple[float, float]:
    """How many % of 10,000 images are read as they were asked for; of how many one is sure."""
    images = unit_samples(mg.load_generator(classes=True), 10_000, seed=0, classes=10)
    _, p = features_and_probabilities(load_classifier(), images * 2 - 1)
    right = float((p.argmax(axis=1) == np.arange(10_000) % 10).mean())
    return 100 * right, 100 * count_classes(p, mg.load_mnist("test")[1]).confident


def deviations_without_batch_norm(of: str) -> float:
    """How much w or s differs between images, if the mapping network does not normalise w."""
    G = mg.models.style_generator(seed=0)
    mapping = [G.layers[0], mg.LeakyReLU(0.2), G.layers[2]]
    w = np.random.default_rng(0).standard_normal((500, 100), dtype="float32")
    for layer in mapping:
        w = layer(w)
    assert isinstance(G, Styled)
    first = G.layers[G.way[1] - 1]  # the Linear of the first layer that sees a style
    return float((w if of == "w" else first(w)).std(axis=0).mean())


@pytest.mark.parametrize(
    ("page", "words", "measure"),
    [
        ("gradient-of-a-gradient", "{:.2f} GFLOP for 64 images", gflop_of_r1),
        ("gradient-of-a-gradient", "still {:.2f} after 800 steps", distance_of_two_numbers),
        ("conditional", "right about {:.1f} % of the real", lambda: of_real_images()[0]),
        ("conditional", "(of real ones {:.0f} %)", lambda: of_real_images()[1]),
        ("conditional", "| Fréchet distance | 1.6 | {:.1f} |", lambda: of_real_images()[2]),
        ("conditional", "digit drawn | {:.1f} % |", lambda: of_the_conditional_generator()[0]),
        ("conditional", "sure of {:.0f} % of them", lambda: of_the_conditional_generator()[1]),
        ("style", "w would differ by {:.1f}", lambda: deviations_without_batch_norm("w")),
        ("style", "and s by {:.1f}", lambda: deviations_without_batch_norm("s")),
        ("failures", "/ 64 makes about {:.0f} steps", lambda: 60_000 / 10 / 64),
        ("failures", "p = 1/65 = {:.3f}", lambda: 1 / 65),
    ],
)
def test_what_can_be_measured_again(page: str, words: str, measure: Callable[[], float]) -> None:
    text = " ".join((ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8").split())
    assert words.format(measure()) in text
