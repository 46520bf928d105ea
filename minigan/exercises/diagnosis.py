"""Say in one line what is wrong with a gradient: an entry, what it should be, and a pattern.

``minigan exercise`` prints it.  A pattern is named only if it explains every entry, and none of
them tells what the rule should be: "every entry is 7 times too large" only tells where to look.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from minigan.backend import Array
from minigan.gradcheck import TOLERANCE

H = 1e-5  # the nudge; the exercises' arrays hold numbers near 1, for which it is right


class AnswerError(Exception):
    """The answer in a blank is wrong; the message is one line for the reader."""


def slopes(array: Array, L: Callable[[], Any]) -> Array:
    """Return dL/d(array) by central differences: each entry is nudged in place, then put back."""
    result = np.zeros_like(array)
    for index in np.ndindex(array.shape):
        before = float(array[index])
        array[index] = before + H
        plus = float(L())
        array[index] = before - H
        result[index] = (plus - float(L())) / (2 * H)
        array[index] = before
    return result


def call(function: Callable[..., Any], *arguments: Any, kept: dict[str, Any]) -> Any:
    """Return the function's result; AnswerError if an array of ``kept`` was changed on the way."""
    arrays = {name: item for name, item in kept.items() if type(item) is np.ndarray}
    before = {name: array.copy() for name, array in arrays.items()}
    result = function(*arguments)
    for name, array in arrays.items():
        if not np.array_equal(array, before[name], equal_nan=array.dtype.kind == "f"):
            raise AnswerError(
                f"{name} was changed in place; it belongs to the caller: make a new array"
            )
    return result


def check_kind(name: str, came: Any, shape: tuple[int, ...], dtype: str) -> None:
    """Raise AnswerError unless ``came`` is an array of that shape and dtype."""
    if came is None:
        raise AnswerError(
            f"{name} is None, expected an array of shape {shape}: is a return missing?"
        )
    if type(came) is not np.ndarray:  # np.matrix and masked arrays have rules of their own
        an = "a plain" if isinstance(came, np.ndarray) else "an"
        raise AnswerError(
            f"{name} is a {type(came).__name__}, expected {an} array of shape {shape}"
        )
    if came.shape != shape:
        hint = ", which is that of its transpose" if came.shape == shape[::-1] else ""
        raise AnswerError(f"{name} has shape {came.shape}{hint}, expected {shape}")
    if came.dtype != dtype:
        raise AnswerError(
            f"{name} has dtype {came.dtype} for arguments of {dtype}, expected {dtype}"
        )


def check_values(
    name: str,
    came: Any,
    expected: Array,
    *,
    parts: Mapping[str, Any] | None = None,
    sizes: Mapping[str, int] | None = None,
    known: Mapping[str, Array] | None = None,
    oracle: str = "finite differences say",
) -> None:
    """Raise AnswerError unless ``came`` is ``expected``, by the measure of ``check_gradients``.

    ``parts`` names parts of the array, each a mask that broadcasts to it: an answer may be right in
    one of them.  ``sizes`` names the numbers that a forgotten or surplus factor may be.  ``known``
    holds the answers that known mistakes lead to, and what to say of each.  ``oracle`` says in the
    message whose value is the right one.
    """
    check_kind(name, came, expected.shape, "float64")
    finite = np.abs(came[np.isfinite(came)])
    largest = max(float(np.abs(expected).max()), float(finite.max(initial=0)))
    difference = np.where(came == expected, 0, np.abs(came - expected))
    error = np.where(np.isfinite(came), difference, np.inf)
    bad = error > TOLERANCE * largest
    if not bad.any():
        return
    worst = tuple(int(i) for i in np.unravel_index(int(error.argmax()), error.shape))
    pattern = ""
    if finite.size == came.size:
        pattern = _pattern(came, expected, bad, parts or {}, sizes or {}, known or {})
    raise AnswerError(
        f"{name}{list(worst)} is {came[worst]:.7g}, {oracle} {expected[worst]:.7g}; "
        + (pattern or _how_many_wrong(int(bad.sum()), bad.size))
    )


def _how_many_wrong(wrong: int, size: int) -> str:
    if size == 1:
        return "that is the only entry"
    return f"{wrong} of {size} entries {'is' if wrong == 1 else 'are'} wrong"


def _pattern(
    came: Array,
    expected: Array,
    bad: Any,
    parts: Mapping[str, Any],
    sizes: Mapping[str, int],
    known: Mapping[str, Array],
) -> str:
    if not came.any():
        return "every entry is 0"
    factor = _factors(came, expected, None)
    if factor is not None and abs(float(factor) - 1) > TOLERANCE:
        return _times(float(factor), sizes)
    for part, here in parts.items():
        if here.any() and not (bad & here).any():
            return f"all is right where {part}"
    for mistake, answer in known.items():
        if np.allclose(came, answer, 0, TOLERANCE * float(np.abs(answer).max())):
            return mistake
    if came.ndim == 2 and len(came) > 2:
        off = came - expected
        if np.abs(off - off.mean(axis=0)).max() < TOLERANCE * np.abs(off).max():
            return "each column is off by one number, the same in all of its rows"
        if _factors(came, expected, 0) is not None:
            return "each column is off by one factor, the same in all of its rows"
    return ""


def _factors(came: Array, expected: Array, axis: int | None) -> Array | None:
    """Return the c with came = c expected, one c for all or one a column; None if there is none."""
    squares = (expected * expected).sum(axis=axis)
    if not np.all(squares > 0):
        return None
    c: Array = (came * expected).sum(axis=axis) / squares
    return c if np.allclose(came, c * expected, 0, TOLERANCE * float(np.abs(came).max())) else None


def _times(c: float, sizes: Mapping[str, int]) -> str:
    """Return a factor in words, with the name of the size that it is equal to."""
    size = abs(c) if abs(c) > 1 else 1 / abs(c)
    if abs(c + 1) < TOLERANCE:
        return "the sign is opposite everywhere"
    names = [name for name, value in sizes.items() if abs(size / value - 1) < TOLERANCE]
    return (
        f"every entry is {size:.7g} times too {'large' if abs(c) > 1 else 'small'}"
        + (" and has the opposite sign" if c < 0 else "")
        + (f" ({names[0]} is {sizes[names[0]]})" if names else "")
    )


def untouched(came: Any, expected: Any) -> None:
    """Raise AnswerError if the forward pass, which the file provides, has been changed."""
    try:
        check_values("its y", np.atleast_1d(came), np.atleast_1d(expected), oracle="it should be")
    except AnswerError as wrong:
        raise AnswerError(f"the forward pass was changed: {wrong}") from None
