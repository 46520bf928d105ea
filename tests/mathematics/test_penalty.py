"""R1: its value, its gradient, what it refuses, and how the GAN pays it."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from helpers.small_gan import batch, small

import minigan as mg
from minigan.backend import Array, Backend
from minigan.gradcheck import check_r1


def network(*hidden: mg.Layer, seed: int = 0, **options: Any) -> mg.Sequential:
    """Return 5-7-6-1 with these layers after the first and the second Linear."""
    first, second = copy.deepcopy(hidden)  # a layer belongs to one network
    layers = mg.Linear(5, 7), first, mg.Linear(7, 6), second, mg.Linear(6, 1)
    return mg.Sequential(*layers, seed=seed, **({"dtype": "float64"} | options))


def images(n: int = 4, dtype: str = "float64") -> Array:
    return np.random.default_rng(3).standard_normal((n, 5)).astype(dtype)


def test_one_weight_by_hand() -> None:
    # D(x) = w x: the slope is w, so R = γ/2 w² and dR/dw = γ w, whatever x is; b has no part in it.
    net = mg.Sequential(mg.Linear(1, 1), dtype="float64")
    net.params[...] = 3.0, 5.0
    assert mg.r1(net, np.array([[0.5], [-2.0]]), 0.1) == pytest.approx(0.45)
    np.testing.assert_allclose(net.grads, [0.3, 0.0])


def test_two_layers_by_hand() -> None:
    # D(x) = v relu-like(w x): on x > 0 the slope is v w, on x < 0 it is s v w.
    net = mg.Sequential(mg.Linear(1, 1), mg.LeakyReLU(0.5), mg.Linear(1, 1), dtype="float64")
    net.params[...] = 2.0, 0.0, 3.0, 1.0
    penalty = mg.r1(net, np.array([[1.0], [-1.0]]), 1.0)
    assert penalty == pytest.approx((6**2 + 3**2) / 2 / 2)
    # R = (v w)² (1 + s²) / 4: twice over each factor
    np.testing.assert_allclose(net.grads, [2 * penalty / 2, 0, 2 * penalty / 3, 0])


def test_a_curved_layer_by_hand() -> None:
    # D(x) = tanh(w x): slope w (1 - y²), and d/dw of it is (1 - y²) (1 - 2 w x y)
    net = mg.Sequential(mg.Linear(1, 1), mg.Tanh(), dtype="float64")
    w, x = 0.7, 0.9
    net.params[...] = w, 0.0
    y = np.tanh(w * x)
    slope = w * (1 - y * y)
    assert mg.r1(net, np.array([[x]]), 2.0) == pytest.approx(slope**2)
    np.testing.assert_allclose(
        net.grads, [2 * slope * (1 - y * y) * (1 - 2 * w * x * y), -4 * slope**2 * y], rtol=1e-12
    )


def test_no_product_that_nobody_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each Linear: y, then dx, then t W and tᵀ dy; no dW of the pass backward."""
    calls = []

    def counted(a: Array, b: Array, out: Array | None = None) -> Array:
        calls.append(a.shape)
        return np.matmul(a, b, out=out)

    monkeypatch.setattr("minigan.layers.matmul", counted)
    mg.r1(network(mg.LeakyReLU(0.2), mg.LeakyReLU(0.2)), images(), 1.0)
    assert len(calls) == 3 * 4


def test_where_d_is_flat_there_is_nothing_to_pay() -> None:
    """At an image where the slope is 0, penalty and gradient are 0: no root is taken."""
    net = mg.Sequential(mg.Linear(2, 1), dtype="float64")
    net.params[...] = 0.0
    assert mg.r1(net, np.ones((3, 2)), 1.0) == 0.0
    np.testing.assert_array_equal(net.grads, np.zeros(3))
    net = network(mg.ReLU(), mg.ReLU())
    net[0].b[...] = -100.0  # type: ignore[attr-defined]  # all units are off
    assert mg.r1(net, images(), 1.0) == 0.0
    np.testing.assert_array_equal(net.grads, np.zeros_like(net.grads))


KINDS = {
    "leaky": (mg.LeakyReLU(0.2), mg.LeakyReLU(0.2)),
    "relu": (mg.ReLU(), mg.ReLU()),
    "tanh": (mg.Tanh(), mg.Tanh()),
    "sigmoid": (mg.Sigmoid(), mg.Sigmoid()),
    "straight, then curved": (mg.LeakyReLU(0.2), mg.Sigmoid()),
    "curved, then straight": (mg.Tanh(), mg.ReLU()),
}


@pytest.mark.parametrize("kind", KINDS)
def test_gradient_is_the_slope_of_the_penalty(kind: str) -> None:
    for seed in range(3):
        report = check_r1(network(*KINDS[kind], seed=seed), images(), 0.7)
        assert report, report
        assert {array.name for array in report.arrays} == {
            f"{i}.{p}" for i in (0, 2, 4) for p in "Wb"
        }


def test_value_and_the_mean_over_images() -> None:
    net, x = network(*KINDS["leaky"]), images(6)
    logits, cache = net.forward(x)
    g = net.backward(np.ones_like(logits), cache)
    assert mg.r1(net, x, 0.3) == pytest.approx(0.15 * np.mean(np.sum(g**2, axis=1)), rel=1e-14)
    whole = net.grads.copy()
    parts = []
    for half in (x[:3], x[3:]):
        mg.r1(net, half, 0.3)
        parts.append(net.grads.copy())
    np.testing.assert_allclose(whole, sum(parts) / 2, rtol=1e-12, atol=1e-16)
    mg.r1(net, x, 0.6)
    np.testing.assert_allclose(net.grads, 2 * whole, rtol=1e-12, atol=1e-16)


@pytest.mark.parametrize("kind", ["leaky", "tanh"])
def test_gradients_are_overwritten_and_arguments_kept(kind: str) -> None:
    net, x = network(*KINDS[kind]), images()
    before, weights = x.copy(), net.params.copy()
    mg.r1(net, x, 1.0)
    expected = net.grads.copy()
    net.grads[...] = 1e30
    mg.r1(net, x, 1.0)
    np.testing.assert_array_equal(net.grads, expected)
    np.testing.assert_array_equal(x, before)
    np.testing.assert_array_equal(net.params, weights)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_backends_agree_and_keep_the_dtype(kind: str, dtype: str, backend: Backend) -> None:
    net, twin = (
        network(*KINDS[kind], dtype=dtype),
        network(*KINDS[kind], dtype=dtype, backend=backend),
    )
    x = images(dtype=dtype)
    penalty, other = mg.r1(net, x, 1.0), mg.r1(twin, backend.asarray(x), 1.0)
    assert penalty.dtype == other.dtype == net.grads.dtype == dtype
    rtol = 1e-4 if dtype == "float32" else 1e-12
    np.testing.assert_allclose(float(other), float(penalty), rtol=rtol)
    size = abs(net.grads).max()
    np.testing.assert_allclose(
        backend.to_numpy(twin.grads) / size, net.grads / size, rtol=0, atol=rtol
    )


class Square(mg.Layer):
    """y = x², whose rule for the penalty is written by its owner, or not."""

    def forward(self, x: Array) -> tuple[Array, Array]:
        return x * x, x

    def input_grad(self, dy: Array, x: Array) -> Array:
        return 2 * x * dy


class TwiceSquare(Square):
    def double_backward(self, t: Array, dy: Array, x: Array) -> tuple[Array, Array]:
        return 2 * x * t, 2 * t * dy


class WrongSquare(Square):
    def double_backward(self, t: Array, dy: Array, x: Array) -> tuple[Array, None]:
        return 2 * x * t, None  # as if the slope did not depend on x


def test_a_layer_of_ones_own_takes_part_or_is_refused() -> None:
    assert check_r1(network(TwiceSquare(), mg.LeakyReLU(0.2)), images())
    assert not check_r1(network(WrongSquare(), mg.LeakyReLU(0.2)), images())
    with pytest.raises(ValueError, match=r"layer 1, Square\(\), has no double_backward"):
        mg.r1(network(Square(), mg.ReLU()), images(), 1.0)


def test_batch_norm_is_refused() -> None:
    net = mg.Sequential(mg.Linear(5, 4), mg.BatchNorm1d(4), mg.Linear(4, 1), dtype="float64")
    with pytest.raises(ValueError, match=r"layer 1, BatchNorm1d\(4\), has no double_backward"):
        mg.r1(net, images(), 1.0)
    with pytest.raises(NotImplementedError, match=r"BatchNorm1d\(4\) has no double_backward"):
        net[1].double_backward(images(), images(), None)


def test_bad_arguments() -> None:
    net = network(*KINDS["leaky"])
    with pytest.raises(ValueError, match=r"x has shape \(0, 5\)"):
        mg.r1(net, images(0), 1.0)
    with pytest.raises(ValueError, match=r"x has shape \(4, 4\)"):
        mg.r1(net, images()[:, :4], 1.0)
    with pytest.raises(TypeError, match="x has dtype float32"):
        mg.r1(net, images(dtype="float32"), 1.0)
    for gamma in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="gamma is"):
            mg.r1(net, images(), gamma)
    for other in ("net", mg.Linear(5, 1)):
        with pytest.raises(TypeError, match="expected a Sequential"):
            mg.r1(other, images(), 1.0)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="expected a Sequential"):
            check_r1(other, images())  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="a penalty on logits, but the network ends in Sigmoid"):
        mg.r1(mg.discriminator(), np.zeros((2, 784), "float32"), 1.0)
    with pytest.raises(ValueError, match="1 output, this one has 3"):
        mg.r1(mg.Sequential(mg.Linear(5, 3), dtype="float64"), images(), 1.0)
    with pytest.raises(ValueError, match="1 output, this one has None"):  # as many as x has
        mg.r1(mg.Sequential(mg.ReLU(), dtype="float64"), images(), 1.0)


# The GAN


def penalised(r1: float = 0.5, every: int = 16, **options: Any) -> mg.GAN:
    gan = small(logits=True, **({"dtype": "float64"} | options))
    nets = gan.generator, gan.discriminator
    return mg.GAN(*nets, lr=0.01, logits=True, r1=r1, r1_every=every)


def step_written_out(gan: mg.GAN, real: Array, z: Array, weight: float) -> None:
    """A step whose gradient of D is that of the loss and that of the penalty, added."""
    G, D = gan.generator, gan.discriminator
    fake, cache_g = G.forward(z)
    logits, cache = D.forward(np.concatenate([real, fake]))
    dp = [
        mg.bce_with_logits(part, t)[1]
        for part, t in zip(np.split(logits, 2), (1.0, 0.0), strict=True)
    ]
    D.backward(np.concatenate(dp), cache)
    loss = D.grads.copy()
    mg.r1(D, real, weight)
    D.grads[...] = loss + D.grads
    gan.adam_d.step()
    logits, cache = D.forward(fake)
    G.backward(D.backward(mg.bce_with_logits(logits, 1.0)[1], cache), cache_g)
    gan.adam_g.step()


def test_the_penalty_is_paid_in_the_first_of_so_many_steps_with_their_weight() -> None:
    ours, theirs = penalised(0.5, 3), penalised(0.0)
    for step in range(8):
        real, z = batch(8, "float64", seed=step)
        assert ours.penalises() == (step % 3 == 0)
        ours.train_step(real, z)
        step_written_out(theirs, real, z, 1.5 if step % 3 == 0 else 0.0)
        np.testing.assert_allclose(
            ours.discriminator.params, theirs.discriminator.params, rtol=1e-10, err_msg=str(step)
        )
    np.testing.assert_allclose(ours.generator.params, theirs.generator.params, rtol=1e-10)
    assert abs(ours.discriminator.params - _after(8, 0.0).discriminator.params).max() > 1e-3


def _after(steps: int, r1: float) -> mg.GAN:
    gan = penalised(r1, 3)
    for step in range(steps):
        gan.train_step(*batch(8, "float64", seed=step))
    return gan


def test_without_another_word_every_sixteenth_step_pays_it() -> None:
    nets = small(logits=True)
    gan = mg.GAN(nets.generator, nets.discriminator, logits=True, r1=0.5)
    paid = []
    for _ in range(33):
        paid.append(gan.penalises())
        gan.adam_d.t += 1
    assert [step for step, pays in enumerate(paid) if pays] == [0, 16, 32]


def test_the_losses_leave_the_penalty_out() -> None:
    real, z = batch(8, "float64")
    assert penalised(0.5).train_step(real, z)[0] == penalised(0.0).train_step(real, z)[0]


def test_a_gan_refuses_a_penalty_that_makes_no_sense() -> None:
    G, D = small().generator, small().discriminator
    with pytest.raises(ValueError, match="needs a D with logits=True"):
        mg.GAN(G, D, r1=0.1)
    bad: Any
    for bad in (-0.1, float("nan"), float("inf"), "much"):
        with pytest.raises((TypeError, ValueError), match="r1"):
            penalised(bad)
    for bad in (0, 2.5):
        with pytest.raises((TypeError, ValueError), match="r1_every"):
            penalised(0.1, bad)
    norm = mg.Sequential(mg.Linear(5, 4), mg.BatchNorm1d(4), mg.Linear(4, 1))
    with pytest.raises(ValueError, match="BatchNorm1d"):
        mg.GAN(small(logits=True).generator, norm, logits=True, r1=0.1)
    assert mg.GAN(small(logits=True).generator, norm, logits=True).r1 == 0.0


def test_a_compiled_step_pays_the_same(backend: Backend) -> None:
    options: Any = {"dtype": "float32", "backend": backend}
    eager, compiled = penalised(0.5, 4, **options), penalised(0.5, 4, **options)
    step = backend.compile(compiled.train_step)
    for i in range(30):
        real, z = batch(4 if i % 7 == 6 else 8, seed=i)
        want = [float(x) for x in eager.train_step(real, z)]
        assert [float(x) for x in step(real, z)] == want
    for one, other in (
        (eager.discriminator, compiled.discriminator),
        (eager.generator, compiled.generator),
    ):
        np.testing.assert_array_equal(backend.to_numpy(one.params), backend.to_numpy(other.params))
