"""The commands that go with a run: the one that trains it again, and those that use it."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

from minigan.machine.terminal import typed
from minigan.training.config import TrainConfig
from minigan.training.run import Run


def commands_of(run: Run, folder: Path) -> list[dict[str, str]]:
    """Return what can be typed, as ``"typed"``, and what each command does, as ``"does"``."""
    name = f"{typed(folder)}{model_option(run)}"
    epochs, to = run.config.epochs, ""
    if run.step >= run.last_step:
        epochs *= 2
        to = f" --epochs {epochs}"
    commands = {
        repeating(run): "Trains the same run again, into a new folder",
        f"minigan train --resume {name}{to}": f"Goes on, up to epoch {epochs}",
        f"minigan sample {name}": "Draws new digits",
        f"minigan evaluate {name}": "Measures the images, beside real ones",
    }
    return [{"typed": text, "does": does} for text, does in commands.items()]


def repeating(run: Run) -> str:
    """Return the command that trains the run again: the options that are not the defaults.

    The learning rate is the one that the run began with.  On a CPU the command names the number of
    threads if that was one number all the time, because another number rounds differently.
    """
    first = replace(run.config, out=None, resume=None, model=run.model, threads=None)
    if run.lrs:
        first = replace(first, lr=run.lrs[0][1])
    numbers = {number for _, number in run.threads}
    if len(numbers) == 1:
        first = replace(first, threads=numbers.pop())
    words = (word if word.startswith("--") else typed(Path(word)) for word in words_of(first))
    return " ".join(["minigan train", *words])


def words_of(config: TrainConfig) -> list[str]:
    """Return the words after ``minigan train`` for a new run: the options that are no defaults."""
    default, words = asdict(TrainConfig(recipe=config.recipe).resolved()), list[str]()
    for name, value in asdict(config.resolved()).items():
        if value is not None and value != (
            TrainConfig.recipe if name == "recipe" else default[name]
        ):
            values = value if isinstance(value, (tuple, list)) else [value]
            # a flag stands alone: True is the only value of one that is not the default
            words += [f"--{name.replace('_', '-')}", *(word_of(v) for v in values if v is not True)]
    return words


def word_of(value: object) -> str:
    """Return a value as a word that follows an option; a name like ``-x`` becomes ``./-x``."""
    text = str(value)
    return f"./{text}" if text.startswith("-") else text


def model_option(run: Run) -> str:
    """Return the option that names the file of the run's networks, if they come from a file."""
    return "" if run.model is None else f" --model {typed(Path(run.model))}"
