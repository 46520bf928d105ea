"""New digits from a trained run."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np

from minigan.backend import Array
from minigan.checkpoint import AVERAGE, check_arrays, load_checkpoint, network_arrays
from minigan.config import TrainConfig
from minigan.models import generator
from minigan.network import Sequential
from minigan.recipes import RECIPES
from minigan.run_folder import CHECKPOINT

PRETRAINED = Path(__file__).with_name("pretrained.npz")  # the best.npz of a run of 30 epochs
CHUNK = 1000  # images at a time: a chunk's activations take 10 MB


def find_generator(run: str | Path | None) -> Path:
    """The file with a run's generator: its checkpoint or the file itself; None: the shipped one."""
    if run is None:
        return PRETRAINED
    return Path(run) / CHECKPOINT if Path(run).is_dir() else Path(run)


def load_generator(run: str | Path | None = None, backend: str = "numpy") -> Sequential:
    """The trained generator of a run: of its folder, its ``checkpoint.npz``, its ``best.npz``.

    Without a run, the one that comes with the package.  Raises InputError if there is none, or if
    it is damaged.
    """
    path = find_generator(run)
    arrays, meta = load_checkpoint(path)
    config = TrainConfig.from_stored(meta.get("config"), path)
    net = generator(
        config.latent_dim,
        batch_norm=RECIPES[config.recipe].batch_norm,
        seed=0,
        dtype=config.dtype,
        backend=backend,
    )
    trained = network_arrays(AVERAGE if AVERAGE in arrays else "generator", net)
    check_arrays(path, arrays, trained)
    for name, array in trained.items():
        array[...] = net.backend.asarray(arrays[name])
    return net


def draw_samples(net: Sequential, z: Array) -> Array:
    """Images in [-1, 1], (N, 784) in main memory, for latent points z, (N, latent_dim)."""
    chunks = (z[start : start + CHUNK] for start in range(0, len(z), CHUNK))
    return np.concatenate(
        [net.backend.to_numpy(net(net.backend.asarray(chunk, net.dtype))) for chunk in chunks]
    )


def unit_samples(net: Sequential, n: int, seed: int) -> Array:
    """n images for the measures: float32 in [0, 1], (n, 784), where tanh has [-1, 1]."""
    z = np.random.default_rng(seed).standard_normal((n, net.n_in or 1))
    images: Array = (draw_samples(net, z).astype(np.float32) + 1) / 2
    return images


def walk(rng: np.random.Generator, n: int, latent_dim: int, steps: int = 8) -> Array:
    """n latent points on a walk that turns towards a new random point every ``steps`` points.

    Along great circles (Shoemake 1985, "slerp"), not along straight lines: nearly all of N(0, 1)
    lies near the sphere of radius √latent_dim, and a line between two points would cut through
    its empty inside, where G was never trained.
    """
    corners = rng.standard_normal((-(-n // steps) + 1, latent_dim))
    t = np.arange(steps)[:, None] / steps
    legs = []
    for a, b in itertools.pairwise(corners):
        cosine = a @ b / (np.linalg.norm(a) * np.linalg.norm(b))
        if abs(cosine) > 0.9999:  # on one line with 0, as all points of one dimension
            legs.append((1 - t) * a + t * b)
            continue
        angle = np.arccos(cosine)
        legs.append((np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle))
    return np.concatenate(legs)[:n]
