"""The checks of what a classifier of images has: softmax with its cross-entropy, and a window."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigan.backend import Array
from minigan.exercises.diagnosis import call, check_kind, check_values, slopes, untouched

Check = Callable[[Any], None]  # called with the reader's module

N, CLASSES = 7, 5


def softmax(blank: str) -> Check:
    """Return a check of ``dx``, back through a softmax, or ``dlogits``, with the cross-entropy."""

    def shares(x: Array, below: Array) -> Array:
        """Return the probabilities, with the denominators of other logits."""
        p: Array = np.exp(x) / np.exp(below).sum(axis=1, keepdims=True)
        return p

    def check_dx(module: Any) -> None:
        rng = np.random.default_rng(0)
        x, dp = (rng.standard_normal((N, CLASSES)) for _ in range(2))
        p, held = shares(x, x), x.copy()
        untouched(module.softmax(x), p)
        by_top = slopes(x, lambda: (dp * shares(x, held)).sum())
        by_sum = slopes(x, lambda: (dp * shares(held, x)).sum())
        known = {
            "what comes back by way of the denominator is missing": by_top,
            "what comes back by way of the numerator is missing": by_sum,
            "what comes back by way of the denominator has the opposite sign": by_top - by_sum,
            "a sum runs over the rows, but each row has a denominator of its own": (
                by_top - p * (dp * p).sum(axis=0)
            ),
        }
        came = call(module.softmax_grad, dp, p, kept={"dp": dp, "p": p})
        sizes = {"N": N, "K": CLASSES}
        check_values("dx", came, by_top + by_sum, known=known, sizes=sizes)
        came = module.softmax_grad(dp.astype("f4"), p.astype("f4"))
        check_kind("dx", came, x.shape, "float32")

    def check_dlogits(module: Any) -> None:
        rng = np.random.default_rng(0)
        x = 2 * rng.standard_normal((N, CLASSES))
        target = np.eye(CLASSES)[rng.integers(0, CLASSES, N)]
        value = module.cross_entropy_loss
        untouched(value(x, target), -np.log(shares(x, x)[target > 0]).mean())
        expected = slopes(x, lambda: value(x, target))
        parts = {"the target is 1": target > 0, "the target is 0": target == 0}
        came = call(module.cross_entropy_grad, x, target, kept={"logits": x, "target": target})
        sizes = {"N": N, "K": CLASSES, "N K": N * CLASSES}
        check_values("dlogits", came, expected, parts=parts, sizes=sizes)
        came = module.cross_entropy_grad(x.astype("f4"), target.astype("f4"))
        check_kind("dlogits", came, x.shape, "float32")

    return check_dx if blank == "dx" else check_dlogits


def window(x: Array, W: Array, b: Array) -> Array:
    """Return the convolution as it is written down: one sum for each number of y."""
    (images, _, rows, columns), (kernels, _, high, wide) = x.shape, W.shape
    y = np.empty((images, kernels, rows - high + 1, columns - wide + 1))
    for n, f, i, j in np.ndindex(y.shape):
        y[n, f, i, j] = b[f] + (x[n, :, i : i + high, j : j + wide] * W[f]).sum()
    return y


def conv(blank: str) -> Check:
    """Return a check of ``y``, ``dW``, ``db`` or ``dx``; the gradients do not need the reader's y.

    All sizes differ: three images with two channels, five kernels of 2 x 3, and 4 x 2 places.
    """

    def case(dtype: str) -> dict[str, Array]:
        rng = np.random.default_rng(0)
        shapes = {"x": (3, 2, 5, 4), "W": (5, 2, 2, 3), "b": (5,), "dy": (3, 5, 4, 2)}
        return {key: rng.standard_normal(shape).astype(dtype) for key, shape in shapes.items()}

    def result(module: Any, a: dict[str, Array]) -> Any:
        functions = {
            "y": module.conv,
            "dW": module.grad_W,
            "db": module.grad_b,
            "dx": module.grad_x,
        }
        names = {"y": ("x", "W", "b"), "db": ("dy",)}.get(blank, ("dy", "x", "W"))
        arrays = {name: a[name] for name in names}
        return call(functions[blank], *arrays.values(), kept=arrays)

    def check(module: Any) -> None:
        a, known, oracle = case("float64"), {}, "finite differences say"
        x, W, b, dy = a.values()
        turned = W[:, :, ::-1, ::-1].copy()
        if blank == "y":
            expected, oracle = window(x, W, b), "the sum over the window is"
            known = {
                "b is missing": window(x, W, 0 * b),
                "the kernels are turned by half a turn": window(x, turned, b),
            }
        else:
            expected = slopes(a[blank[1:]], lambda: (window(x, W, b) * dy).sum())
        if blank == "dW":
            known = {"the kernels are turned by half a turn": expected[:, :, ::-1, ::-1]}
            one_image = slopes(W, lambda: (window(x[-1:], W, b) * dy[-1:]).sum())
            known["that is the gradient of the last image alone"] = one_image
        if blank == "dx":
            answer = slopes(x, lambda: (window(x, turned, b) * dy).sum())
            known = {"that would be right if the kernels were turned by half a turn": answer}
        sizes = {"N": 3, "C": 2, "F": 5, "the number of places": 8, "N times the places": 24}
        check_values(blank, result(module, a), expected, sizes=sizes, known=known, oracle=oracle)
        check_kind(blank, result(module, case("float32")), expected.shape, "float32")

    return check
