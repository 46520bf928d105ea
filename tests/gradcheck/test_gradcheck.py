"""The gradient check itself: it accepts what is right and, above all, rejects what is wrong."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import minigan as mg
from minigan.activations import sigmoid
from minigan.backend import Array, Backend, matmul
from minigan.gradcheck import TOLERANCE, check_loss


def normal(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape)


# ---------------------------------------------------------------- wrong rules, one by one


class SlightlyOff(mg.Linear):
    def input_grad(self, dy: Array, x: Array) -> Array:
        return 1.001 * super().input_grad(dy, x)


class SlightlyOffInW(mg.Linear):
    def param_grads(self, dy: Array, x: Array) -> None:
        super().param_grads(dy, x)
        self.dW *= 1.001


class OneEntryOff(mg.Linear):
    def param_grads(self, dy: Array, x: Array) -> None:
        super().param_grads(dy, x)
        self.dW[1, 2] += 1e-3


class Transposed(mg.Linear):
    def param_grads(self, dy: Array, x: Array) -> None:
        super().param_grads(dy, x)
        self.dW[...] = matmul(dy.T, x)


class TransposedAndReplaced(mg.Linear):
    def param_grads(self, dy: Array, x: Array) -> None:
        super().param_grads(dy, x)
        self.dW = matmul(dy.T, x)


class RightButReplaced(mg.Linear):
    def param_grads(self, dy: Array, x: Array) -> None:
        self.dW = matmul(x.T, dy)
        np.sum(dy, axis=0, out=self.db)


class ForgottenBias(mg.Linear):
    def param_grads(self, dy: Array, x: Array) -> None:
        matmul(x.T, dy, out=self.dW)


class ForgottenDy(mg.Tanh):
    def input_grad(self, dy: Array, y: Array) -> Array:
        return 1 - y * y


class MeanInsteadOfSum(mg.Linear):
    def param_grads(self, dy: Array, x: Array) -> None:
        super().param_grads(dy, x)
        self.db /= len(x)


class Accumulating(mg.Linear):
    def param_grads(self, dy: Array, x: Array) -> None:
        self.dW += matmul(x.T, dy)
        self.db += dy.sum(axis=0)


class MissingSquare(mg.Tanh):
    def input_grad(self, dy: Array, y: Array) -> Array:
        return dy * (1 - y)


class SlopeForgotten(mg.LeakyReLU):
    def input_grad(self, dy: Array, x: Array) -> Array:
        return dy * (x > 0)


class Nan(mg.Linear):
    def input_grad(self, dy: Array, x: Array) -> Array:
        dx = super().input_grad(dy, x)
        dx[1, 1] = math.nan
        return dx


class Infinite(mg.Linear):
    def param_grads(self, dy: Array, x: Array) -> None:
        super().param_grads(dy, x)
        self.dW[1, 1] = -math.inf


class AllInfinite(mg.Tanh):
    def input_grad(self, dy: Array, y: Array) -> Array:
        return dy * math.inf


class Nothing(mg.Linear):
    def input_grad(self, dy: Array, x: Array) -> Array:
        return np.zeros_like(x)


WRONG = [
    (SlightlyOff(3, 3), "x"),
    (SlightlyOffInW(3, 3), "W"),
    (OneEntryOff(3, 3), "W"),
    (Transposed(3, 3), "W"),
    (TransposedAndReplaced(3, 2), "W"),
    (RightButReplaced(3, 3), "W"),
    (ForgottenBias(3, 3), "b"),
    (ForgottenDy(), "x"),
    (MeanInsteadOfSum(3, 3), "b"),
    (Accumulating(3, 3), "W"),
    (MissingSquare(), "x"),
    (SlopeForgotten(0.2), "x"),
    (Nan(3, 3), "x"),
    (Infinite(3, 3), "W"),
    (AllInfinite(), "x"),
    (Nothing(3, 3), "x"),
]
wrong_layers = pytest.mark.parametrize(
    ("layer", "name"), WRONG, ids=[type(layer).__name__ for layer, _ in WRONG]
)


@wrong_layers
def test_rejects_wrong_layers(layer: mg.Layer, name: str) -> None:
    report = mg.check_gradients(layer, normal(4, 3))
    assert not report
    assert not report.passed
    assert report.verdict == "FAIL"
    assert report.worst.name.startswith(name)
    assert report.worst.error > 100 * TOLERANCE
    if math.isfinite(report.worst.backprop):
        assert report.worst.uncertainty < TOLERANCE
    assert str(report).startswith("FAIL  worst entry " + name)


def test_upstream_gradient_is_not_the_callers_x() -> None:
    # With dy = x, xᵀ dy would be symmetric and its transpose right.
    for seed in range(5):
        assert not mg.check_gradients(Transposed(3, 3), normal(4, 3, seed=seed), seed=seed)


@wrong_layers
def test_rejects_them_inside_a_network(layer: mg.Layer, name: str) -> None:
    import copy

    layer = copy.deepcopy(layer)
    last = mg.Linear(layer.n_out or 3, 2)
    net = mg.Sequential(mg.Linear(5, 3), mg.Tanh(), layer, last, seed=0)
    report = mg.check_gradients(net, normal(4, 5))
    assert not report
    if name != "x":
        assert report.worst.name.startswith("2." + name)


@pytest.mark.parametrize(
    ("layer", "said"),
    [(ForgottenBias(3, 3), True), (Accumulating(3, 3), True), (SlightlyOffInW(3, 3), False)],
)
def test_says_of_a_gradient_that_it_was_not_written(layer: mg.Layer, said: bool) -> None:
    report = mg.check_gradients(mg.Sequential(layer, seed=0), normal(5, 3))
    reason = "backward did not write this gradient, or only added to it: it has to overwrite it"
    assert (report.worst.reason == reason) == said
    assert str(report).endswith(reason) == said


def test_names_the_entry_that_is_wrong() -> None:
    report = mg.check_gradients(OneEntryOff(3, 3, seed=0), normal(4, 3))
    worst = report.worst
    assert (worst.name, worst.index) == ("W", (1, 2))
    assert worst.backprop - worst.numeric == pytest.approx(1e-3, rel=1e-4)
    assert "W[1, 2]: numeric" in str(report)
    report = mg.check_gradients(Nan(3, 3), normal(4, 3))
    assert (report.worst.name, report.worst.index) == ("x", (1, 1))


def wrong_bce(p: Array, target: Any) -> tuple[Any, Array]:
    loss, dp = mg.bce(p, target)
    return loss, dp * p.size  # the missing 1/N


def test_rejects_a_missing_one_over_n() -> None:
    p, t = np.random.default_rng(0).uniform(0.1, 0.9, (2, 4, 1))
    assert check_loss(mg.bce, p, t)
    assert not check_loss(wrong_bce, p, t)
    net = mg.Sequential(mg.Linear(3, 1), mg.Sigmoid(), seed=0)
    assert mg.check_gradients(net, normal(4, 3), loss=lambda p: mg.bce(p, 1.0))
    assert not mg.check_gradients(net, normal(4, 3), loss=lambda p: wrong_bce(p, 1.0))


def test_a_sample_and_a_direction_reject_too() -> None:
    x = normal(4, 60)
    assert mg.check_gradients(mg.Linear(60, 60, seed=0), x, max_entries=20)
    report = mg.check_gradients(SlightlyOffInW(60, 60, seed=0), x, max_entries=20)
    assert not report
    assert [(array.checked, array.size) for array in report.arrays] == [
        (20, 3600),
        (20, 60),
        (20, 240),
    ]

    class OffWhereTheSampleDoesNotLook(mg.Linear):
        def param_grads(self, dy: Array, x: Array) -> None:
            super().param_grads(dy, x)
            self.dW[::2] *= 1.01

    report = mg.check_gradients(OffWhereTheSampleDoesNotLook(60, 60, seed=0), x, max_entries=1)
    worst = max(report.arrays, key=lambda array: array.error if array.name == "W" else 0)
    assert not report
    assert worst.error > 1e-4


def test_another_seed_draws_another_sample() -> None:
    x = normal(4, 60)
    reports = [
        mg.check_gradients(OneEntryOff(60, 60, seed=0), x, max_entries=50, seed=seed)
        for seed in range(2)
    ]
    weights = [report.arrays[0] for report in reports]
    assert weights[0].index != weights[1].index or weights[0].numeric != weights[1].numeric
    again = mg.check_gradients(OneEntryOff(60, 60, seed=0), x, max_entries=50, seed=1)
    assert again.arrays == reports[1].arrays


# ---------------------------------------------------------------- what is right passes, untouched


def test_leaves_network_and_input_alone() -> None:
    net = mg.generator(7, seed=0)
    x = normal(3, 7).astype("float32")
    x[1] = 0
    before = net.params.copy(), net.grads.copy(), x.copy()
    assert mg.check_gradients(net, x, max_entries=2)
    for now, then in zip((net.params, net.grads, x), before, strict=True):
        np.testing.assert_array_equal(now, then)
    assert net.params.dtype == "float32"


def test_inputs_on_a_kink_are_drawn_again() -> None:
    x = normal(4, 5)
    x[2, 3] = 0  # ReLU's derivative there is neither 0 nor 1
    assert mg.check_gradients(mg.ReLU(), x)
    assert mg.check_gradients(mg.ReLU(), np.zeros((4, 5)))
    assert x[2, 3] == 0


@pytest.mark.parametrize("shift", [0.0, 5.0])
def test_a_kink_that_no_input_avoids_is_not_resolved(shift: float) -> None:
    class Folded(mg.Layer):
        """y = |x - the mean of its row|, whose kink is where all entries of a row are equal."""

        kinks = (0.0,)

        def forward(self, x: Array) -> tuple[Array, Array]:
            off = x - x.mean(axis=1, keepdims=True) - shift
            return np.abs(off + shift), np.sign(off + shift)

        def input_grad(self, dy: Array, sign: Array) -> Array:
            signed = dy * sign
            dx: Array = signed - signed.mean(axis=1, keepdims=True)
            return dx

    report = mg.check_gradients(Folded(), np.full((2, 1), 3.0))
    assert report.verdict == "NOT RESOLVED", report


def test_layers_that_return_a_view_of_x() -> None:
    class Reverse(mg.Layer):
        def forward(self, x: Array) -> tuple[Array, Array]:
            return x[:, ::-1], x

        def input_grad(self, dy: Array, x: Array) -> Array:
            return dy[:, ::-1]

    assert mg.check_gradients(Reverse(), normal(3, 4))


def test_wants_an_array() -> None:
    with pytest.raises(TypeError, match="x is a list"):
        mg.check_gradients(mg.ReLU(), [[1.0]])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="net is a NoneType"):
        mg.check_gradients(None, normal(2, 2))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"x has shape \(0, 3\): there is nothing to check"):
        mg.check_gradients(mg.ReLU(), np.zeros((0, 3)))


def test_a_layer_whose_y_or_kinks_are_of_another_kind() -> None:
    class Listed(mg.Layer):
        def forward(self, x: Array) -> Any:
            return x.tolist(), x

    with pytest.raises(
        TypeError, match=r"y of Listed\(\) is a list, expected a NumPy or CuPy array"
    ):
        mg.check_gradients(Listed(), normal(2, 2))

    class Bent(mg.ReLU):
        kinks = 0.0  # type: ignore[assignment]

    with pytest.raises(TypeError, match=r"Bent\(\) has kinks = 0.0, expected a tuple"):
        mg.check_gradients(Bent(), normal(2, 2))


def test_a_parameter_without_entries_takes_nothing_from_the_check() -> None:
    class Doubled(mg.Layer):
        param_names = ("w",)

        def draw(self, rng: np.random.Generator) -> tuple[Array, ...]:
            return (np.zeros(0),)

        def forward(self, x: Array) -> tuple[Array, Array]:
            return 2 * x, x

        def input_grad(self, dy: Array, x: Array) -> Array:
            return 2 * dy

    class Tripled(Doubled):
        def input_grad(self, dy: Array, x: Array) -> Array:
            return 3 * dy

    assert mg.check_gradients(mg.Sequential(Doubled(), dtype="float64"), normal(3, 2)).passed
    report = mg.check_gradients(mg.Sequential(Tripled(), dtype="float64"), normal(3, 2))
    assert report.verdict == "FAIL"


def test_on_every_backend(backend: Backend) -> None:
    net = mg.Sequential(mg.Linear(4, 3), mg.ReLU(), mg.Linear(3, 1), seed=0, backend=backend)
    assert mg.check_gradients(net, backend.asarray(normal(3, 4)))
    layer = mg.Linear(4, 3, seed=0, backend=backend)
    assert mg.check_gradients(layer, backend.asarray(normal(3, 4)), max_entries=5)


@pytest.mark.parametrize("seed", [0, 1])
def test_a_generator_with_batch_norm_passes(seed: int) -> None:
    """It makes a nudge of all entries of a W large on its way, which must not cross a kink."""
    G = mg.generator(batch_norm=True, seed=seed, dtype="float64")
    z = np.random.default_rng(seed).standard_normal((6, 100))
    report = mg.check_gradients(G, z, max_entries=20)
    assert report.passed, report


def test_saturated_networks_pass_and_their_bugs_do_not() -> None:
    # At logits of ±15 all gradients are about 1e-7; rounding of y = 1 is 1e-16 / H = 1e-11.
    x = np.array([[-15.0, 15.0], [14.0, -16.0]])
    assert mg.check_gradients(mg.Sigmoid(), x)

    class SlightlyOffSigmoid(mg.Sigmoid):
        def input_grad(self, dy: Array, y: Array) -> Array:
            return 1.001 * super().input_grad(dy, y)

    assert not mg.check_gradients(SlightlyOffSigmoid(), x)


@pytest.mark.parametrize("missing", ["mean", "variance"])
def test_rejects_a_batch_norm_that_forgets_a_path(missing: str) -> None:
    class Forgetful(mg.BatchNorm1d):
        def input_grad(self, dy: Array, cache: Any) -> Array:
            x_hat, factor, _ = cache
            through_mean = 0 if missing == "mean" else dy.mean(axis=0)
            through_var = 0 if missing == "variance" else x_hat * (dy * x_hat).mean(axis=0)
            dx: Array = self.gamma * factor * (dy - through_mean - through_var)
            return dx

    assert mg.check_gradients(mg.BatchNorm1d(3), normal(5, 3))
    report = mg.check_gradients(Forgetful(3), normal(5, 3))
    assert not report
    assert report.worst.name == "x"


# ---------------------------------------------------------------- wrong, but right at the start


class Start(mg.Layer):
    """Two parameters and their first values: y = x s + b."""

    param_names = ("s", "b")
    s: Array
    ds: Array
    b: Array
    db: Array

    def __init__(self, s: float, b: float) -> None:
        self.first = s, b

    def draw(self, rng: np.random.Generator) -> tuple[Array, ...]:
        return tuple(np.full(4, value) for value in self.first)

    def forward(self, x: Array) -> tuple[Array, Array]:
        return x * self.s + self.b, x

    def input_grad(self, dy: Array, x: Array) -> Array:
        return dy * self.s

    def param_grads(self, dy: Array, x: Array) -> None:
        np.sum(dy * x, axis=0, out=self.ds)
        np.sum(dy, axis=0, out=self.db)


class ForgottenScale(Start):
    def input_grad(self, dy: Array, x: Array) -> Array:
        return dy


class OppositeScale(Start):
    def input_grad(self, dy: Array, x: Array) -> Array:
        return -dy


class ForgottenShift(Start):
    def forward(self, x: Array) -> tuple[Array, Array]:
        return x * (self.s + self.b), x

    def param_grads(self, dy: Array, x: Array) -> None:
        np.sum(dy * x, axis=0, out=self.ds)
        np.sum(dy * x, axis=0, out=self.db)


class OtherOrder(Start):
    def input_grad(self, dy: Array, x: Array) -> Array:
        return dy * self.s[::-1]


@pytest.mark.parametrize(
    ("layer", "start"),
    [
        (ForgottenScale, (1, 0)),
        (OppositeScale, (-1, 0)),
        (ForgottenShift, (1, 0)),
        (OtherOrder, (0.3, 0.5)),
    ],
)
@pytest.mark.parametrize("alone", [True, False])
def test_rejects_what_is_right_at_the_first_values_only(
    layer: type[Start], start: tuple[float, float], alone: bool
) -> None:
    def report(kind: type[Start]) -> mg.gradcheck.GradientReport:
        net = mg.Sequential(kind(*start), seed=0)
        return mg.check_gradients(net.layers[0] if alone else net, normal(6, 4))

    assert report(Start)
    assert not report(layer)
    assert report(layer).worst.name.endswith("x")


def test_rejects_a_batch_norm_without_gamma() -> None:
    class Without(mg.BatchNorm1d):
        def input_grad(self, dy: Array, cache: Any) -> Array:
            dx: Array = super().input_grad(dy, cache) / self.gamma
            return dx

    layers = mg.Linear(4, 3), Without(3), mg.Tanh()
    assert not mg.check_gradients(Without(3), normal(5, 3))
    assert not mg.check_gradients(mg.Sequential(*layers, seed=0), normal(5, 4))
    assert mg.check_gradients(
        mg.Sequential(mg.Linear(4, 3), mg.BatchNorm1d(3), seed=0), normal(5, 4)
    )


def test_an_own_layer_in_ten_lines() -> None:
    class Softplus(mg.Layer):
        def forward(self, x: Array) -> tuple[Array, Array]:
            return np.logaddexp(0, x), x

        def input_grad(self, dy: Array, x: Array) -> Array:
            return dy * sigmoid(x)

    class Scale(mg.Layer):
        param_names = ("s",)

        def draw(self, rng: np.random.Generator) -> tuple[Array, ...]:
            return (rng.uniform(0.5, 1.5, 4),)

        def forward(self, x: Array) -> tuple[Array, Array]:
            return x * self.s, x

        def input_grad(self, dy: Array, x: Array) -> Array:
            return dy * self.s

        def param_grads(self, dy: Array, x: Array) -> None:
            np.sum(dy * x, axis=0, out=self.ds)

        s: Array
        ds: Array

    net = mg.Sequential(mg.Linear(3, 4), Softplus(), Scale(), mg.Linear(4, 1), seed=0)
    assert [name for name, _, _ in net.named_parameters()] == ["0.W", "0.b", "2.s", "3.W", "3.b"]
    assert mg.check_gradients(net, normal(5, 3))


def test_a_gradient_that_is_not_finite_says_so() -> None:
    for layer in (Nan(3, 3), Infinite(3, 3), AllInfinite()):
        report = mg.check_gradients(layer, normal(4, 3))
        assert report.worst.reason.startswith("backward gives a number that is not finite")
    y, target = np.array([[0.2, 0.5]]), np.zeros((1, 2))
    report = check_loss(lambda y, t: (mg.mse(y, t)[0], np.full_like(y, math.inf)), y, target)
    assert report.verdict == "FAIL"


class Wave(mg.Layer):
    """y = sin 2π(x + b): whole numbers are periods, and so are all powers of two from 1 on."""

    param_names = ("b",)
    b: Array
    db: Array

    def __init__(self, n: int) -> None:
        self.n_in = self.n_out = n

    def draw(self, rng: np.random.Generator) -> tuple[Array, ...]:
        return (rng.uniform(0.3, 1, self.n_in),)

    def forward(self, x: Array) -> tuple[Array, Array]:
        a = 2 * np.pi * (x + self.b)
        return np.sin(a), np.cos(a)

    def input_grad(self, dy: Array, cos: Array) -> Array:
        return 2 * np.pi * dy * cos

    def param_grads(self, dy: Array, cos: Array) -> None:
        np.sum(2 * np.pi * dy * cos, axis=0, out=self.db)


class LosesAll(Wave):
    def param_grads(self, dy: Array, cos: Array) -> None:
        gradients = 2 * np.pi * dy * cos
        np.sum(gradients - gradients.mean(axis=0), axis=0, out=self.db)  # 0 but for rounding


@pytest.mark.parametrize("scale", [1, 1e3, 1e6])
def test_a_nudge_by_whole_periods_shows_nothing(scale: float) -> None:
    x = scale * normal(5, 3)
    assert mg.check_gradients(mg.Sequential(Wave(3), seed=0), x).verdict == "PASS"
    assert mg.check_gradients(mg.Sequential(LosesAll(3), seed=0), x).verdict == "FAIL"


def test_buffers_of_whole_numbers_stay_such() -> None:
    class Permuted(mg.Layer):
        buffer_names = ("order",)

        def __init__(self) -> None:
            self.order = np.array([2, 0, 1])

        def forward(self, x: Array) -> tuple[Array, Array]:
            return x[:, self.order], x

        def input_grad(self, dy: Array, x: Array) -> Array:
            dx = np.empty_like(dy)
            dx[:, self.order] = dy
            return dx

    assert mg.check_gradients(Permuted(), normal(4, 3))
