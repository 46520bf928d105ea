"""The subcommands that hand weights on and take them in: ``export`` and ``import``."""

from __future__ import annotations

from pathlib import Path

from minigan.cli.options import Export, Import
from minigan.machine.terminal import say, typed
from minigan.training import layers_of


def export_command(options: Export) -> int:
    """Run ``minigan export``."""
    from minigan.exchange import export_run

    folder, files = export_run(options.run, options.to, options.out, layers_of(options.model))
    say("\n".join([f"{folder}:", *(f"  {name}" for name in files)]))
    say("  README.md  what is in the files, and how to load them")
    return 0


def import_command(options: Import) -> int:
    """Run ``minigan import``."""
    from minigan.exchange import import_file

    folder, epochs, planned, recipe = import_file(
        options.file, options.out, options.recipe, options.data, options.model
    )
    name = typed(folder)
    model = "" if options.model is None else f" --model {typed(Path(options.model))}"
    if epochs is None:
        say(f"{folder} holds the generator alone, as one of the recipe {recipe}.")
    else:
        say(f"{folder} holds a run of the recipe {recipe}, which stands after epoch {epochs}.")
        more = "" if planned > epochs else f" --epochs {epochs + 20}"
        say(f"To go on:    minigan train --resume {name}{model}{more}")
    say(f"New digits:  minigan sample {name}{model}")
    return 0
