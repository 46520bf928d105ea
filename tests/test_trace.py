"""The tape of a training step: it watches and changes nothing, and what it says is so."""

from __future__ import annotations

import copy
import importlib.util
import inspect
import json
import os
import re
import unicodedata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from test_gan import batch, small

import minigan as mg
import minigan.gan
from minigan.backend import Array, Backend
from minigan.cli import main
from minigan.data import batches
from minigan.equations import equation, equations
from minigan.kept import Kept
from minigan.losses import bce
from minigan.trace import Line, Row, Trace, _norm, _Notes, first_step
from minigan.trace_text import PHASES, WHY

ROOT = Path(__file__).parent.parent


def with_batch_norm(**options: Any) -> mg.GAN:
    rng = np.random.default_rng(5)
    G = mg.Sequential(
        mg.Linear(3, 8), mg.BatchNorm1d(8), mg.ReLU(), mg.Linear(8, 5), mg.Tanh(),
        seed=rng, **options,
    )  # fmt: skip
    return mg.GAN(G, small(**options).discriminator, lr=0.01)


@pytest.fixture(scope="module")
def tape() -> Trace:
    """The first step of ``minigan train --batch-size 16``."""
    return mg.trace(*first_step("averaged", 16, 0))


def line(row: Row, name: str) -> Line:
    (found,) = [one for one in row.lines if one.name == name]
    return found


def rows_of(tape: Trace, step: str, phase: str) -> list[Row]:
    return [row for row in tape.rows if (row.step, row.phase) == (step, phase)]


# ---------------------------------------------------------------- it changes nothing


@pytest.mark.parametrize("make", [small, with_batch_norm])
def test_a_traced_step_is_the_step_bit_for_bit(make: Any) -> None:
    traced, plain = make(), make()
    for step in range(3):
        real, z = batch(8, seed=step)
        assert mg.trace(traced, real, z).result == plain.train_step(real, z)
    for ours, theirs, adam, other in (
        (traced.generator, plain.generator, traced.adam_g, plain.adam_g),
        (traced.discriminator, plain.discriminator, traced.adam_d, plain.adam_d),
    ):
        np.testing.assert_array_equal(ours.params, theirs.params)
        np.testing.assert_array_equal(adam.v, other.v)
        for (name, have), (_, want) in zip(
            ours.named_buffers(), theirs.named_buffers(), strict=True
        ):
            np.testing.assert_array_equal(have, want, err_msg=name)
        assert adam.t == 3


@pytest.mark.parametrize("recipe", ["averaged", "batch-norm", "tutorial"])
def test_it_is_the_first_step_of_a_run(recipe: str, tmp_path: Path) -> None:
    gan, real, z = first_step(recipe, 16, 3)
    options = {"backend": "numpy", "out": str(tmp_path / "run")}
    run = mg.Trainer(mg.TrainConfig(recipe=recipe, batch_size=16, seed=3, **options))
    indices = next(batches(60_000, 16, run.rng))
    figures = run.train_step(indices, run._draw_z(16))
    np.testing.assert_array_equal(figures, [float(x) for x in mg.trace(gan, real, z).result])
    np.testing.assert_array_equal(gan.generator.params, run.gan.generator.params)
    np.testing.assert_array_equal(gan.discriminator.params, run.gan.discriminator.params)


@pytest.mark.parametrize("columns", [3, 4])
def test_nothing_is_watched_afterwards(columns: int) -> None:
    gan = small()
    watched = [*gan.generator.layers, *gan.discriminator.layers, gan.adam_g, gan.adam_d, gan]
    before = [set(vars(owner)) for owner in watched]
    real, z = batch(8)
    if columns == 3:
        mg.trace(gan, real, z)
    else:  # an error on the way must not leave the watchers there either
        with pytest.raises(ValueError, match=r"z has shape \(8, 2\)"):
            mg.trace(gan, real, z[:, :2])
    assert [set(vars(owner)) for owner in watched] == before
    assert gan.loss is bce
    assert "matmul" not in vars(mg.get_backend("numpy"))


def test_a_watcher_that_was_there_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    gan, calls = small(), []
    forward = gan.generator[0].forward

    def own(x: Array) -> Any:
        calls.append(x.shape)
        return forward(x)

    monkeypatch.setattr(gan.generator[0], "forward", own)
    mg.trace(gan, *batch(8))
    assert calls == [(8, 3)]
    assert vars(gan.generator[0])["forward"] is own


# ---------------------------------------------------------------- what it says is so


def test_rows_come_in_the_order_of_the_step(tape: Trace) -> None:
    order = list(dict.fromkeys((row.step, row.phase) for row in tape.rows))
    assert order == list(PHASES)
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
    check(("D", "D backward"), "2 Linear(8, 1)", "dW", D[2].dW)
    check(("D", "D backward"), "0 Linear(5, 8)", "dW", D[0].dW)
    check(("D", "D backward"), "0 Linear(5, 8)", "db", D[0].db)
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
    check(("G", "G backward"), "3 Linear(8, 5)", "dW", G[3].dW)
    check(("G", "G backward"), "1 BatchNorm1d(8)", "dγ", G[1].dgamma)
    check(("G", "G backward"), "1 BatchNorm1d(8)", "dβ", G[1].dbeta)
    check(("G", "G backward"), "0 Linear(3, 8)", "dW", G[0].dW)

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
    assert len(done) == 30
    assert sum(done) == 2 * 16 * (forward + step_of_d + step_of_g)

    skipped = [one for one in products if one.skipped]
    assert [(one.name, one.flop) for one in skipped] == [
        ("dx", 2 * 32 * D[0]),
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


def test_every_cache_is_used_once_by_its_layer(tape: Trace) -> None:
    backward_of = {"G forward": ("G", "G backward")}
    forwards = [(i, row) for i, row in enumerate(tape.rows) if row.phase.endswith("forward")]
    assert len(forwards) == 11 + 7 + 7
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
    floats = 16 * own["G"] + (256 + 512 + 1024) + 32 * own["D"] + 16 * again
    assert sum(row.kept_bytes for row in tape.rows) == 4 * floats


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
        assert Kept().note("D 1", mg.ReLU(), one, big, cache) == (words, size)
    net = mg.Sequential(mg.Linear(5, 2))
    kept = Kept(net.params)
    assert kept.note("D 1", net[0], one, big, (one, net[0].W)) == ("x, (5, 2)", 160)
    assert kept.note("D 2", net[0], big, big, (one.T, big)) == ("(5, 8), x", 2000)


@pytest.mark.parametrize(
    ("a", "b", "flop"),
    [((8, 5), (5, 3), 240), ((8, 5), (5,), 80), ((5,), (5, 3), 30), ((5,), (5,), 10),
     ((4, 8, 5), (5, 3), 960), ((1, 8, 5), (4, 5, 3), 960)],
)  # fmt: skip
def test_operations_of_a_product(a: tuple[int, ...], b: tuple[int, ...], flop: int) -> None:
    """n products and n sums for each element of y."""
    notes = _Notes(Kept())
    y = notes.product(np.matmul, np.ones(a), np.ones(b))
    np.testing.assert_array_equal(y, np.matmul(np.ones(a), np.ones(b)))
    assert notes.flop == flop


@pytest.mark.parametrize("size", [1e-40, 1e-30, 1.0, 1e30])
def test_norms_that_float32_has_no_squares_for(size: float, backend: Backend) -> None:
    a = np.array([[3, 0], [0, -4]], np.float32) * np.float32(size)
    assert _norm(backend.asarray(a)) == pytest.approx(5 * size, rel=1e-4)  # 1e-40 has few bits
    assert _norm(backend.asarray(0 * a)) == _norm(backend.asarray(a[:0])) == 0
    for bad in (np.inf, np.nan):
        a[0, 1] = bad
        assert _norm(backend.asarray(a)) == pytest.approx(bad, nan_ok=True)


class SGD:
    """Steepest descent, written as it may be written for a first try.

    θ ← θ - lr g
    """

    def __init__(self, net: mg.Sequential, lr: float) -> None:
        self.net, self.lr = net, lr

    def step(self) -> None:
        self.net.params -= self.lr * self.net.grads


class Momentum(mg.Adam):
    def step(self) -> None:
        self.net.params -= self.lr * self.net.grads


def test_another_optimizer() -> None:
    traced, plain = small(), small()
    for gan in (traced, plain):
        gan.adam_d, gan.adam_g = SGD(gan.discriminator, 0.1), SGD(gan.generator, 0.1)  # type: ignore[assignment]
    tape = mg.trace(traced, *batch(8))
    assert tape.result == plain.train_step(*batch(8))
    np.testing.assert_array_equal(traced.generator.params, plain.generator.params)
    (row,) = rows_of(tape, "D", "SGD D")
    assert (row.name, line(row, "θ").formula, row.where) == ("SGD", "θ ← θ - lr g", ())
    assert line(row, "θ").size == pytest.approx(0.1 * (line(row, "g").size or 0), rel=1e-5)
    assert rows_of(tape, "G", "SGD G")
    assert tape.title == "batch of 8, float32, numpy"
    for shown in (str(tape), tape.html(), tape._repr_html_()):
        assert "SGD G" in shown
    traced.adam_g = Momentum(traced.generator)  # Adam's formula would be none of its own
    (row,) = rows_of(mg.trace(traced, *batch(8)), "G", "Momentum G")
    assert (row.name, line(row, "θ").formula, row.where) == ("step 0 of Momentum", "θ", ())


def test_the_same_on_every_backend(backend: Backend) -> None:
    """Also that ids of arrays are no accident of NumPy: what is kept has the same names."""
    here, there = (
        mg.trace(with_batch_norm(dtype="float64", backend=name), *batch(8, "float64"))
        for name in ("numpy", backend)
    )
    assert [(r.phase, r.name, r.kept, r.kept_bytes, r.partner) for r in here.rows] == [
        (r.phase, r.name, r.kept, r.kept_bytes, r.partner) for r in there.rows
    ]
    for ours, theirs in zip(here.rows, there.rows, strict=True):
        for one, other in zip(ours.lines, theirs.lines, strict=True):
            assert (one.formula, one.shape, one.flop) == (other.formula, other.shape, other.flop)
            # db of the Linear before BatchNorm1d is 0 but for rounding, hence abs; in float64
            # that is far below Adam's eps, so that θ moves alike
            assert (one.size or 0) == pytest.approx(other.size or 0, rel=1e-7, abs=1e-14)
    assert f"8, float64, {backend.name}, step 1" in there.title


# ---------------------------------------------------------------- formulas


def test_each_layer_has_its_equations() -> None:
    for layer in (
        mg.Linear(2, 2), mg.ReLU(), mg.LeakyReLU(), mg.Tanh(), mg.Sigmoid(), mg.BatchNorm1d(2),
    ):  # fmt: skip
        for name in ("y", *("d" + name for name in layer.param_names), "dx"):
            symbol, formula, _ = equation(type(layer), name)
            assert formula.startswith(f"{symbol} = "), (layer, name)
    assert equation(mg.Linear, "db") == ("db", "db = Σₙ dy[n]", "b is added to every row")
    assert equation(mg.BatchNorm1d, "dgamma") == ("dγ", "dγ = Σₙ dy[n] x̂[n]", "")
    assert equation(mg.Tanh, "dx") == ("dx", "dx = dy (1 - y²)", "since tanh' = 1 - tanh²")
    assert equation(mg.Adam, "θ")[1] == "θ ← θ - lr m̂ / (√v̂ + eps)"
    assert {"L", "dL/dp"} <= set(equations(bce))


class Forgetful(mg.Tanh):  # no docstring: Tanh's would not be true
    def forward(self, x: Array) -> tuple[Array, Any]:
        return 0 * x, x

    def __repr__(self) -> str:
        return "Forgetful(\n    of = everything,\n)"


def test_a_base_classs_equations_are_not_shown() -> None:
    assert equations(Forgetful) == {}
    assert equation(Forgetful, "y") == ("y", "y", "")


def test_the_site_sets_equations_line_by_line() -> None:
    spec = importlib.util.spec_from_file_location("conf", ROOT / "docs/conf.py")
    assert spec is not None
    assert spec.loader is not None
    conf = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(conf)
    for of in (
        mg.Linear, mg.ReLU, mg.LeakyReLU, mg.Tanh, mg.Sigmoid, mg.BatchNorm1d, mg.Sequential,
        mg.bce, mg.bce_with_logits, mg.Adam, mg.GAN,
    ):  # fmt: skip
        lines = inspect.cleandoc(of.__doc__ or "").splitlines()
        conf.equations(None, "class", of.__name__, of, None, lines)
        block, texts = False, []
        for text in lines[1:]:
            if text.strip():
                block = text.startswith((".. code-block::", "    ")) and (block or text[0] == ".")
            if block:
                texts.append(text.strip())
        for left, (right, _) in equations(of).items():
            found = [" ".join(text.split()).startswith(f"{left} {right}") for text in texts]
            assert found.count(True) == 1, (of, left)
        assert len(equations(of)) >= 2, of


def test_a_name_of_many_lines_is_put_on_one() -> None:
    G = mg.Sequential(mg.Linear(3, 5), Forgetful(), seed=0)
    tape = mg.trace(mg.GAN(G, small().discriminator), *batch(8))
    names = [row.name for row in tape.rows if "Forgetful" in row.name]
    assert names == ["1 Forgetful( of = everything, )"] * 2
    assert re.search(r"^1 Forgetful\( of = everything, \)  y +\(8, 5\) ", str(tape), re.MULTILINE)


def test_without_docstrings_it_says_so(tape: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "-OO" not in str(tape)
    flags = SimpleNamespace(flags=SimpleNamespace(optimize=2))  # a true -OO compiles NumPy anew
    monkeypatch.setattr("minigan.trace_text.sys", flags)
    assert re.search("^formulas  none: python -OO leaves out ", str(tape), re.MULTILINE)
    assert "python -OO" in tape.html()


class Slope(mg.Layer):
    """y = x s, with <b>one</b> factor a column."""  # an equation in the first line is prose

    param_names = ("s",)

    def __init__(self, n: int) -> None:
        self.n_in = self.n_out = n

    def draw(self, rng: np.random.Generator) -> tuple[Array, ...]:
        return (rng.uniform(0.5, 1.5, self.n_in),)

    def forward(self, x: Array) -> tuple[Array, Any]:
        return x * self.s, (x, len(x))

    def input_grad(self, dy: Array, cache: Any) -> Array:
        return dy * self.s

    def param_grads(self, dy: Array, cache: Any) -> None:
        self.ds[...] = (dy * cache[0]).sum(axis=0)

    def __repr__(self) -> str:
        return "</script><b>Slope" + "s" * 80  # that it is long must only make the tape wide


@pytest.fixture
def own_layer() -> Trace:
    rng = np.random.default_rng(2)
    G = mg.Sequential(mg.Linear(3, 5), Slope(5), mg.Tanh(), seed=rng)
    D = mg.Sequential(Slope(5), mg.Linear(5, 1), mg.Sigmoid(), seed=rng)
    return mg.trace(mg.GAN(G, D), *batch(8))


def test_a_layer_of_your_own(own_layer: Trace) -> None:
    (row,) = [row for row in rows_of(own_layer, "G", "G backward") if "Slope" in row.name]
    assert [(one.name, one.formula, one.shape) for one in row.lines] == [
        ("ds", "ds", (5,)),
        ("dx", "dx", (8, 5)),
    ]
    assert all(one.size is not None and one.size > 0 for one in row.lines)
    assert rows_of(own_layer, "D", "G forward")[1].kept == "x"
    first = rows_of(own_layer, "D", "D backward")[-1]
    assert [one.skipped for one in first.lines] == [False, True]
    assert first.lines[1].flop == 0
    assert re.search(r"Slopes+ +ds +\(5,\) +\|ds\| [\d.]+$", str(own_layer), re.MULTILINE)


def test_a_layer_that_goes_forward_again_on_its_way_back() -> None:
    """To save memory, say; and it calls its two parts by name."""

    class Recomputing(mg.Linear):
        def backward(self, dy: Array, cache: Any, **flags: bool) -> Array | None:
            if flags.get("param_grads", True):
                self.param_grads(dy, x=cache)
            self.forward(cache)
            return self.input_grad(dy, x=cache)

    rng = np.random.default_rng(2)
    G = mg.Sequential(mg.Linear(3, 5), mg.Tanh(), seed=rng)
    D = mg.Sequential(mg.Linear(5, 4), Recomputing(4, 1), mg.Sigmoid(), seed=rng)
    tape = mg.trace(mg.GAN(G, D), *batch(8))
    assert len(rows_of(tape, "D", "D forward")) == 3
    back = rows_of(tape, "D", "D backward")
    assert len(back) == 3
    assert line(back[1], "dx").flop == 2 * 16 * 4  # the product for y anew is not among them


# ---------------------------------------------------------------- as text and as a page


def columns(text: str) -> int:
    return sum(not unicodedata.combining(letter) for letter in text)


@pytest.mark.parametrize("recipe", ["batch-norm", "tutorial"])
@pytest.mark.parametrize("batch_size", [2, 1000])
def test_text_is_a_hundred_columns_wide(recipe: str, batch_size: int) -> None:
    lines = str(mg.trace(*first_step(recipe, batch_size, 0))).splitlines()
    assert max(map(columns, lines)) == 100
    heads = [columns(text) for text in lines if text.rstrip().endswith("MFLOP")]
    assert heads == [100] * 6
    costs = [text for text in lines if re.search(r" \(?[\d.]+\)?$", text) and "Linear" in text]
    assert {columns(text) for text in costs} == {100}


def test_text(tape: Trace) -> None:
    text = str(tape)
    first = rows_of(tape, "D", "D backward")[-1]
    norm = f"{line(first, 'dW').size:.3g}"
    assert re.search(
        rf"^0 Linear\(784, 1024\) +dW = xᵀ dy +\(784, 1024\)  \|dW\| {norm} +51\.38\n"
        r" +db = Σₙ dy\[n\] +\(1024,\) .*\n"
        r" +dx = dy Wᵀ +\(32, 784\) +skipped +\(51\.38\)\n"
        r"Left out by input_grad=False: ",
        text,
        re.MULTILINE,
    )
    assert re.search(r"^1 BatchNorm1d\(256\) +y = γ x̂ \+ β +\(16, 256\) → \(16, 256\) ", text, re.M)
    assert f"d_loss {float(tape.result.d_loss):.4f}" in text
    done = sum(one.flop for row in tape.rows for one in row.lines if not one.skipped) / 1e9
    assert f"30 matrix products, {done:.3f} GFLOP\n" in text
    assert not re.search(" $", text, re.MULTILINE)


def test_page_needs_no_other_file(tape: Trace, own_layer: Trace) -> None:
    page = tape.html()
    assert not re.search(r"https?:|\bsrc=|\bhref=|@import|url\(", page)
    (data,) = re.findall(r'<script id="data" type="application/json">(.*)</script>', page)
    rows = json.loads(data)["rows"]
    assert [row["name"] for row in rows] == [row.name for row in tape.rows]
    assert [row["partner"] for row in rows] == [row.partner for row in tape.rows]
    skipped = rows[[row.phase for row in tape.rows].index("Adam D") - 1]["lines"][-1]
    assert skipped["figure"] == "skipped"
    assert skipped["product"].startswith("spared: a matrix product, 2 · 32 · 784 · 1024 = 51.38 ")
    assert "fake.detach()" in skipped["why"]
    assert own_layer.html().count("</script>") == page.count("</script>") == 2


def test_table_for_a_notebook(tape: Trace, own_layer: Trace) -> None:
    table = tape._repr_html_()
    lines = sum(len(row.lines) for row in tape.rows)
    assert len(re.findall("<tr><td[^>]*>[^<]*</td><td", table)) == lines
    assert "<td style='text-align:left'>dW = xᵀ dy</td>" in table
    assert "&lt;/script&gt;&lt;b&gt;Slope" in own_layer._repr_html_()
    assert "<b>Slope" not in own_layer._repr_html_()


# ---------------------------------------------------------------- the command


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], tape: Trace) -> None:
    out = tmp_path / "tape.html"
    assert main(["trace", "--batch-size", "16", "--html", str(out)]) == 0
    printed = capsys.readouterr().out
    assert printed == f"{tape}\n\nAs a page: {out}\n"
    assert out.read_text(encoding="utf-8") == tape.html()
    assert main(["trace", "--batch-size", "1", "--recipe", "tutorial", "--seed", "4"]) == 0
    other = capsys.readouterr().out
    assert "BatchNorm1d" not in other
    assert other == f"{mg.trace(*first_step('tutorial', 1, 4))}\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--batch-size 0", "--batch-size is 0, expected a whole number of at least 2"),
        ("--batch-size 1", "--batch-size is 1, expected a whole number of at least 2"),
        ("--batch-size 0 --recipe tutorial", "--batch-size is 0, .* of at least 1"),
        ("--batch-size 60001", "--batch-size is 60001, expected a whole number up to 60,000"),
        ("--seed=-1", "--seed is -1, expected a whole number of at least 0"),
        ("--recipe dcgan", "--recipe is 'dcgan', expected averaged, batch-norm, tutorial"),
        ("--html nowhere/x.html", "--html nowhere/x.html is in nowhere, which is no folder"),
        ("--html /", "--html / is a folder"),
        ("--html=", "--html '' is empty, expected a file to write"),
    ],
)
def test_command_errors(options: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", *options.split()]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert re.fullmatch(f"minigan: {message}.*\n", printed.err), printed.err


@pytest.mark.skipif(os.name != "posix", reason="named pipes")
def test_only_a_regular_file_is_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    Path("link").symlink_to("pipe")
    Path("circle").symlink_to("circle")
    for command in ("trace --html", "bench --backend numpy --json"):
        for name in ("pipe", "link", "circle"):
            assert main([*command.split(), name]) == 2
            expected = f"{command.split()[-1]} {name} is no regular file, expected a file to write"
            assert capsys.readouterr().err == f"minigan: {expected}\n"
    assert Path("pipe").is_fifo()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["circle", "link", "pipe"]


def test_a_link_is_written_through(tmp_path: Path) -> None:
    there, link, new = tmp_path / "there.html", tmp_path / "link.html", tmp_path / "new.html"
    there.write_text("old")
    link.symlink_to("there.html")
    for leads_to in (there, new):
        link.unlink()
        link.symlink_to(leads_to.name)
        assert main(["trace", "--batch-size", "2", "--html", str(link)]) == 0
        assert link.is_symlink()
        assert leads_to.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
