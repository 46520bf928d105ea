"""One training step of a GAN: the heart of the project (Goodfellow et al. 2014)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from minigan.activations import Sigmoid, Tanh, sigmoid
from minigan.backend import (
    ALONE,
    Array,
    Ranks,
    backend_of,
    check_array,
    check_count,
    check_range,
    check_size,
)
from minigan.conditional import beside, into_picked, one_hot, picked
from minigan.errors import counted, to_float
from minigan.layers import Linear
from minigan.losses import bce, bce_with_logits
from minigan.network import Sequential
from minigan.optim import Adam
from minigan.penalty import check_penalised, r1

# Steps from one payment of the penalty R1 to the next, unless another number is given
R1_EVERY = 16


class StepResult(NamedTuple):
    """What a training step measured: four 0-d values on the device, valid until the next step.

    ``float(result.d_loss)`` reads one of them; on a GPU it waits until the value is computed.
    """

    d_loss: Any  # -mean log D(x) - mean log(1 - D(G(z))): 2 ln 2 if D only guesses
    g_loss: Any  # -mean log D(G(z)), by the updated D: ln 2 if D only guesses
    p_real: Any  # mean D(x) in the step of D, as a probability if the loss is cross-entropy
    p_fake: Any  # mean D(G(z)) in the step of D


class GAN:
    """A generator G and a discriminator D, each with its own Adam (Goodfellow et al. 2014).

    D learns to tell real images x (B, n) from fake images G(z); G learns to deceive D:

        d_loss = -mean log D(x) - mean log(1 - D(G(z)))        minimised over D's parameters
        g_loss = -mean log D(G(z))                             minimised over G's parameters

    (This g_loss is called non-saturating.  If G minimised mean log(1 - D(G(z))) instead, it would
    get almost no gradient where D is sure that an image is fake.)

    D gets real and fake images stacked as one batch.  A ``BatchNorm1d`` in D would therefore take
    one mean over both.

    With ``logits=True`` D ends without a Sigmoid and returns logits, and the same losses are
    computed from these.  Their gradients survive where a probability would be rounded to 0 or 1.
    Another ``loss`` takes the place of both: ``loss(p, 1.0)`` where D should say "real" and
    ``loss(p, 0.0)`` where it should say "fake" return ``(loss, dL/dp)``, as ``mse`` does, which
    makes it a least-squares GAN.

    With ``classes=K`` the GAN is conditional (Mirza & Osindero 2014).  Every image has a label from
    0 to K - 1, and c is its one-hot vector, (B, K): 1 in the label's column, else 0.

        G([z, c])           the label stands beside z: in x W, c picks the row of W for its class
        D(x) c              D has K outputs, "is this a real 0?", "a real 1?"; c picks the label's

    A class has a row of G's first W and a column of D's last W of its own, which only its images
    move; all else is shared.  D is asked about real and fake images with the same labels.  (A D
    with an output for each class: Mescheder et al. 2018; Miyato & Koyama 2018 add one for all.)

    With a positive ``r1``, the γ of the penalty ``minigan.r1``, D is also asked to be flat at the
    real images; this needs logits.  The penalty is paid in the first of every ``r1_every`` steps,
    with as many times the weight, which costs less and does the same (Karras et al. 2020, "lazy
    regularization").  It is not in the ``d_loss`` that a step returns.

    ``lr``, ``betas``, ``eps`` and ``settle_after`` are those of both ``Adam``.

    Raises ValueError if G and D are one network, if G's images do not fit into D, if D has another
    number of outputs than one, or than there are classes, if G has no room for them beside z, if G
    and D differ in dtype or backend, if D ends in Sigmoid although ``logits`` is true, if D ends in
    Linear although ``logits`` is false and no ``loss`` is given, if both are given, or if ``r1`` is
    negative or not finite, or is positive for a D that ends in Sigmoid or has a layer without
    ``double_backward``.
    """

    def __init__(
        self,
        generator: Sequential,
        discriminator: Sequential,
        *,
        lr: float = 2e-4,
        betas: tuple[float, float] = (0.5, 0.999),
        eps: float = 1e-8,
        logits: bool = False,
        loss: Callable[[Array, float], tuple[Any, Array]] | None = None,
        classes: int = 0,
        r1: float = 0.0,
        r1_every: int = R1_EVERY,
        settle_after: int = 0,
    ) -> None:
        if generator is discriminator:
            raise ValueError("generator and discriminator are one network, expected two")
        self.adam_g = Adam(generator, lr, betas, eps, settle_after)
        self.adam_d = Adam(discriminator, lr, betas, eps, settle_after)
        self.generator, self.discriminator = generator, discriminator
        g, d = generator, discriminator
        self.classes = check_count("classes", classes)
        if g.n_out != d.n_in or d.n_out != (self.classes or 1):
            raise ValueError(
                f"generator maps to {g.n_out}, discriminator maps {d.n_in} to {d.n_out}: "
                f"expected n to go with n to {self.classes or 1}"
            )
        if g.n_in is not None and g.n_in <= self.classes:
            raise ValueError(
                f"generator takes {g.n_in} columns, expected z and {classes} for the classes"
            )
        if (g.dtype, g.backend.name) != (d.dtype, d.backend.name):
            raise ValueError(
                f"generator is {g.dtype} on {g.backend.name}, discriminator {d.dtype} on "
                f"{d.backend.name}: expected the same"
            )
        if loss is not None and logits:
            raise ValueError("logits=True computes a loss of its own: expected no other loss")
        if loss is None and isinstance(d[-1], Sigmoid if logits else Linear):
            raise ValueError(f"D ends in {d[-1]!r}: expected either Sigmoid or logits=True")
        if not 0 <= to_float(r1) < math.inf:
            raise ValueError(f"r1 is {r1!r}, expected a finite number of at least 0")
        if r1 > 0 and isinstance(d[-1], Sigmoid):
            raise ValueError("r1 is a penalty on D's logits: it needs a D with logits=True")
        if r1 > 0:
            check_penalised(d, several=True)  # their number fits: see above
        self.r1, self.r1_every = float(r1), check_size("r1_every", r1_every)
        self.logits, self.loss = logits, loss or (bce_with_logits if logits else bce)
        self.one_hot = d.backend.asarray(np.eye(self.classes), d.dtype)  # a row for each class
        self.ranks = ALONE  # the processes that share out each batch: see ``share_out``
        self.looked = False  # at the range of the images, which on a GPU is done once

    def share_out(self, ranks: Ranks) -> None:
        """Let several processes train this GAN, each with its rows of every batch.

        Their networks must be alike.  ``train_step`` then takes the rows of this process, and all
        together do what one process would do with all rows: see ``minigan.backend.ranks``.
        """
        self.ranks, self.loss = ranks, ranks.part_of(self.loss)
        for layer in (*self.generator.layers, *self.discriminator.layers):
            layer.ranks = ranks

    def train_step(self, real: Array, z: Array, labels: Any = None) -> StepResult:
        """Take one step of D, then one step of G.  real: (B, 784) in [-1, 1], z: (B, latent_dim)

        ``labels``, (B,), are whole numbers from 0 to K - 1, for a GAN with ``classes=K`` only; the
        fake images get those of the real ones.

        Arrays in main memory are moved to the networks' backend.  Raises TypeError or ValueError
        if an argument has the wrong shape or dtype, if the batches differ in size, if labels are
        missing, or not asked for, or out of range, or if the images leave the range of G's own:
        [-1, 1] if G ends in Tanh, [0, 1] if in Sigmoid.  (Images on a GPU are looked at in the
        first step only, and labels there not at all, because reading them takes time.)
        """
        G, D = self.generator, self.discriminator
        real = self._batch("real", real, G.n_out)
        z = self._batch("z", z, self.z_columns)
        B = len(real)
        if len(z) != B or B == 0:
            raise ValueError(
                f"real has {counted(B, 'row')} and z has {len(z)}, expected the same, at least 1"
            )
        if isinstance(G[-1], (Tanh, Sigmoid)) and (G.backend.name == "numpy" or not self.looked):
            check_range("real", real, -1 if isinstance(G[-1], Tanh) else 0, 1)
            self.looked = True

        c = one_hot(labels, B, self.one_hot)  # what G and D are told of the classes, if anything
        c2 = None if c is None else np.concatenate([c, c])

        # Step of D: real images should be called real (1), fake ones fake (0).
        fake, cache_g = G.forward(beside(z, c))
        y, cache_d = D.forward(np.concatenate([real, fake]))
        p = picked(y, c2)
        loss_real, dp_real = self.loss(p[:B], 1.0)  # two means, each over B images, are added
        loss_fake, dp_fake = self.loss(p[B:], 0.0)
        dy = into_picked(np.concatenate([dp_real, dp_fake]), c2)
        D.backward(dy, cache_d, input_grad=False)  # no gradient to the images: fake.detach()
        if D.backend.decide(self.penalises):
            grads = D.grads.copy()
            r1(D, real, self.r1_every * self.r1, c)  # overwrites them with those of the penalty
            D.grads += grads
        self.ranks.add(D.grads)  # of other processes, if there are any: see ``share_out``
        self.adam_d.step()
        if self.logits:
            p = D.backend.elementwise(sigmoid, p)  # p held logits; the result has probabilities
        d_loss, p_real, p_fake = loss_real + loss_fake, p[:B].mean(), p[B:].mean()

        # Step of G: the same fake images should be called real by the updated D.
        y, cache_d = D.forward(fake)
        g_loss, dp = self.loss(picked(y, c), 1.0)
        dy = into_picked(dp, c)
        d_fake = D.backward(dy, cache_d, param_grads=False)  # D is frozen: only a path to G
        G.backward(d_fake, cache_g, input_grad=False)  # G has not moved: its cache still holds
        self.ranks.add(G.grads)
        self.adam_g.step()

        return StepResult(*self.ranks.figures(d_loss, g_loss, p_real, p_fake, rows=B))

    @property
    def z_columns(self) -> int | None:
        """How many random numbers G takes for each image: the latent point, and noise if any."""
        n_in = self.generator.n_in
        return None if n_in is None else n_in - self.classes

    def penalises(self) -> bool:
        """Return whether the next step of D pays the penalty."""
        return self.r1 > 0 and self.adam_d.t % self.r1_every == 0

    def _batch(self, name: str, a: Array, columns: int | None) -> Array:
        if backend_of(a, name).name == "numpy":
            a = self.generator.backend.asarray(a)
        check_array(name, a, (None, columns), like=self.generator.params)
        return a
