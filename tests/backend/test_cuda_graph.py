"""Captured steps: replayed, they do what eager ones do, and nothing else."""

from __future__ import annotations

import contextlib
import functools
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from helpers.strict_cupy import Counts, FakeCublas, Graph

import minigan as mg
from minigan.backend import Array, Backend, get_backend, sum_rows
from minigan.backend.branches import Branches
from minigan.backend.cupy_backend import CupyBackend


def small(backend: Backend, dtype: str = "float32", batch_norm: bool = False) -> mg.GAN:
    rng = np.random.default_rng(0)
    options: dict[str, Any] = {"seed": rng, "dtype": dtype, "backend": backend}
    hidden = [mg.BatchNorm1d(8), mg.ReLU()] if batch_norm else [mg.ReLU()]
    G = mg.Sequential(mg.Linear(3, 8), *hidden, mg.Linear(8, 5), mg.Tanh(), **options)
    D = mg.Sequential(mg.Linear(5, 8), mg.LeakyReLU(0.2), mg.Linear(8, 1), mg.Sigmoid(), **options)
    return mg.GAN(G, D, lr=0.01)


def batch(step: int, n: int = 6, dtype: str = "float32") -> tuple[Array, Array]:
    rng = np.random.default_rng(step)
    return rng.uniform(-1, 1, (n, 5)).astype(dtype), rng.standard_normal((n, 3)).astype(dtype)


def weights(gan: mg.GAN) -> Array:
    to_numpy = gan.generator.backend.to_numpy
    return np.concatenate([to_numpy(gan.generator.params), to_numpy(gan.discriminator.params)])


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_replays_equal_eager_steps(dtype: str, batch_norm: bool, backend: Backend) -> None:
    eager, compiled = (small(backend, dtype, batch_norm) for _ in range(2))
    step = backend.compile(compiled.train_step)
    for i in range(100):
        n = 4 if i % 10 == 9 else 6  # the last, smaller batch of an epoch
        if i == 50:
            eager.adam_g.lr = compiled.adam_g.lr = 1e-3
        want, got = eager.train_step(*batch(i, n, dtype)), step(*batch(i, n, dtype))
        assert [float(x) for x in got] == [float(x) for x in want]
    np.testing.assert_array_equal(weights(compiled), weights(eager))
    nets = compiled.generator.named_buffers(), eager.generator.named_buffers()
    for (name, array), (_, other) in zip(*nets, strict=True):
        np.testing.assert_array_equal(backend.to_numpy(array), backend.to_numpy(other), name)
    assert compiled.adam_g.t == compiled.adam_d.t == 100
    assert compiled.generator.updates == 100


def test_a_first_call_that_fails_is_no_warm_up(backend: Backend) -> None:
    """The step that fails has asked no question yet, and has compiled no kernel."""

    def penalised() -> mg.GAN:
        G = mg.Sequential(mg.Linear(3, 5), mg.Tanh(), seed=0, backend=backend)
        D = mg.Sequential(
            mg.Linear(5, 8), mg.LeakyReLU(0.2), mg.Linear(8, 1), seed=1, backend=backend
        )
        return mg.GAN(G, D, lr=0.01, logits=True, r1=1, r1_every=4)

    eager, compiled = penalised(), penalised()
    step = backend.compile(compiled.train_step)
    real, z = batch(0)
    with pytest.raises(ValueError, match="real reaches from"):
        step(3 * real, z)
    for i in range(12):
        want, got = eager.train_step(*batch(i)), step(*batch(i))
        assert [float(x) for x in got] == [float(x) for x in want]
    np.testing.assert_array_equal(weights(compiled), weights(eager))


def test_on_numpy_a_compiled_step_is_the_step() -> None:
    step = len
    assert get_backend("numpy").compile(step) is step


def test_a_replay_allocates_and_waits_for_nothing(stand_in: Backend) -> None:
    gan = small(stand_in)
    step = stand_in.compile(gan.train_step)
    for i in range(2):
        step(*batch(i))
    host, device = batch(2), tuple(map(stand_in.asarray, batch(3)))
    Counts.reset()
    first = step(*host)
    # Both Adams' numbers, the images, z
    assert (Counts.to_device, Counts.to_host, Counts.waits) == (2 + 2, 0, 0)
    assert Counts.allocations == 0
    assert Counts.launches == 1
    assert step(*device) == first  # the same arrays each time
    assert Counts.to_device == 4 + 2
    assert Counts.allocations == 0


def test_old_caches_are_stale_after_a_replay(stand_in: Backend) -> None:
    gan = small(stand_in)
    step = stand_in.compile(gan.train_step)
    for i in range(3):
        p, cache = gan.discriminator.forward(stand_in.asarray(batch(i)[0]))
        step(*batch(i))
        with pytest.raises(RuntimeError, match="stale cache"):
            gan.discriminator.backward(p, cache)


def test_weights_written_between_replays_count(stand_in: Backend) -> None:
    gan, eager = small(stand_in), small(stand_in)
    step = stand_in.compile(gan.train_step)
    for i in range(4):
        if i == 3:
            gan.generator.params[...] = 0.5
            eager.generator.params[...] = 0.5
        step(*batch(i))
        eager.train_step(*batch(i))
    np.testing.assert_array_equal(weights(gan), weights(eager))


def test_a_layers_gradients_are_branches(stand_in: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    gan, asked = small(stand_in), []

    def run(self: Branches, work: Any, *args: Any) -> None:
        asked.append(work.__self__)
        branch(self, work, *args)

    branch = Branches.run
    monkeypatch.setattr(Branches, "run", run)
    step = stand_in.compile(gan.train_step)
    for i in range(3):
        step(*batch(i))
    layers = *reversed(gan.discriminator.layers), *reversed(gan.generator.layers)
    assert asked == [layer for layer in layers if layer.param_names]  # once, in the capture
    assert not stand_in.branches.open
    assert stand_in.branches.kept == []


def test_a_branch_is_waited_for(stand_in: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the wait Adam would read gradients that are not there yet: CUDA refuses the graph."""
    gan = small(stand_in)
    step = stand_in.compile(gan.train_step)
    step(*batch(0))
    monkeypatch.setattr(Branches, "joined", contextlib.contextmanager(never_joined))
    with pytest.warns(RuntimeWarning, match="runs eagerly: CudaError: .*Unjoined"):
        step(*batch(1))


def never_joined(branches: Branches) -> Iterator[None]:
    branches.open = True
    yield
    branches.open = False


def test_branches_may_be_late(stand_in: Any) -> None:
    """What follows a branch may write new arrays, but not into those that the branch reads."""
    a, double, right = (stand_in.asarray(np.full((2, 2), x, "float32")) for x in (1, 0, 0))

    def twice(x: Any) -> None:
        stand_in.matmul(x, x, out=double)

    def step(x: Any) -> Any:
        with stand_in.branching():
            stand_in.branch(twice, x)
            right[...] = x + 1
        return double + right

    def wrong(x: Any) -> Any:
        y = x + 0
        with stand_in.branching():
            stand_in.branch(twice, y)
            y[...] = 7
        return double + 0

    for function, eager, replayed in ((step, 4, 4), (wrong, 2, 98)):
        compiled = stand_in.compile(function)
        results = [float(compiled(a)[0, 0]) for _ in range(3)]
        assert results == [eager, replayed, replayed]


class Reads(mg.Layer):
    """A layer that a graph cannot hold: its forward reads a value."""

    def forward(self, x: Array) -> tuple[Array, Array]:
        assert float(x.sum()) < 1e9
        return x, x

    def input_grad(self, dy: Array, x: Array) -> Array:
        return dy


def test_what_cannot_be_captured_runs_eagerly_with_one_warning(stand_in: Backend) -> None:
    def make() -> mg.GAN:
        gan = small(stand_in)
        G = mg.Sequential(mg.Linear(3, 5), Reads(), mg.Tanh(), seed=0, backend=stand_in)
        return mg.GAN(G, gan.discriminator)

    gan, eager = make(), make()
    step = stand_in.compile(gan.train_step)
    step(*batch(0))
    with pytest.warns(RuntimeWarning, match="runs eagerly: CudaError: .*CaptureUnsupported"):
        step(*batch(1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for i in range(2, 5):
            step(*batch(i, 6 if i < 4 else 4))
    for i in range(5):
        eager.train_step(*batch(i, 6 if i < 4 else 4))
    np.testing.assert_array_equal(weights(gan), weights(eager))
    assert gan.adam_d.t == 5
    assert Graph.captured is None


def test_without_the_door_to_cublas(stand_in: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> Any:
        raise OSError("libcublas.so: not found")

    monkeypatch.setattr("minigan.backend.cublas.load_library", missing)
    with pytest.warns(UserWarning, match="cuBLAS cannot be called directly: libcublas.so: not"):
        backend = CupyBackend()
    monkeypatch.setattr("minigan.backend.dispatch._cupy", functools.cache(lambda: backend))
    gan = small(backend)
    step = backend.compile(gan.train_step)
    step(*batch(0))
    with pytest.warns(RuntimeWarning, match="runs eagerly: NotImplementedError: calling cuBLAS"):
        step(*batch(1))
    assert gan.adam_g.t == 2


# ---------------------------------------------------------------- cuBLAS, by addresses and strides


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("rows", "inner", "columns"), [(4, 3, 5), (1, 3, 5), (4, 1, 5), (4, 3, 1), (1, 1, 1), (1, 4, 1)]
)
@pytest.mark.parametrize("a_transposed", [False, True])
@pytest.mark.parametrize("b_transposed", [False, True])
def test_products(
    dtype: str, rows: int, inner: int, columns: int, a_transposed: bool, b_transposed: bool,
    backend: Backend,
) -> None:  # fmt: skip
    rng = np.random.default_rng(0)
    a = rng.standard_normal((inner, rows) if a_transposed else (rows, inner)).astype(dtype)
    b = rng.standard_normal((columns, inner) if b_transposed else (inner, columns)).astype(dtype)
    x, y = backend.asarray(a), backend.asarray(b)
    x, y = x.T if a_transposed else x, y.T if b_transposed else y
    left, right = a.T if a_transposed else a, b.T if b_transposed else b
    want = left @ right
    # Sums in another order differ by roundings of their terms, which may cancel.
    most = inner * np.finfo(dtype).eps * (abs(left) @ abs(right))
    assert (abs(backend.to_numpy(backend.matmul(x, y)) - want) <= most).all()
    out = backend.asarray(np.zeros((rows, columns), dtype))
    assert backend.matmul(x, y, out=out) is out
    assert (abs(backend.to_numpy(out) - want) <= most).all()


def test_products_of_views(backend: Backend) -> None:
    big = np.arange(48, dtype="float32").reshape(6, 8)
    a = backend.asarray(big)
    for left, right in (
        (np.s_[:3, :3], np.s_[2:5, :2]),  # corners
        (np.s_[:, 1:4], np.s_[::2, :]),  # every second row is a step of two rows
        (np.s_[:, ::2], np.s_[:4, ::3]),  # no step that cuBLAS knows: copied
        (np.s_[:, :1], np.s_[3:4, :]),
    ):
        got = backend.matmul(a[left], a[right])
        np.testing.assert_array_equal(backend.to_numpy(got), big[left] @ big[right])
        got = backend.matmul(a[right].T, a[left].T)
        np.testing.assert_array_equal(backend.to_numpy(got), (big[left] @ big[right]).T)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(5, 3), (1, 4), (6, 1), (0, 2)])
def test_sums_of_rows(shape: tuple[int, int], dtype: str, backend: Backend) -> None:
    a = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    out = backend.asarray(np.full(shape[1], 7, dtype))
    for view, want in ((backend.asarray(a), a), (backend.asarray(a.T.copy()).T, a)):
        sum_rows(view, out)
        most = shape[0] * np.finfo(dtype).eps * abs(want).sum(axis=0)
        assert (abs(backend.to_numpy(out) - want.sum(axis=0)) <= most).all()


def test_sums_of_rows_are_not_rounded_by_tf32(stand_in: Any) -> None:
    library: FakeCublas = stand_in.cublas.library
    a = stand_in.asarray(np.ones((2, 2), "float32"))
    stand_in.tf32 = True
    stand_in.matmul(a, a)
    sum_rows(a, a[0])
    stand_in.tf32 = False
    assert library.calls[-4:] == ["math mode 3", "gemm", "math mode 0", "gemm"]


def test_products_that_are_none(backend: Backend) -> None:
    a = backend.asarray(np.ones((2, 3), "float32"))
    with pytest.raises(ValueError, match="mismatch|size|shape"):
        backend.matmul(a, a)
    empty = backend.matmul(a[:0], a.T)
    assert empty.shape == (0, 2)


def test_tf32_is_off_unless_asked_for(stand_in: Any) -> None:
    library: FakeCublas = stand_in.cublas.library
    a = stand_in.asarray(np.ones((2, 2), "float32"))
    assert library.calls[0] == "math mode 0"
    stand_in.matmul(a, a)
    stand_in.tf32 = True
    stand_in.matmul(a, a)
    stand_in.matmul(a, a)
    stand_in.tf32 = False
    stand_in.matmul(a, a)
    expected = ["math mode 0", "gemm", "math mode 3", "gemm", "gemm", "math mode 0", "gemm"]
    assert library.calls[-7:] == expected


def test_a_library_that_fails_says_so(stand_in: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stand_in.cublas.library, "cublasSgemm_v2", lambda *args: 13)
    a = stand_in.asarray(np.ones((2, 2), "float32"))
    with pytest.raises(RuntimeError, match="cublasSgemm_v2 failed with status 13"):
        stand_in.matmul(a, a)
