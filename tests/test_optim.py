"""Adam, against the same formula written for single numbers, and against PyTorch."""

from __future__ import annotations

import importlib.util
import math
from typing import Any

import numpy as np
import pytest

import minigan as mg
from minigan.backend import Backend


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


def test_first_step_is_lr_whatever_the_size_of_the_gradient() -> None:
    # The bias correction makes m̂ = g and v̂ = g² after one step.
    net = mg.Sequential(mg.Linear(2, 1), dtype="float64")
    net.grads[...] = [1e-3, -1.0, 1e3]
    before = net.params.copy()
    mg.Adam(net, lr=0.1, eps=0).step()
    np.testing.assert_allclose(net.params - before, [-0.1, 0.1, -0.1], rtol=1e-12)


def test_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    # More parameters than one block of NumPy's walk, against the whole vectors at once.
    nets = [mg.Sequential(mg.Linear(300, 250), seed=0) for _ in range(2)]
    assert nets[0].params.size > 2 * 32_768
    gradient = np.random.default_rng(1).standard_normal(nets[0].params.size).astype("float32")
    for net in nets:
        net.grads[...] = gradient
    mg.Adam(nets[0]).step()
    monkeypatch.setattr(
        type(nets[1].backend), "adam", lambda self, update, *vectors: update(*vectors)
    )
    mg.Adam(nets[1]).step()
    np.testing.assert_array_equal(nets[0].params, nets[1].params)


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
@pytest.mark.parametrize("eps", [1e-8, 0.1])
def test_each_step_equals_pytorch(eps: float) -> None:
    import torch

    net = mg.Sequential(mg.Linear(20, 10), seed=0, dtype="float64")
    parameter = torch.nn.Parameter(torch.tensor(net.params.copy()))
    ours = mg.Adam(net, lr=0.01, betas=(0.5, 0.999), eps=eps)
    theirs = torch.optim.Adam([parameter], lr=0.01, betas=(0.5, 0.999), eps=eps)
    rng = np.random.default_rng(1)
    for _ in range(50):
        gradient = rng.standard_normal(net.params.size)
        net.grads[...] = gradient
        parameter.grad = torch.tensor(gradient)
        ours.step()
        theirs.step()
        np.testing.assert_allclose(net.params, parameter.detach().numpy(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lr": -1e-3}, "lr is -0.001"),
        ({"lr": math.nan}, "lr is nan"),
        ({"lr": math.inf}, "lr is inf"),
        ({"eps": -1}, "eps is -1"),
        ({"betas": (0.9, 1.0)}, "betas are"),
        ({"betas": (-0.1, 0.9)}, "betas are"),
        ({"betas": (0.9,)}, "betas are"),
        ({"betas": (math.nan, 0.9)}, "betas are"),
    ],
)
def test_bad_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        mg.Adam(mg.Sequential(mg.Linear(2, 1)), **options)


def test_a_layer_is_not_a_network() -> None:
    with pytest.raises(TypeError, match="net is a Linear, expected a Sequential"):
        mg.Adam(mg.Linear(2, 1))
