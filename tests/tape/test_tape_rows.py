"""What the tape of a training step says is so: its order, shapes, norms, products and caches."""

from __future__ import annotations

import copy
import re
from typing import Any

import numpy as np
import pytest
from helpers.small_gan import batch, small, with_batch_norm
from helpers.tapes import first_tape, line, rows_of

import minigan as mg
from minigan.backend import Array, Backend, noted_products
from minigan.losses import bce
from minigan.tape import Trace, first_step
from minigan.tape.cache_memory import CacheMemory
from minigan.tape.images import Album
from minigan.tape.lines import norm_of
from minigan.tape.recorder import _Notes
from minigan.tape.text import PHASES, WHY


@pytest.fixture
def tape() -> Trace:
    return first_tape()


def test_rows_come_in_the_order_of_the_step(tape: Trace) -> None:
    order = list(dict.fromkeys((row.step, row.phase) for row in tape.rows))
    assert order == [key for key in PHASES if key[1] != "R1 downward"]  # D has no curved layer
    G = ["0 Linear(100, 256)", "1 BatchNorm1d(256)", "2 ReLU()", "3 Linear(256, 512)"]
    G += ["4 BatchNorm1d(512)", "5 ReLU()", "6 Linear(512, 1024)", "7 BatchNorm1d(1024)"]
    G += ["8 ReLU()", "9 Linear(1024, 784)", "10 Tanh()"]
    D = ["0 Linear(784, 1024)", "1 LeakyReLU(0.2)", "2 Linear(1024, 512)", "3 LeakyReLU(0.2)"]
    D += ["4 Linear(512, 256)", "5 LeakyReLU(0.2)", "6 Linear(256, 1)"]
    names = {key: [row.name for row in rows_of(tape, *key)] for key in order}
    assert names == {
        ("D", "G forward"): G,
        ("D", "D forward"): D,
        ("D", "loss"): ["bce_with_logits, t=1", "bce_with_logits, t=0"],
        ("D", "D backward"): D[::-1],
        ("D", "R1 forward"): D,
        ("D", "R1 backward"): D[::-1],
        ("D", "R1 upward"): D,
        ("D", "R1"): ["r1, γ = 16 · 0.1"],
        ("D", "Adam D"): ["step 1 of Adam"],
        ("G", "D forward"): D,
        ("G", "loss"): ["bce_with_logits, t=1"],
        ("G", "D backward"): D[::-1],
        ("G", "G backward"): G[::-1],
        ("G", "Adam G"): ["step 1 of Adam"],
    }


def test_shapes_and_norms_are_those_of_the_gradients() -> None:
    """The step written out on a twin, in float64: the norms are equal but for the order of sums."""
    gan = with_batch_norm(dtype="float64")
    G, D = (twin := copy.deepcopy(gan)).generator, twin.discriminator
    g_layers: tuple[Any, ...] = G.layers
    d_layers: tuple[Any, ...] = D.layers
    real, z = batch(6, "float64")
    tape = mg.trace(gan, real, z)
    norm = np.linalg.norm

    def check(phase: tuple[str, str], name: str, key: str, gradient: Array) -> None:
        (row,) = [row for row in rows_of(tape, *phase) if row.name == name]
        assert line(row, key).shape == gradient.shape
        assert line(row, key).size == pytest.approx(norm(gradient), rel=1e-10)

    fake, cache_g = G.forward(z)
    p, cache_d = D.forward(np.concatenate([real, fake]))
    (loss_real, dp_real), (loss_fake, dp_fake) = bce(p[:6], 1.0), bce(p[6:], 0.0)
    first, second = rows_of(tape, "D", "loss")
    assert (line(first, "L").size, line(second, "L").size) == (loss_real, loss_fake)
    assert line(second, "dL/dp").size == pytest.approx(norm(dp_fake), rel=1e-10)
    D.backward(np.concatenate([dp_real, dp_fake]), cache_d)
    check(("D", "D backward"), "2 Linear(8, 1)", "dW", d_layers[2].dW)
    check(("D", "D backward"), "0 Linear(5, 8)", "dW", d_layers[0].dW)
    check(("D", "D backward"), "0 Linear(5, 8)", "db", d_layers[0].db)
    (adam,) = rows_of(tape, "D", "Adam D")
    assert line(adam, "g").size == pytest.approx(norm(D.grads), rel=1e-10)
    before = D.params.copy()
    twin.adam_d.step()
    assert line(adam, "θ").size == pytest.approx(norm(D.params - before), rel=1e-10)

    p, cache_d = D.forward(fake)
    d_fake = D.backward(bce(p, 1.0)[1], cache_d)
    check(("G", "D backward"), "0 Linear(5, 8)", "dx", d_fake)
    G.backward(d_fake, cache_g)
    check(("G", "G backward"), "4 Tanh()", "dx", G[4].input_grad(d_fake, cache_g.layers[4]))
    check(("G", "G backward"), "3 Linear(8, 5)", "dW", g_layers[3].dW)
    check(("G", "G backward"), "1 BatchNorm1d(8)", "dγ", g_layers[1].dgamma)
    check(("G", "G backward"), "1 BatchNorm1d(8)", "dβ", g_layers[1].dbeta)
    check(("G", "G backward"), "0 Linear(3, 8)", "dW", g_layers[0].dW)

    y = rows_of(tape, "D", "D forward")[0]
    assert (y.given, y.lines[0].shape) == ((12, 5), (12, 8))


def test_products_done_and_skipped(tape: Trace) -> None:
    G = [100 * 256, 256 * 512, 512 * 1024, 1024 * 784]
    D = [784 * 1024, 1024 * 512, 512 * 256, 256]
    products = [one for row in tape.rows for one in row.lines if one.flop]
    done = [one.flop for one in products if not one.skipped]
    # Forward: G, D on both halves, D on fake. Step of D: dW, and dx but for the first layer's.
    # Step of G: dx of D; dW and dx of G, but not z's.
    forward = sum(G) + 2 * sum(D) + sum(D)
    step_of_d = 2 * (sum(D) + sum(D[1:]))
    step_of_g = sum(D) + sum(G) + sum(G[1:])
    # R1: D on the real half, back to the images, and two products of each Linear on the way up.
    r1 = sum(D) + sum(D) + 2 * sum(D)
    assert len(done) == 30 + 16
    assert sum(done) == 2 * 16 * (forward + step_of_d + step_of_g + r1)

    skipped = [one for one in products if one.skipped]
    assert [(one.name, one.flop) for one in skipped] == [
        ("dx", 2 * 32 * D[0]),
        *(("dW", 2 * 16 * n) for n in reversed(D)),
        *(("dW", 2 * 16 * n) for n in reversed(D)),
        ("dx", 2 * 16 * G[0]),
    ]
    assert all(one.size is None for one in skipped)
    assert line(rows_of(tape, "G", "D backward")[-1], "db").skipped
    phases = dict.fromkeys((r.step, r.phase) for r in tape.rows for one in r.lines if one.skipped)
    assert list(phases) == list(WHY)
    for row in tape.rows:  # a line has a norm unless it is y or was skipped
        for one in row.lines:
            assert (one.size is None) == (one.skipped or one.name == "y")


def test_the_penalty_and_its_norms() -> None:
    """Also of a D whose slopes depend on x, which adds a pass downward."""
    rng = np.random.default_rng(1)
    G = mg.Sequential(mg.Linear(3, 5), mg.Tanh(), seed=rng, dtype="float64")
    D = mg.Sequential(
        mg.Linear(5, 8), mg.Tanh(), mg.Linear(8, 4), mg.LeakyReLU(0.2), mg.Linear(4, 1),
        seed=rng, dtype="float64",
    )  # fmt: skip
    gan, (real, z) = mg.GAN(G, D, logits=True, r1=0.5, r1_every=3), batch(6, "float64")
    twin = copy.deepcopy(D)
    R = mg.r1(twin, real, 1.5)
    tape = mg.trace(gan, real, z)
    (row,) = rows_of(tape, "D", "R1")
    assert row.name == "r1, γ = 3 · 0.5"
    assert line(row, "R").size == pytest.approx(R, rel=1e-12)
    assert line(row, "dR/dθ").size == pytest.approx(np.linalg.norm(twin.grads), rel=1e-12)
    assert [row.name for row in rows_of(tape, "D", "R1 downward")] == ["0 Linear(5, 8)"]
    tanh = rows_of(tape, "D", "R1 upward")[1]
    assert [one.name for one in tanh.lines] == ["dR/d(dy)", "dR/dx"]
    assert tanh.lines[1].formula == "dR/dx = t dy (-2 y) (1 - y²)"
    logits, cache = twin.forward(real)
    g = twin.backward(np.ones_like(logits), cache)
    assert line(rows_of(tape, "D", "R1 backward")[-1], "dx").size == pytest.approx(
        np.linalg.norm(g), rel=1e-12
    )
    gan.train_step(real, z)
    phases = {row.phase for row in mg.trace(gan, real, z).rows}  # the third step pays nothing
    assert not any(phase.startswith("R1") for phase in phases)


def test_every_cache_is_used_once_by_its_layer(tape: Trace) -> None:
    backward_of = {"G forward": ("G", "G backward"), "R1 forward": ("D", "R1 backward")}
    forwards = [(i, row) for i, row in enumerate(tape.rows) if row.phase.endswith("forward")]
    assert len(forwards) == 11 + 7 + 7 + 7
    for i, row in forwards:
        assert row.partner is not None
        user = tape.rows[row.partner]
        assert (user.step, user.phase) == backward_of.get(row.phase, (row.step, "D backward"))
        assert user.name == row.name
        assert user.partner == i


def test_what_is_kept(tape: Trace) -> None:
    kept = [(row.kept, row.kept_bytes) for row in rows_of(tape, "D", "G forward")[:4]]
    assert kept == [
        ("x", 16 * 100 * 4),
        ("x̂, 1/σ", (16 + 1) * 256 * 4),
        ("y", 16 * 256 * 4),
        ("x = y of G 2", 0),
    ]
    assert rows_of(tape, "D", "D forward")[0].kept == "x"  # [real; fake] is a new array
    assert rows_of(tape, "G", "D forward")[0].kept == "x = y of G 10"  # fake is not
    own = {"G": 100 + 2 * (256 + 512 + 1024) + 784, "D": 784 + 1024 + 512 + 256}
    again = own["D"] - 784
    floats = 16 * own["G"] + (256 + 512 + 1024) + 32 * own["D"] + 16 * own["D"] + 16 * again
    assert sum(row.kept_bytes for row in tape.rows) == 4 * floats


def test_what_a_modulated_layer_keeps() -> None:
    tape = mg.trace(*first_step("style", 4, 0))
    first, second = (
        row for row in rows_of(tape, "D", "G forward") if "ModulatedLinear" in row.name
    )
    assert first.kept == second.kept == "x, 1 + s, v, d"
    assert first.kept_bytes == 4 * 4 * (2 * 256 + 2 * 512)
    assert second.kept_bytes == 4 * 4 * (2 * 512 + 2 * 1024)
    shown = re.findall(r"x, 1 \+ s, v, d \d+ kB +(\S+)$", str(tape), re.MULTILINE)
    assert shown == ["2.10", "8.39"]  # what is kept does not run into what it cost


def test_what_is_kept_in_nests_and_views() -> None:
    """The memory counts, once: a view has its base's, as little as it shows of it."""
    big, one = np.ones((100, 5), np.float32), np.ones((8, 5), np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(one, 3, axis=1)
    for cache, words, size in (
        ((one, (2 * one, [3 * one], True, 0.5)), "x, (8, 5), (8, 5)", 3 * 160),
        ((one, one.T, one[:2]), "x, (5, 8), (2, 5)", 160),
        ((one[:2], one), "(2, 5), x", 160),
        (([one[:, :2], one[:, 2:]],), "(8, 2), (8, 3)", 160),
        (windows, "(8, 3, 3)", 160),
        (np.broadcast_to(one, (1000, 8, 5)), "(1000, 8, 5)", 160),
        ((one, one), "x, x = x of D 1", 160),
        (big[:8], "(8, 5)", 160),  # of a batch cut from a data set
    ):
        assert CacheMemory().note("D 1", mg.ReLU(), one, big, cache) == (words, size)
    net = mg.Sequential(linear := mg.Linear(5, 2))
    kept = CacheMemory(net.params)
    assert kept.note("D 1", net[0], one, big, (one, linear.W)) == ("x, (5, 2)", 160)
    assert kept.note("D 2", net[0], big, big, (one.T, big)) == ("(5, 8), x", 2000)


@pytest.mark.parametrize(
    ("a", "b", "flop"),
    [((8, 5), (5, 3), 240), ((8, 5), (5,), 80), ((5,), (5, 3), 30), ((5,), (5,), 10),
     ((4, 8, 5), (5, 3), 960), ((1, 8, 5), (4, 5, 3), 960)],
)  # fmt: skip
def test_operations_of_a_product(a: tuple[int, ...], b: tuple[int, ...], flop: int) -> None:
    """n products and n sums for each element of y."""
    notes = _Notes(CacheMemory(), Album(small()))
    numpy = mg.get_backend("numpy")
    with noted_products(numpy, notes.product):
        y = numpy.matmul(np.ones(a), np.ones(b))
    np.testing.assert_array_equal(y, np.matmul(np.ones(a), np.ones(b)))
    assert notes.flop == flop


@pytest.mark.parametrize("size", [1e-40, 1e-30, 1.0, 1e30])
def test_norms_that_float32_has_no_squares_for(size: float, backend: Backend) -> None:
    a = np.array([[3, 0], [0, -4]], np.float32) * np.float32(size)
    assert norm_of(backend.asarray(a)) == pytest.approx(5 * size, rel=1e-4)  # 1e-40 has few bits
    assert norm_of(backend.asarray(0 * a)) == norm_of(backend.asarray(a[:0])) == 0
    for bad in (np.inf, np.nan):
        a[0, 1] = bad
        assert norm_of(backend.asarray(a)) == pytest.approx(bad, nan_ok=True)
