"""Several processes that share out each batch do what one does that has all of it."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
from helpers import strict_cupy
from helpers.narrow import narrow_networks
from helpers.threads_as_ranks import on_ranks

import minigan as mg
from minigan.backend import ALONE, Backend, Ranks
from minigan.batch_norm import BatchNorm1d
from minigan.training import RECIPES, draw_start

STEPS = 50
# A bias right before a BatchNorm1d has the gradient 0: what is computed is rounding, which differs
# with the order of the sums.  Adam makes of it steps of up to lr times rounding / eps, and the mean
# that the layer keeps follows.
NOISE = 1e-11


def trained(
    recipe: str, ranks: Ranks, norms_alone: bool = False, backend: str | Backend = "numpy"
) -> tuple[Any, list[Any]]:
    """Return the GAN after 50 steps, and what each step has measured; some batches are smaller."""
    K = 4 if RECIPES[recipe].conditional else 0
    rng = np.random.default_rng(3)
    gan, _ = draw_start(
        RECIPES[recipe], rng, latent_dim=10, classes=K, image_size=24, lr=2e-4, dtype="float64",
        backend=backend,
    )  # fmt: skip
    ranks.connect(gan.generator.backend)
    gan.share_out(ranks)
    for layer in gan.generator.layers:
        if norms_alone and isinstance(layer, BatchNorm1d):
            layer.ranks = ALONE
    results = []
    for step in range(STEPS):
        B = 7 if step % 5 == 0 else 17
        real, z = rng.uniform(-1, 1, (B, 24)), rng.standard_normal((B, gan.z_columns or 10))
        labels = rng.integers(0, K, B) if K else None
        mine = ranks.slice_of(B)
        result = gan.train_step(real[mine], z[mine], None if labels is None else labels[mine])
        results.append([float(figure) for figure in result])
    return gan, results


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    narrow_networks(monkeypatch)


def is_noise(net: mg.Sequential, name: str) -> bool:
    """Whether a number of the network follows the gradient of a bias before a BatchNorm1d."""
    i, _, kind = name.partition(".")
    layers = [*net.layers, None]
    before = kind == "b" and isinstance(layers[int(i) + 1], BatchNorm1d)
    return before or kind == "running_mean"


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_ranks_do_what_one_process_does(recipe: str, size: int) -> None:
    one, results = trained(recipe, ALONE)
    for gan, figures in on_ranks(size, lambda ranks: trained(recipe, ranks)):
        np.testing.assert_allclose(figures, results, rtol=0, atol=1e-12)
        for net, other in (
            (one.generator, gan.generator),
            (one.discriminator, gan.discriminator),
        ):
            mine = {name: array for name, array, _ in net.named_parameters()}
            theirs = {name: array for name, array, _ in other.named_parameters()}
            mine |= dict(net.named_buffers())
            theirs |= dict(other.named_buffers())
            for name, array in mine.items():
                atol = NOISE if is_noise(net, name) else 1e-12
                np.testing.assert_allclose(theirs[name], array, rtol=0, atol=atol, err_msg=name)


def test_all_ranks_end_with_the_same_bits() -> None:
    first, *others = on_ranks(3, lambda ranks: trained("averaged", ranks)[0])
    for other in others:
        np.testing.assert_array_equal(other.generator.params, first.generator.params)
        np.testing.assert_array_equal(other.discriminator.params, first.discriminator.params)


def test_means_of_each_ranks_own_rows_would_be_another_network() -> None:
    """What data parallelism computes if only the gradients are added: see docs/scaling.md."""
    one, _ = trained("averaged", ALONE)
    (gan, _), *_ = on_ranks(2, lambda ranks: trained("averaged", ranks, norms_alone=True))
    assert abs(gan.generator.params - one.generator.params).max() > 1e-4


@pytest.mark.parametrize("own_gpus", [True, False])
def test_gpus_do_what_one_process_does(
    own_gpus: bool, stand_in: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With NCCL the gradients do not leave the GPUs, without it they go through main memory."""
    monkeypatch.setitem(sys.modules, "cupy.cuda.nccl", strict_cupy.make_nccl())
    strict_cupy.Counts.gpus = 2 if own_gpus else 1
    one, results = trained("averaged", ALONE)
    for gan, figures in on_ranks(2, lambda ranks: trained("averaged", ranks, backend=stand_in)):
        np.testing.assert_allclose(figures, results, rtol=0, atol=1e-12)
        D = stand_in.to_numpy(gan.discriminator.params)
        np.testing.assert_allclose(D, one.discriminator.params, rtol=0, atol=1e-12)
        assert (gan.ranks.between_gpus is not None) == own_gpus
