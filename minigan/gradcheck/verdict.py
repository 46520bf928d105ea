"""The verdicts of a gradient check, and the report that holds them."""

from __future__ import annotations

import math
from dataclasses import dataclass

TOLERANCE = 1e-6  # largest error that passes: right rules have about 1e-8, one 0.1 % off has 1e-3

PASS = "PASS"  # the two gradients agree, and they are known well enough for this to mean something
UNRESOLVED = "NOT RESOLVED"  # they are not known well enough to tell a right rule from a wrong one
FAIL = "FAIL"  # they differ by more than their errors explain
VERDICTS = (PASS, UNRESOLVED, FAIL)  # from the best to the worst


@dataclass(frozen=True)
class ArrayCheck:
    """The worst entry of one array, which is a parameter or the input x."""

    name: str
    verdict: str  # "PASS", "NOT RESOLVED" or "FAIL"
    reason: str = ""  # why it is not PASS, and what can be done
    error: float = math.inf  # |numeric - backprop| / largest |gradient| of the array
    uncertainty: float = math.inf  # how far this error may itself be off
    index: tuple[int, ...] | None = ()  # None: the error along the random direction
    numeric: float = math.nan
    backprop: float = math.nan
    checked: int = 0  # number of entries that were nudged
    size: int = 0  # number of entries in the array

    @property
    def where(self) -> str:
        """The place of the error: ``W[1, 2]``, ``W along a direction``, or ``W`` for all of it."""
        if self.index is None:
            return f"{self.name} along a direction"
        return self.name + (str(list(self.index)) if self.index else "")

    @property
    def badness(self) -> tuple[int, float]:
        """The worst of several has the worst verdict, and of those the largest error."""
        error = self.uncertainty if self.verdict == UNRESOLVED else self.error
        return VERDICTS.index(self.verdict), math.inf if math.isnan(error) else error

    def __str__(self) -> str:
        if not self.checked:
            return f"{self.where}: {self.reason}"
        return (
            f"{self.where}: numeric {self.numeric:.9g}, backprop {self.backprop:.9g}, "
            f"error {self.error:.1e} ± {self.uncertainty:.1e} "
            f"({self.checked:,} of {self.size:,} {'entry' if self.size == 1 else 'entries'})"
        ) + (f"; {self.reason}" if self.reason else "")


@dataclass(frozen=True)
class GradientReport:
    """The result of ``check_gradients``, true if all passed: ``assert check_gradients(net, x)``."""

    arrays: tuple[ArrayCheck, ...]
    tolerance: float = TOLERANCE

    @property
    def worst(self) -> ArrayCheck:
        return max(self.arrays, key=lambda array: array.badness)

    @property
    def verdict(self) -> str:
        """``"PASS"`` if every array passed, else the worst of ``"NOT RESOLVED"`` and ``"FAIL"``."""
        return self.worst.verdict

    @property
    def passed(self) -> bool:
        return self.verdict == PASS

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        return f"{self.verdict}  worst entry {self.worst}"
