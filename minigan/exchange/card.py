"""The card of an export: what the generator is, how to load it, and under which licence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from minigan.data import MNIST, in_words
from minigan.machine.files import open_regular
from minigan.machine.terminal import shown
from minigan.network import Sequential
from minigan.training import RECIPES, Recipe, TrainConfig, Trained
from minigan.training.class_names import listed
from minigan.training.folder import prefix_of
from minigan.weights import own_classes

CARD = "README.md"
LONGEST = 1_000_000  # bytes of a metrics.json
MEASURES = (  # of metrics.json: what it is called here, where it stands there, how it is printed
    ("bins that differ (NDB), of {bins}; lower is better", ("ndb", "different"), "d"),
    ("Jensen-Shannon divergence of the bins; lower is better", ("ndb", "js"), ".4f"),
    ("Fréchet distance (not an FID); lower is better", ("frechet",), ".1f"),
    ("precision; higher is better", ("precision_recall", "precision"), ".2f"),
    ("recall; higher is better", ("precision_recall", "recall"), ".2f"),
)
LICENCE = """\
The generator was trained on MNIST, whose images were made by Yann LeCun and Corinna Cortes and are
under the Creative Commons Attribution-ShareAlike 3.0 licence
(https://creativecommons.org/licenses/by-sa/3.0/).  Name them when you pass on the generator or its
images.  minigan itself is under the MIT licence."""
OTHER_LICENCE = """\
The generator was trained on the data set {data}.  Before you pass it on, or images that it has
drawn, see under which licence that data set is.  minigan itself is under the MIT licence."""


class Exported(NamedTuple):
    """What the card is about."""

    trained: Trained
    source: Path  # the file of the run
    to: str  # the format
    files: list[str]
    epochs: int | None  # that are complete; None if the file does not say
    discriminator: Sequential | None  # if the run can go on


def model_card(exported: Exported) -> str:
    """Return the card as Markdown."""
    (net, config, _, shape, _), source, to, files, epochs, D = exported
    recipe = RECIPES[config.recipe]
    data = MNIST if config.data == MNIST else shown(Path(config.data).name)
    parts = [
        "# A generator, trained with minigan",
        f"It makes an image of {in_words(shape)}: {net.n_out} numbers, in rows from the top"
        f"{', red, green and blue of each pixel' * (len(shape) == 3)}, each from -1 (black) to 1 "
        f"(white), of {_input(exported.trained)}.",
        f"- data: {data}\n- recipe: {config.recipe}, {recipe.says}\n"
        + (f"- epochs: {epochs}\n" if epochs is not None else "")
        + f"- learning rate {config.lr:g}{_falling(config)}, batches of {config.batch_size}, seed "
        f"{config.seed}, {config.dtype}",
        *_files(to, files, recipe.averaged),
        *_measures(source),
        "## Loading it",
        *(_with_onnxruntime(net) if to == "onnx" else _with_pytorch(net, D, to, files[-1], recipe)),
        "## Licence",
        LICENCE if data == MNIST else OTHER_LICENCE.format(data=data),
    ]
    return "\n\n".join(parts) + "\n"


def _falling(config: TrainConfig) -> str:
    """Return how the learning rate falls, if it does."""
    after = config.settle_after
    return f" (times {after:,} / step from step {after:,} on)" if after else ""


def _input(trained: Trained) -> str:
    """Return what the generator takes."""
    net, config, classes, _, names = trained
    noise = (net.n_in or 0) - config.latent_dim - len(classes)
    text = f"{config.latent_dim} numbers from N(0, 1)"
    if noise:
        text += f", and {noise} more beside them for the noise"
    if classes:
        text += (
            f", and the one-hot vector of a class beside them: {len(classes)} numbers, 1 in the "
            f"column of the class and else 0; the classes are {listed(classes, names)}"
        )
    return text


def _files(to: str, files: list[str], average: bool) -> list[str]:
    lines = [f"- `{files[0]}`: the generator that draws the samples"]
    if len(files) > 1:
        what = "a dict of state dicts: `generator`, `discriminator`, `optimizer_g`, `optimizer_d`"
        if to != "torch":
            what = "both networks and the state of Adam; names begin with `generator.`, "
            what += "`discriminator.`, `optimizer_g.` or `optimizer_d.`"
        lines.append(f"- `{files[1]}`: all that is needed to go on with the training, {what}")
    if len(files) > 1 and average:
        lines.append(
            f"\nIn `{files[1]}`, `generator` is the network in training, and `average` the moving "
            f"average of its weights, which draws better images and is what `{files[0]}` holds."
        )
    return ["## Files", "\n".join(lines)]


def _measures(source: Path) -> list[str]:
    """Return the table of the measures, if ``minigan evaluate`` has measured this generator."""
    file = source.with_name(f"{prefix_of(source)}metrics.json")
    try:
        with open_regular(file) as stream:
            stored: Any = json.loads(stream.read(LONGEST))
        if file.stat().st_mtime < source.stat().st_mtime:
            return []  # they are those of an earlier epoch
        bins = int(stored["figures"]["generator"]["ndb"]["bins"])
        rows = [
            f"| {what.format(bins=bins)} | {_at(stored['figures']['generator'], way):{form}} "
            f"| {_at(stored['figures']['real'], way):{form}} |"
            for what, way, form in MEASURES
            if _at(stored["figures"]["generator"], way) is not None
        ]
        samples = int(stored["samples"])
    except (OSError, KeyError, TypeError, ValueError, RecursionError):
        return []
    head = "| measure | generator | real images |\n|---|---|---|\n"
    return [f"## Measures\n\nOf {samples:,} images:", head + "\n".join(rows)]


def _at(figures: Any, way: tuple[str, ...]) -> Any:
    """Return one of the figures; None if it was not measured."""
    for name in way:
        figures = None if figures is None else figures[name]
    return figures


def _with_onnxruntime(net: Sequential) -> list[str]:
    code = (
        "import numpy as np\nimport onnxruntime\n\n"
        'session = onnxruntime.InferenceSession("generator.onnx")\n'
        f"z = np.random.default_rng().standard_normal((64, {net.n_in})).astype(np.float32)\n"
        '(images,) = session.run(["images"], {"z": z})\n'
    )
    layers = "The graph has these layers of minigan, as they are used after training:"
    return [f"```python\n{code}```", layers, f"```\n{net.architecture}\n```"]


def _with_pytorch(
    net: Sequential, D: Sequential | None, to: str, whole: str, recipe: Recipe
) -> list[str]:
    module = {"torch": "", "safetensors": "import safetensors.torch\n", "npz": "import numpy\n"}
    load = {
        "torch": 'torch.load("generator.pt", weights_only=True)',
        "safetensors": 'safetensors.torch.load_file("generator.safetensors")',
        "npz": "{name: torch.from_numpy(a) for name, a in arrays.items() if name != 'meta'}",
    }
    dtype = "" if str(net.dtype) == "float32" else ".double()"
    code = f"{module[to]}import torch\nfrom torch import nn\n\n\n" + _class("Generator", "z", net)
    code += f"\n\ngenerator = Generator(){dtype}\n"
    code += 'with numpy.load("generator.npz") as arrays:\n    ' if to == "npz" else ""
    code += f"generator.load_state_dict({load[to]})\ngenerator.eval()\n"
    parts = [f"In PyTorch:\n\n```python\n{code}```"]
    if D is None:
        return parts
    if to == "torch":
        loss = "nn.BCELoss" if recipe.probabilities else "nn.BCEWithLogitsLoss"
        loss = "nn.MSELoss" if recipe.loss is not None else loss
        parts.append(
            "To go on with the training there, with the rest of the recipe "
            f"(the loss is `{loss}`):\n\n```python\n"
            + _class("Discriminator", "images", D, flatten=True)
            + f"\n\ndiscriminator = Discriminator(){dtype}\n"
            f'state = torch.load("{whole}", weights_only=True)\n'
            "optimizer_G = torch.optim.Adam(generator.parameters())\n"
            "optimizer_D = torch.optim.Adam(discriminator.parameters())\n"
            'generator.load_state_dict(state["generator"])\n'
            'discriminator.load_state_dict(state["discriminator"])\n'
            'optimizer_G.load_state_dict(state["optimizer_g"])\n'
            'optimizer_D.load_state_dict(state["optimizer_d"])\n'
            "generator.train()\n```"
        )
    return [*parts, f"To go on in minigan: `minigan import {whole}`."]


def _class(name: str, x: str, net: Sequential, flatten: bool = False) -> str:
    """Return the class of a network in PyTorch; the ``repr`` of its layers are calls there, too."""
    own = own_classes(net)
    rows = ["nn.Flatten(),"] * flatten
    for layer in net.layers:
        unknown = type(layer).__name__ in own
        rows.append(f"{layer!r},  # to be written for PyTorch" if unknown else f"nn.{layer!r},")
    text = "".join(f"            {row}\n" for row in rows)
    return (
        f"class {name}(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        f"        self.model = nn.Sequential(\n{text}        )\n\n"
        f"    def forward(self, {x}):\n        return self.model({x})\n"
    )
