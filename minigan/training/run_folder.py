"""The folder of a run, as the process that trains in it knows it."""

from __future__ import annotations

import contextlib
from pathlib import Path

from minigan.errors import InputError
from minigan.training.checkpoint import Stamp, restore_run, save_run, stamp
from minigan.training.config import TrainConfig
from minigan.training.folder import CHECKPOINT, check_free, find_folder, locked, make_folder
from minigan.training.run import Run


class RunFolder:
    """Keeps a run in its folder, which other processes may write into as well.

    ``path`` is the folder, and ``stamp`` marks the checkpoint that this process has read or
    written; it is None if there was none.  Raises InputError if the options contradict each other,
    or if the folder cannot be used.
    """

    def __init__(self, config: TrainConfig) -> None:
        self.config = config
        self.path: Path = find_folder(config)
        self.owned = config.resume is not None  # False until a new folder is made
        self.stamp: Stamp = stamp(self.checkpoint)

    @property
    def checkpoint(self) -> Path:
        return self.path / CHECKPOINT

    def restore(self, run: Run) -> None:
        """Set a new run to the state that the checkpoint holds, if there is one."""
        if self.stamp is not None:
            restore_run(run, self.checkpoint)

    def save(self, run: Run) -> None:
        """Write the checkpoint.  Raises OSError if it cannot be written."""
        save_run(run, self.checkpoint)
        self.stamp = stamp(self.checkpoint)

    def take(self, run: Run, stack: contextlib.ExitStack, own_networks: bool) -> Path:
        """Make the folder if it is new, and hold it for this process until the stack is closed.

        A new run of ``own_networks`` begins with a checkpoint, because nothing else in the folder
        knows them.  Returns the folder.  Raises InputError if it belongs to another run, or if
        another process has written a checkpoint in the meantime.
        """
        if not self.owned:
            self.path = make_folder(self.path, self.config)
        stack.enter_context(locked(self.path))
        if not self.owned:  # another new run with the same --out may have been first
            check_free(self.path)
        self.owned = True
        if stamp(self.checkpoint) != self.stamp:
            raise InputError(
                f"{self.checkpoint} has changed since this Trainer was made or last saved: make a "
                "new one, with `resume`, to go on from there"
            )
        if own_networks and self.stamp is None:
            self.save(run)
        self.config.save(self.path)
        return self.path
