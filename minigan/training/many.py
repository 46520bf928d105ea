"""Many runs that differ in their seeds only: trained side by side, and summed up in one table.

One run says little about a recipe, because another seed may end elsewhere.  A small GAN gains
little from a second core, but two runs on two cores take as long as one.
"""

from __future__ import annotations

import csv
import io
import math
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path

from minigan.backend import get_backend
from minigan.errors import InputError, check_whole
from minigan.machine.files import atomic_write, open_regular
from minigan.machine.signals import noted_signals
from minigan.training.commands import word_of, words_of
from minigan.training.config import CHANGEABLE, CONFIG, TrainConfig
from minigan.training.folder import HISTORY
from minigan.training.images import read_data, training_data

TABLE = "seeds.csv"
LARGEST_SEEDS = 10_000
COLUMNS = {  # of history.csv, and the format of each
    "epoch": ".0f",
    "d_loss": ".3f",
    "g_loss": ".3f",
    "p_real": ".2f",
    "p_fake": ".2f",
    "spread": ".3f",
    "ndb": ".0f",
    "js": ".4f",
    "d_train": ".2f",
    "d_test": ".2f",
}

SHOWN = {"p_real": "D(x)", "p_fake": "D(G(z))", "ndb": "NDB", "js": "JS"}  # as people know them


@dataclass
class Ended:
    """A run that has ended: its last figures, its warnings, and what went wrong if it failed."""

    seed: int
    figures: dict[str, float] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    error: str = ""


def train_seeds(
    config: TrainConfig,
    first: int,
    last: int,
    jobs: int | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> list[Ended]:
    """Train a run for each seed from ``first`` to ``last``, up to ``jobs`` of them at a time.

    The runs are the folders ``seed-<seed>`` in ``config.out``.  Those that are there already go on
    where they stand, so that the same call goes on after an interruption.  Each run is a process of
    its own, with one BLAS thread; ``jobs`` is the number of cores unless given, or of GPUs if the
    runs use them, which they then take in turns.  ``say`` is called with a line for each run that
    has ended.

    Returns the runs in the order of their seeds, and writes their figures to ``seeds.csv``, unless
    no run has made a folder.  Raises InputError for seeds or a folder that make no sense, and
    for data that no run could train on; KeyboardInterrupt after Ctrl-C, when all runs have saved
    and ended.
    """
    check_whole("seeds", first, 0)
    if check_whole("seeds", last, 0) < first or last - first >= LARGEST_SEEDS:
        raise InputError(
            f"`seeds` are {first} and {last}, expected the first and the last of up to "
            f"{LARGEST_SEEDS:,}"
        )
    if config.out is None:
        raise InputError("`seeds` needs `out`, the folder for the runs, where they can go on later")
    if config.resume is not None:
        raise InputError(
            "`resume` and `seeds` exclude each other: `out` names the runs to go on with"
        )
    if jobs is not None:
        check_whole("jobs", jobs, 1, 1024)
    out = Path(config.out)
    if out.exists() and not out.is_dir():
        raise InputError(f"`out` {out} is a file, expected a folder")
    if (out / CONFIG).exists():
        raise InputError(f"`out` {out} holds a run, expected a folder for many")
    seeds = range(first, last + 1)
    _check_alike(config, [out / f"seed-{seed}" for seed in seeds])
    training_data(read_data(config), config, get_backend("numpy"))
    gpus = _gpus(config)
    pool = ThreadPoolExecutor(jobs or len(gpus) or _cores())
    with noted_signals() as signals, pool:
        runs = [_Run(config, out, seed, gpus, signals) for seed in seeds]
        waiting = {pool.submit(run.train, say) for run in runs}
        while waiting:
            waiting = wait(waiting, timeout=0.2).not_done
            for run in runs if signals else ():
                run.stop(signals[0])
    ended = [run.ended for run in runs]
    if out.is_dir():
        _write_table(out / TABLE, ended)
    if signals:
        raise KeyboardInterrupt
    return ended


def _check_alike(config: TrainConfig, folders: list[Path]) -> None:
    """Raise InputError if new runs would differ from those that are there in more than the seed.

    An option that is not given is the default of a new run, and stays in one that goes on.
    """
    there = [folder for folder in folders if (folder / CONFIG).exists()]
    for folder in there if len(there) < len(folders) else ():
        was = TrainConfig.of_run(folder)
        for name in ("lr", "data"):
            before, now = getattr(was, name), getattr(config.resolved(), name)
            if before != now and getattr(config, name) == getattr(TrainConfig, name):
                raise InputError(
                    f"`{name}` is not given, and is {before} in {folder} but would be {now} in a "
                    "new run: give it, so that all runs have the same"
                )


class _Run:
    """The process that trains one seed."""

    def __init__(
        self, config: TrainConfig, out: Path, seed: int, gpus: Sequence[str], signals: list[int]
    ) -> None:
        self.folder, self.signals = out / f"seed-{seed}", signals
        own = replace(config, seed=seed, out=str(self.folder), threads=config.threads or 1)
        words = words_of(own)
        if (self.folder / CONFIG).exists():
            own.check_resumes(replace(TrainConfig.of_run(self.folder), out=None, resume=None))
            words = ["--resume", word_of(self.folder)]
            for name in (*CHANGEABLE, "model"):
                value, default = getattr(config, name), getattr(TrainConfig, name)
                if name == "epochs" or (name != "tf32" and value not in (None, default)):
                    words += [f"--{name.replace('_', '-')}", word_of(value)]
            words.append("--tf32" if config.tf32 else "--no-tf32")
        self.command = [sys.executable, "-m", "minigan", "train", *words]
        self.environment = dict(os.environ)
        if gpus:
            self.environment["CUDA_VISIBLE_DEVICES"] = gpus[seed % len(gpus)]
        self.child: subprocess.Popen[str] | None = None
        self.told = False  # to stop
        self.ended = Ended(seed, error="not begun")

    def train(self, say: Callable[[str], None]) -> None:
        if self.signals:
            return
        self.child = subprocess.Popen(
            self.command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment,
            start_new_session=True,  # Ctrl-C reaches it by ``stop`` alone
        )
        out, err = self.child.communicate()
        self.ended.error = ""
        if self.child.returncode:
            self.ended.error = [f"exit status {self.child.returncode}", *err.splitlines()][-1]
        if self.signals:
            self.ended.error = "stopped"
        self.ended.warnings = [line for line in out.splitlines() if line.startswith("Warning:")]
        self.ended.figures = last_figures(self.folder / HISTORY)
        say(line_of(self.ended))

    def stop(self, number: int) -> None:
        """Ask the process, once, to save and end."""
        if self.child is not None and not self.told:
            self.child.send_signal(number)
            self.told = True


def last_figures(file: Path) -> dict[str, float]:
    """Return the figures of a run's last step, and the last quality that was measured."""
    figures: dict[str, float] = {}
    try:
        with io.TextIOWrapper(open_regular(file), encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                known = {name: float(row[name]) for name in COLUMNS if row.get(name)}
                figures |= {name: x for name, x in known.items() if math.isfinite(x)}
    except (OSError, ValueError, csv.Error):
        return {}
    return figures


def line_of(run: Ended) -> str:
    """Return a run in one line."""
    figures = "  ".join(f"{SHOWN.get(n, n)} {x:{COLUMNS[n]}}" for n, x in run.figures.items())
    return f"seed {run.seed}  {figures}" + (f"  ({run.error})" if run.error else "")


def table_of(runs: Sequence[Ended]) -> str:
    """Return the runs in rows, and under them the median of each column and its range."""
    done = [run for run in runs if run.figures and not run.error]
    names = [name for name in COLUMNS if any(name in run.figures for run in runs)]
    rows = [["seed", *(SHOWN.get(name, name) for name in names)]]
    for run in runs:
        cells = [f"{run.figures[n]:{COLUMNS[n]}}" if n in run.figures else "" for n in names]
        rows.append([str(run.seed), *cells])
    if len(done) > 1:
        kinds: dict[str, Callable[[list[float]], float]] = {
            "median": statistics.median, "least": min, "most": max,
        }  # fmt: skip
        for title, of in kinds.items():
            values = [[run.figures[n] for run in done if n in run.figures] for n in names]
            cells = [
                f"{of(v):{COLUMNS[n]}}" if v else "" for n, v in zip(names, values, strict=True)
            ]
            rows.append([title, *cells])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(str.rjust, row, widths)) for row in rows]
    for run in runs:
        lines += [f"seed {run.seed}: {text}" for text in [run.error, *run.warnings] if text]
    return "\n".join(lines)


def _write_table(file: Path, runs: Sequence[Ended]) -> None:
    lines = [["seed", *COLUMNS]]
    lines += [[str(r.seed), *(f"{r.figures.get(n, math.nan):.6g}" for n in COLUMNS)] for r in runs]
    with atomic_write(file) as stream:
        stream.write("".join(",".join(line) + "\n" for line in lines).encode())


def _cores() -> int:
    affinity = getattr(os, "sched_getaffinity", None)  # which macOS does not have
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _gpus(config: TrainConfig) -> list[str]:
    """Return the numbers of the GPUs, as the runs are told them; none if the runs use the CPU."""
    backend = get_backend(config.backend)
    if backend.name != "cupy":
        return []
    told = os.environ.get("CUDA_VISIBLE_DEVICES")
    return (
        told.split(",") if told else list(map(str, range(backend.xp.cuda.runtime.getDeviceCount())))
    )
