"""Formulas that treat every element alike: as they stand on a CPU, one kernel each on a GPU."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from minigan.backend import backend_of
from minigan.checks import check_array

Method = TypeVar("Method", bound=Callable[..., Any])


def elementwise(method: Method) -> Method:
    """Decorator for a layer's ``forward`` or ``input_grad`` whose body is one formula.

    The arguments must be arrays of one shape, dtype and device: TypeError or ValueError.  On a
    GPU the formula is compiled, so it may contain operators, Python numbers, attributes of the
    layer and the functions listed in ``minigan.backend.kernel_source``, but no ``if`` on an array.
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
