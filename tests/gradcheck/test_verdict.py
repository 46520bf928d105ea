"""What a report says, and which of its records is the worst."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

from minigan.gradcheck import ArrayCheck, GradientReport
from minigan.gradcheck.compare import Pair
from minigan.gradcheck.extrapolation import Slope
from minigan.gradcheck.problem import Problem
from minigan.gradcheck.rounding import Rounding


def test_a_record_says_how_many_entries_were_nudged() -> None:
    one = ArrayCheck("W", "PASS", "", 1e-9, 1e-10, (1, 2), 0.5, 0.5, checked=20, size=3600)
    assert str(one) == (
        "W[1, 2]: numeric 0.5, backprop 0.5, error 1.0e-09 ± 1.0e-10 (20 of 3,600 entries)"
    )


@pytest.mark.parametrize(
    ("size", "words"),
    [(1, "(1 of 1 entry)"), (2, "(1 of 2 entries)"), (3, "(1 of 3 entries)")],
)
def test_one_entry_is_not_called_entries(size: int, words: str) -> None:
    text = str(ArrayCheck("b", "NOT RESOLVED", "too small", checked=1, size=size))
    assert text.endswith(f"{words}; too small")


def test_a_fault_for_which_nothing_was_nudged_has_no_numbers() -> None:
    fault = ArrayCheck("layer 1, Tanh()", "FAIL", "forward changes its argument x")
    assert (fault.checked, fault.size) == (0, 0)
    assert str(fault) == "layer 1, Tanh(): forward changes its argument x"


def test_the_worst_has_the_worst_verdict_and_then_the_largest_error() -> None:
    """What is not resolved is measured by how little is known; its error means nothing."""
    in_order = [
        ArrayCheck("a", "PASS", error=1e-9, uncertainty=1e-7),
        ArrayCheck("b", "PASS", error=1e-8, uncertainty=1e-8),
        ArrayCheck("c", "NOT RESOLVED", error=2.0, uncertainty=1e-4),
        ArrayCheck("d", "NOT RESOLVED", error=1.0, uncertainty=1e-3),
        ArrayCheck("e", "FAIL", error=1e-5, uncertainty=1e-6),
        ArrayCheck("f", "FAIL", error=1e-4, uncertainty=1e-7),
        ArrayCheck("g", "FAIL", error=math.nan),
    ]
    for n in range(1, len(in_order) + 1):
        report = GradientReport(tuple(reversed(in_order[:n])))
        assert report.worst is in_order[n - 1]
        assert report.verdict == in_order[n - 1].verdict
        assert bool(report) == (n <= 2)


a = np.ones(2)


@pytest.mark.parametrize(
    "record",
    [
        ArrayCheck("W", "FAIL"),
        GradientReport((ArrayCheck("W", "FAIL"),)),
        Pair((0,), Slope(1.0, 0.0), 1.0, 0.0, 1.0, 1.0),
        Problem({"x": a}, lambda: 1.0, lambda: {"x": a}, 1.0),
        Rounding(0.0, [], 0.0),
    ],
    ids=lambda record: type(record).__name__,
)
def test_a_record_stays_as_it_was_made(record: Any) -> None:
    first = dataclasses.fields(record)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(record, first, None)
