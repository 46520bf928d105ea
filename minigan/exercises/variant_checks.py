"""The checks of what the tutorial's GAN does not have: the penalty R1, classes, and styles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigan.backend import Array
from minigan.exercises.diagnosis import call, check_kind, check_values, slopes, untouched
from minigan.style import ModulatedLinear

Check = Callable[[Any], None]  # called with the reader's module

N, N_IN, N_OUT = 7, 3, 5  # as in ``checks``


def r1(blank: str) -> Check:
    """Return a check of ``first_t``, ``grad_W`` or ``upward``: slopes of what each goes through."""
    gamma = 3  # forgotten, it shows in the size of the error

    def case(dtype: str) -> dict[str, Array]:
        rng = np.random.default_rng(0)
        draws = {
            "g": rng.standard_normal((N, N_IN)),
            "t": rng.standard_normal((N, N_IN)),
            "dy": rng.standard_normal((N, N_OUT)),
            "W": rng.standard_normal((N_IN, N_OUT)),
            "m": rng.choice([0.2, 1.0], (N, N_OUT)),
        }
        return {name: value.astype(dtype) for name, value in draws.items()}

    def result(module: Any, a: dict[str, Array]) -> Any:
        function = getattr(module, blank)
        if blank == "first_t":
            return call(function, a["g"], gamma, kept={"g": a["g"]})
        names = ("t", "dy") if blank == "grad_W" else ("t", "W", "m")
        arrays = {name: a[name] for name in names}
        return call(function, *arrays.values(), kept=arrays)

    def check(module: Any) -> None:
        a = case("float64")
        g, t, dy, W, m = a.values()
        untouched(module.penalty(g, gamma), gamma / 2 * np.square(g).sum(axis=1).mean())
        if blank == "first_t":
            expected = slopes(g, lambda: module.penalty(g, gamma))
        elif blank == "grad_W":
            expected = slopes(W, lambda: (t * (dy @ W.T)).sum())
        else:
            expected = slopes(dy, lambda: (t * ((dy * m) @ W.T)).sum())
        sizes = {"N": N, "n_in": N_IN, "n_out": N_OUT, "γ": gamma}
        name = {"first_t": "dR/dg", "grad_W": "dR/dW", "upward": "dR/du"}[blank]
        check_values(name, result(module, a), expected, sizes=sizes)
        check_kind(name, result(module, case("float32")), expected.shape, "float32")

    return check


def classes(blank: str) -> Check:
    """Return a check of ``dT``, which goes back through a look-up, or ``dy``, through a choice."""
    K = 11

    def check(module: Any) -> None:
        rng = np.random.default_rng(0)
        labels = np.array([4, 9, 4, 0, 6, 4, 9])  # some occur again, and most classes do not occur
        if blank == "dT":
            array, d = rng.standard_normal((K, N_OUT)), rng.standard_normal((N, N_OUT))
            forward, backward, name = module.look_up, module.look_up_grad, "dy"
            right = np.array([array[label] for label in labels])
            often = np.bincount(labels, minlength=K)[:, None]
            parts = {
                "the class occurs at most once": often <= 1,
                "the class occurs more than once": often > 1,
            }
        else:
            array, d = rng.standard_normal((N, K)), rng.standard_normal((N, 1))
            forward, backward, name = module.picked, module.picked_grad, "dp"
            right = np.array([[row[label]] for row, label in zip(array, labels, strict=True)])
            chosen = np.arange(K) == labels[:, None]
            parts = {
                "the label picks the output": chosen,
                "the label does not pick the output": ~chosen,
            }
        untouched(forward(array, labels), right)

        expected = slopes(array, lambda: (forward(array, labels) * d).sum())
        came = call(backward, d, labels, K, kept={name: d, "labels": labels})
        sizes = {"N": N, "n_out": N_OUT, "K": K}
        check_values(blank, came, expected, parts=parts, sizes=sizes)
        check_kind(blank, backward(d.astype("f4"), labels, K), expected.shape, "float32")

    return check


def modulated(blank: str) -> Check:
    """Return a check of ``q``, the squared lengths, or of ``dW``, ``dx`` or ``ds``.

    A nudge moves y = d v by way of v and by way of d.  The slope of each way alone, with the other
    factor held as it is, tells which of the two an answer has lost.
    """

    def check_q(module: Any) -> None:
        rng = np.random.default_rng(0)
        s, W = rng.standard_normal((N, N_IN)), rng.standard_normal((N_IN, N_OUT))
        own = (1 + s)[:, :, None] * W  # a matrix for each row
        came = call(module.squared_lengths, s, W, kept={"s": s, "W": W})
        expected, sizes = np.square(own).sum(axis=1), {"N": N, "n_in": N_IN, "n_out": N_OUT}
        check_values("q", came, expected, sizes=sizes, oracle="the matrices of the rows have")
        came = module.squared_lengths(s.astype("f4"), W.astype("f4"))
        check_kind("q", came, expected.shape, "float32")

    def check(module: Any) -> None:
        rng = np.random.default_rng(0)
        xs, dy = rng.standard_normal((N, 2 * N_IN)), rng.standard_normal((N, N_OUT))
        x, s = xs[:, :N_IN], xs[:, N_IN:]
        layer = ModulatedLinear(N_IN, N_OUT, seed=rng, dtype="float64")
        array = {"dW": layer.W, "dx": x, "ds": s}[blank]
        _, _, v, d = layer.forward(xs)[1]
        u = (1 + s) * x
        by_v = slopes(array, lambda: (dy * d * layer.forward(xs)[1][2]).sum())
        by_d = slopes(array, lambda: (dy * v * layer.forward(xs)[1][3]).sum())
        known = {
            "what comes back by way of d is missing": by_v,
            "what comes back by way of v is missing": by_d,
            "what comes back by way of d has the opposite sign": by_v - by_d,
            "what comes back by way of d is 2 times too small": by_v + by_d / 2,
            "what comes back by way of d is 2 times too large": by_v + by_d * 2,
        }
        if blank == "dx":  # x does not move d
            known = {"that is du": slopes(u, lambda: (dy * d * (u @ layer.W)).sum())}

        kept = {"dy": dy, "x": x, "s": s, "W": layer.W, "v": v, "d": d}
        function = getattr(module, blank.replace("d", "grad_"))
        came = call(function, *kept.values(), kept=kept)
        sizes = {"N": N, "n_in": N_IN, "n_out": N_OUT}
        check_values(blank, came, by_v + by_d, sizes=sizes, known=known)
        came = function(*(item.astype("f4") for item in kept.values()))
        check_kind(blank, came, array.shape, "float32")

    return check_q if blank == "q" else check
