"""The commands that go with a run: the one that trains it again, and those that use it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from minigan.data import MNIST
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
    config = run.config.stored() | ({"lr": run.lrs[0][1]} if run.lrs else {})
    default = TrainConfig(recipe=run.config.recipe).stored() | {"recipe": TrainConfig.recipe}
    words = ["minigan train"]
    for name, value in config.items():
        if value != default[name] and name != "threads":
            words.append(f"--{name.replace('_', '-')} {_word(name, value)}")
    numbers = {number for _, number in run.threads}
    if len(numbers) == 1:
        words.append(f"--threads {numbers.pop()}")
    return " ".join(words) + model_option(run)


def model_option(run: Run) -> str:
    """Return the option that names the file of the run's networks, if they come from a file."""
    return "" if run.model is None else f" --model {typed(Path(run.model))}"


def _word(name: str, value: Any) -> str:
    if name == "data" and value != MNIST:
        return typed(Path(value))
    return " ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
