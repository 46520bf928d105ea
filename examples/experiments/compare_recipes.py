# %% [markdown]
# # Which recipe draws digits every time?
#
# This program trains each recipe with many seeds and measures every generator after 20 epochs (and
# after 100, if asked).  It writes a row for each to docs/recipes.csv, and a table over the seeds to
# docs/is-it-working.md and its Korean twin.  Runs that exist already go on where they stand, so the
# program can be stopped and started again.  The first line takes hours, for 40 runs:
#
#     python examples/experiments/compare_recipes.py --seeds 100 119 --epochs 20
#     python examples/experiments/compare_recipes.py \
#         --seeds 0 0 --epochs 2 --recipes tutorial --no-docs
#
# Each run is `minigan train --recipe R --seed S --threads 1`; `--jobs` of them run at a time.

# %%
import csv
import itertools
import math
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from between_marks import write_between

from minigan.activations import sigmoid
from minigan.backend import Array
from minigan.data import load_archive
from minigan.evaluation import Evaluation
from minigan.machine.files import atomic_write
from minigan.metrics import features_and_probabilities
from minigan.training import RECIPES, SAMPLE_COUNT, stored_generator, unit_samples
from minigan.training.config import CONFIG
from minigan.training.folder import CHECKPOINT

DOCS = Path(__file__).parents[2] / "docs"
# Each column of the CSV file, its heading in the table, and its format there
FIGURES = [
    ("ndb", "NDB", ".0f"),
    ("js", "JS", ".4f"),
    ("frechet", "Fréchet", ".1f"),
    ("precision", "precision", ".2f"),
    ("recall", "recall", ".2f"),
    ("confident", "sure", ".2f"),
    ("parzen", "Parzen", ".0f"),
    ("asked", "asked digit", ".3f"),
]
COLUMNS = ["recipe", "seed", "epoch", "classes", "rarest", "confident"]
COLUMNS += [name for name, *_ in FIGURES if name != "confident"]
COLUMNS += ["d_train", "d_test", "d_fake"]  # means of D(x): has D learned the images by heart?


@dataclass
class Options:
    recipes: tuple[str, ...] = ("tutorial", "averaged")
    seeds: tuple[int, int] = (100, 119)
    """The first and the last seed."""
    epochs: tuple[int, ...] = (20,)
    """The epochs after which to measure, as in 20 100."""
    lr: float | None = None
    """A learning rate in place of the recipe's; the table then names it."""
    r1: float | None = None
    """A weight of the penalty R1 in place of the recipe's; the table then names it."""
    settle_after: int | None = None
    """Steps to the settling in place of the recipe's, 0 for none; the table then names it."""
    jobs: int = 2
    """How many runs to train at a time, with one thread each."""
    runs: Path = Path("runs/recipes")
    """The folder that holds all runs."""
    docs: bool = True
    """Write docs/recipes.csv and the table in both pages docs/is-it-working.md, docs/ko/...."""


# %%
def train(folder: Path, recipe: str, changes: Sequence[str], seed: int, epochs: int) -> str:
    """Train a run up to ``epochs``; returns what went wrong, or an empty string."""
    if (folder / CONFIG).exists():
        options = ["--resume", str(folder)]
        file = folder / CHECKPOINT
        done = load_archive(file)[1]["epoch"] if file.exists() else 0
        if done >= epochs:
            return "" if done == epochs else f"is at epoch {done}, too late to measure {epochs}"
    else:
        options = ["--recipe", recipe, "--seed", str(seed), "--threads", "1", "--out", str(folder)]
        options += changes
    command = [sys.executable, "-m", "minigan", "train", *options, "--epochs", str(epochs)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    error = [f"exit status {result.returncode}", *result.stderr.splitlines()][-1]
    return "" if result.returncode == 0 else error


def measure(evaluation: Evaluation, folder: Path) -> dict[str, float]:
    """Return all figures of a run's generator, as in `minigan evaluate`, and D's mean answers."""
    net, config, classes, *_ = stored_generator(folder / CHECKPOINT)
    samples = unit_samples(net, SAMPLE_COUNT, seed=0, classes=len(classes))
    labels = np.arange(SAMPLE_COUNT) % max(len(classes), 1)
    figures = evaluation.measure(samples)
    assert evaluation.check is not None  # MNIST has all of this
    assert evaluation.train_labels is not None
    assert figures.classes is not None
    assert figures.frechet is not None
    assert figures.precision_recall is not None
    assert figures.parzen is not None
    _, p = features_and_probabilities(evaluation.check.classifier, samples * 2 - 1)
    asked = float((p.argmax(axis=1) == labels).mean()) if classes else math.nan
    recipe = RECIPES[config.recipe]
    D = recipe.discriminator(len(classes))
    D.params[...] = load_archive(folder / CHECKPOINT)[0]["discriminator"]

    def answer(images: Array, labels: Any) -> float:
        """Return D's mean answer, as a probability if it gives logits."""
        y = D(images * 2 - 1)
        if classes:
            y = y[np.arange(len(y)), labels]
        return float((sigmoid(y) if recipe.logits else y).mean())

    d_train = answer(evaluation.real(), evaluation.train_labels[:SAMPLE_COUNT])
    d_test = answer(evaluation.check.test, evaluation.check.test_labels)
    d_fake = answer(samples, labels)
    return {
        "classes": figures.classes.present,
        "rarest": min(figures.classes.shares),
        "confident": figures.classes.confident,
        "ndb": figures.ndb.different,
        "js": figures.ndb.js,
        "frechet": figures.frechet,
        **figures.precision_recall._asdict(),
        "parzen": figures.parzen.log_likelihood,
        "asked": asked,
        "d_train": d_train,
        "d_test": d_test,
        "d_fake": d_fake,
    }


# %%
def table(rows: Sequence[dict[str, str]]) -> str:
    """Return a row for each recipe and epoch: medians over the seeds, their range in brackets."""
    heads = ["recipe", "epoch", "runs", "collapsed", "classes, worst", *(f[1] for f in FIGURES)]
    lines = ["| " + " | ".join(heads) + " |", "|---|" + "---:|" * (len(heads) - 1)]
    groups = sorted(
        {(int(row["epoch"]), row["recipe"]) for row in rows}, key=lambda g: (g[0], g[1])
    )
    for epoch, recipe in groups:
        some = [row for row in rows if (int(row["epoch"]), row["recipe"]) == (epoch, recipe)]
        classes = [int(float(row["classes"])) for row in some]
        collapsed = sum(
            n < 8 or float(row["ndb"]) > 90 for n, row in zip(classes, some, strict=True)
        )
        cells = [recipe, str(epoch), str(len(some)), str(collapsed), str(min(classes))]
        for column, _, form in FIGURES:
            values = [float(row[column]) for row in some if row[column] not in ("", "nan")]
            if not values:
                cells.append("")
                continue
            low, middle, high = min(values), float(np.median(values)), max(values)
            spread = f" ({low:{form}} to {high:{form}})" if len(values) > 1 else ""
            cells.append(f"{middle:{form}}{spread}")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main(options: Options) -> None:
    file = DOCS / "recipes.csv"
    done: dict[tuple[str, int, int], dict[str, str]] = {}
    if options.docs and file.exists():
        with file.open(newline="") as stream:
            for row in csv.DictReader(stream):
                done[row["recipe"], int(row["seed"]), int(row["epoch"])] = row
    evaluation = Evaluation()
    seeds = range(options.seeds[0], options.seeds[1] + 1)
    settings = {"lr": options.lr, "r1": options.r1, "settle-after": options.settle_after}
    given = [(name, x) for name, x in settings.items() if x is not None]
    suffix = "".join(f" {name} {x:g}" for name, x in given)
    changes = [word for name, x in given for word in (f"--{name}", str(x))]
    for epochs in sorted(options.epochs):
        todo = [
            (
                options.runs / f"{recipe}{suffix}-{seed}".replace(" ", "-"),
                recipe,
                changes,
                seed,
                epochs,
            )
            for seed, recipe in itertools.product(seeds, options.recipes)
            if (recipe + suffix, seed, epochs) not in done
        ]
        with ThreadPoolExecutor(options.jobs) as pool:
            for run, error in zip(todo, pool.map(lambda run: train(*run), todo), strict=True):
                folder, recipe, _, seed, _ = run
                if error:
                    print(f"{folder}: {error}", flush=True)
                    continue
                measured = measure(evaluation, folder).items()
                figures = {name: "" if math.isnan(x) else f"{x:.6g}" for name, x in measured}
                name = recipe + suffix
                row = {"recipe": name, "seed": str(seed), "epoch": str(epochs), **figures}
                done[name, seed, epochs] = row
                print("  ".join(f"{name} {value}" for name, value in row.items()), flush=True)
                if options.docs:
                    save(file, [done[key] for key in sorted(done)])
    text = table(list(done.values()))
    print(text)
    if options.docs:
        for page in ("is-it-working.md", "ko/is-it-working.md"):
            write_between(DOCS / page, "recipes", text)


def save(file: Path, rows: Sequence[dict[str, str]]) -> None:
    lines = [COLUMNS, *([row[name] for name in COLUMNS] for row in rows)]
    with atomic_write(file) as stream:
        stream.write("".join(",".join(line) + "\n" for line in lines).encode())


if __name__ == "__main__":
    import tyro

    main(tyro.cli(Options))
