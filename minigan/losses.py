"""Binary cross-entropy, twice: on probabilities, as the tutorial has it, and on logits.

A loss returns ``(loss, gradient)``: one number, the mean over all elements, and dL/dp (or
dL/dlogits) in the shape of its first argument, ready to be the network's dy.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigan.backend import Array, backend_of
from minigan.checks import check_array
from minigan.layers import sigmoid


def bce(p: Array, target: Array | float) -> tuple[Any, Array]:
    """Binary cross-entropy of probabilities p against targets t in [0, 1]; n elements in all.

        L     = -1/n Σ [ t log p + (1 - t) log(1 - p) ]
        dL/dp =  1/n (p - t) / (p (1 - p))

    Logarithms are clamped at -100 and the denominator at 1e-12, as in ``torch.nn.BCELoss``: both
    stay finite when p has been rounded to 0 or 1.

    ``target`` is an array like p (no broadcasting) or one Python float for all.  The loss is 0-d on
    p's device; ``float(loss)`` reads it.

    Raises ValueError for a target of another shape or outside [0, 1], TypeError for one of another
    dtype or device.
    """
    t = _check("p", p, target)
    _check_range("p", p)
    with np.errstate(divide="ignore"):  # log 0 = -inf is what the clamp is for
        entropy, dp = backend_of(p).elementwise(_bce, p, t, p.size)
    return np.mean(entropy), dp


def _bce(p: Any, t: Any, n: int) -> tuple[Any, Any]:
    """Element by element, for one kernel on a GPU: what ``bce`` takes the mean of, and dL/dp."""
    log_p = np.maximum(np.log(p), -100)
    log_q = np.maximum(np.log1p(-p), -100)
    return -(t * log_p + (1 - t) * log_q), (p - t) / np.maximum(p * (1 - p), 1e-12) / n


def bce_with_logits(logits: Array, target: Array | float) -> tuple[Any, Array]:
    """Binary cross-entropy of p = σ(x) computed from the logits x; n elements in all.

        L     = 1/n Σ [ t log(1 + e⁻ˣ) + (1 - t) log(1 + eˣ) ]
        dL/dx = 1/n [ (1 - t) σ(x) - t σ(-x) ]  =  1/n (σ(x) - t)

    No clamp is needed: log(1 + eˣ) is ``logaddexp(0, x)``, and the two terms of the gradient never
    cancel, so that both tails keep full precision.  Matches ``torch.nn.BCEWithLogitsLoss``.

    Target, result and errors as in ``bce``.
    """
    t = _check("logits", logits, target)
    entropy, dlogits = backend_of(logits).elementwise(_bce_with_logits, logits, t, logits.size)
    return np.mean(entropy), dlogits


def _bce_with_logits(x: Any, t: Any, n: int) -> tuple[Any, Any]:
    entropy = t * np.logaddexp(0, -x) + (1 - t) * np.logaddexp(0, x)
    return entropy, ((1 - t) * sigmoid(x) - t * sigmoid(-x)) / n


def _check(name: str, y: Array, target: Array | float) -> Array | float:
    """Raise unless the target fits; a number comes back as a Python float (see ``layers``)."""
    check_array(name, y)
    if y.size == 0:
        raise ValueError(f"{name} has shape {y.shape}: the mean of no elements is not defined")
    if isinstance(target, (int, float, np.number)):
        if not 0 <= target <= 1:
            raise ValueError(f"target is {target}, expected 0 to 1")
        return float(target)
    check_array("target", target, y.shape, like=y)
    _check_range("target", target)
    return target


def _check_range(name: str, a: Array) -> None:
    """ValueError for values outside [0, 1] in main memory; NaN passes, for the caller to see."""
    if isinstance(a, np.ndarray) and (a.min() < 0 or a.max() > 1):
        raise ValueError(f"{name} reaches from {a.min():.6g} to {a.max():.6g}, expected 0 to 1")
