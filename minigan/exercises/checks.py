"""The check of each blank: how the blank is called, and what finite differences expect of it.

Each check takes the reader's module, calls one blank on small random arrays, and raises
``AnswerError`` if the result is not what nudging the forward pass gives.  So this file holds no
backward rule.  The number of rows N and the two widths are different primes: a transpose then has
another shape, and the size of an error shows which factor was forgotten.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import minigan as mg
from minigan.backend import Array
from minigan.exercises.classifier_checks import conv, softmax
from minigan.exercises.diagnosis import (
    AnswerError,
    call,
    check_kind,
    check_values,
    slopes,
    untouched,
)
from minigan.exercises.gan_checks import d_learns, g_learns, through_d
from minigan.exercises.variant_checks import classes, modulated, r1

Check = Callable[[Any], None]  # called with the reader's module

N, N_IN, N_OUT = 7, 3, 5


# ---------------------------------------------------------------- layers


def layer(kind: str, args: tuple[Any, ...], name: str, blank: Callable[..., Any]) -> Check:
    """Return a check of ``blank(layer, dy, cache)``, the gradient of x or of a parameter."""

    def case(module: Any, dtype: str) -> tuple[mg.Layer, Array, Array]:
        rng = np.random.default_rng(0)
        layer = getattr(module, kind)(*args)
        layer.allocate(None, dtype, "numpy")
        for key in layer.param_names:
            parameter = getattr(layer, key)
            parameter[...] = rng.standard_normal(parameter.shape)
        x = rng.standard_normal((N, N_IN))
        x = np.copysign(0.1 + np.abs(x), x)  # no x is so near 0 that a nudge reaches the kink
        dy = rng.standard_normal((N, layer.n_out or N_IN))
        return layer, x.astype(dtype), dy.astype(dtype)

    def result(layer: mg.Layer, x: Array, dy: Array) -> Any:
        cache = layer.forward(x)[1]
        items = cache if isinstance(cache, tuple) else (cache,)
        kept = {"dy": dy, "x": x} | {key: getattr(layer, key) for key in layer.param_names}
        names: tuple[str, ...] = ("x_hat", "factor") if kind == "BatchNorm1d" else ("y",)
        if len(items) != len(names):  # a cache of the reader's own
            names = tuple(f"item {i} of the cache" for i in range(len(items)))
        kept |= dict(zip(names, items, strict=True))
        return call(blank, layer, dy, cache, kept=kept)

    def check(module: Any) -> None:
        layer, x, dy = case(module, "float64")
        library = getattr(mg, kind)(*args)
        for key in layer.param_names:
            setattr(library, key, getattr(layer, key))
        untouched(layer.forward(x)[0], library.forward(x)[0])

        array = x if name == "x" else getattr(layer, name)
        expected = slopes(array, lambda: (layer.forward(x)[0] * dy).sum())
        parts = {"x > 0": x > 0, "x < 0": x < 0} if name == "x" else {}
        sizes = {"N": N, "n_in": N_IN, "n_out": N_OUT}
        check_values("d" + name, result(layer, x, dy), expected, parts=parts, sizes=sizes)
        check_kind("d" + name, result(*case(module, "float32")), array.shape, "float32")

    return check


def input_grad(layer: mg.Layer, dy: Array, cache: Any) -> Any:
    return layer.input_grad(dy, cache)


# ---------------------------------------------------------------- losses


def loss(kind: str, name: str, draw: Callable[[np.random.Generator], Array]) -> Check:
    """Return a check of ``<kind>_grad(y, target)`` against ``<kind>_loss``; ``draw`` draws y."""

    def check(module: Any) -> None:
        rng = np.random.default_rng(0)
        y, target = draw(rng), rng.uniform(0, 1, (N, N_IN))
        value = getattr(module, kind + "_loss")
        untouched(value(y, target), getattr(mg, kind)(y, target)[0])

        expected = slopes(y, lambda: value(y, target))
        grad = getattr(module, kind + "_grad")
        kept = {name[1:]: y, "target": target}
        came = call(grad, y, target, kept=kept)
        check_values(name, came, expected, sizes={"n": y.size, "N": N, "n / N": N_IN})
        check_kind(name, grad(y.astype("f4"), target.astype("f4")), y.shape, "float32")

    return check


# ---------------------------------------------------------------- Adam


def adam(name: str, blank: Callable[..., Any]) -> Check:
    """Return a check of ``blank(optimizer, m, v, g, t)`` against what ``mg.Adam`` did in that step.

    Each step is checked by itself, from the library's m and v after the step before.
    """
    options: Any = {"lr": 0.1, "betas": (0.8, 0.95), "eps": 1e-3}  # so that each of them shows

    def check(module: Any) -> None:
        rng = np.random.default_rng(0)
        net = mg.Sequential(mg.Linear(2, 3), seed=0, dtype="float64")
        library, optimizer = mg.Adam(net, **options), module.Adam(net, **options)
        for t in range(1, 11):
            net.params[:] = 0  # so that they then hold the step itself, with all its digits
            net.grads[:] = rng.standard_normal(9) * 10.0 ** rng.integers(-4, 1, 9)
            m, v, g = library.m.copy(), library.v.copy(), net.grads
            library.step()
            expected = {"m": library.m, "v": library.v, "move": -net.params}[name]
            if name == "move":
                m, v = library.m.copy(), library.v.copy()
            optimizer.m, optimizer.v, optimizer.t = m, v, t  # as inside its step()
            kept = {"m": m, "v": v, "g": g, "net.params": net.params}
            came = call(blank, optimizer, m, v, g, t, kept=kept)
            try:
                if optimizer.t != t:
                    raise AnswerError("the answer changes t, which step() has counted already")
                check_values(name, came, expected, sizes={"t": t}, oracle="mg.Adam has")
            except AnswerError as wrong:
                raise AnswerError(f"{'right so far, but ' * (t > 1)}in step {t} {wrong}") from None
        net = mg.Sequential(mg.Linear(2, 3), seed=0, dtype="float32")
        net.grads[:] = g
        optimizer = module.Adam(net, **options)
        optimizer.m, optimizer.v, optimizer.t = m.astype("float32"), v.astype("float32"), t
        came = blank(optimizer, optimizer.m, optimizer.v, net.grads, t)
        check_kind(name, came, g.shape, "float32")

    return check


# ---------------------------------------------------------------- all of them

EXERCISES: dict[str, dict[str, Check]] = {
    "ex01_linear.py": {
        "dW": layer("Linear", (N_IN, N_OUT), "W", lambda layer, dy, x: layer.grad_W(dy, x)),
        "db": layer("Linear", (N_IN, N_OUT), "b", lambda layer, dy, x: layer.grad_b(dy, x)),
        "dx": layer("Linear", (N_IN, N_OUT), "x", input_grad),
    },
    "ex02_relu.py": {"dx": layer("ReLU", (), "x", input_grad)},
    "ex03_leaky_relu.py": {"dx": layer("LeakyReLU", (0.3,), "x", input_grad)},  # the file says 0.2
    "ex04_tanh.py": {"dx": layer("Tanh", (), "x", input_grad)},
    "ex05_sigmoid.py": {"dx": layer("Sigmoid", (), "x", input_grad)},
    "ex06_bce.py": {"dp": loss("bce", "dp", lambda rng: rng.uniform(0.1, 0.9, (N, N_IN)))},
    "ex07_sigmoid_and_bce.py": {
        "dlogits": loss(
            "bce_with_logits", "dlogits", lambda rng: 2 * rng.standard_normal((N, N_IN))
        ),
    },
    "ex08_batch_norm.py": {
        "dgamma": layer(
            "BatchNorm1d", (N_IN,), "gamma", lambda layer, dy, cache: layer.grad_gamma(dy, cache[0])
        ),
        "dbeta": layer(
            "BatchNorm1d", (N_IN,), "beta", lambda layer, dy, cache: layer.grad_beta(dy, cache[0])
        ),
        "dx": layer("BatchNorm1d", (N_IN,), "x", input_grad),
    },
    "ex09_adam.py": {
        "m": adam("m", lambda optimizer, m, v, g, t: optimizer.new_m(m, g)),
        "v": adam("v", lambda optimizer, m, v, g, t: optimizer.new_v(v, g)),
        "move": adam("move", lambda optimizer, m, v, g, t: optimizer.move(m, v, t)),
    },
    "ex10_gan_step.py": {"d_learns": d_learns, "through_d": through_d, "g_learns": g_learns},
    "ex11_r1.py": {blank: r1(blank) for blank in ("first_t", "grad_W", "upward")},
    "ex12_conditional.py": {"dT": classes("dT"), "dy": classes("dy")},
    "ex13_modulated.py": {blank: modulated(blank) for blank in ("q", "dW", "dx", "ds")},
    "ex14_softmax.py": {blank: softmax(blank) for blank in ("dx", "dlogits")},
    "ex15_conv.py": {blank: conv(blank) for blank in ("y", "dW", "db", "dx")},
}
