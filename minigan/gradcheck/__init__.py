"""Check gradients: compare backprop with central differences.

``check`` is the file to read first.  ``extrapolation`` measures one slope and its error,
``compare`` holds the gradients of an array against slopes, ``verdict`` is what comes of it.
``faults``, ``kinks`` and ``precision`` are what a fair comparison needs beside, and ``everything``
lists all that the command ``minigan gradcheck`` checks.  This room offers the names listed below.
It imports from ``backend`` and from the files of the mathematics, which it checks.
"""

from minigan.gradcheck.check import check_gradients, check_loss
from minigan.gradcheck.everything import ROWS, check_everything, check_gan
from minigan.gradcheck.penalty import check_r1
from minigan.gradcheck.verdict import TOLERANCE, ArrayCheck, GradientReport

__all__ = [
    "ROWS",
    "TOLERANCE",
    "ArrayCheck",
    "GradientReport",
    "check_everything",
    "check_gan",
    "check_gradients",
    "check_loss",
    "check_r1",
]
