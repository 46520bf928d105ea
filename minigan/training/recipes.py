"""The recipes of ``minigan train``: how a GAN is trained, and which generator draws the samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from minigan.backend import Array
from minigan.losses import mse
from minigan.models import discriminator, generator, style_generator
from minigan.network import Sequential


class Recipe(NamedTuple):
    """The points in which a recipe may differ from the tutorial.  See docs/is-it-working.md."""

    says: str  # what the help says of it
    lr: float = 2e-4  # learning rate of both Adams, unless another one is given
    batch_norm: bool = False  # batch normalisation in G
    logits: bool = False  # D returns logits: the same loss, with a gradient wherever D is wrong
    loss: Callable[[Array, float], tuple[Any, Array]] | None = None  # in place of cross-entropy
    averaged: bool = False  # the moving average of G draws the samples
    r1: float = 0.0  # weight γ of the penalty R1, unless another one is given
    settle_after: int = 0  # steps to the settling of a long run, unless given; 0: it never does
    conditional: bool = False  # G and D are told the class of each image
    styled: bool = False  # G tells every layer the style, and adds noise

    @property
    def probabilities(self) -> bool:
        """Whether D ends in Sigmoid, as in the tutorial."""
        return not self.logits and self.loss is None

    def generator(self, latent_dim: int, classes: int, **options: Any) -> Sequential:
        """Return G before its first step."""
        if self.styled:
            return style_generator(latent_dim, **options)
        return generator(latent_dim, classes=classes, batch_norm=self.batch_norm, **options)

    def discriminator(self, classes: int, **options: Any) -> Sequential:
        """Return D before its first step."""
        return discriminator(classes=classes, logits=not self.probabilities, **options)


RECIPES = {
    "averaged": Recipe(
        "as batch-norm, but D gives logits and pays a penalty on its slope, so that it does not "
        "learn the images by heart, and a moving average of G draws the samples",
        lr=5e-4, batch_norm=True, logits=True, averaged=True, r1=0.1,
    ),
    "batch-norm": Recipe(
        "with batch normalisation in G and a larger learning rate; it learns faster",
        lr=1e-3, batch_norm=True,
    ),
    "conditional": Recipe(
        "as averaged, with three times the penalty, but G and D are told the digit, so that it can "
        "be asked for, and a long run settles",
        lr=5e-4, batch_norm=True, logits=True, averaged=True, r1=0.3, settle_after=20_000,
        conditional=True,
    ),
    "least-squares": Recipe(
        "as averaged, but with the squared error in place of the cross-entropy (LSGAN)",
        lr=5e-4, batch_norm=True, loss=mse, averaged=True, r1=0.1,
    ),
    "style": Recipe(
        "as averaged, with three times the penalty, but G makes a style of z, which every hidden "
        "layer sees (StyleGAN)",
        lr=5e-4, batch_norm=True, logits=True, averaged=True, r1=0.3, styled=True,
    ),
    "tutorial": Recipe("exactly as in the tutorial"),
}  # fmt: skip
