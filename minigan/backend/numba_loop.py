"""Run an element-wise formula as one compiled loop, if Numba is installed.

NumPy computes ``beta1 * m + rest1 * g`` in three passes over memory, and Adam's whole formula in
sixteen.  In a compiled loop each element is loaded once, goes through the formula in registers and
is stored once, which takes about as long as a copy.  The loop runs on one thread: a second thread
would have to share its core with OpenBLAS's, which waits there in a busy loop between two products.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any


@functools.cache
def compiled_loop(update: Callable[..., Any]) -> Any:
    """Return a function of (p, g, m, v, scalars) that updates p, m and v; None without Numba.

    The function is compiled at its first call, in less than a second.  The compiled code is not
    stored on disk, where it would go on being used after the formula is edited.
    """
    try:
        import numba
    except ImportError:  # Numba is missing, or does not support this NumPy yet
        return None
    # As in NumPy, division by zero raises nothing; without fast-math the bits are NumPy's, too.
    compiled = numba.njit(error_model="numpy")
    one = compiled(update)

    def loop(p: Any, g: Any, m: Any, v: Any, scalars: Any) -> None:
        for i in range(p.size):
            p[i], m[i], v[i] = one(p[i], g[i], m[i], v[i], *scalars)

    return compiled(loop)


def how_adam_runs() -> str:
    """Return in one line how the NumPy backend runs Adam's formula in this process."""
    try:
        import numba
    except ImportError as error:
        reason = "not installed" if error.name == "numba" else str(error)
        return f"in blocks, 16 passes; in one with Numba, pip install 'minigan[fast]' ({reason})"
    return f"in one loop, compiled by Numba {numba.__version__}"
