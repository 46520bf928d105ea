"""minigan: a tiny layer library with hand-written backprop, and the GAN that is trained with it."""

from minigan import blas

blas.configure()  # before NumPy is imported, below

from minigan.backend import get_backend
from minigan.batch_norm import BatchNorm1d
from minigan.config import TrainConfig
from minigan.data import from_torchvision, load_mnist
from minigan.gan import GAN, StepResult
from minigan.gradcheck import check_gradients
from minigan.layers import Layer, LeakyReLU, Linear, ReLU, Sigmoid, Tanh
from minigan.losses import bce, bce_with_logits
from minigan.models import discriminator, generator
from minigan.network import Sequential
from minigan.optim import Adam
from minigan.trace import trace
from minigan.training import Trainer

__version__ = "0.1.0"

__all__ = [
    "GAN",
    "Adam",
    "BatchNorm1d",
    "Layer",
    "LeakyReLU",
    "Linear",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "StepResult",
    "Tanh",
    "TrainConfig",
    "Trainer",
    "__version__",
    "bce",
    "bce_with_logits",
    "check_gradients",
    "discriminator",
    "from_torchvision",
    "generator",
    "get_backend",
    "load_mnist",
    "trace",
]
