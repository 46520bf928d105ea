"""Check gradients: compare backprop with central differences.

``check`` is the file to read first, ``central_difference`` holds its arithmetic, and ``everything``
lists all that the command ``minigan gradcheck`` checks.  This room offers the names listed below.
It imports from ``backend`` and from the files of the mathematics, which it checks.
"""

from minigan.gradcheck.central_difference import TOLERANCE, ArrayCheck, GradientReport
from minigan.gradcheck.check import check_gradients, check_loss
from minigan.gradcheck.everything import check_everything, check_gan

__all__ = [
    "TOLERANCE",
    "ArrayCheck",
    "GradientReport",
    "check_everything",
    "check_gan",
    "check_gradients",
    "check_loss",
]
