"""Run element-wise formulas: as they are written on a CPU, as one kernel each on a GPU."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from minigan.backend.checks import check_array
from minigan.backend.dispatch import backend_of

Method = TypeVar("Method", bound=Callable[..., Any])


def elementwise(method: Method) -> Method:
    """Decorate a layer's ``forward`` or ``input_grad`` whose body is one element-wise formula.

    The method then raises TypeError or ValueError unless all its arguments are arrays of one shape,
    dtype and device.  On a GPU the formula is compiled, so it may contain operators, Python
    numbers, attributes of the layer and the functions that ``minigan.backend.kernel_source`` lists,
    but no ``if`` that depends on an array.
    """
    signature = inspect.signature(method)
    names = list(signature.parameters)[1:]

    @functools.wraps(method)
    def checked(self: Any, *arrays: Any, **named: Any) -> Any:
        arrays = signature.bind(self, *arrays, **named).args[1:]
        first = arrays[0]
        for name, array in zip(names, arrays, strict=True):
            if array is first:
                check_array(name, array)
            else:
                check_array(name, array, first.shape, like=first)
        return backend_of(first).elementwise(method, self, *arrays)

    return checked  # type: ignore[return-value]
