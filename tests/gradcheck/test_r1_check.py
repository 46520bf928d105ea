"""The check of R1: what it computes, from numbers worked out by hand, and what it rejects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minigan as mg
from minigan.backend import Array, Backend
from minigan.gradcheck import check_r1
from minigan.gradcheck import penalty as module
from minigan.gradcheck.check import own_stream
from minigan.gradcheck.problem import Problem

X = np.array([[0.5], [-2.0], [1.5]])
W, B, GAMMA = 3.0, 5.0, 0.2


def line() -> mg.Sequential:
    """D(x) = 3 x + 5: its slope is 3 everywhere, so R = γ/2 · 9, and dR/dW = 3 γ."""
    net = mg.Sequential(mg.Linear(1, 1), dtype="float64")
    net.params[...] = W, B
    net.weights_changed()
    return net


def bent() -> mg.Sequential:
    """Two layers, with units of LeakyReLU between them."""
    layers = mg.Linear(1, 4), mg.LeakyReLU(0.2), mg.Linear(4, 1)
    return mg.Sequential(*layers, seed=3, dtype="float64")


def test_the_penalty_by_its_definition() -> None:
    net = line()
    net.grads[...] = 7.0
    assert module.penalty_of(net, X, GAMMA) == pytest.approx(GAMMA / 2 * W**2, rel=1e-15)
    np.testing.assert_array_equal(net.grads, 7.0)  # as they were
    flat = mg.Sequential(mg.Linear(2, 1), dtype="float64")
    flat.params[...] = 3.0, 4.0, 0.0
    assert module.penalty_of(flat, np.ones((5, 2)), 2.0) == pytest.approx(25.0, rel=1e-15)
    # Half of the images are where LeakyReLU has the slope 1/2: the mean of 6² and 3².
    net = mg.Sequential(mg.Linear(1, 1), mg.LeakyReLU(0.5), mg.Linear(1, 1), dtype="float64")
    net.params[...] = 2.0, 0.0, 3.0, 1.0
    assert module.penalty_of(net, np.array([[1.0], [-1.0]]), 1.0) == pytest.approx(45 / 4)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What ``check_r1`` hands on to be compared."""
    got: dict[str, Any] = {}

    def noted(
        problem_in: Callable[[str], Problem], backend: Backend, max_entries: int
    ) -> list[Any]:
        got.update(problem_in=problem_in, backend=backend, max_entries=max_entries)
        return []

    monkeypatch.setattr(module, "check_problem", noted)
    return got


def the_dy(n: int) -> Array:
    return own_stream(1).standard_normal((n, 1))


def test_the_function_and_its_gradients(seen: dict[str, Any]) -> None:
    net = line()
    check_r1(net, X, GAMMA)
    problem, dy = seen["problem_in"]("float64"), the_dy(3)
    y, penalty = X * W + B, GAMMA / 2 * W**2
    assert problem.L() == pytest.approx(penalty, rel=1e-15)  # D(x) is measured from its own value
    assert problem.size == pytest.approx(penalty + abs(y * dy).sum(), rel=1e-15)
    gradients = problem.backprop()
    assert gradients.keys() == problem.arrays.keys() == {"0.W", "0.b"}
    np.testing.assert_allclose(gradients["0.W"], [[(X * dy).sum() + W * GAMMA]], rtol=1e-14)
    np.testing.assert_allclose(gradients["0.b"], [dy.sum()], rtol=1e-14)
    problem.arrays["0.W"][...] += 0.5  # what L is after a nudge
    L = (0.5 * X * dy).sum() + GAMMA / 2 * (W + 0.5) ** 2
    assert problem.L() == pytest.approx(L, rel=1e-14)
    assert gradients["0.W"] is not problem.backprop()["0.W"]  # made anew in each call
    at, rounded = problem.others
    np.testing.assert_array_equal(at, X)
    np.testing.assert_array_equal(rounded, dy)
    assert [type(layer) for layer in problem.layers] == [mg.Linear]
    assert problem.arrays["0.W"] is problem.layers[0].W  # the nudge reaches the layer
    np.testing.assert_array_equal(net.params, [W, B])  # all this went on in a copy
    assert seen["backend"].name == "numpy"


def test_each_precision_has_a_problem_of_its_own(seen: dict[str, Any]) -> None:
    check_r1(line(), X)
    one, other = seen["problem_in"]("float64"), seen["problem_in"]("longdouble")
    for dtype, problem in (("float64", one), ("longdouble", other)):
        arrays = [*problem.arrays.values(), *problem.others, *problem.backprop().values()]
        assert {array.dtype for array in arrays} == {np.dtype(dtype)}
    assert float(one.L()) == pytest.approx(W**2 / 2)  # gamma is 1 unless the caller says otherwise


def test_arguments_are_handed_on(seen: dict[str, Any]) -> None:
    check_r1(line(), X)
    assert seen["max_entries"] == 1000
    check_r1(line(), X, max_entries=7)
    assert seen["max_entries"] == 7


def test_the_check_keeps_away_from_kinks(seen: dict[str, Any]) -> None:
    """At a kink the slope jumps.  A row that brings a unit there is moved, and the others stay."""
    net = bent()
    first: Any = net[0]
    x = np.array([[0.5], [-float(first.b[0] / first.W[0, 0])], [1.5]])
    check_r1(net, x.astype("float32"))  # which is checked in float64, too
    at, _ = seen["problem_in"]("float64").others
    assert at.dtype == "float64"
    assert abs(at[1] - x[1]) > 1e-3
    np.testing.assert_array_equal(at[[0, 2]], x[[0, 2]].astype("float32"))
    np.testing.assert_array_equal(at, seen["problem_in"]("float64").others[0])


def test_right_rules_pass() -> None:
    for seed in range(3):
        x = np.random.default_rng(seed).standard_normal((4, 1))
        report = check_r1(bent(), x, 0.5)
        assert report, report
        assert [array.name for array in report.arrays] == ["0.W", "0.b", "2.W", "2.b"]


@pytest.mark.parametrize("left_out", ["0.W", "2.W"])
def test_a_layer_that_leaves_its_gradient_out_fails(
    left_out: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = mg.Linear.double_backward
    n_in = 1 if left_out == "0.W" else 4

    def forgetful(self: mg.Linear, t: Array, dy: Array, x: Array) -> tuple[Array, None]:
        result = rule(self, t, dy, x)
        if self.n_in == n_in:
            self.dW[...] = 0
        return result

    monkeypatch.setattr(mg.Linear, "double_backward", forgetful)
    report = check_r1(bent(), np.random.default_rng(0).standard_normal((4, 1)))
    assert [array.name for array in report.arrays if array.verdict == "FAIL"] == [left_out]


def test_a_layer_that_does_not_write_its_gradient_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """``grads`` hold a poison before: what was never written cannot pass for a gradient."""
    rule = mg.Linear.double_backward

    def silent(self: mg.Linear, t: Array, dy: Array, x: Array) -> tuple[Array, None]:
        before = self.dW.copy(), self.db.copy()
        result = rule(self, t, dy, x)
        self.dW[...], self.db[...] = before
        return result

    monkeypatch.setattr(mg.Linear, "double_backward", silent)
    assert not check_r1(bent(), np.random.default_rng(0).standard_normal((4, 1)))


def test_a_backward_that_does_not_write_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mg.Linear, "param_grads", lambda self, dy, x: None)
    assert not check_r1(line(), X)


def test_rows_may_ask_for_outputs_of_their_own() -> None:
    """D has an output per class: ``of`` picks one in each row, and the penalty is that one's."""
    net = mg.Sequential(
        mg.Linear(2, 5), mg.LeakyReLU(0.2), mg.Linear(5, 3), seed=4, dtype="float64"
    )
    x = np.random.default_rng(1).standard_normal((4, 2))
    of = np.eye(3)[[0, 2, 2, 1]]
    assert check_r1(net, x, 0.7, of=of)
    one = mg.Sequential(mg.Linear(2, 3), dtype="float64")
    one.params[:6] = 3.0, 0.0, 6.0, 4.0, 1.0, 8.0  # of length 5, 1 and 10
    want = (25 + 100 + 100 + 1) / 4 / 2
    assert module.penalty_of(one, x, 1.0, of) == pytest.approx(want, rel=1e-15)
    with pytest.raises(ValueError, match="1 output, this one has 3"):
        check_r1(net, x, 0.7)
    with pytest.raises(TypeError, match="positional"):
        check_r1(net, x, 0.7, of)  # type: ignore[call-arg]
