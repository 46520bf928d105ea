"""The check at every scale: no right rule fails, no wrong rule passes.

The networks and the wrong rules are those of ``examples/experiments/gradcheck_battery.py``, which
does the same at more scales and counts the verdicts.
"""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

import numpy as np
import pytest
from helpers.example_files import load_example

import minigan as mg
from minigan.backend import Array
from minigan.gradcheck import GradientReport, check_loss

battery = load_example("experiments/gradcheck_battery.py")
RIGHT = [network for rule, network in battery.pairs() if rule == "right"]
WRONG = [(rule, network) for rule, network in battery.pairs() if rule != "right"]
SCALES = (1e-8, 1e-3, 1.0, 1e3, 1e10)
OTHERS = list(itertools.product((0.0, 1.0, 1e4), (2, 8)))  # offsets, and numbers of rows
CASES = [(scale, *others) for scale in SCALES for others in OTHERS]


@pytest.mark.parametrize("network", RIGHT)
def test_no_right_rule_fails(network: str) -> None:
    for scale, offset, rows in CASES:
        x = battery.draw(scale, offset, rows, seed=5)
        report = mg.check_gradients(battery.build("right", network, 5), x)
        assert report.verdict != "FAIL", (scale, offset, report)
        assert report.passed or report.worst.reason
        if scale in (1e-3, 1.0) and offset <= 1:
            assert report.passed, (scale, offset, report)


def test_what_a_layer_computes_is_rounded_even_where_its_input_is_not() -> None:
    """x is 1e-8 beside a b of 0.1: its last digit moves nothing, the last digit of x W + b does."""
    for seed in range(8):
        x = battery.draw(1e-8, 1.0, 2, seed)
        report = mg.check_gradients(battery.build("right", "norm", seed), x)
        assert report.verdict != "FAIL", (seed, report)


def test_a_layer_whose_methods_are_its_own_attributes() -> None:
    class Named(mg.Layer):
        def __init__(self) -> None:
            self.forward = lambda x: (np.sin(x), x)  # type: ignore[method-assign]
            self.input_grad = lambda dy, cache: dy * np.cos(cache)  # type: ignore[method-assign]

    layer = Named()
    assert mg.check_gradients(layer, np.random.default_rng(0).standard_normal((3, 4)))
    assert layer.forward(np.zeros((1, 1)))[0] == 0


@pytest.mark.parametrize(("rule", "network"), WRONG)
def test_no_wrong_rule_passes(rule: str, network: str) -> None:
    """Each pair meets every scale once, with other offsets and rows than the pair before."""
    first = WRONG.index((rule, network))
    cases = [(scale, *OTHERS[(first + i) % len(OTHERS)]) for i, scale in enumerate(SCALES)]
    failed = 0
    for scale, offset, rows in cases:
        x = battery.draw(scale, offset, rows, seed=5)
        report = mg.check_gradients(battery.build(rule, network, 5), x)
        assert report.verdict != "PASS", (scale, offset, report)
        failed += report.verdict == "FAIL"
    assert failed >= len(cases) / 4


class OffInOneColumn(mg.Linear):
    """Wrong where the gradient is small beside the others: |x| of column 0 is tiny."""

    def param_grads(self, dy: Array, x: Array) -> None:
        super().param_grads(dy, x)
        self.dW[0] *= 1.01


def raw_features(seed: int) -> Array:
    x = np.random.default_rng(seed).standard_normal((8, 13))
    x[:, 12] = 750 + 300 * x[:, 12]
    return x


def test_unscaled_features() -> None:
    verdicts = Counter(
        mg.check_gradients(
            mg.Sequential(mg.Linear(13, 8), mg.Tanh(), mg.Linear(8, 3), seed=seed),
            raw_features(seed),
        ).verdict
        for seed in range(20)
    )
    assert verdicts["FAIL"] == 0
    assert verdicts["PASS"] >= 18


@pytest.mark.parametrize("mean", [0, 10, 100, 1000])
@pytest.mark.parametrize(("n", "spread"), [(2, 1.0), (8, 1.0), (8, 1e-3)])
def test_batch_norm_far_from_zero(mean: float, n: int, spread: float) -> None:
    for seed in range(5):
        net = mg.Sequential(
            mg.Linear(4, 6), mg.BatchNorm1d(6), mg.ReLU(), mg.Linear(6, 2), seed=seed
        )
        x = mean + spread * np.random.default_rng(seed).standard_normal((n, 4))
        assert mg.check_gradients(net, x).verdict != "FAIL"
        if mean / spread <= 1e3:
            assert mg.check_gradients(net, x)


def test_a_bias_before_batch_norm_has_no_gradient() -> None:
    """Its true gradient is 0, and both numbers are rounding: they agree beside what cancels."""
    x = 100 + np.random.default_rng(0).standard_normal((8, 4))
    report = mg.check_gradients(mg.Sequential(mg.Linear(4, 6), mg.BatchNorm1d(6), seed=0), x)
    assert report, report
    bias = report.arrays[1]
    assert bias.name == "0.b"
    assert abs(bias.backprop) < 1e-12
    assert bias.error < 1e-6


@pytest.mark.parametrize("factor", [2.0, 1.001])
@pytest.mark.parametrize("scale", [1e7, 1e10, 1e13])
def test_large_inputs_do_not_hide_a_wrong_rule(scale: float, factor: float) -> None:
    class TooLarge(mg.Linear):
        def input_grad(self, dy: Array, x: Array) -> Array:
            return factor * super().input_grad(dy, x)

    x = scale * np.random.default_rng(0).standard_normal((4, 5))
    assert mg.check_gradients(mg.Linear(5, 4, seed=0), x).verdict != "FAIL"
    report = mg.check_gradients(TooLarge(5, 4, seed=0), x)
    assert report.verdict == "FAIL"
    assert report.worst.name == "x"


@pytest.mark.parametrize("constant", [1e6, 1e9, 1e12, 1e15])
@pytest.mark.parametrize("wrong", [False, True])
def test_a_large_loss_does_not_hide_a_wrong_rule(constant: float, wrong: bool) -> None:
    def loss(p: Array) -> tuple[Any, Array]:
        value, dp = mg.bce(p, 0.3)
        return value + constant, dp

    first = (battery.Off if wrong else mg.Linear)(5, 4)
    net = mg.Sequential(first, mg.Linear(4, 1), mg.Sigmoid(), seed=0)
    x = np.random.default_rng(0).standard_normal((4, 5))
    report = mg.check_gradients(net, x, loss=loss)
    assert report.verdict != ("PASS" if wrong else "FAIL"), report
    if constant == 1e15:
        assert report.verdict == "NOT RESOLVED"
        assert "rounding hides" in str(report)


def test_a_rule_that_is_wrong_only_where_the_gradient_is_small() -> None:
    x = np.random.default_rng(0).standard_normal((6, 4))
    x[:, 0] *= 1e-5
    assert mg.check_gradients(mg.Linear(4, 3, seed=0), x)
    report = mg.check_gradients(OffInOneColumn(4, 3, seed=0), x)
    assert report.verdict == "FAIL"
    assert report.worst.index is not None
    assert report.worst.index[0] == 0


def test_where_all_gradients_vanish_nothing_is_resolved() -> None:
    for net in (mg.ReLU(), mg.Sequential(mg.Linear(3, 2), mg.ReLU(), seed=0)):
        if isinstance(net, mg.Sequential):
            net[0].b[...] = -100  # type: ignore[attr-defined]
        report = mg.check_gradients(net, -1 - np.random.default_rng(0).random((4, 3)))
        assert report.verdict == "NOT RESOLVED"
        assert not report
        assert "dead or saturated" in str(report)


@pytest.mark.parametrize("scale", [0.0, 1e-320, 1e-300, 1e-150, 1e150, 1e300])
def test_numbers_at_the_ends_of_float64_are_never_called_wrong(scale: float) -> None:
    for net in (mg.Linear(3, 2, seed=0), mg.BatchNorm1d(3), mg.Tanh(), mg.ReLU()):
        for x in (np.full((4, 3), scale), scale * np.random.default_rng(0).standard_normal((4, 3))):
            assert mg.check_gradients(net, x).verdict != "FAIL", (net, x)


def test_a_gradient_that_is_not_a_number_fails_wherever_it_is() -> None:
    class Nan(mg.Linear):
        def param_grads(self, dy: Array, x: Array) -> None:
            super().param_grads(dy, x)
            self.dW[0, 0] = np.nan

    x = np.random.default_rng(0).standard_normal((4, 40))
    for most in (1, 10_000):
        assert mg.check_gradients(Nan(40, 50, seed=0), x, max_entries=most).verdict == "FAIL"


def test_numbers_that_overflow_are_not_resolved() -> None:
    x = np.full((3, 2), 1e308)
    assert mg.check_gradients(mg.Linear(2, 2, seed=0), x).verdict != "FAIL"
    norm: GradientReport = mg.check_gradients(mg.BatchNorm1d(2), x * [[1.0], [-1.0], [0.5]])
    assert norm.verdict != "FAIL"
    overflow = mg.check_gradients(mg.Linear(2, 2, seed=0), x, loss=lambda y: (y.sum() * 1e10, y))
    assert overflow.verdict == "NOT RESOLVED"
    assert "not a finite number" in str(overflow)


def test_a_loss_at_the_edge_of_its_range() -> None:
    p = np.array([[1e-9, 0.5, 1 - 1e-9]])
    report = check_loss(mg.bce, p, np.array([[0.0, 0.25, 1.0]]))
    assert report.verdict != "FAIL"
