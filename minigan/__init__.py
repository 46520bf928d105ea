"""minigan: a tiny layer library with hand-written backprop, and the GAN that is trained with it."""

from minigan.machine import signals

signals.end_on_interrupt()  # while the command minigan imports what follows

from minigan.machine import blas

blas.configure()  # OpenBLAS reads these settings once, when NumPy is imported below

from minigan.activations import LeakyReLU, ReLU, Sigmoid, Tanh
from minigan.backend import get_backend
from minigan.batch_norm import BatchNorm1d
from minigan.data import from_torchvision, load_images, load_mnist
from minigan.errors import InputError
from minigan.gan import GAN, StepResult
from minigan.gradcheck import GradientReport, check_gradients
from minigan.layers import Layer, Linear
from minigan.losses import bce, bce_with_logits, mse
from minigan.models import discriminator, generator
from minigan.network import Sequential
from minigan.optim import Adam
from minigan.penalty import r1
from minigan.tape import trace
from minigan.training import TrainConfig, Trainer, load_generator, save_grid
from minigan.weights import load

__version__ = "0.1.0"

__all__ = [
    "GAN",
    "Adam",
    "BatchNorm1d",
    "GradientReport",
    "InputError",
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
    "load",
    "load_generator",
    "load_images",
    "load_mnist",
    "mse",
    "r1",
    "save_grid",
    "trace",
]
