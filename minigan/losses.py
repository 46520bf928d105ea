"""Binary cross-entropy, from probabilities as in the tutorial and from logits; squared error.

Each function returns ``(loss, gradient)``.  The loss is one number, the mean over all elements.
The gradient is dL/dp (or dL/dlogits, dL/dy) in the shape of the first argument; it is the dy that
the network's ``backward`` takes.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigan.activations import sigmoid
from minigan.backend import Array, backend_of, check_array, check_range


def bce(p: Array, target: Array | float) -> tuple[Any, Array]:
    """Binary cross-entropy of n probabilities p against targets t in [0, 1].

        L     = -1/n Σ [ t log p + (1 - t) log(1 - p) ]
        dL/dp =  1/n (p - t) / (p (1 - p))

    The logarithms are clamped to at least -100 and the denominator to at least 1e-12, as in
    ``torch.nn.BCELoss``, so that both stay finite when p has been rounded to 0 or 1.

    ``target`` is one number for all elements, or an array with p's shape, dtype and device (nothing
    is broadcast).  The loss is a 0-d value on p's device; ``float(loss)`` reads it.

    Raises ValueError if p is empty, if target has another shape, or if values of p or target lie
    outside [0, 1] (in arrays on a GPU they are not checked); TypeError if target has another dtype
    or device.
    """
    t = _check("p", p, target)
    _check_range("p", p)
    with np.errstate(divide="ignore"):  # log 0 = -inf, which the clamp replaces
        entropy, dp = backend_of(p).elementwise(_bce, p, t, p.size)
    return np.mean(entropy), dp


def _bce(p: Any, t: Any, n: int) -> tuple[Any, Any]:
    """Return each element's cross-entropy and dL/dp; on a GPU this formula is one kernel."""
    log_p = np.maximum(np.log(p), -100)
    log_q = np.maximum(np.log1p(-p), -100)
    return -(t * log_p + (1 - t) * log_q), (p - t) / np.maximum(p * (1 - p), 1e-12) / n


def bce_with_logits(logits: Array, target: Array | float) -> tuple[Any, Array]:
    """Binary cross-entropy of n probabilities p = σ(x), computed from their logits x.

        L     = 1/n Σ [ t log(1 + e⁻ˣ) + (1 - t) log(1 + eˣ) ]
        dL/dx = 1/n [ (1 - t) σ(x) - t σ(-x) ]  =  1/n (σ(x) - t)

    No clamp is needed: log(1 + eˣ) is ``logaddexp(0, x)``, which does not overflow.  The gradient
    is computed as the two terms on the left: where σ(x) is nearly 1, σ(x) - 1 would round to 0, but
    -σ(-x) keeps full precision.  Matches ``torch.nn.BCEWithLogitsLoss``.

    ``target`` is a number or an array of the logits' shape, and the loss is 0-d, as in ``bce``.
    Raises the same errors as ``bce``, except that a logit may be any number.
    """
    t = _check("logits", logits, target)
    entropy, dlogits = backend_of(logits).elementwise(_bce_with_logits, logits, t, logits.size)
    return np.mean(entropy), dlogits


def _bce_with_logits(x: Any, t: Any, n: int) -> tuple[Any, Any]:
    entropy = t * np.logaddexp(0, -x) + (1 - t) * np.logaddexp(0, x)
    return entropy, ((1 - t) * sigmoid(x) - t * sigmoid(-x)) / n


def mse(y: Array, target: Array | float) -> tuple[Any, Array]:
    """Mean squared error of n numbers y against targets t.

        L     = 1/n Σ (y - t)²
        dL/dy = 2/n (y - t)

    With targets 1 for real and 0 for fake images it is the loss of a least-squares GAN (Mao et al.
    2017), whose D ends in ``Linear``.  Its gradient grows with the distance from the target, where
    that of cross-entropy levels off.  Matches ``torch.nn.MSELoss``.

    ``target`` is a number or an array of y's shape, and the loss is 0-d, as in ``bce``.  Raises the
    same errors as ``bce``, except that y and the target may be any numbers.
    """
    t = _check("y", y, target, -math.inf, math.inf)
    square, dy = backend_of(y).elementwise(_mse, y, t, y.size)
    return np.mean(square), dy


def _mse(y: Any, t: Any, n: int) -> tuple[Any, Any]:
    return (y - t) * (y - t), 2 * (y - t) / n


def _check(
    name: str, y: Array, target: Array | float, low: float = 0, high: float = 1
) -> Array | float:
    """Return the target, a number as a Python float; raise unless it fits y and its range."""
    check_array(name, y)
    if y.size == 0:
        raise ValueError(f"{name} has shape {y.shape}: the mean of no elements is not defined")
    if isinstance(target, (int, float, np.integer, np.floating)):
        if not low <= target <= high:
            raise ValueError(f"target is {target}, expected {low:g} to {high:g}")
        return float(target)
    check_array("target", target, y.shape, like=y)
    _check_range("target", target, low, high)
    return target


def _check_range(name: str, a: Array, low: float = 0, high: float = 1) -> None:
    """Raise ValueError if an array in main memory leaves its range; NaN passes into the loss."""
    if isinstance(a, np.ndarray):
        check_range(name, a, low, high)
