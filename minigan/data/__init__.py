"""Data: images and minibatches, files of arrays, networks as text, and what minigan ships.

This room offers the names listed below.  It imports from ``machine``, ``errors`` and ``backend``,
and knows nothing about networks.
"""

from minigan.data.archive import check_arrays, load_archive, save_archive, write_archive
from minigan.data.calls import Call, network_text, read_call
from minigan.data.dataset import HELD_OUT, LARGEST, SMALLEST, Dataset, Part, in_words
from minigan.data.find import ARRAYS, check_resize, dataset_of, load_images
from minigan.data.idx import read_idx
from minigan.data.minibatches import batches, pixel_values
from minigan.data.mnist import MNIST, SHIPPED, from_torchvision, load_data, load_mnist

__all__ = [
    "ARRAYS",
    "HELD_OUT",
    "LARGEST",
    "MNIST",
    "SHIPPED",
    "SMALLEST",
    "Call",
    "Dataset",
    "Part",
    "batches",
    "check_arrays",
    "check_resize",
    "dataset_of",
    "from_torchvision",
    "in_words",
    "load_archive",
    "load_data",
    "load_images",
    "load_mnist",
    "network_text",
    "pixel_values",
    "read_call",
    "read_idx",
    "save_archive",
    "write_archive",
]
