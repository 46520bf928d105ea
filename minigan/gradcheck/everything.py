"""What ``minigan gradcheck`` checks: each layer, each loss, and both steps of the whole GAN."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from minigan.activations import LeakyReLU, ReLU, Sigmoid, Tanh
from minigan.backend import Array, Backend, get_backend
from minigan.batch_norm import BatchNorm1d
from minigan.conditional import beside, picked
from minigan.gan import GAN
from minigan.gradcheck.check import (
    as_number,
    check_gradients,
    check_loss,
    check_problem,
    own_stream,
)
from minigan.gradcheck.kinks import away_from_kinks
from minigan.gradcheck.penalty import check_r1, penalty_of
from minigan.gradcheck.precision import copy_in
from minigan.gradcheck.problem import POISON, Problem
from minigan.gradcheck.verdict import GradientReport
from minigan.layers import Layer, Linear
from minigan.losses import bce, bce_with_logits, mse
from minigan.models import discriminator, generator
from minigan.network import Sequential
from minigan.style import Constant, ModulatedLinear, Noise, Shift
from minigan.styled import Styled

ROWS = 26  # reports that check_everything yields


def check_everything(backend: str | Backend = "numpy") -> Iterator[tuple[str, GradientReport]]:
    """Check one thing after another, and yield the name and the report of each, ``ROWS`` in all.

    ``minigan gradcheck`` prints them: the layers, the losses, and the paths through the whole GAN.
    """
    backend = get_backend(backend)
    rng = np.random.default_rng(0)

    def normal(*shape: int) -> Array:
        return backend.asarray(rng.standard_normal(shape))

    def uniform(*shape: int) -> Array:
        return backend.asarray(rng.uniform(0.05, 0.95, shape))

    layers = (Linear(7, 5, seed=rng, backend=backend), ReLU(), LeakyReLU(0.2), Tanh(), Sigmoid())
    for layer in layers:
        yield repr(layer), check_gradients(layer, normal(6, 7))
    norm = BatchNorm1d(7, backend=backend)
    for array in (norm.running_mean, norm.running_var):
        array += 0.5 * abs(normal(7).astype("float32"))  # at 0 and 1, an error would not show
    yield "BatchNorm1d(7), training", check_gradients(norm, normal(6, 7))
    yield "BatchNorm1d(7), evaluation", check_gradients(norm, normal(6, 7), training=False)
    yield (
        "ModulatedLinear(7, 5)",
        check_gradients(ModulatedLinear(7, 5, seed=rng, backend=backend), normal(6, 14)),
    )
    yield "Shift(7)", check_gradients(Shift(7), normal(6, 14))
    yield "Noise(7)", check_gradients(Noise(7, backend=backend), normal(6, 14))
    styled = _styled(rng, backend)
    yield "Styled, two layers that see w", check_gradients(styled, normal(6, styled.n_in or 1))
    yield "bce", check_loss(bce, uniform(6, 4), uniform(6, 4))
    yield "bce_with_logits", check_loss(bce_with_logits, 5 * normal(6, 4), uniform(6, 4))
    yield "mse", check_loss(mse, normal(6, 4), normal(6, 4))
    for name, hidden in (("LeakyReLU", LeakyReLU(0.2)), ("Tanh", Tanh())):
        D = Sequential(Linear(7, 6), hidden, Linear(6, 1), seed=rng, backend=backend)
        yield f"r1, D with {name}", check_r1(D, normal(6, 7))
    D = Sequential(Linear(7, 6), LeakyReLU(0.2), Linear(6, 3), seed=rng, backend=backend)
    picks = backend.asarray(np.eye(3)[[0, 1, 2, 1, 0, 2]])
    yield "r1, D with an output per class", check_r1(D, normal(6, 7), of=picks)
    for logits in (False, True):  # every entry where that is quick, else a few and a direction
        variant = ", default recipe" if logits else ""
        gan = _narrow_gan(rng, backend, logits=logits, r1=0.1 * logits)
        report = check_gan(gan, np.tanh(normal(5, 9)), normal(5, 6), max_entries=100)
        yield f"narrow GAN{variant}", report
        G = generator(batch_norm=logits, seed=rng, dtype="float64", backend=backend)
        D = discriminator(logits=logits, seed=rng, dtype="float64", backend=backend)
        gan = GAN(G, D, logits=logits, r1=0.1 * logits)
        report = check_gan(gan, np.tanh(normal(3, 784)), normal(3, 100), max_entries=1)
        for net, path in (("D", "D: d_loss"), ("G", "G: z -> D(G(z)) -> g_loss")):
            arrays = tuple(array for array in report.arrays if array.name.startswith(net))
            yield path + variant, GradientReport(arrays)
    gan = _narrow_gan(rng, backend, loss=mse, r1=0.1)
    report = check_gan(gan, np.tanh(normal(5, 9)), normal(5, 6), max_entries=100)
    yield "narrow GAN, least squares", report
    gan = _narrow_gan(rng, backend, logits=True, r1=0.1, classes=3)
    labels = backend.asarray(np.array([0, 1, 2, 1, 0]))
    report = check_gan(gan, np.tanh(normal(5, 9)), normal(5, 6), labels, max_entries=100)
    yield "narrow GAN, conditional", report
    gan = _narrow_gan(rng, backend, logits=True, r1=0.1, styled=True)
    z = normal(5, gan.z_columns or 1)
    yield "narrow GAN, style", check_gan(gan, np.tanh(normal(5, 9)), z, max_entries=100)


def _narrow_gan(
    seed: np.random.Generator,
    backend: Backend,
    logits: bool = False,
    loss: Any = None,
    classes: int = 0,
    r1: float = 0.0,
    styled: bool = False,
) -> GAN:
    """Return a GAN with the layers of the tutorial's, or of a variant, but with few units."""
    tutorial = not logits and loss is None
    layers: list[Layer] = []
    for n_in, n_out in ((6 + classes, 7), (7, 8), (8, 10)):
        layers += [Linear(n_in, n_out), *([] if tutorial else [BatchNorm1d(n_out)]), ReLU()]
    layers += [Linear(10, 9), Tanh()]
    G = Sequential(*layers, seed=seed, dtype="float64", backend=backend)
    G = _styled(seed, backend) if styled else G
    layers = []
    for n_in, n_out in ((9, 10), (10, 8), (8, 7)):
        layers += [Linear(n_in, n_out), LeakyReLU(0.2)]
    layers += [Linear(7, classes or 1), *([Sigmoid()] if tutorial else [])]
    D = Sequential(*layers, seed=seed, dtype="float64", backend=backend)
    return GAN(G, D, logits=logits, loss=loss, classes=classes, r1=r1)


def _styled(seed: np.random.Generator, backend: Backend) -> Styled:
    """Return a narrow generator with styles."""
    mapping = Linear(6, 7), LeakyReLU(0.2), Linear(7, 5), LeakyReLU(0.2)
    synthesis: list[Layer] = [Constant(6)]
    for n_in, n_out in ((6, 8), (8, 10)):
        synthesis += [ModulatedLinear(n_in, n_out), Shift(n_out), Noise(n_out), ReLU()]
    synthesis += [Linear(10, 9), Tanh()]
    return Styled(mapping, synthesis, seed=seed, dtype="float64", backend=backend)


class _Beside(Layer):
    """Puts the columns of c beside x, as the first layer of a conditional G."""

    def __init__(self, c: Array | None) -> None:
        self.c = c

    def forward(self, x: Array) -> tuple[Array, None]:
        return beside(x, None if self.c is None else self.c.astype(x.dtype)), None


class _Standstill:
    """An optimizer that leaves the weights where they are, and the gradients to be read."""

    t = 0  # as in the first step, which pays the penalty r1

    def step(self) -> None:
        """Do nothing."""


def check_gan(
    gan: GAN, real: Array, z: Array, labels: Array | None = None, *, max_entries: int = 20
) -> GradientReport:
    """Check the two gradients of one real ``GAN.train_step``, through both networks.

    They must be the slopes of the d_loss and the g_loss that the step returns, and of the penalty
    that ``gan.r1`` adds to the d_loss.  The check works on copies of ``gan`` whose weights stay
    where they are.  A GAN whose D ends in Sigmoid is checked against ``bce``, as in the tutorial.
    """
    backend, rng = gan.generator.backend, own_stream(0)
    G, D = copy_in(gan.generator, "float64"), copy_in(gan.discriminator, "float64")
    one_hot = None if labels is None else backend.asarray(np.eye(gan.classes))[labels]
    z = away_from_kinks([_Beside(one_hot), G, D], z.astype("float64"), rng)
    real = away_from_kinks([D], real.astype("float64"), rng)
    # not gan.loss if it is one of the tutorial's, because it is being checked
    loss = bce_with_logits if gan.logits else bce if isinstance(D[-1], Sigmoid) else gan.loss

    def problem_of(which: str) -> Callable[[str], Problem]:
        def problem(dtype: str) -> Problem:
            twin: Any = copy.copy(gan)
            twin.generator = G = copy_in(gan.generator, dtype)
            twin.discriminator = D = copy_in(gan.discriminator, dtype)
            twin.adam_g = twin.adam_d = _Standstill()
            twin.one_hot = gan.one_hot.astype(dtype)
            x, latent = real.astype(dtype), z.astype(dtype)
            c = None if one_hot is None else one_hot.astype(dtype)
            told = beside(latent, c)

            # forward, as in training: with batch norm, evaluate computes another function
            def d_loss() -> Any:
                p, _ = D.forward(np.concatenate([x, fake]))
                p = p if c is None else picked(p, np.concatenate([c, c]))
                both = loss(p[: len(x)], 1.0)[0] + loss(p[len(x) :], 0.0)[0]
                if gan.r1 > 0:
                    both = both + penalty_of(D, x, gan.r1_every * gan.r1, c)
                return as_number(both, backend)

            def g_loss() -> Any:
                p, _ = D.forward(G.forward(told)[0])
                return as_number(loss(picked(p, c), 1.0)[0], backend)

            def backprop() -> dict[str, Array]:
                for net in (G, D):
                    net.grads[...] = POISON
                twin.train_step(x, latent, labels)
                return {name: gradient.copy() for name, _, gradient in parameters}

            fake, _ = G.forward(told)
            net, L = (D, d_loss) if which == "D" else (G, g_loss)
            parameters = [(f"{which}.{name}", p, g) for name, p, g in net.named_parameters()]
            layers = (*G.layers, *D.layers)
            arrays = {name: p for name, p, _ in parameters}
            return Problem(arrays, L, backprop, float(L()), layers=layers)

        return problem

    return GradientReport(
        tuple(
            check
            for which in "DG"
            for check in check_problem(problem_of(which), backend, max_entries)
        )
    )
