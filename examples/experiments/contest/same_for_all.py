"""What all contestants have in common: the first weights, the images, Adam's numbers.

A contestant is a function that returns its training step.  The step gets the numbers of the images
and z, as NumPy arrays; each contestant keeps the images in its own way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Step = Callable[[Any, Any], tuple[Any, Any]]  # (indices, z) -> (d_loss, g_loss), maybe not ready
Epoch = Callable[[], tuple[Any, Any]]  # () -> (d_loss, g_loss) of the last step
LR, BETAS, EPS, LATENT_DIM = 2e-4, (0.5, 0.999), 1e-8, 100


def first_weights() -> tuple[list[Any], list[Any]]:
    """Return (W, b) of each Linear of G and of D, as minigan draws them."""
    import numpy as np

    import minigan as mg

    rng = np.random.default_rng(0)
    networks = mg.generator(seed=rng), mg.discriminator(seed=rng)
    g, d = ([(la.W, la.b) for la in net.layers if isinstance(la, mg.Linear)] for net in networks)
    return g, d


def float_images() -> Any:
    import minigan as mg
    from minigan.data import pixel_values

    return pixel_values(mg.load_mnist("train")[0].reshape(-1, 784))
