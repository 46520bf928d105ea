"""The tape of a training step watches it and changes nothing."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.small_gan import batch, small, with_batch_norm
from helpers.tapes import line, rows_of, tape_with_an_own_layer

import minigan as mg
import minigan.gan as gan_module
from minigan.backend import Array, Backend
from minigan.data import batches
from minigan.losses import bce
from minigan.tape import Trace, first_step
from minigan.training import RECIPES, draw_z


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


@pytest.mark.parametrize("recipe", RECIPES)
def test_it_is_the_first_step_of_a_run(recipe: str, tmp_path: Path) -> None:
    gan, *batch = first_step(recipe, 16, 3)
    out = str(tmp_path / "run")
    run = mg.Trainer(mg.TrainConfig(recipe=recipe, batch_size=16, seed=3, backend="numpy", out=out))
    indices = next(batches(60_000, 16, run.state.rng))
    figures = run.train_step(indices, draw_z(run.state.rng, 16, run.gan.z_columns or 1))
    np.testing.assert_array_equal(figures, [float(x) for x in mg.trace(gan, *batch).result])
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


# ---------------------------------------------------------------- layers of your own


@pytest.fixture
def own_layer() -> Trace:
    return tape_with_an_own_layer()


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
        def backward(self, dy: Array, cache: Any, **flags: bool) -> Any:
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


def test_traces_in_two_threads_leave_everything_as_it_was() -> None:
    def work(seed: int) -> list[int]:
        nets = small(logits=True)
        gan = mg.GAN(nets.generator, nets.discriminator, logits=True, r1=0.1)
        real, z = batch(8, seed=seed)
        tapes = [mg.trace(gan, real, z) for _ in range(20)]
        return [sum(row.phase == "R1" for row in tape.rows) for tape in tapes]

    with ThreadPoolExecutor(3) as pool:
        counts = list(pool.map(work, range(3)))
    assert counts == [[1] + [0] * 15 + [1] + [0] * 3] * 3
    assert vars(gan_module)["r1"] is mg.r1
