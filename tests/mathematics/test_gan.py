"""The training step: the tutorial's, and no work that nobody needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers.small_gan import batch, small
from helpers.strict_cupy import Counts

import minigan as mg
from minigan.backend import Array, Backend
from minigan.backend.cupy_backend import CupyBackend


def tutorial_step(gan: mg.GAN, real: Array, z: Array) -> list[float]:
    """The step as the tutorial writes it, in five separate passes and two backward passes for D."""
    G, D = gan.generator, gan.discriminator
    p_real, cache_real = D.forward(real)
    fake, cache_g = G.forward(z)
    p_fake, cache_fake = D.forward(fake)
    loss_real, dp_real = mg.bce(p_real, np.ones_like(p_real))
    loss_fake, dp_fake = mg.bce(p_fake, np.zeros_like(p_fake))
    D.backward(dp_real, cache_real)
    total = D.grads.copy()
    D.backward(dp_fake, cache_fake)
    D.grads += total
    gan.adam_d.step()

    p, cache = D.forward(fake)
    g_loss, dp = mg.bce(p, np.ones_like(p))
    d_fake = D.backward(dp, cache)
    G.backward(d_fake, cache_g)
    gan.adam_g.step()
    return [float(x) for x in (loss_real + loss_fake, g_loss, p_real.mean(), p_fake.mean())]


def test_equals_the_step_written_out() -> None:
    ours, theirs = small(dtype="float64"), small(dtype="float64")
    for step in range(20):
        real, z = batch(5 if step == 7 else 8, "float64", seed=step)
        result = [float(x) for x in ours.train_step(real, z)]
        np.testing.assert_allclose(result, tutorial_step(theirs, real, z), rtol=1e-10)
    np.testing.assert_allclose(ours.generator.params, theirs.generator.params, rtol=1e-8)


def test_logits_are_the_same_step(backend: Backend) -> None:
    """The same losses and gradients, by another way; D(x) is reported as a probability."""
    dtype = "float64" if backend.name == "numpy" else "float32"
    ours = small(logits=True, dtype=dtype, backend=backend)
    theirs = small(dtype=dtype, backend=backend)
    for step in range(5):
        real, z = map(backend.asarray, batch(8, dtype, seed=step))
        result, expected = ours.train_step(real, z), theirs.train_step(real, z)
        rtol = 1e-10 if dtype == "float64" else 1e-4
        np.testing.assert_allclose(
            [float(x) for x in result], [float(x) for x in expected], rtol=rtol
        )


@pytest.mark.parametrize("bias", [-200.0, 200.0])
def test_a_certain_d_learns_on_from_logits_only(bias: float) -> None:
    """Sigmoid is exactly 0 or 1 here; a D that is wrong about half of the images must hear it."""
    gradients = []
    for logits in (False, True):
        gan = small(logits=logits)
        last: Any = gan.discriminator[2]
        last.b[...] = bias
        gan.train_step(*batch(8))
        gradients.append((last.db.item(), float(abs(gan.generator.grads).max())))
    dead, alive = gradients
    assert dead == (0, 0)
    assert alive[0] == np.sign(bias)  # (p - t) / n is ±1/8 for the half that is wrong
    assert (alive[1] > 0) == (bias < 0)  # G hears that its images are called fake, if they are


def test_thirty_products_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """4 Linears in each network: no dW of D in the step of G, no dx at the images or at z."""
    rng = np.random.default_rng(0)
    gan = mg.GAN(mg.generator(seed=rng), mg.discriminator(seed=rng))
    calls = []

    def counted(a: Array, b: Array, out: Array | None = None) -> Array:
        calls.append((a.shape, b.shape))
        return np.matmul(a, b, out=out)

    monkeypatch.setattr("minigan.layers.matmul", counted)
    gan.train_step(np.zeros((4, 784), "float32"), rng.standard_normal((4, 100)).astype("float32"))
    forward_g, forward_d, again_d = 4, 4, 4
    d_step, frozen_d, g_step = 4 + 3, 4, 4 + 3  # dW of each Linear + dx of all but the first
    assert len(calls) == forward_g + forward_d + d_step + again_d + frozen_d + g_step == 30
    images = [shapes for shapes in calls if shapes == ((8, 1024), (1024, 784))]
    assert images == []  # dy Wᵀ at the stacked images would be the gradient that detach() drops


def test_each_network_moves_once_a_step() -> None:
    gan = small()
    before = gan.generator.params.copy(), gan.discriminator.params.copy()
    gan.train_step(*batch(8))
    assert gan.adam_g.t == gan.adam_d.t == 1
    assert (gan.generator.params != before[0]).any()
    assert (gan.discriminator.params != before[1]).any()


def test_arguments_stay_as_they_are() -> None:
    real, z = batch(8)
    copies = real.copy(), z.copy()
    small().train_step(real, z)
    np.testing.assert_array_equal(real, copies[0])
    np.testing.assert_array_equal(z, copies[1])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_backends_draw_the_same_curves(dtype: str, backend: Backend) -> None:
    """All random numbers come from the host; the order of sums differs, so the last bits do.

    Training magnifies them: on the stand-in to 2.5e-7 in float32 over 100 steps, 4e-16 in float64;
    a GPU, whose exp and tanh are its own, is given more.
    """
    host, there = small(dtype=dtype), small(dtype=dtype, backend=backend)
    for step in range(100):
        real, z = batch(6, dtype, seed=step)
        want = host.train_step(real, z)
        got = (
            there.train_step(real, z)
            if step % 2
            else there.train_step(backend.asarray(real), backend.asarray(z))
        )
        assert {value.dtype for value in got} == {np.dtype(dtype)}
        rtol = 1e-4 if dtype == "float32" else 1e-12
        np.testing.assert_allclose([float(x) for x in got], [float(x) for x in want], rtol=rtol)


def test_it_learns_a_point() -> None:
    # Real data is one point; after some steps G must draw near it.
    gan = small()
    rng = np.random.default_rng(3)
    point = np.array([0.5, -0.5, 0.2, 0.8, -0.8], "float32")
    z = rng.standard_normal((64, 3)).astype("float32")
    start = np.abs(gan.generator(z) - point).mean()
    for _ in range(400):
        real = np.tile(point, (16, 1))
        gan.train_step(real, rng.standard_normal((16, 3)).astype("float32"))
    assert np.abs(gan.generator(z) - point).mean() < start / 3


def test_result_has_names() -> None:
    result = small().train_step(*batch(8))
    assert isinstance(result, mg.StepResult)
    assert result._fields == ("d_loss", "g_loss", "p_real", "p_fake")
    assert 0 < float(result.p_real) < 1


@pytest.mark.parametrize(
    ("real", "z", "error", "message"),
    [
        ((8, 4), (8, 3), ValueError, r"real has shape \(8, 4\), expected \(N, 5\)"),
        ((8, 5), (8, 2), ValueError, r"z has shape \(8, 2\), expected \(N, 3\)"),
        ((8, 5), (7, 3), ValueError, "real has 8 rows and z has 7"),
        ((8, 5), (9, 3), ValueError, "real has 8 rows and z has 9"),
        ((0, 5), (0, 3), ValueError, "at least 1"),
        ((5,), (1, 3), ValueError, "real has shape"),
    ],
)
def test_bad_shapes(real: Any, z: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        small().train_step(np.zeros(real, "float32"), np.zeros(z, "float32"))


def test_bad_types(stand_in: Backend) -> None:
    real, z = batch(8)
    with pytest.raises(TypeError, match="real has dtype uint8, expected float32"):
        small().train_step(np.zeros((8, 5), "uint8"), z)
    with pytest.raises(TypeError, match="z has dtype float64, expected float32"):
        small().train_step(real, z.astype("float64"))
    with pytest.raises(TypeError, match="real is a list"):
        small().train_step([[0.0] * 5] * 8, z)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="real is a cupy array, expected a numpy array"):
        small().train_step(stand_in.asarray(real), z)


def test_large_sizes_are_compared_by_value() -> None:
    """Python has one object for each small number only."""
    rng = np.random.default_rng(0)
    wide, same = int("300"), int("300")
    G = mg.Sequential(mg.Linear(3, wide), mg.Tanh(), seed=rng)
    D = mg.Sequential(mg.Linear(same, wide), mg.Tanh(), mg.Linear(same, 1), mg.Sigmoid(), seed=rng)
    real, z = np.zeros((wide, wide), "float32"), np.zeros((same, 3), "float32")
    mg.GAN(G, D).train_step(real, z)


def test_a_mask_is_not_dropped() -> None:
    masked = np.ma.masked_array(np.ones((2, 784), "float32"), mask=True)
    with pytest.raises(TypeError, match="real is a MaskedArray, expected a NumPy or CuPy array"):
        mg.GAN(mg.generator(), mg.discriminator()).train_step(masked, np.ones((2, 100), "float32"))


def test_networks_that_do_not_fit() -> None:
    one = mg.Sequential(mg.Linear(1, 1), seed=0)
    with pytest.raises(ValueError, match="generator and discriminator are one network"):
        mg.GAN(one, one, logits=True)
    with pytest.raises(ValueError, match="generator maps to 784, discriminator maps 5 to 1"):
        mg.GAN(mg.generator(), small().discriminator)
    with pytest.raises(ValueError, match="generator maps to 5, discriminator maps 784 to 1"):
        mg.GAN(small().generator, mg.discriminator())
    with pytest.raises(ValueError, match="discriminator maps None to None"):
        mg.GAN(mg.Sequential(mg.Tanh()), mg.Sequential(mg.Sigmoid()))
    with pytest.raises(ValueError, match="maps 784 to 784"):
        mg.GAN(mg.generator(), mg.Sequential(mg.Linear(784, 784)))
    with pytest.raises(ValueError, match="generator is float64 on numpy, discriminator float32"):
        mg.GAN(mg.generator(dtype="float64"), mg.discriminator())
    with pytest.raises(ValueError, match="generator is float32 on numpy, discriminator float64"):
        mg.GAN(mg.generator(), mg.discriminator(dtype="float64"))
    with pytest.raises(ValueError, match="betas are"):
        mg.GAN(mg.generator(), mg.discriminator(), betas=(0.5, 1.5))
    with pytest.raises(ValueError, match=r"D ends in Sigmoid\(\): expected either "):
        mg.GAN(mg.generator(), mg.discriminator(), logits=True)
    with pytest.raises(ValueError, match=r"D ends in Linear\(256, 1\): expected either "):
        mg.GAN(mg.generator(), mg.discriminator(logits=True))
    with pytest.raises(TypeError, match="net is a Linear"):
        mg.GAN(mg.Linear(3, 784), mg.discriminator())  # type: ignore[arg-type]


def test_the_options_of_a_gan_go_by_their_names() -> None:
    nets = small()
    mg.GAN(generator=nets.generator, discriminator=nets.discriminator, lr=1e-3)
    with pytest.raises(TypeError, match="positional argument"):
        mg.GAN(nets.generator, nets.discriminator, 1e-3)  # type: ignore[call-arg]


OPERATIONS = {
    "G forward": 4 + 3 + 1,  # Linear: x W, to which b is added in place; ReLU; Tanh
    "D forward": 4 + 3 * 2 + 4,  # Linear; LeakyReLU; Sigmoid
    "bce": 16,  # of N numbers each
    "D backward": 3 + 3 * 3 + 3,  # dx of three Linears; LeakyReLU; Sigmoid; dW, db: in grads
    "D backward, to its input": 4 + 3 * 3 + 3,
    "G backward": 3 + 3 * 2 + 3,  # dx of three Linears; ReLU; Tanh
    "Adam": 0,  # in a kernel, or on the CPU in a loop or blocks
}
KERNELS = {
    "G forward": 4 + 3 + 1,
    "D forward": 4 + 3 + 1,
    "bce": 3,  # one kernel with two results, and a mean
    "D backward": 3 + 3 + 1,
    "D backward, to its input": 4 + 3 + 1,
    "G backward": 3 + 3 + 1,
    "Adam": 0,
}


@pytest.mark.parametrize(("fused", "expected"), [(False, OPERATIONS), (True, KERNELS)])
def test_arrays_allocated_in_a_step(
    fused: bool, expected: dict[str, int], stand_in: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new intermediate array costs memory traffic, and shows here.

    On the stand-in, which counts: with formulas as NumPy goes through them, and as kernels.
    """
    if not fused:
        monkeypatch.setattr(CupyBackend, "elementwise", lambda self, formula, *args: formula(*args))
    rng = np.random.default_rng(0)
    gan = mg.GAN(mg.generator(seed=rng, backend="cupy"), mg.discriminator(seed=rng, backend="cupy"))
    G, D = gan.generator, gan.discriminator
    counted: dict[str, int] = {}

    def count(name: str, work: Callable[[], Any]) -> Any:
        Counts.reset()
        result = work()
        counted[name] = Counts.allocations
        return result

    z = stand_in.asarray(rng.standard_normal((4, 100), dtype="float32"))
    fake, cache_g = count("G forward", lambda: G.forward(z))
    p, cache_d = count("D forward", lambda: D.forward(fake))
    _, dp = count("bce", lambda: mg.bce(p, 1.0))
    count("D backward", lambda: D.backward(dp, cache_d, input_grad=False))
    d_fake = count("D backward, to its input", lambda: D.backward(dp, cache_d, param_grads=False))
    count("G backward", lambda: G.backward(d_fake, cache_g, input_grad=False))
    count("Adam", gan.adam_g.step)
    assert counted == expected
