"""Run element-wise formulas: as one kernel each on a GPU, as loops or as written on a CPU."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from minigan.backend.checks import check_array
from minigan.backend.dispatch import backend_of

Method = TypeVar("Method", bound=Callable[..., Any])


def elementwise(method: Method) -> Method:
    """Decorate a layer's method, such as ``input_grad``, whose body is one element-wise formula.

    The method then raises TypeError or ValueError unless all its arguments are arrays of one shape,
    dtype and device.  On a GPU the formula is compiled, and on a CPU as well, if Numba is installed
    and the formula runs often.  So it may contain operators, finite Python numbers, the layer's
    attributes and the functions that ``minigan.backend.transcript`` lists, but no ``if`` that
    depends on an array.  (A CPU takes any other formula as well, and leaves it to NumPy.)  Numbers
    and texts among the layer's attributes may change later; all else that it reads must not.
    """
    signature = inspect.signature(method)
    names = list(signature.parameters)[1:]

    @functools.wraps(method)
    def checked(self: Any, *arrays: Any, **named: Any) -> Any:
        if named or len(arrays) != len(names):
            arrays = signature.bind(self, *arrays, **named).args[1:]
        first = arrays[0]
        for name, array in zip(names, arrays, strict=True):
            if array is first:
                check_array(name, array)
            else:
                check_array(name, array, first.shape, like=first)
        return backend_of(first).elementwise(method, self, *arrays)

    return checked  # type: ignore[return-value]
