"""What a program shows in a Jupyter notebook: a picture that is replaced by newer ones."""

from __future__ import annotations

import importlib
import sys
from typing import Any


def in_notebook() -> bool:
    """Return whether a Jupyter kernel runs this program, so that widgets and pictures are shown."""
    ipython = sys.modules.get("IPython")  # a kernel has imported it
    shell = ipython.get_ipython() if ipython is not None else None
    return hasattr(shell, "kernel")


class NotebookPicture:
    """A picture below the cell that runs: the first one takes its place, later ones replace it.

    Outside a notebook nothing is shown.
    """

    def __init__(self) -> None:
        self.place: Any = None

    def show(self, png: bytes) -> None:
        """Show the content of a PNG file.  Raises what IPython raises if it cannot."""
        if not in_notebook():
            return
        shown = importlib.import_module("IPython.display")
        if self.place is None:
            self.place = shown.display(shown.Image(data=png), display_id=True)
        else:
            self.place.update(shown.Image(data=png))
