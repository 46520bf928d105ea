"""What a right rule may be told by the gradient check."""

from __future__ import annotations

from minigan.gradcheck import GradientReport
from minigan.gradcheck.compare import ZERO


def right(report: GradientReport) -> bool:
    """Every array passes, unless all of its gradients are 0: there is nothing to compare then."""
    return all(
        array.verdict == "PASS" or (array.verdict, array.reason) == ("NOT RESOLVED", ZERO)
        for array in report.arrays
    )
