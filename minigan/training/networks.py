"""Networks of one's own: how a run makes G and D if they are not those of its recipe.

They come from a file of Python code (``--model my_gan.py``), from networks that a program has made,
or from the text in a checkpoint.  The file has one or both of these functions; the recipe's network
stands for the other one:

    def generator(n_in, n_out, **options):      n_in: numbers in z, n_out: numbers in an image
        return mg.Sequential(mg.Linear(n_in, 256), mg.ReLU(), mg.Linear(256, n_out), mg.Tanh(),
                             **options)

    def discriminator(n_in, n_out, **options):  n_in: numbers in an image, n_out: 1
        return mg.Sequential(mg.Linear(n_in, 256), mg.LeakyReLU(0.2), mg.Linear(256, n_out),
                             **options)

``options`` are the ``seed``, ``dtype`` and ``backend`` of the run, for ``Sequential``.  In a
conditional run the one-hot vector of the class stands beside z, and D has an output for each class.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from minigan.activations import Sigmoid
from minigan.errors import InputError
from minigan.layers import Layer, Linear
from minigan.network import Sequential
from minigan.penalty import check_penalised
from minigan.styled import Styled
from minigan.weights import build, own_classes

Maker: TypeAlias = Callable[..., Sequential]
NAMES = "generator", "discriminator"


class Networks(NamedTuple):
    """How a run makes its networks; None stands for that of its recipe."""

    generator: Maker | None
    discriminator: Maker | None
    source: str  # where they come from, as messages say it


def given_networks(generator: Any, discriminator: Any) -> Networks:
    """Return the networks that a program has made: a run trains copies of them.

    Raises TypeError for what is no network, and InputError for a layer that could not be made again
    from its ``repr``, or that has the name of one of minigan's.
    """
    for name, net in zip(NAMES, (generator, discriminator), strict=True):
        if net is not None and not isinstance(net, Sequential):
            raise TypeError(f"{name} is {net!r}, expected a Sequential")
    G, D = (None if net is None else _copier(net) for net in (generator, discriminator))
    return Networks(G, D, "your program")


def _copier(net: Sequential) -> Maker:
    text, own = net.architecture, own_classes(net)

    def make(n_in: int, n_out: int, *, seed: Any, **options: Any) -> Sequential:
        made = build(text, own, seed=0, **options)
        made.copy_from(net)
        return made

    return make


def described_networks(
    texts: Mapping[str, str], source: str, layers: Mapping[str, type], most: int
) -> Networks | None:
    """Return the networks that ``architecture`` described, or None if there are no texts.

    ``layers`` are the classes that are not minigan's, and ``most`` is as for ``build``.
    """

    def maker(name: str) -> Maker | None:
        def make(n_in: int, n_out: int, **options: Any) -> Sequential:
            try:
                return build(texts[name], layers, most=most, **options)
            except InputError as error:
                raise InputError(f"{source}: {error}") from error

        return make if name in texts else None

    G, D = map(maker, NAMES)
    return Networks(G, D, source) if texts else None


def make_network(
    networks: Networks, name: str, n_in: int, n_out: int, rng: np.random.Generator, **options: Any
) -> Sequential:
    """Return G or D (``name``) before its first step.  ``options`` are ``dtype`` and ``backend``.

    Raises InputError unless it is a ``Sequential`` with n_in inputs and n_out outputs, of the dtype
    and on the backend that it should be, made of layers that can be made again from their ``repr``,
    with numbers in all its arrays, and with the same weights whenever the seed is the same.
    """
    make: Any = getattr(networks, name)
    before = rng.bit_generator.state
    net = make(n_in, n_out, seed=rng, **options)
    the = f"the {name} of {networks.source}"
    if not isinstance(net, Sequential):
        raise InputError(f"{the} is a {type(net).__name__}, expected a minigan Sequential")
    width = net.n_z if isinstance(net, Styled) else net.n_in
    if (width, net.n_out) != (n_in, n_out):
        takes, gives = (n if n is not None else "any number" for n in (width, net.n_out))
        z = " (`latent_dim`, and the classes if there are any)" * (name == "generator")
        raise InputError(f"{the} maps {takes} to {gives} columns, expected {n_in}{z} to {n_out}")
    dtype, backend = options["dtype"], options["backend"]
    if (net.dtype, net.backend.name) != (dtype, backend.name):
        raise InputError(
            f"{the} is {net.dtype} on {net.backend.name}, but the run is {dtype} on "
            f"{backend.name}: hand the options on, as in Sequential(..., **options)"
        )
    if name == "generator" and isinstance(net[-1], Sigmoid):
        raise InputError(
            f"{the} ends in Sigmoid, which draws pixels from 0 to 1, but those of a run go from -1 "
            "to 1: end it in Tanh"
        )
    own_classes(net)
    net.architecture  # noqa: B018  raises InputError if the network cannot be made again
    parameters = [(label, parameter) for label, parameter, _ in net.named_parameters()]
    for label, array in [*parameters, *net.named_buffers()]:
        if not np.isfinite(net.backend.to_numpy(array)).all():
            raise InputError(f"{the}: its {label} holds nan or inf, expected numbers")
    if net.params.size and rng.bit_generator.state == before:
        again = make(n_in, n_out, seed=rng, **options)
        if not bool((again.params == net.params).all()):
            raise InputError(
                f"{the} draws its weights without the seed of the run, which could not be repeated:"
                " hand the options on, as in Sequential(..., **options)"
            )
    return net


def check_discriminator(
    networks: Networks, D: Sequential, probabilities: bool, penalty: float
) -> None:
    """Raise InputError unless D ends as the recipe's loss needs it, and can pay the penalty R1."""
    the, last = f"the discriminator of {networks.source}", D[-1]
    if isinstance(last, Sigmoid) and not probabilities:
        raise InputError(
            f"{the} ends in {last!r}, but the recipe's loss takes logits: leave Sigmoid out, or "
            "choose `recipe` tutorial"
        )
    if isinstance(last, Linear) and probabilities:
        raise InputError(
            f"{the} ends in {last!r}, but the recipe's loss takes probabilities: put Sigmoid after "
            "it, or choose `recipe` averaged"
        )
    if penalty > 0:
        try:
            check_penalised(D, several=True)
        except ValueError as error:
            raise InputError(f"{the}: {error}; `r1` 0 trains without the penalty") from error


def check_same(now: Mapping[str, str], before: Mapping[str, str]) -> None:
    """Raise InputError unless a run has the networks that it was started with, both as texts."""
    for name in NAMES:
        if now[name] == before[name]:
            continue
        lines = itertools.zip_longest(*(one[name].splitlines() for one in (now, before)))
        new, old = next(pair for pair in lines if pair[0] != pair[1])
        new, old = (repr(line.strip().rstrip(",")) if line else "nothing" for line in (new, old))
        raise InputError(
            f"the {name} is another one than that of the run: it has {new} where the run has {old}"
        )


def layers_in(names: Mapping[str, Any]) -> dict[str, type]:
    """Return the classes of layers and networks among the names of a module."""
    kinds = [value for value in names.values() if isinstance(value, type)]
    own = [kind for kind in kinds if not kind.__module__.startswith("minigan.")]
    return {kind.__name__: kind for kind in own if issubclass(kind, (Layer, Sequential))}
