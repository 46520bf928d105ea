"""Faults that no difference shows: changed arguments, new arrays, dice, layers in layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigan as mg
from minigan.backend import Array, matmul
from minigan.gradcheck.faults import _same, find_faults


def normal(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape)


class ChangesX(mg.Tanh):
    def forward(self, x: Array) -> tuple[Array, Array]:
        y = np.tanh(x)
        x *= 0.5
        return y, y


class ChangesDy(mg.ReLU):
    def input_grad(self, dy: Array, y: Array) -> Array:
        dy *= y > 0
        return dy


class ChangesItsCache(mg.Tanh):
    def input_grad(self, dy: Array, y: Array) -> Array:
        y *= y
        return dy * (1 - y)


class ChangesItsInput(mg.Linear):
    def param_grads(self, dy: Array, x: Array) -> None:
        super().param_grads(dy, x)
        x += 1


class Learns(mg.Linear):
    """It updates W in backward, as some published code does."""

    def param_grads(self, dy: Array, x: Array) -> None:
        super().param_grads(dy, x)
        self.W -= 0.01 * self.dW


class Replaces(mg.Linear):
    def param_grads(self, dy: Array, x: Array) -> None:
        self.dW = matmul(x.T, dy)
        np.sum(dy, axis=0, out=self.db)


class Dropout(mg.Layer):
    def __init__(self) -> None:
        self.rng = np.random.default_rng(0)

    def forward(self, x: Array) -> tuple[Array, Array]:
        mask = 2 * (self.rng.random(x.shape) > 0.5).astype(x.dtype)
        return x * mask, mask

    def input_grad(self, dy: Array, mask: Array) -> Array:
        return dy * mask


class DrawsAgain(Dropout):
    def forward(self, x: Array) -> tuple[Array, Array]:
        self.rng = np.random.default_rng(0)
        return super().forward(x)

    def input_grad(self, dy: Array, mask: Array) -> Array:
        return dy * 2 * (self.rng.random(dy.shape) > 0.5)


class KeepsInItself(mg.Tanh):
    def forward(self, x: Array) -> tuple[Array, Array]:
        self.y = np.tanh(x)
        return self.y, x

    def input_grad(self, dy: Array, x: Array) -> Array:
        dx: Array = dy * (1 - self.y * self.y)
        return dx


class KeepsInItselfForW(mg.Linear):
    def forward(self, x: Array) -> tuple[Array, Array]:
        self.x = x.copy()
        return super().forward(x)

    def param_grads(self, dy: Array, x: Array) -> None:
        super().param_grads(dy, self.x)


class UsesOneArray(mg.Tanh):
    def forward(self, x: Array) -> tuple[Array, Array]:
        if getattr(self, "y", np.empty(0)).shape != x.shape:
            self.y = np.empty_like(x)
        np.tanh(x, out=self.y)
        return self.y, self.y


FAULTS = [
    (KeepsInItself(), "FAIL", "backward gives something else if forward has seen another x"),
    (KeepsInItselfForW(3, 3), "FAIL", "backward gives something else if forward has seen another"),
    (UsesOneArray(), "FAIL", "a second forward changes the y of the first"),
    (ChangesX(), "FAIL", "forward changes its argument x"),
    (ChangesDy(), "FAIL", "backward changes its argument dy"),
    (ChangesItsCache(), "FAIL", "backward changes the y that forward returned"),
    (ChangesItsInput(3, 3), "FAIL", "backward changes the x that forward was given"),
    (Learns(3, 3), "FAIL", "forward or backward changes this parameter"),
    (Replaces(3, 3), "FAIL", "a new array stands in the place of its gradient"),
    (Dropout(), "NOT RESOLVED", "forward gives another y for the same x"),
    (DrawsAgain(), "FAIL", "backward gives another dx at the second call"),
]


@pytest.mark.parametrize("inside", [False, True], ids=["alone", "in a network"])
@pytest.mark.parametrize(
    ("layer", "verdict", "message"), FAULTS, ids=[type(row[0]).__name__ for row in FAULTS]
)
def test_a_fault_is_named(layer: mg.Layer, verdict: str, message: str, inside: bool) -> None:
    import copy

    net: Any = copy.deepcopy(layer)
    if inside:
        net = mg.Sequential(mg.Linear(3, 3), net, mg.Linear(3, 2), seed=0)
    x = normal(4, 3)
    before = x.copy()
    report = mg.check_gradients(net, x)
    assert report.verdict == verdict
    assert not report
    assert message in str(report)
    np.testing.assert_array_equal(x, before)
    if inside:
        assert "layer 1, " in str(report) or "1.W" in str(report)


def test_a_layer_that_rounds_to_float32_is_not_resolved() -> None:
    class Rounds(mg.Tanh):
        def forward(self, x: Array) -> tuple[Array, Array]:
            return super().forward(x.astype("float32"))

    report = mg.check_gradients(Rounds(), normal(4, 3))
    assert report.verdict == "NOT RESOLVED"
    assert "forward gives float32 for an x of float64" in str(report)


def test_dropout_after_training_is_right() -> None:
    class WithEvaluate(Dropout):
        def evaluate(self, x: Array) -> tuple[Array, Array]:
            return x, np.ones_like(x)

    assert mg.check_gradients(WithEvaluate(), normal(4, 3), training=False)


def test_a_layer_that_refuses_more_digits_is_checked_in_float64() -> None:
    class Float64Only(mg.Tanh):
        def forward(self, x: Array) -> tuple[Array, Array]:
            if x.dtype != "float64":
                raise TypeError(f"x has dtype {x.dtype}")
            return super().forward(x)

    net = mg.Sequential(mg.Linear(3, 4), mg.BatchNorm1d(4), Float64Only(), seed=0)
    assert mg.check_gradients(net, normal(6, 3))

    class Wrong(Float64Only):
        def input_grad(self, dy: Array, y: Array) -> Array:
            return 1.001 * super().input_grad(dy, y)

    net = mg.Sequential(mg.Linear(3, 4), Wrong(), seed=0)
    assert mg.check_gradients(net, normal(6, 3)).verdict == "FAIL"


def test_a_rule_without_a_result_fails() -> None:
    class Forgets(mg.Tanh):
        def input_grad(self, dy: Array, y: Array) -> Array:
            dy * (1 - y * y)
            return None  # type: ignore[return-value]

    report = mg.check_gradients(Forgets(), normal(2, 3))
    assert report.verdict == "FAIL"
    assert "is None, expected shape (2, 3)" in str(report)


def test_dice_in_one_layer_do_not_hide_a_fault_in_another() -> None:
    net = mg.Sequential(mg.Linear(3, 3), DrawsAgain(), Dropout(), seed=0, dtype="float64")
    faults = find_faults(net, normal(4, 3), True, np.random.default_rng(0))
    assert {(one.name[:7], one.verdict) for one in faults} == {
        ("layer 1", "FAIL"),
        ("layer 2", "NOT RESOLVED"),
    }


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_two_arrays_are_the_same_but_for_the_last_digits_of_the_largest(size: float) -> None:
    a = size * np.array([1.0, 0.5, 0.0])
    assert _same(a, a.copy())
    assert _same(a, a + 1e-14 * size)
    assert not _same(a, a + 1e-12 * size)
    assert not _same(a, a + np.array([0, 0, size]))


def test_arrays_of_different_shapes_are_not_the_same() -> None:
    row, rows = np.ones(3), np.ones((2, 3))
    assert not _same(row, rows)
    assert not _same(rows, row)


def test_numbers_that_are_not_finite_can_be_the_same() -> None:
    assert _same(np.array([np.nan, np.inf]), np.array([np.nan, np.inf]))
    assert not _same(np.array([np.nan, 1.0]), np.array([1.0, np.nan]))
