"""What a campaign is: a number of cases, each of which passes or raises."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol


class Case(NamedTuple):
    """One thing that is tried; ``check`` raises AssertionError if minigan does not bear it."""

    name: str  # enough to find the case again: the same seed gives the same cases
    check: Callable[[], None]


@dataclass(frozen=True)
class Scale:
    """How much is tried, and where."""

    folder: Path  # an empty folder for the files of the campaign
    long: bool = False
    seed: int = 0
    soak_minutes: float = 180.0

    def pick(self, short: int, long: int) -> int:
        """Return one of the two numbers."""
        return long if self.long else short


class Campaign(Protocol):
    """A module with the cases of one kind."""

    MEANING: str  # what it means that a case passes

    def cases(self, scale: Scale) -> Iterable[Case]: ...


class Result(NamedTuple):
    """How many cases passed, and what was wrong with the others."""

    passed: int
    failures: list[tuple[str, str]]  # the name of a case, and why it failed

    @property
    def total(self) -> int:
        return self.passed + len(self.failures)


def perform(campaign: Campaign, scale: Scale, only: str = "") -> Result:
    """Try all cases whose names contain ``only``."""
    passed, failures = 0, []
    for case in campaign.cases(scale):
        if only not in case.name:
            continue
        try:
            case.check()
        except Exception as error:
            failures.append((case.name, _reason(error)))
        else:
            passed += 1
    return Result(passed, failures)


def print_result(name: str, campaign: Campaign, scale: Scale, only: str = "") -> Result:
    """Try all cases, and print a line about them; return the result."""
    print(f"{name:13} {campaign.MEANING:68}", end=" ", flush=True)
    start = time.perf_counter()
    result = perform(campaign, scale, only)
    seconds = time.perf_counter() - start
    print(f"{result.passed:5} of {result.total:5} {seconds:7.0f} s", flush=True)
    return result


def _reason(error: Exception) -> str:
    """Return the message of an error, and the line in which it was raised."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    message = str(error).strip() or place.line or ""
    return f"{type(error).__name__} in {Path(place.filename).name}:{place.lineno}: {message}"
