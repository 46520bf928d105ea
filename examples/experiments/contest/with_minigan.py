"""The GAN in minigan: on the CPU, without Numba, on a GPU; and a whole epoch.

minigan is imported where it is used, because Numba must be hidden before, for the contestant that
runs without it.
"""

from __future__ import annotations

import sys
from typing import Any

from contest.same_for_all import BETAS, EPS, LATENT_DIM, LR, Epoch, Step


def minigan() -> Step:
    import numpy as np

    import minigan as mg
    from minigan.data import pixel_values

    rng = np.random.default_rng(0)
    gan = mg.GAN(mg.generator(seed=rng), mg.discriminator(seed=rng), lr=LR, betas=BETAS, eps=EPS)
    images = mg.load_mnist("train")[0].reshape(-1, 784)

    def step(indices: Any, z: Any) -> tuple[Any, Any]:
        result = gan.train_step(pixel_values(images[indices]), z)
        return result.d_loss, result.g_loss

    return step


def minigan_on_gpu(captured: bool, tf32: bool = False) -> Step:
    import numpy as np

    import minigan as mg
    from minigan.data import pixel_values

    backend: Any = mg.get_backend("cupy")
    backend.tf32 = tf32
    rng = np.random.default_rng(0)
    G, D = mg.generator(seed=rng, backend=backend), mg.discriminator(seed=rng, backend=backend)
    gan = mg.GAN(G, D, lr=LR, betas=BETAS, eps=EPS)
    images = backend.asarray(mg.load_mnist("train")[0].reshape(-1, 784))

    def step(indices: Any, z: Any) -> tuple[Any, Any]:
        result = gan.train_step(pixel_values(images[indices]), z)
        return result.d_loss, result.g_loss

    if captured:
        return backend.compile(step)  # type: ignore[no-any-return]
    return lambda indices, z: step(backend.asarray(indices), z)


def minigan_without_numba() -> Step:
    sys.modules["numba"] = None  # type: ignore[assignment]  # as after `pip install .`
    return minigan()


def epoch_of_minigan() -> Epoch:
    """Return an epoch over all images in a new order.

    A table of 256 grey levels turns the images into floats, and the losses are read once.
    """
    import numpy as np

    from minigan.data import batches

    step, rng = minigan(), np.random.default_rng(1)

    def epoch() -> tuple[Any, Any]:
        for indices in batches(60_000, 64, rng):
            z = rng.standard_normal((len(indices), LATENT_DIM), dtype=np.float32)
            losses = step(indices, z)
        return losses

    return epoch
