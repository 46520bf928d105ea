"""Where arrays live and how the few heavy operations run: NumPy in main memory, CuPy on a GPU.

The mathematics is written once, in ``minigan.layers`` and its neighbours, with NumPy's functions.
A backend holds only what must differ between main memory and a GPU: how arrays are created and
moved, how matrices are multiplied, how Adam goes over its vectors, and how to wait for the device.
This room offers the names listed below.  It imports from ``machine`` and ``errors`` only.
"""

from minigan.backend.base import Array, Backend
from minigan.backend.checks import (
    FLOATS,
    check_array,
    check_count,
    check_dtype,
    check_labels,
    check_range,
    check_size,
    through,
)
from minigan.backend.dispatch import backend_of, branch, get_backend, matmul, sum_rows
from minigan.backend.formulas import elementwise
from minigan.backend.products import Product, noted_products
from minigan.backend.ranks import ALONE, Ranks
from minigan.backend.started import started_as, started_ranks
from minigan.backend.tf32 import check_tf32, tf32_products

__all__ = [
    "ALONE",
    "FLOATS",
    "Array",
    "Backend",
    "Product",
    "Ranks",
    "backend_of",
    "branch",
    "check_array",
    "check_count",
    "check_dtype",
    "check_labels",
    "check_range",
    "check_size",
    "check_tf32",
    "elementwise",
    "get_backend",
    "matmul",
    "noted_products",
    "started_as",
    "started_ranks",
    "sum_rows",
    "tf32_products",
    "through",
]
