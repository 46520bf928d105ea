# %% [markdown]
# # Which images are smudged?
#
# The classifier is not sure of a tenth of the images that a generator draws, and people see those
# first.  This program looks at them: between which digits do they stand, can D tell them from the
# others, and does it help to draw z nearer to 0 (the truncation of Brock et al. 2019)?  It draws
# 10,000 images at each distance, and takes five minutes:
#
#     python examples/experiments/smudged.py --run runs/mine
#
# It prints tables, and draws the images that it is least sure of.

# %%
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from minigan.backend import Array
from minigan.evaluation import Evaluation
from minigan.metrics import features_and_probabilities
from minigan.metrics.classes import SURE
from minigan.training import SAMPLE_COUNT, draw_samples, draw_z, save_grid, stored_run


@dataclass
class Options:
    run: Path
    """The folder of a run of the default recipe."""
    distances: tuple[float, ...] = (1.0, 0.9, 0.8, 0.7, 0.5)
    """What z is multiplied with."""
    out: Path = Path("runs/smudged.png")
    """The picture of the images that the classifier is least sure of."""


def between(p: Array, most: int = 5) -> list[tuple[str, float, float]]:
    """Return the pairs of digits that unsure images stand between, most frequent first.

    p are the classifier's probabilities, (N, 10).  Each row of the result has the pair, its share
    of the unsure images, and the mean probability that both digits have together.
    """
    unsure = p[p.max(axis=1) <= SURE]
    first_two = np.sort(np.argsort(unsure, axis=1)[:, -2:], axis=1)
    together = np.sort(unsure, axis=1)[:, -2:].sum(axis=1)
    found = Counter(map(tuple, first_two.tolist()))
    rows = []
    for pair, count in found.most_common(most):
        these = (first_two == pair).all(axis=1)
        rows.append(
            (f"{pair[0]} and {pair[1]}", count / len(unsure), float(together[these].mean()))
        )
    return rows


def told_apart(scores: Array, sure: Any) -> float:
    """Return how often a score is higher for a sure image than for an unsure one; 0.5: by chance.

    (The area under the curve of Hanley & McNeil 1982, from ranks.)
    """
    ranks = np.empty(len(scores))
    ranks[np.argsort(scores)] = np.arange(1, len(scores) + 1)
    n, m = int(sure.sum()), int((~sure).sum())
    return float((ranks[sure].sum() - n * (n + 1) / 2) / (n * m))


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---:"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


# %%
def main(options: Options) -> None:
    found = stored_run(options.run / "checkpoint.npz")
    if found is None:
        raise SystemExit(f"{options.run} holds no run with a discriminator")
    run, epochs = found
    G, D = run.drawing_generator, run.gan.discriminator
    evaluation = Evaluation()
    assert evaluation.check is not None  # MNIST has labels
    z = draw_z(np.random.default_rng(0), SAMPLE_COUNT, G.n_in or 1, "float64")
    rows = []
    for distance in options.distances:
        images = draw_samples(G, distance * z)
        figures = evaluation.measure((images.astype(np.float32) + 1) / 2)
        assert figures.classes is not None
        assert figures.precision_recall is not None
        precision, recall = figures.precision_recall
        confident = figures.classes.confident
        ndb, js = figures.ndb.different, figures.ndb.js
        rows.append(
            [f"{distance:g}", f"{confident:.1%}", f"{ndb}", f"{js:.4f}", f"{precision:.3f}",
             f"{recall:.3f}", f"{figures.frechet:.1f}"]
        )  # fmt: skip
        if distance == options.distances[0]:
            _, p = features_and_probabilities(evaluation.check.classifier, images)
            sure = p.max(axis=1) > SURE
            logits = D(images.astype(D.dtype)).ravel()
            norms = np.linalg.norm(z, axis=1)
            least = np.argsort(p.max(axis=1))[:64]
            options.out.parent.mkdir(parents=True, exist_ok=True)
            save_grid(options.out, images[least])
    print(f"{options.run}, epoch {epochs}: the classifier is not sure of {(~sure).mean():.1%}\n")
    pairs = [[pair, f"{share:.0%}", f"{both:.2f}"] for pair, share, both in between(p)]
    print(table(["between", "of the unsure", "both together"], pairs), "\n")
    print("In a pair of a sure and an unsure image, the sure one has (50 % would be chance)")
    print(f"    the higher logit of D in {told_apart(logits, sure):.0%}")
    print(f"    the z that is nearer to 0 in {told_apart(-norms, sure):.0%}\n")
    heads = ["z times", "confident", "NDB", "JS", "precision", "recall", "Fréchet"]
    print(table(heads, rows))
    print(f"\nThe 64 images that it is least sure of: {options.out}")


if __name__ == "__main__":
    import tyro

    main(tyro.cli(Options))
