"""The subcommands of ``minigan`` and their options, one typed dataclass for each subcommand.

tyro makes the parser from them.  The texts below the fields are the help.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from tyro.conf import FlagCreatePairsOff, Positional, arg

from minigan.data import MNIST
from minigan.training import RECIPES, TrainConfig


def optional(metavar: str) -> Any:
    """Return how the help shows an option that may be left out.

    If its default is None, it shows no default: its text says what happens then.
    """
    return arg(
        metavar=metavar,
        help_behavior_hint=lambda default: "" if default == "None" else f"(default: {default})",
    )


WHAT_RECIPES_ARE = "\n".join(
    [
        "How the GAN is trained.",
        *(
            f"{name}: {recipe.says} (lr {recipe.lr:g}, r1 {recipe.r1:g}"
            f"{f', settle-after {recipe.settle_after}' if recipe.settle_after else ''})"
            for name, recipe in RECIPES.items()
        ),
    ]
)


@dataclass(frozen=True)
class Train(TrainConfig):
    """Train the GAN, and draw samples of what it has learnt after each epoch."""

    recipe: Annotated[str, arg(help=WHAT_RECIPES_ARE)] = TrainConfig.recipe
    lr: Annotated[float | None, optional("FLOAT")] = None
    r1: Annotated[float | None, optional("FLOAT")] = None
    settle_after: Annotated[int | None, optional("INT")] = None
    tf32: Annotated[bool, arg(help_behavior_hint="")] = False
    resize: Annotated[int | None, optional("INT")] = None
    evaluate_every: Annotated[int | None, optional("INT")] = None
    threads: Annotated[int | None, optional("INT")] = None
    out: Annotated[str | None, optional("DIR")] = None
    resume: Annotated[str | None, optional("DIR")] = None
    model: Annotated[str | None, optional("FILE")] = None
    seeds: Annotated[tuple[int, int] | None, optional("FIRST LAST")] = None
    """Train a run for each seed from the first to the last, side by side, in the folder that --out
    names; the same command goes on with them."""
    jobs: Annotated[int | None, optional("INT")] = None
    """Number of runs to train at a time with --seeds; if not given, as many as cores, or GPUs."""

    def __post_init__(self) -> None:
        """Check nothing here: tyro would put a frame around the message.

        ``train_command`` makes a TrainConfig, which checks the values.
        """


@dataclass(frozen=True)
class Sample:
    """Draw digits from a trained run, or from the generator that comes with minigan."""

    run: Annotated[Positional[str | None], optional("[RUN]")] = None
    """Folder of a run, or a file in it such as best.npz; if not given, the package's generator."""
    n: Annotated[int | None, optional("INT")] = None
    """Number of images to draw; if not given, 64, a grid of all classes, or one for each digit."""
    seed: int = 0
    """Seed of the random latent vectors z."""
    out: Annotated[str | None, optional("FILE")] = None
    """File to write; if not given, sample_<seed>.png or walk_<seed>.png in the run's folder.
    If no run is given, the folder is runs."""
    format: str = "png"
    """png: a grid, in several pages if there are more than 32 rows.  npy: an array of bytes,
    (n, h, w), or (n, h, w, 3) in colour.  folder: a new folder with a PNG file for each image, in
    the size of the data."""
    digits: Annotated[str | None, optional("DIGITS")] = None
    """The digits to draw, in a row, as in 2026, from a run with the recipe conditional; without a
    run, from the package's generator of that recipe.  Commas stand between labels of more than
    one digit, as in 3,1,20, and between names of classes, as in cats,dogs."""
    truncation: Annotated[float | None, optional("FLOAT")] = None
    """How far styles may be from their mean, for a run with the recipe style: below 1, digits are
    more alike and cleaner; if not given, as far as they are."""
    interpolate: Annotated[FlagCreatePairsOff[bool], arg(help_behavior_hint="")] = False
    """Draw a walk from one random z to the next, about eight images apart, on which each image
    differs from the next by about as much.  With --digits, z stays, and in each row of eight a
    digit turns into the next one."""
    model: Annotated[str | None, optional("FILE")] = None
    """Python file with layers of your own, if the run has some: it is run as code."""


@dataclass(frozen=True)
class Evaluate:
    """Compare a generator's images with real ones (a minute), and write metrics.json."""

    run: Annotated[Positional[str | None], optional("[RUN]")] = None
    """Folder of a run, or a file in it such as best.npz; if not given, the package's generator.
    metrics.json is written into the run's folder, or into runs if no run is given."""
    samples: Annotated[int | None, optional("INT")] = None
    """Number of images to draw and measure; if not given, 10,000, or half as many as there are
    training images."""
    seed: int = 0
    """Seed of the random latent vectors z."""
    classifier: Annotated[str | None, optional("FILE")] = None
    """File of another digit classifier (digit_classifier.py in the repository writes one)."""
    data: Annotated[str | None, optional("DIR")] = None
    """Folder or file of the data that the run was trained on, if it has moved."""
    model: Annotated[str | None, optional("FILE")] = None
    """Python file with layers of your own, if the run has some: it is run as code."""


@dataclass(frozen=True)
class Data:
    """Say what images a folder or a file holds, and draw 64 of them."""

    path: Annotated[Positional[str], optional("[DIR]")] = MNIST
    """What minigan train takes as --data: a folder of PNG or JPEG files (its sub-folders are
    classes) or of IDX files, or a file .npz, .npy or .csv; if not given, MNIST."""
    resize: Annotated[int | None, optional("INT")] = None
    """Make images squares of so many pixels, from 8 to 64; if not given, they stay as they are."""
    out: Annotated[str | None, optional("FILE")] = None
    """PNG file to write; if not given, data_<name>.png in the folder runs."""


@dataclass(frozen=True)
class Report:
    """Write a page of a run, report.html: film, curves, and both networks to try out."""

    run: Annotated[Positional[str | None], optional("[RUN]")] = None
    """Folder of a run, in which the page is written; if not given, the newest one in runs."""
    model: Annotated[str | None, optional("FILE")] = None
    """Python file with layers of your own, if the run has some: it is run as code."""


@dataclass(frozen=True)
class Export:
    """Write a run's networks for PyTorch, safetensors, ONNX or NumPy."""

    run: Annotated[Positional[str | None], optional("[RUN]")] = None
    """Folder of a run, or a file in it such as best.npz; if not given, the package's generator."""
    to: str = "torch"
    """The format: torch, safetensors, onnx or npz."""
    out: Annotated[str | None, optional("DIR")] = None
    """New folder for the files; if not given, export_<format> in the run's folder.
    If no run is given, the folder is in runs."""
    model: Annotated[str | None, optional("FILE")] = None
    """Python file with layers of your own, if the run has some: it is run as code."""


@dataclass(frozen=True)
class Import:
    """Make a run from weights of PyTorch, of safetensors, or of an export."""

    file: Annotated[Positional[str], arg(metavar="FILE")]
    """The file: a generator's state_dict, or a dict of those of G, D and both Adams."""
    out: Annotated[str | None, optional("DIR")] = None
    """New folder of the run; if not given, runs/<name of the file>."""
    recipe: Annotated[str | None, optional("RECIPE")] = None
    """Recipe with which the networks were trained; if not given, what the file says, or else
    batch-norm for a generator with batch normalisation, and tutorial for others."""
    data: Annotated[str | None, optional("DIR")] = None
    """Folder of the data that the networks were trained on; if not given, mnist."""
    model: Annotated[str | None, optional("FILE")] = None
    """Python file with networks of your own, as in minigan train: it is run as code."""


@dataclass(frozen=True)
class GradCheck:
    """Check all backward rules by finite differences; exit status 1 if one is wrong.

    Layers of your own are checked from Python: mg.check_gradients(net, x).
    """

    backend: str = "numpy"
    """numpy (on the CPU), cupy (on a GPU), or auto: cupy if it can be used, else numpy."""


@dataclass(frozen=True)
class Exercise:
    """Check your answers to the exercises; exit status 1 until all are right."""

    path: Annotated[Positional[str | None], optional("[PATH]")] = None
    """Folder with the exercises, or one exercise; if not given, my-answers if it is there, else
    examples/exercises."""
    copy_to: Annotated[str | None, optional("DIR")] = None
    """Copy the exercises, with their blanks, into this new folder, and check nothing."""


@dataclass(frozen=True)
class Trace:
    """Take one training step, and print what happens in it, layer by layer."""

    run: Annotated[Positional[str | None], optional("[RUN]")] = None
    """Folder of a run, which takes its next step here and stays as it is; if not given, the step is
    the first one of a new run."""
    recipe: Annotated[str | None, optional("RECIPE")] = None
    """Recipe of a new run's GAN, as in minigan train; if not given, averaged."""
    batch_size: Annotated[int | None, optional("INT")] = None
    """Number of images in a new run's step; if not given, 64."""
    seed: Annotated[int | None, optional("INT")] = None
    """Seed of a new run's weights, images and z, as in minigan train; if not given, 0."""
    data: Annotated[str | None, optional("DIR")] = None
    """Images of the step, as in minigan train, or where the data of the run lies now; if not
    given, mnist, or where the data of the run lay."""
    resize: Annotated[int | None, optional("INT")] = None
    """Make images squares of so many pixels, as in minigan train."""
    model: Annotated[str | None, optional("FILE")] = None
    """Python file with networks of your own, as in minigan train, or with the layers of the run:
    it is run as code."""
    html: Annotated[str | None, optional("FILE")] = None
    """HTML file to write as well: the same step as a page to click through, with its images and
    the gradient that arrives at each fake."""


@dataclass(frozen=True)
class Bench:
    """Measure how long a training step takes here, at best, and by each recipe."""

    batch_size: tuple[int, ...] = (64,)
    """Number of images in a step; several values give columns side by side, as in 16 64 256."""
    backend: str = "auto"
    """numpy (on the CPU), cupy (on a GPU), or auto: cupy if it can be used, else numpy."""
    tf32: Annotated[FlagCreatePairsOff[bool], arg(help_behavior_hint="")] = False
    """Round the factors of float32 products on a GPU to ten bits (TF32): faster, less exact."""
    threads: Annotated[int | None, optional("INT")] = None
    """Number of threads of the BLAS library; if not given, the library chooses."""
    json: Annotated[str | None, optional("FILE")] = None
    """JSON file to write as well, with all figures."""


@dataclass(frozen=True)
class Info:
    """Print versions, what minigan computes with, and the reason if no GPU is used."""
