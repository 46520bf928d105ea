"""The tutorial's two networks, variants of them, and a generator with styles."""

from __future__ import annotations

from minigan.activations import LeakyReLU, ReLU, Sigmoid, Tanh
from minigan.backend import Backend, check_count, check_size
from minigan.batch_norm import BatchNorm1d
from minigan.layers import Layer, Linear, Seed
from minigan.network import Sequential
from minigan.style import Constant, ModulatedLinear, Noise, Shift
from minigan.styled import Styled

IMAGE_SIZE = 784  # numbers in an image of 28 x 28 grey pixels, in one row
LATENT_DIM = 100  # numbers in each z, unless another latent_dim is given


def generator(
    latent_dim: int = LATENT_DIM,
    *,
    classes: int = 0,
    batch_norm: bool = False,
    image_size: int = IMAGE_SIZE,
    seed: Seed = None,
    dtype: str = "float32",
    backend: str | Backend = "numpy",
) -> Sequential:
    """Return the tutorial's generator G, which maps z (N, latent_dim) to images (N, 784).

    z is drawn from N(0, 1), and pixels lie in [-1, 1].  The widths are latent_dim-256-512-1024-784,
    with ReLU between the ``Linear`` layers and Tanh at the end: 1,486,352 parameters for a
    latent_dim of 100.  ``batch_norm=True`` puts a ``BatchNorm1d`` before each ReLU (3,584 more
    parameters), the cure for collapse: see docs/is-it-working.md.  ``classes=K`` makes room
    for a one-hot vector of K columns beside z, as ``GAN`` with ``classes=K`` expects.
    ``image_size`` is how many numbers an image has, if not 784: 8 x 8 x 3 are 192.

    Raises ValueError if latent_dim or image_size is below 1, if classes is below 0, or if dtype or
    backend is unknown.
    """
    layers: list[Layer] = []
    n_in = check_size("latent_dim", latent_dim) + check_count("classes", classes)
    for n in (256, 512, 1024):
        layers += [Linear(n_in, n), *([BatchNorm1d(n)] if batch_norm else []), ReLU()]
        n_in = n
    layers += [Linear(n_in, check_size("image_size", image_size)), Tanh()]
    return Sequential(*layers, seed=seed, dtype=dtype, backend=backend)


def style_generator(
    latent_dim: int = LATENT_DIM,
    *,
    image_size: int = IMAGE_SIZE,
    seed: Seed = None,
    dtype: str = "float32",
    backend: str | Backend = "numpy",
) -> Styled:
    """Return a generator with the tutorial's widths that is told the style in every layer.

    Two ``Linear`` of 256 units make w of z, and a ``BatchNorm1d`` gives its numbers the variance 1:
    as they are drawn, they would be so small that no layer would hear them.  A constant of 256
    numbers then goes through layers of 512 and 1024 units to the 784 pixels, or to ``image_size``
    numbers.  w scales what these layers take in, and shifts what they give out; then noise is
    added.  So the argument is z with 512 + 1024 columns of noise beside it, all from N(0, 1):
    (N, latent_dim + 1536).

    Raises ValueError if latent_dim or image_size is below 1, or if dtype or backend is unknown.
    """
    mapping = Linear(latent_dim, 256), LeakyReLU(0.2), Linear(256, 256), BatchNorm1d(256)
    synthesis: list[Layer] = [Constant(256)]
    for n_in, n_out in ((256, 512), (512, 1024)):
        synthesis += [ModulatedLinear(n_in, n_out), Shift(n_out), Noise(n_out), ReLU()]
    synthesis += [Linear(1024, check_size("image_size", image_size)), Tanh()]
    return Styled(mapping, synthesis, seed=seed, dtype=dtype, backend=backend)


def discriminator(
    *,
    classes: int = 0,
    logits: bool = False,
    image_size: int = IMAGE_SIZE,
    seed: Seed = None,
    dtype: str = "float32",
    backend: str | Backend = "numpy",
) -> Sequential:
    """Return the tutorial's discriminator D, which maps images (N, 784) to probabilities (N, 1).

    Pixels lie in [-1, 1], and the output is the probability that an image is real.  The widths are
    784-1024-512-256-1, with LeakyReLU(0.2) between the ``Linear`` layers and Sigmoid at the end:
    1,460,225 parameters.  ``logits=True`` leaves out the Sigmoid: the output is then logits, as
    ``GAN`` with ``logits=True`` expects, or any number, for a ``loss`` such as ``mse``.
    ``classes=K`` gives it K outputs in place of one, "is this a real 0?", "a real 1?" and so on.
    ``image_size`` is how many numbers an image has, if not 784.

    Raises ValueError if classes is below 0, if image_size is below 1, or if dtype or backend is
    unknown.
    """
    layers = [
        Linear(check_size("image_size", image_size), 1024),
        LeakyReLU(0.2),
        Linear(1024, 512),
        LeakyReLU(0.2),
        Linear(512, 256),
        LeakyReLU(0.2),
        Linear(256, check_count("classes", classes) or 1),
        *([] if logits else [Sigmoid()]),
    ]
    return Sequential(*layers, seed=seed, dtype=dtype, backend=backend)
