# %% [markdown]
# # Is the gradient check right at every scale?
#
# Five networks are checked at inputs x = scale · (offset + N(0, 1)), for eight scales from 1e-8 to
# 1e10, four offsets, and batches of 2 and 8 rows: as they are, and with one rule made wrong.  The
# table counts the verdicts.  A right rule should never be called FAIL, a wrong one never PASS.
#
#     python examples/experiments/gradcheck_battery.py --seeds 3
#
# One seed takes four minutes.  OUT gets a row for each check; --write puts the table into a page.

# %%
from __future__ import annotations

import csv
import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from between_marks import write_between
from tqdm import tqdm

import minigan as mg
from minigan.backend import Array, matmul

SCALES = (1e-8, 1e-5, 1e-3, 1.0, 1e3, 1e5, 1e8, 1e10)
OFFSETS = (0.0, 1.0, 100.0, 1e4)
ROWS = (2, 8)


class Off(mg.Linear):
    """dW is 0.1 % too large."""

    def param_grads(self, dy: Array, x: Array) -> None:
        super().param_grads(dy, x)
        self.dW *= 1.001


class OffX(mg.Linear):
    """dx is 0.1 % too large."""

    def input_grad(self, dy: Array, x: Array) -> Array:
        return 1.001 * super().input_grad(dy, x)


class Transposed(mg.Linear):
    """dW has the right numbers in the wrong places."""

    def param_grads(self, dy: Array, x: Array) -> None:
        super().param_grads(dy, x)
        self.dW[...] = matmul(x.T, dy).T.reshape(self.dW.shape)


class OverN(mg.Linear):
    """dW is the mean over the rows instead of the sum."""

    def param_grads(self, dy: Array, x: Array) -> None:
        super().param_grads(dy, x)
        self.dW /= len(x)


class NoBias(mg.Linear):
    """db is 0."""

    def param_grads(self, dy: Array, x: Array) -> None:
        matmul(x.T, dy, out=self.dW)
        self.db[...] = 0


class NoMean(mg.BatchNorm1d):
    """The path through the mean is missing."""

    def input_grad(self, dy: Array, cache: Any) -> Array:
        x_hat, factor, _ = cache
        dx: Array = self.gamma * factor * (dy - x_hat * (dy * x_hat).mean(axis=0))
        return dx


Layers = Callable[[Any, Any], list[mg.Layer]]
NETWORKS: dict[str, Layers] = {
    "tanh": lambda linear, norm: [linear(13, 8), mg.Tanh(), mg.Linear(8, 3)],
    "relu": lambda linear, norm: [linear(13, 8), mg.ReLU(), mg.Linear(8, 3)],
    "sigmoid": lambda linear, norm: [
        linear(13, 6), mg.LeakyReLU(0.2), mg.Linear(6, 1), mg.Sigmoid(),
    ],
    "norm": lambda linear, norm: [linear(13, 6), norm(6)],
    "norm, relu": lambda linear, norm: [linear(13, 6), norm(6), mg.ReLU(), mg.Linear(6, 2)],
}  # fmt: skip
NO_BIAS, NO_MEAN = "db forgotten", "BatchNorm1d without the path through its mean"
INSIDE = "right, mean of abs(x) from 1e-3 to 1e3"
RULES: dict[str, tuple[Any, Any]] = {
    "right": (mg.Linear, mg.BatchNorm1d),
    "dW 0.1 % off": (Off, mg.BatchNorm1d),
    "dx 0.1 % off": (OffX, mg.BatchNorm1d),
    "dW transposed": (Transposed, mg.BatchNorm1d),
    "dW divided by N": (OverN, mg.BatchNorm1d),
    NO_BIAS: (NoBias, mg.BatchNorm1d),
    NO_MEAN: (mg.Linear, NoMean),
}


# %%
@dataclass
class Options:
    """Check right and wrong networks at every scale, and count the verdicts."""

    seeds: int = 1
    """How many networks and inputs there are for each case."""
    out: Path = Path("gradcheck_battery.csv")
    """The file that gets a row for each check."""
    write: Path | None = None
    """A page of the docs that gets the table."""


def pairs() -> Iterator[tuple[str, str]]:
    """Yield each (rule, network) in which the rule is there and makes a difference."""
    for rule, network in itertools.product(RULES, NETWORKS):
        norm = "norm" in network
        if (rule == NO_MEAN and not norm) or (rule == NO_BIAS and norm):
            continue  # there is no such layer; before a batch norm, db is 0 indeed
        yield rule, network


def build(rule: str, network: str, seed: int) -> mg.Sequential:
    """Return the network with this rule in its first layers."""
    return mg.Sequential(*NETWORKS[network](*RULES[rule]), seed=seed)


def draw(scale: float, offset: float, rows: int, seed: int) -> Array:
    """Return an input of this scale, (rows, 13)."""
    return scale * (offset + np.random.default_rng([seed, 17]).standard_normal((rows, 13)))


def table(counts: dict[str, Counter[str]]) -> str:
    """Return the numbers of verdicts as a Markdown table."""
    lines = ["| rule | PASS | NOT RESOLVED | FAIL |", "|---|---|---|---|"]
    for rule, count in counts.items():
        lines.append(f"| {rule} | {count['PASS']} | {count['NOT RESOLVED']} | {count['FAIL']} |")
    return "\n".join(lines)


def main(options: Options) -> None:
    """Check them all, write the rows, and print the table."""
    counts = {rule: Counter[str]() for rule in (*RULES, INSIDE)}
    with options.out.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["rule", "network", "scale", "offset", "rows", "seed", "verdict", "worst"])
        inputs = itertools.product(SCALES, OFFSETS, ROWS, range(options.seeds))
        for (rule, network), case in tqdm(list(itertools.product(pairs(), inputs))):
            scale, offset, n, seed = case
            x = draw(scale, offset, n, seed)
            report = mg.check_gradients(build(rule, network, seed), x)
            rows.writerow(
                [rule, network, scale, offset, n, seed, report.verdict, report.worst.where]
            )
            counts[rule][report.verdict] += 1
            if rule == "right" and 1e-3 <= abs(x).mean() <= 1e3:
                counts[INSIDE][report.verdict] += 1
    print(table(counts))
    if options.write is not None:
        write_between(options.write, "verdicts", table(counts))


if __name__ == "__main__":
    main(tyro.cli(Options))
