"""Adam, against the same formula written for single numbers, and against PyTorch."""

from __future__ import annotations

import importlib.util
import math
import platform
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import minigan as mg
from minigan.backend import Array, Backend, numba_loop
from minigan.backend.numba_loop import Loops
from minigan.backend.numpy_backend import BLOCK
from minigan.optim import update


def scalar_adam(
    p: float, gradients: list[float], lr: float, betas: tuple[float, float], eps: float
) -> float:
    """Kingma & Ba 2015, algorithm 1, for one parameter."""
    m = v = 0.0
    for t, g in enumerate(gradients, start=1):
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g**2
        m_hat, v_hat = m / (1 - betas[0] ** t), v / (1 - betas[1] ** t)
        p -= lr * m_hat / (math.sqrt(v_hat) + eps)
    return p


# The second eps is large enough to show whether it stands inside the bias correction or outside.
@pytest.mark.parametrize(
    ("lr", "betas", "eps"), [(2e-4, (0.5, 0.999), 1e-8), (0.1, (0.9, 0.99), 0.5)]
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_twenty_steps_of_each_parameter(
    lr: float, betas: tuple[float, float], eps: float, dtype: str, backend: Backend
) -> None:
    net = mg.Sequential(mg.Linear(3, 2), seed=0, dtype=dtype, backend=backend)
    optimizer = mg.Adam(net, lr, betas, eps)
    start = backend.to_numpy(net.params).copy()
    gradients = np.random.default_rng(1).standard_normal((20, net.params.size)).astype(dtype)
    for gradient in gradients:
        net.grads[...] = backend.asarray(gradient)
        optimizer.step()
    expected = [
        scalar_adam(float(p), [float(g) for g in gradients[:, i]], lr, betas, eps)
        for i, p in enumerate(start)
    ]
    moved = backend.to_numpy(net.params)
    assert moved.dtype == optimizer.m.dtype == optimizer.v.dtype == dtype
    # 20 steps, each rounded by the dtype; compare how far the parameters went
    rtol = {"float32": 2e-4, "float64": 1e-12}[dtype]
    np.testing.assert_allclose(moved - start, expected - start, rtol=rtol, atol=rtol * lr)


@pytest.mark.parametrize("settle_after", [0, 1, 3, 8, 10**400])
def test_from_then_on_the_learning_rate_falls(settle_after: int, backend: Backend) -> None:
    """A twin is given, by hand, the learning rate of each step."""
    nets = [mg.Sequential(mg.Linear(3, 2), seed=0, backend=backend) for _ in range(2)]
    ours, twin = mg.Adam(nets[0], 0.1, settle_after=settle_after), mg.Adam(nets[1])
    rates = {0: [1.0] * 6, 1: [1, 1 / 2, 1 / 3, 1 / 4, 1 / 5, 1 / 6], 8: [1.0] * 6}
    rates |= {3: [1, 1, 1, 3 / 4, 3 / 5, 3 / 6], 10**400: [1.0] * 6}
    for rate in rates[settle_after]:
        gradient = backend.asarray(np.full(8, 0.3 + twin.t), "float32")
        for net in nets:
            net.grads[...] = gradient
        twin.lr = 0.1 * rate
        ours.step()
        twin.step()
        for a, b in ((nets[0].params, nets[1].params), (ours.m, twin.m), (ours.v, twin.v)):
            np.testing.assert_array_equal(backend.to_numpy(a), backend.to_numpy(b))
    assert ours.lr == 0.1  # what was given


def test_first_step_is_lr_whatever_the_size_of_the_gradient() -> None:
    # The bias correction makes m̂ = g and v̂ = g² after one step.
    net = mg.Sequential(mg.Linear(2, 1), dtype="float64")
    net.grads[...] = [1e-3, -1.0, 1e3]
    before = net.params.copy()
    mg.Adam(net, lr=0.1, eps=0).step()
    np.testing.assert_allclose(net.params - before, [-0.1, 0.1, -0.1], rtol=1e-12)


LARGE = 2 * BLOCK + 1234  # elements: two whole blocks of NumPy's walk, and one that is not full


def large_step(dtype: str) -> list[Array]:
    """θ, m and v after the third step of a network with ``LARGE`` parameters."""
    mg.get_backend("numpy").loops = Loops()  # type: ignore[attr-defined]  # of which there are none
    net = mg.Sequential(mg.Linear(LARGE - 1, 1), seed=0, dtype=dtype)
    optimizer = mg.Adam(net, lr=0.1, betas=(0.5, 0.999))
    rng = np.random.default_rng(1)
    for _ in range(3):
        net.grads[...] = rng.standard_normal(LARGE) ** 5  # from very small to very large
        net.grads[:100] = 0
        net.grads[100:200] *= 1e-25  # the squares are denormal in float32, or zero
        optimizer.step()
    return [net.params, optimizer.m, optimizer.v]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_all_walks_give_the_same_bits(dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # As installed, from the first step on and from the second, in blocks, and all at once.
    monkeypatch.setattr(numba_loop, "OFTEN", 1)
    chosen = large_step(dtype)
    monkeypatch.setattr(numba_loop, "OFTEN", 2)
    mixed = large_step(dtype)
    monkeypatch.setattr(numba_loop, "OFTEN", 4)
    in_blocks = large_step(dtype)
    monkeypatch.setattr("minigan.backend.numpy_backend.BLOCK", LARGE)
    at_once = large_step(dtype)
    for a, *others in zip(chosen, mixed, in_blocks, at_once, strict=True):
        assert a.dtype == dtype
        for other in others:
            np.testing.assert_array_equal(a, other)


@pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="Numba is not installed")
def test_numba_makes_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numba_loop, "OFTEN", 2)
    large_step("float32")
    backend: Any = mg.get_backend("numpy")
    loop = backend.loops.of_adam(update)
    assert len(loop.signatures) == 1  # it was called, so the blocks were not
    if platform.machine() in ("x86_64", "AMD64"):
        code = next(iter(loop.inspect_asm().values()))
        assert "sqrtps" in code  # several elements an instruction


def test_without_numba(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numba", None)  # makes "import numba" fail
    monkeypatch.setattr(numba_loop, "_numba", numba_loop._numba.__wrapped__)  # as a new process
    monkeypatch.setattr(numba_loop, "OFTEN", 1)
    large_step("float32")
    backend: Any = mg.get_backend("numpy")
    assert backend.loops.loops == {(update,): None}
    backend.loops = Loops()


@pytest.mark.parametrize(("width", "steps"), [(8, 50), (8000, 3)])
def test_a_small_network_and_a_few_steps_do_not_load_numba(width: int, steps: int) -> None:
    code = (
        "import sys, minigan as mg\n"
        f"adam = mg.Adam(mg.Sequential(mg.Linear(8, {width}), mg.Linear({width}, 1)))\n"
        f"for _ in range({steps}): adam.step()\n"
        "print('numba' in sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout == "False\n"


def test_passes_over_the_vectors() -> None:
    """Sixteen operations an element: thirteen in the formula, three to write θ, m and v.

    In one compiled loop they cost one pass over memory; in NumPy each is a pass of its own.
    """

    class Counting(np.lib.mixins.NDArrayOperatorsMixin):
        operations = 0

        def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any) -> Any:
            Counting.operations += 1
            return self

    one = Counting()
    update(one, one, one, one, *map(np.float32, (0.5, 0.5, 0.999, 1e-3, 1e-4, 0.1, 1e-8)))
    assert Counting.operations == 13


def test_layers_see_the_step() -> None:
    net = mg.Sequential(mg.Linear(2, 1))
    layer: Any = net[0]
    W = layer.W.copy()
    net.grads[...] = 1
    mg.Adam(net).step()
    assert (layer.W < W).all()


def test_defaults_are_pytorchs() -> None:
    optimizer = mg.Adam(mg.Sequential(mg.Linear(2, 1)))
    assert (optimizer.lr, optimizer.betas, optimizer.eps) == (1e-3, (0.9, 0.999), 1e-8)


@pytest.mark.torch
@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")
@pytest.mark.parametrize(("eps", "settle_after"), [(1e-8, 0), (0.1, 0), (1e-8, 20)])
def test_each_step_equals_pytorch(eps: float, settle_after: int) -> None:
    import torch

    net = mg.Sequential(mg.Linear(20, 10), seed=0, dtype="float64")
    parameter = torch.nn.Parameter(torch.tensor(net.params.copy()))
    ours = mg.Adam(net, lr=0.01, betas=(0.5, 0.999), eps=eps, settle_after=settle_after)
    theirs = torch.optim.Adam([parameter], lr=0.01, betas=(0.5, 0.999), eps=eps)
    falling = torch.optim.lr_scheduler.LambdaLR(
        theirs, lambda done: min(1.0, (settle_after or 1e9) / (done + 1))
    )
    rng = np.random.default_rng(1)
    for _ in range(50):
        gradient = rng.standard_normal(net.params.size)
        net.grads[...] = gradient
        parameter.grad = torch.tensor(gradient)
        ours.step()
        theirs.step()
        falling.step()
        np.testing.assert_allclose(net.params, parameter.detach().numpy(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lr": -1e-3}, "lr is -0.001"),
        ({"lr": math.nan}, "lr is nan"),
        ({"lr": math.inf}, "lr is inf"),
        ({"lr": float("inf")}, "lr is inf"),  # another object than math.inf
        ({"eps": -1}, "eps is -1"),
        ({"lr": "1"}, "lr is '1', expected a finite number of at least 0"),
        ({"lr": None}, "lr is None"),
        ({"eps": [1e-8]}, r"eps is \[1e-08\]"),
        ({"betas": ("0.9", 0.9)}, r"betas are \('0.9', 0.9\), expected two numbers in \[0, 1\)"),
        ({"betas": (0.9, 1.0)}, "betas are"),
        ({"betas": (-0.1, 0.9)}, "betas are"),
        ({"betas": (0.9,)}, "betas are"),
        ({"betas": (0.9, 0.9, 0.9)}, "betas are"),
        ({"betas": 0.9}, "betas are"),
        ({"betas": (math.nan, 0.9)}, "betas are"),
        ({"settle_after": -1}, "settle_after is -1, expected a whole number of at least 0"),
        ({"settle_after": 2.5}, "settle_after is 2.5"),
        ({"settle_after": True}, "settle_after is True"),
        ({"settle_after": None}, "settle_after is None"),
    ],
)
def test_bad_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        mg.Adam(mg.Sequential(mg.Linear(2, 1)), **options)


def test_options_at_the_ends_of_their_ranges() -> None:
    net = mg.Sequential(mg.Linear(2, 1), seed=0)
    before = net.params.copy()
    net.grads[...] = 0.5
    mg.Adam(net, lr=0, betas=(0, 0)).step()
    np.testing.assert_array_equal(net.params, before)
    mg.Adam(net, lr=0.25, betas=(0, 0), eps=0).step()  # every entry moves by lr
    np.testing.assert_array_equal(net.params, before - np.float32(0.25))


def test_a_layer_is_not_a_network() -> None:
    with pytest.raises(TypeError, match="net is a Linear, expected a Sequential"):
        mg.Adam(mg.Linear(2, 1))  # type: ignore[arg-type]
