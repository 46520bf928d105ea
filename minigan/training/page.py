"""The page of a run: what ``report.html`` shows, collected from the run and from its folder."""

from __future__ import annotations

import contextlib
import importlib.metadata
import math
import platform
import time
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from minigan.backend import Array
from minigan.conditional import beside
from minigan.losses import mse
from minigan.machine.terminal import duration, shown
from minigan.report import (
    curves_of,
    film_of,
    measures_of,
    network_of,
    packed,
    page_html,
    picture_of,
    principal_directions,
)
from minigan.styled import Styled
from minigan.training.class_names import words_of_classes
from minigan.training.collapse import PATIENCE, warning_of_collapse
from minigan.training.commands import commands_of
from minigan.training.draws import with_classes
from minigan.training.folder import first_picture, frames_of, words_of
from minigan.training.history import ROW_EVERY, HistoryRow
from minigan.training.memory import REMEMBERS, warning_of_memory
from minigan.training.pictures import GUESSING
from minigan.training.recipes import RECIPES
from minigan.training.run import Run
from minigan.training.sampling import mean_style

METRICS, NEIGHBOURS = "metrics.json", "neighbours.png"  # which minigan evaluate writes
RELOAD = 10, 120  # seconds after which the page of a run that goes on looks for news: from, to
MEANS = ("d_loss", "g_loss", "p_real", "p_fake", "spread")


class RunPage:
    """The page of one run, which can be made again and again while the run goes on.

    ``real_spread`` is the spread of real images, or None if the data is not at hand.
    """

    def __init__(self, run: Run, folder: Path, real_spread: float | None) -> None:
        self.run, self.folder, self.real_spread = run, folder, real_spread
        self.warnings: list[dict[str, Any]] = []  # of the epochs that were looked at
        self.looked_at = 0  # the last of these epochs
        self.made = -math.inf  # when the page was made last

    def html(self, live: bool) -> bytes:
        """Return the page as it is now; while the run is ``live``, the page loads itself again."""
        run, now = self.run, time.monotonic()
        config, epochs = run.config, run.step // run.steps_per_epoch
        seconds = run.history[-1].seconds if run.history else 0.0
        self._look_for_warnings(epochs)
        reload_after = (
            min(max(now - self.made, RELOAD[0]), RELOAD[1]) if self.made > 0 else RELOAD[0]
        )
        self.made = now
        stopped = not live and run.step < run.last_step
        recipe = RECIPES[config.recipe]
        squared = recipe.loss is mse
        height, width, channels = (*run.shape, 1)[:3]
        columns = len(run.classes) or 8
        frames = [(words_of(epoch), file) for epoch, file in frames_of(self.folder, epochs)]
        answers: list[float | None] = [None, None]
        if run.history and not squared:
            answers = [run.history[-1].p_real, run.history[-1].p_fake]
        return page_html(
            {
                "title": shown(self.folder.resolve().name),
                "subtitle": self._subtitle(seconds, stopped),
                "live": live,
                "stopped": stopped,
                "first_picture": words_of(first_picture(run.config, run.steps_per_epoch)),
                "first_figures": words_of(0 if run.steps_per_epoch > ROW_EVERY else 1),
                "reload_seconds": round(reload_after),
                "written": round(time.time()),
                "image": {"height": height, "width": width, "channels": channels},
                "classes": words_of_classes(run.classes, run.names),
                "film": {
                    "columns": columns,
                    "rows": -(-len(run.fixed_z) // columns),
                    "frames": film_of(frames),
                },
                "curves": self._curves(),
                "epoch_now": run.step / run.steps_per_epoch,
                "guessing": [0.5, 0.25] if squared else [value for _, value in GUESSING],
                "remembers": REMEMBERS,
                "real_spread": self.real_spread,
                "warnings": self.warnings,
                "learning_rates": [
                    {"epoch": (step - 1) / run.steps_per_epoch, "lr": f"{lr:g}"}
                    for step, lr in run.lrs[1:]
                ],
                "answer": "number"
                if squared
                else "probability"
                if recipe.probabilities
                else "logit",
                "mean_answers": answers,
                "D": network_of(run.gan.discriminator),
                **self._latent(),
                "measures": measures_of(self.folder / METRICS),
                "neighbours": picture_of(self.folder / NEIGHBOURS),
                "config": [[n, _words(value)] for n, value in config.stored().items()],
                "versions": self._versions(seconds),
                "commands": commands_of(run, self.folder),
            }
        )

    def _subtitle(self, seconds: float, stopped: bool) -> str:
        run = self.run
        epoch = run.step / run.steps_per_epoch
        done = f"{'stopped at ' * stopped}epoch {epoch:.4g} of {run.config.epochs}"
        time_taken = f", trained for {duration(seconds)}" if seconds else ""
        return f"A run of minigan with the recipe {run.config.recipe}: {done}{time_taken}."

    def _curves(self) -> dict[str, Any]:
        run = self.run
        names = ("step", *MEANS, "d_train", "d_test", "js")
        rows = [[getattr(row, name) for name in names] for row in run.history]
        table = dict(zip(names, np.array(rows, float).reshape(-1, len(names)).T, strict=True))
        measured = {"memory": table["d_train"] - table["d_test"], "js": table["js"]}
        means = {name: table[name] for name in MEANS}
        return curves_of(table["step"] / run.steps_per_epoch, means, measured)

    def _look_for_warnings(self, epochs: int) -> None:
        """Add the warnings of the epochs that have ended since the last look.

        They are found again in the history, because those of a resumed run were printed long ago.
        """
        recipe = RECIPES[self.run.config.recipe]
        first, recent = self.looked_at + 1 - PATIENCE, list[HistoryRow]()
        for row in reversed(self.run.history):
            if row.epoch < first:
                break
            recent.append(row)
        by_epoch = {e: list(rows) for e, rows in groupby(reversed(recent), lambda row: row.epoch)}
        for epoch in sorted(e for e in by_epoch if self.looked_at < e <= epochs):
            window = [r for e in range(epoch - PATIENCE, epoch + 1) for r in by_epoch.get(e, ())]
            found = [warning_of_memory(window, epoch, self.run.gan.r1)]
            if self.real_spread is not None:
                found.append(warning_of_collapse(window, epoch, self.real_spread, recipe))
            self.warnings += [{"epoch": epoch, "text": text} for text in found if text is not None]
        self.looked_at = max(self.looked_at, epochs)

    def _latent(self) -> dict[str, Any]:
        """Return G, and what the explorer needs besides.

        That is the fixed z with what stands beside it, the class or noise, and directions along
        which images change most.
        """
        run = self.run
        G, K, latent_dim = run.drawing_generator, len(run.classes), run.config.latent_dim
        fixed_z, asarray = np.asarray(run.fixed_z), G.backend.asarray
        noise = fixed_z[:1, latent_dim + K :]

        def draw(z: Array) -> Array:
            z = beside(z, noise.repeat(len(z), axis=0))
            inputs = with_classes(z, np.arange(len(z)) % max(K, 1), K)
            return G.backend.to_numpy(G(asarray(inputs, G.dtype)))

        net = network_of(G)
        with np.errstate(over="ignore", invalid="ignore"):  # a run may be about to diverge
            directions, shares = principal_directions(draw, latent_dim, groups=K or 1)
            if isinstance(G, Styled) and net is not None:
                net["mean"] = packed(G.backend.to_numpy(mean_style(G)))
        return {
            "G": net,
            "latent_dim": latent_dim,
            "columns": fixed_z.shape[1],
            "fixed_z": packed(fixed_z),
            "directions": packed(directions),
            "direction_shares": shares,
        }

    def _versions(self, seconds: float) -> list[list[str]]:
        run = self.run
        version = "from its source"
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            version = importlib.metadata.version("minigan")
        rows = [
            ("minigan", version),
            ("Python", platform.python_version()),
            ("NumPy", np.__version__),
            ("training steps", f"{run.step:,}"),
            ("training time", duration(seconds) if seconds else "none yet"),
            ("numbers of G", f"{run.gan.generator.params.size:,}"),
            ("numbers of D", f"{run.gan.discriminator.params.size:,}"),
            ("page written", time.strftime("%Y-%m-%d %H:%M")),
        ]
        return [list(row) for row in rows]


def _words(value: Any) -> str:
    if value is None:
        return "not given"
    if isinstance(value, tuple | list):
        return ", ".join(map(str, value))
    return shown(str(value))
