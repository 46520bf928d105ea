"""What ``minigan gradcheck`` checks: each layer, each loss, and both steps of the whole GAN."""

from __future__ import annotations

import copy

import numpy as np

from minigan.backend import Array, Backend, get_backend
from minigan.batch_norm import BatchNorm1d
from minigan.gan import GAN
from minigan.gradcheck.central_difference import GradientReport, compare, resolution
from minigan.gradcheck.check import (
    POISON,
    away_from_kinks,
    check_gradients,
    check_loss,
    named_parameters,
    own_stream,
)
from minigan.layers import LeakyReLU, Linear, ReLU, Sigmoid, Tanh
from minigan.losses import bce, bce_with_logits
from minigan.models import discriminator, generator


def check_everything(backend: str | Backend = "numpy") -> list[tuple[str, GradientReport]]:
    """Return what ``minigan gradcheck`` prints: name and report of each layer, loss and path."""
    backend = get_backend(backend)
    rng = np.random.default_rng(0)

    def normal(*shape: int) -> Array:
        return backend.asarray(rng.standard_normal(shape))

    def uniform(*shape: int) -> Array:
        return backend.asarray(rng.uniform(0.05, 0.95, shape))

    layers = (Linear(7, 5, seed=rng, backend=backend), ReLU(), LeakyReLU(0.2), Tanh(), Sigmoid())
    rows = [(repr(layer), check_gradients(layer, normal(6, 7))) for layer in layers]
    norm = BatchNorm1d(7, backend=backend)
    for array in (norm.gamma, norm.beta, norm.running_mean, norm.running_var):
        array += 0.5 * abs(normal(7).astype("float32"))  # at 1 and 0, an error would not show
    rows += [
        ("BatchNorm1d(7), training", check_gradients(norm, normal(6, 7))),
        ("BatchNorm1d(7), evaluation", check_gradients(norm, normal(6, 7), training=False)),
        ("bce", check_loss(bce, uniform(6, 4), uniform(6, 4))),
        ("bce_with_logits", check_loss(bce_with_logits, 5 * normal(6, 4), uniform(6, 4))),
    ]
    for suffix, logits, N in (("", False, 2), (", batch norm, logits", True, 6)):
        G = generator(batch_norm=logits, seed=rng, dtype="float64", backend=backend)
        D = discriminator(logits=logits, seed=rng, dtype="float64", backend=backend)
        gan = GAN(G, D, lr=0, logits=logits)
        report = check_gan(gan, np.tanh(normal(N, 784)), normal(N, 100))
        for net, path in (("D", "D step: d_loss"), ("G", "G step: z -> D(G(z)) -> g_loss")):
            arrays = tuple(array for array in report.arrays if array.name.startswith(net))
            rows.append((path + suffix, GradientReport(arrays)))
    return rows


def check_gan(gan: GAN, real: Array, z: Array, *, max_entries: int = 20) -> GradientReport:
    """Check the two gradients of one real ``GAN.train_step``, through both networks.

    The learning rate must be 0: the step then fills ``grads`` and leaves all weights as they are.
    These gradients must be the slopes of the d_loss and the g_loss that the step returns.  The
    check works on a copy of ``gan``.  Raises ValueError for another learning rate.
    """
    if gan.adam_d.lr != 0 or gan.adam_g.lr != 0:
        raise ValueError("check_gan needs a GAN with lr=0: the weights must stay where they are")
    gan = copy.deepcopy(gan)
    G, D = gan.generator, gan.discriminator
    rng = own_stream(0)
    path = (*G.layers, *D.layers)
    z = away_from_kinks(path, z, rng)
    real = away_from_kinks(D.layers, real, rng)
    for net in (G, D):
        net.grads[...] = POISON
    gan.train_step(real, z)
    loss = bce_with_logits if gan.logits else bce  # not gan.loss, which is being checked

    def d_loss() -> float:
        # forward, as in training: with batch norm, evaluate computes another function
        p, _ = D.forward(np.concatenate([real, G.forward(z)[0]]))
        return float(loss(p[: len(real)], 1.0)[0] + loss(p[len(real) :], 0.0)[0])

    def g_loss() -> float:
        return float(loss(D.forward(G.forward(z)[0])[0], 1.0)[0])

    return GradientReport(
        tuple(
            compare(f"{net}.{name}", parameter, gradient, L, resolution(L()), rng, max_entries)
            for net, parameters, L in (
                ("D", named_parameters(D), d_loss),
                ("G", named_parameters(G), g_loss),
            )
            for name, parameter, gradient in parameters
        )
    )
