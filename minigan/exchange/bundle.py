"""What a file of another library holds, as plain data: networks, the state of Adam, and notes.

A bundle is what stands between a run and the formats: each format writes one and reads one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from minigan.backend import Array
from minigan.errors import InputError
from minigan.exchange.names import AFTER_FLATTEN, parameters_of, tensors_of
from minigan.network import Sequential
from minigan.optim import Adam
from minigan.training import Run

GENERATOR, DISCRIMINATOR, AVERAGE = "generator", "discriminator", "average"
OPTIMIZER_G, OPTIMIZER_D = "optimizer_g", "optimizer_d"
NETWORKS, OPTIMIZERS = (GENERATOR, DISCRIMINATOR, AVERAGE), (OPTIMIZER_G, OPTIMIZER_D)
MOMENTS = ("exp_avg", "exp_avg_sq")  # PyTorch's names of m and v


class AdamState(NamedTuple):
    """The state of one Adam, with m and v as PyTorch stores them, one array a parameter."""

    lr: float
    betas: tuple[float, float]
    eps: float
    step: int
    exp_avg: list[Array]
    exp_avg_sq: list[Array]


@dataclass
class Bundle:
    """The content of a file.  Without a discriminator, it holds a generator alone."""

    networks: dict[str, dict[str, Array]]  # of the NETWORKS, the tensors by their keys
    optimizers: dict[str, AdamState] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)  # of minigan: options, classes, epochs


def bundle_of_run(run: Run, notes: dict[str, Any]) -> Bundle:
    """Return all that a run needs to go on elsewhere: G, D, both Adams, and the moving average."""
    gan = run.gan
    t = gan.adam_g.t
    networks = {
        GENERATOR: tensors_of(gan.generator, batches=t),
        DISCRIMINATOR: tensors_of(gan.discriminator, AFTER_FLATTEN, t),
    }
    if run.average is not None:
        networks[AVERAGE] = tensors_of(run.average, batches=t)
    adams = {OPTIMIZER_G: _state(gan.adam_g), OPTIMIZER_D: _state(gan.adam_d)}
    return Bundle(networks, adams, notes)


def bundle_of_generator(net: Sequential, notes: dict[str, Any]) -> Bundle:
    """Return a generator alone."""
    return Bundle({GENERATOR: tensors_of(net)}, {}, notes)


def _state(adam: Adam) -> AdamState:
    m, v = (list(parameters_of(adam.net, vector).values()) for vector in (adam.m, adam.v))
    return AdamState(adam.lr, adam.betas, adam.eps, adam.t, m, v)


def flat(bundle: Bundle) -> tuple[dict[str, Array], dict[str, Any]]:
    """Return the arrays of a bundle by one name each, and all else, for formats of named arrays.

    The keys of a generator alone stay as they are, so that ``load_state_dict`` takes the file.  In
    a whole run they stand behind the name of the network: ``generator.model.0.weight``.
    """
    if list(bundle.networks) == [GENERATOR]:
        return bundle.networks[GENERATOR], {"notes": bundle.notes, "optimizers": {}}
    arrays = {
        f"{name}.{key}": array
        for name, tensors in bundle.networks.items()
        for key, array in tensors.items()
    }
    numbers = {}
    for name, adam in bundle.optimizers.items():
        numbers[name] = {"lr": adam.lr, "betas": adam.betas, "eps": adam.eps, "step": adam.step}
        for moment in MOMENTS:
            arrays |= {f"{name}.{moment}.{i}": a for i, a in enumerate(getattr(adam, moment))}
    return arrays, {"notes": bundle.notes, "optimizers": numbers}


def unflattened(arrays: dict[str, Array], rest: Any) -> Bundle:
    """Return the bundle that ``flat`` took apart; arrays without our names are a generator's.

    Raises InputError if what is not an array is not what ``flat`` returns.
    """
    parts: dict[str, dict[str, Array]] = {}
    for name, array in arrays.items():
        part, _, key = name.partition(".")
        known = part in (*NETWORKS, *OPTIMIZERS)
        parts.setdefault(part if known else GENERATOR, {})[key if known else name] = array
    try:
        numbers, notes = rest.get("optimizers", {}), rest.get("notes", {})
        if not isinstance(notes, dict):
            raise TypeError(f"notes {notes!r}")
        adams = {
            name: _unflattened_adam(parts.get(name, {}), numbers[name]) for name in sorted(numbers)
        }
        networks = {name: parts[name] for name in NETWORKS if name in parts}
        return Bundle(networks, adams, notes)
    except (AttributeError, LookupError, TypeError, ValueError, OverflowError) as error:
        raise InputError(f"it describes no run of minigan ({error!r})") from error


def _unflattened_adam(arrays: dict[str, Array], numbers: dict[str, Any]) -> AdamState:
    moments = [[arrays[f"{moment}.{i}"] for i in range(len(arrays) // 2)] for moment in MOMENTS]
    return adam_state(**numbers, exp_avg=moments[0], exp_avg_sq=moments[1])


def adam_state(lr: Any, betas: Any, eps: Any, step: Any, **moments: list[Array]) -> AdamState:
    """Return the state of an Adam with these numbers.  Raises ValueError if they are none."""
    lr, eps, step = float(lr), float(eps), float(step)
    one, two = map(float, betas)
    if not (0 < lr < float("inf") and eps >= 0 and 0 <= one < 1 and 0 <= two < 1):
        raise ValueError(f"lr {lr}, betas {one} and {two}, eps {eps}")
    if not (0 <= step < 1 << 53 and step == int(step)):
        raise ValueError(f"step {step}")
    return AdamState(lr, (one, two), eps, int(step), **moments)
