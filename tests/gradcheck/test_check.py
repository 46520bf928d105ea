"""Which arrays are checked once more with more digits, and how many entries of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigan as mg
from minigan.backend import Array, get_backend
from minigan.gradcheck import check
from minigan.gradcheck.check import affordable, check_problem
from minigan.gradcheck.precision import EXTENDED
from minigan.gradcheck.problem import Problem
from minigan.gradcheck.verdict import ArrayCheck


def zeros(**shapes: tuple[int, ...]) -> Problem:
    return Problem({name: np.zeros(shape) for name, shape in shapes.items()}, float, dict, 0.0)


@pytest.mark.parametrize(
    ("problem", "rows"),
    [
        (zeros(x=(10, 3), W=(3, 1000)), 10),
        (zeros(x=(10, 3), W=(3, 1000), b=(1000,)), 10),
        (zeros(W=(50, 60)), 8),  # without an input, about eight rows are assumed
    ],
)
def test_all_nudges_together_take_three_hundred_million_multiplications(
    problem: Problem, rows: int
) -> None:
    """To compute L takes as many as there are weights, for each row."""
    once = rows * sum(array.size for array in problem.arrays.values())
    entries = affordable(problem)
    assert isinstance(entries, int)
    assert entries * once * len(problem.arrays) <= 300_000_000
    assert (entries + 1) * once * len(problem.arrays) > 300_000_000


def test_one_entry_is_always_affordable() -> None:
    assert affordable(zeros(x=(10_000, 1), W=(1, 100_000))) == 1


# ---------------------------------------------------------------- the second look


def look(
    monkeypatch: pytest.MonkeyPatch, wrong: dict[str, int], more_digits: bool = True
) -> tuple[list[ArrayCheck], list[str]]:
    """Check two arrays whose gradients are wrong at an entry.  Return the precisions, too."""
    dtypes = []

    def problem(dtype: str) -> Problem:
        dtypes.append(dtype)
        arrays = {name: np.arange(1, 31).astype(dtype) for name in ("W", "x")}

        def backprop() -> dict[str, Array]:
            gradients = {name: array.copy() for name, array in arrays.items()}
            for name, i in wrong.items():
                gradients[name][i] += 1
            return gradients

        def L() -> Any:
            return sum(np.square(array).sum() / 2 for array in arrays.values())

        return Problem(arrays, L, backprop, float(L()))

    monkeypatch.setattr(check, "has_more_digits", lambda backend: more_digits)
    monkeypatch.setattr(check, "affordable", lambda problem: 1)
    return check_problem(problem, get_backend("numpy")), dtypes


def test_what_passes_in_float64_is_checked_once_and_at_every_entry(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found, dtypes = look(monkeypatch, {})
    assert [one.verdict for one in found] == ["PASS", "PASS"]
    assert [one.checked for one in found] == [30, 30]
    assert dtypes == ["float64"]


def test_what_does_not_pass_is_checked_again_at_its_worst_entry(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The second time only few entries are affordable, but the worst one is among them."""
    found, dtypes = look(monkeypatch, {"W": 7})
    assert dtypes == ["float64", EXTENDED]
    assert [(one.name, one.verdict) for one in found] == [("W", "FAIL"), ("x", "PASS")]
    assert found[0].index == (7,)
    assert found[0].checked <= 2
    assert found[1].checked == 30  # it passed, and is not looked at again


def test_where_nothing_passes_all_is_checked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    found, dtypes = look(monkeypatch, {"W": 7, "x": 20})
    assert dtypes == ["float64", EXTENDED]
    assert [(one.verdict, one.index) for one in found] == [("FAIL", (7,)), ("FAIL", (20,))]
    assert all(one.checked <= 2 for one in found)


def test_without_more_digits_the_first_verdict_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    found, dtypes = look(monkeypatch, {"W": 7}, more_digits=False)
    assert dtypes == ["float64"]
    assert found[0].verdict == "FAIL"


# ---------------------------------------------------------------- the loss of the check


def test_L_is_the_sum_of_dy_times_y_measured_from_the_input(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is 0 at the input itself, and its size is that of the numbers that are added."""
    made: list[Problem] = []

    def keep(problem_in: Any, *_: Any) -> list[ArrayCheck]:
        made.append(problem_in("float64"))
        return [ArrayCheck("x", "PASS")]

    monkeypatch.setattr(check, "check_problem", keep)
    x = np.array([[3.0, -5.0], [7.0, 11.0]])
    mg.check_gradients(mg.Tanh(), x)
    (problem,) = made
    (dy,) = problem.others
    assert problem.L() == 0
    assert problem.size == pytest.approx(float(np.abs(np.tanh(x) * dy).sum()))
    problem.arrays["x"][0, 0] = 0.5
    assert problem.L() == pytest.approx(float(dy[0, 0]) * (np.tanh(0.5) - np.tanh(3.0)))


def test_the_options_of_the_check_go_by_their_names() -> None:
    net, x = mg.Tanh(), np.ones((1, 2))
    assert mg.check_gradients(net=net, x=x)
    with pytest.raises(TypeError, match="positional argument"):
        mg.check_gradients(net, x, None)  # type: ignore[call-arg]
