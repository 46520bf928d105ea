"""An element-wise formula as one compiled loop, through Numba where it is installed.

NumPy computes ``beta1 * m + rest1 * g`` in three passes over memory, Adam's whole formula in
sixteen.  Compiled, each element is loaded once, goes through the formula in registers and is stored
once: the time of a copy.  One thread does it: a second would have to fight for its core with
OpenBLAS's, which spins there between two products.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any


@functools.cache
def one_loop(update: Callable[..., Any]) -> Any:
    """A function of (p, g, m, v, scalars) that updates p, m and v in place; None without Numba.

    It is compiled on its first call, in less than a second, and not kept on disk: such a cache
    would not see that the formula was edited.
    """
    try:
        import numba
    except ImportError:  # not installed, or it does not know this NumPy yet
        return None
    # As in NumPy, a division by zero is no exception; without fast-math the bits are NumPy's too.
    compiled = numba.njit(error_model="numpy")
    one = compiled(update)

    def loop(p: Any, g: Any, m: Any, v: Any, scalars: Any) -> None:
        for i in range(p.size):
            p[i], m[i], v[i] = one(p[i], g[i], m[i], v[i], scalars)

    return compiled(loop)


def how_adam_runs() -> str:
    """In a line: what the NumPy backend does with Adam's formula in this process."""
    try:
        import numba
    except ImportError as error:
        reason = "not installed" if error.name == "numba" else str(error)
        return f"in blocks, 16 passes; in one with Numba, pip install 'minigan[fast]' ({reason})"
    return f"in one loop, compiled by Numba {numba.__version__}"
