"""A GAN that is told the classes: what its networks see, what moves, and what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigan as mg
from minigan.backend import Array, Backend
from minigan.conditional import beside, into_picked, one_hot, picked
from minigan.gradcheck.everything import check_gan

K, LATENT, PIXELS = 4, 3, 5


def conditional(seed: int = 0, r1: float = 0.0, **options: Any) -> mg.GAN:
    rng = np.random.default_rng(seed)
    layers = mg.Linear(LATENT + K, 8), mg.ReLU(), mg.Linear(8, PIXELS), mg.Tanh()
    G = mg.Sequential(*layers, seed=rng, **options)
    D = mg.Sequential(mg.Linear(PIXELS, 8), mg.LeakyReLU(0.2), mg.Linear(8, K), seed=rng, **options)
    return mg.GAN(G, D, lr=0.01, logits=True, classes=K, r1=r1, r1_every=2)


def batch(n: int, dtype: str = "float64", seed: int = 1) -> tuple[Array, Array, Any]:
    rng = np.random.default_rng(seed)
    real = rng.uniform(-1, 1, (n, PIXELS)).astype(dtype)
    return real, rng.standard_normal((n, LATENT)).astype(dtype), rng.integers(0, K, n)


def test_the_functions_by_hand() -> None:
    c = one_hot(np.array([2, 0]), 2, np.eye(3))
    np.testing.assert_array_equal(c, [[0, 0, 1], [1, 0, 0]])
    z = np.array([[0.5], [0.25]])
    np.testing.assert_array_equal(beside(z, c), [[0.5, 0, 0, 1], [0.25, 1, 0, 0]])
    y = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    np.testing.assert_array_equal(picked(y, c), [[3], [4]])
    dp = np.array([[10.0], [20.0]])
    np.testing.assert_array_equal(into_picked(dp, c), [[0, 0, 10], [20, 0, 0]])
    for function in (beside, picked, into_picked):
        assert function(y, None) is y
    assert one_hot(None, 2, np.eye(0)) is None


def step_written_out(gan: mg.GAN, real: Array, z: Array, labels: Any) -> list[float]:
    """One image after the other: each looks its class up, and each output is asked alone."""
    G, D = gan.generator, gan.discriminator
    rows = np.arange(len(real))
    first: Any = G[0]
    g_in = np.zeros((len(z), LATENT + K))
    g_in[:, :LATENT] = z
    g_in[rows, LATENT + labels] = 1
    looked_up = z @ first.W[:LATENT] + first.W[LATENT + labels] + first.b
    np.testing.assert_allclose(G[0].forward(g_in)[0], looked_up, rtol=1e-12)
    fake, cache_g = G.forward(g_in)

    total: Any = 0
    logits, d_loss = [], 0.0
    for images, target in ((real, 1.0), (fake, 0.0)):
        y, cache = D.forward(images)
        loss, dp = mg.bce_with_logits(y[rows, labels], target)
        dy = np.zeros_like(y)
        dy[rows, labels] = dp
        D.backward(dy, cache)
        total = total + D.grads.copy()
        logits.append(y[rows, labels])
        d_loss += float(loss)
    D.grads[...] = total
    gan.adam_d.step()

    y, cache = D.forward(fake)
    g_loss, dp = mg.bce_with_logits(y[rows, labels], 1.0)
    dy = np.zeros_like(y)
    dy[rows, labels] = dp
    G.backward(D.backward(dy, cache), cache_g)
    gan.adam_g.step()
    return [d_loss, float(g_loss), *(float(np.mean(1 / (1 + np.exp(-x)))) for x in logits)]


def test_equals_the_step_written_out() -> None:
    ours, theirs = conditional(dtype="float64"), conditional(dtype="float64")
    for step in range(20):
        real, z, labels = batch(5 if step == 7 else 8, seed=step)
        result = [float(x) for x in ours.train_step(real, z, labels)]
        np.testing.assert_allclose(result, step_written_out(theirs, real, z, labels), rtol=1e-10)
    np.testing.assert_allclose(ours.generator.params, theirs.generator.params, rtol=1e-8)
    np.testing.assert_allclose(ours.discriminator.params, theirs.discriminator.params, rtol=1e-8)


@pytest.mark.parametrize("r1", [0.0, 0.5])
def test_only_the_classes_of_the_batch_move_what_is_theirs(r1: float) -> None:
    gan = conditional(dtype="float64", r1=r1)
    real, z, _ = batch(6)
    labels = np.array([1, 3, 1, 1, 3, 3])
    gan.train_step(real, z, labels)
    first: Any = gan.generator[0]
    last: Any = gan.discriminator[2]
    rows, columns = first.dW[LATENT:], last.dW.T
    for k in range(K):
        assert rows[k].any() == columns[k].any() == (k in labels)
        assert last.db[k].any() == (k in labels)
    assert first.dW[:LATENT].any(axis=1).all()  # what all classes share


def test_the_gradients_are_the_slopes() -> None:
    for seed in range(3):
        report = check_gan(
            conditional(seed, r1=0.3, dtype="float64"), *batch(5, seed=seed), max_entries=100
        )
        assert report, report


def test_a_class_more_or_less_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check notices if a gradient goes into the output of another class."""

    def wrong(dp: Array, c: Any) -> Array:
        dy: Array = dp * np.roll(c, 1, axis=1)
        return dy

    monkeypatch.setattr("minigan.gan.into_picked", wrong)
    assert not check_gan(conditional(dtype="float64"), *batch(5), max_entries=100)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_backends_draw_the_same_curves(dtype: str, backend: Backend) -> None:
    host = conditional(r1=0.1, dtype=dtype)
    there = conditional(r1=0.1, dtype=dtype, backend=backend)
    for step in range(20):
        real, z, labels = batch(6, dtype, seed=step)
        want = host.train_step(real, z, labels)
        if step % 2:
            real, z, labels = map(backend.asarray, (real, z, labels))
        got = there.train_step(real, z, labels)
        rtol = 2e-5 if dtype == "float32" else 1e-12
        np.testing.assert_allclose([float(x) for x in got], [float(x) for x in want], rtol=rtol)


@pytest.mark.parametrize("kind", ["int64", "int32", "uint8"])
def test_labels_of_any_whole_kind(kind: str) -> None:
    one, other = conditional(), conditional()
    real, z, labels = batch(6, "float32")
    assert one.train_step(real, z, labels) == other.train_step(real, z, labels.astype(kind))


def test_the_models_make_room_for_classes() -> None:
    G, D = mg.generator(7, classes=3), mg.discriminator(classes=3)
    assert (G.n_in, G.n_out, D.n_in, D.n_out) == (10, 784, 784, 3)
    mg.GAN(G, D, classes=3)
    with pytest.raises(ValueError, match="classes is -1, expected a whole number"):
        mg.generator(classes=-1)
    with pytest.raises(ValueError, match=r"classes is 1.5, expected a whole number"):
        mg.discriminator(classes=1.5)  # type: ignore[arg-type]


LABELS: Any = np.array([0, 1, 2, 3, 0, 1])


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        (None, ValueError, "labels are missing, for a GAN with 4 classes"),
        (LABELS[:5], ValueError, r"labels have shape \(5,\), expected \(6,\)"),
        (LABELS[:, None], ValueError, r"labels have shape \(6, 1\), expected \(6,\)"),
        (LABELS + 1, ValueError, "labels reach from 1 to 4, expected 0 to 3"),
        (LABELS - 1, ValueError, "labels reach from -1 to 2, expected 0 to 3"),
        (LABELS / 2, TypeError, "labels are float64, expected whole numbers"),
        (LABELS > 1, TypeError, "labels are bool, expected whole numbers"),
        ([0, 1, 2, 3, 0, 1], TypeError, "labels is a list, expected a NumPy or CuPy array"),
    ],
)
def test_bad_labels(labels: Any, error: type[Exception], message: str) -> None:
    gan = conditional()
    real, z, _ = batch(6, "float32")
    before = gan.generator.params.copy()
    with pytest.raises(error, match=message):
        gan.train_step(real, z, labels)
    np.testing.assert_array_equal(gan.generator.params, before)


def test_labels_for_a_gan_without_classes() -> None:
    G, D = mg.generator(5), mg.discriminator()
    z, real = np.zeros((6, 5), "float32"), np.zeros((6, 784), "float32")
    with pytest.raises(ValueError, match="labels are given, for a GAN with no classes"):
        mg.GAN(G, D).train_step(real, z, LABELS)


@pytest.mark.parametrize(
    ("g_classes", "d_classes", "classes", "message"),
    [
        (10, 10, 0, "discriminator maps 784 to 10: expected n to go with n to 1"),
        (10, 0, 10, "discriminator maps 784 to 1: expected n to go with n to 10"),
        (0, 10, 10, "generator takes 5 columns, expected z and 10 for the classes"),
        (5, 10, 10, "generator takes 10 columns, expected z and 10 for the classes"),  # no z
        (10, 10, -2, "classes is -2, expected a whole number"),
        (10, 10, True, "classes is True, expected a whole number"),
    ],
)
def test_networks_that_do_not_fit(
    g_classes: int, d_classes: int, classes: Any, message: str
) -> None:
    G, D = mg.generator(5, classes=g_classes), mg.discriminator(classes=d_classes)
    with pytest.raises(ValueError, match=message):
        mg.GAN(G, D, classes=classes)


def test_another_loss() -> None:
    """The least-squares GAN: D's answers go towards 1 and 0, and no logarithm is taken."""
    rng = np.random.default_rng(0)
    layers = mg.Linear(LATENT, 8), mg.ReLU(), mg.Linear(8, PIXELS), mg.Tanh()
    G = mg.Sequential(*layers, seed=rng, dtype="float64")
    D = mg.Sequential(mg.Linear(PIXELS, 1), seed=rng, dtype="float64")
    gan = mg.GAN(G, D, loss=mg.mse)
    real, z, _ = batch(6)
    y, fake = D(real), D(G(z))
    result = gan.train_step(real, z)
    assert float(result.d_loss) == pytest.approx(((y - 1) ** 2).mean() + (fake**2).mean())
    assert (float(result.p_real), float(result.p_fake)) == pytest.approx((y.mean(), fake.mean()))
    with pytest.raises(ValueError, match="logits=True computes a loss of its own"):
        mg.GAN(G, D, logits=True, loss=mg.mse)


def test_the_penalty_of_the_output_that_is_picked() -> None:
    """With one Linear, the slope of output k is column k of W: dR/dW[:, k] has its images only."""
    D = mg.Sequential(mg.Linear(PIXELS, K), dtype="float64", seed=0)
    only: Any = D[0]
    labels = np.array([0, 2, 2, 3])
    penalty = mg.r1(D, np.ones((4, PIXELS)), 0.5, np.eye(K)[labels])
    W = only.W[:, labels]
    assert penalty == pytest.approx(0.5 / 2 * (W**2).sum() / 4, rel=1e-14)
    shares = np.bincount(labels, minlength=K) / 4
    np.testing.assert_allclose(only.dW, 0.5 * only.W * shares, rtol=1e-14)
    with pytest.raises(ValueError, match="R1 needs a network with 1 output, this one has 4"):
        mg.r1(D, np.ones((4, PIXELS)), 0.5)
    with pytest.raises(ValueError, match=r"of has shape \(4, 3\), expected \(4, 4\)"):
        mg.r1(D, np.ones((4, PIXELS)), 0.5, np.ones((4, 3)))
