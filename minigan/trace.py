"""One training step as a tape: what every layer was given, made, kept and left out, in its order.

``GAN.train_step`` itself runs.  While it does, the methods of the layers, the loss, both optimizers
and the matrix product are watched: each call is passed on as it came, and noted.
"""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from minigan.backend import Array, backend_of
from minigan.data import batches, load_mnist, pixel_values
from minigan.equations import equation, other_equations
from minigan.gan import GAN, StepResult
from minigan.kept import Kept
from minigan.layers import Layer
from minigan.losses import bce_with_logits
from minigan.models import IMAGE_SIZE
from minigan.network import Sequential
from minigan.recipes import RECIPES, new_gan


class Line(NamedTuple):
    """One value of a row: y on the way forward; dW, db and dx on the way back."""

    name: str
    formula: str  # as the layer's docstring has it: "dW = xᵀ dy"; only the name if it has none
    remark: str  # what stands there beside it
    shape: tuple[int, ...]
    size: float | None  # of a gradient its L2 norm, of a loss its value; None for y, and if skipped
    flop: int = 0  # of its matrix products, which a skipped one would have cost
    skipped: bool = False


@dataclass(frozen=True)
class Row:
    """One layer in one direction; or a loss, or an optimizer."""

    step: str  # "D" or "G": whose step it belongs to
    phase: str  # "G forward", "D forward", "loss", "D backward", "Adam D", …
    name: str  # "0 Linear(784, 1024)"
    given: tuple[int, ...]  # shape of x on the way forward, of dy on the way back
    lines: tuple[Line, ...]
    kept: str = ""  # forward: what is in the cache
    kept_bytes: int = 0  # less what is another row's or the parameters'
    partner: int | None = None  # forward: number of the row that uses the cache; backward: made it
    where: tuple[tuple[str, str], ...] = ()  # other equations of the docstring, with remarks


@dataclass(frozen=True)
class Trace:
    """The tape of one training step: ``print(tape)``, or as the last line of a notebook's cell."""

    title: str
    rows: tuple[Row, ...]
    result: StepResult  # what ``train_step`` returned

    def __str__(self) -> str:
        from minigan.trace_text import text

        return text(self)

    def _repr_html_(self) -> str:
        from minigan.trace_html import table

        return table(self)

    def html(self) -> str:
        """One self-contained page to click through, row by row."""
        from minigan.trace_html import page

        return page(self)


def trace(gan: GAN, real: Array, z: Array) -> Trace:
    """Take one training step, ``gan.train_step(real, z)``, and note all that happens in it.

        L2 norm of a gradient g:             |g| = √Σ g²
        matrix product (N, n) by (n, m):     2 N n m floating point operations

    The step is a real one: both networks move, bit for bit as without the trace.  The formulas are
    those of the layers' docstrings; a layer of your own shows its equations if they stand there
    on lines of their own, below the first.  Counted are the products that layers make with
    ``minigan.backend.matmul``.  Looking takes time and waits for a GPU.

    real: (B, 784) in [-1, 1], z: (B, latent_dim).  Raises what ``train_step`` raises.
    """
    notes = _Notes(Kept(gan.generator.params, gan.discriminator.params))
    with contextlib.ExitStack() as watch:
        for letter, net, optimizer in (
            ("G", gan.generator, gan.adam_g),
            ("D", gan.discriminator, gan.adam_d),
        ):
            for i, layer in enumerate(net.layers):
                for method, note in (
                    ("forward", functools.partial(notes.forward, letter, i, layer)),
                    ("backward", functools.partial(notes.backward, letter, i, layer)),
                    ("param_grads", functools.partial(notes.part, "param_grads")),
                    ("input_grad", functools.partial(notes.part, "input_grad")),
                ):
                    watch.enter_context(_watched(layer, method, note))
            note = functools.partial(notes.optimizer, letter, net, optimizer)
            watch.enter_context(_watched(optimizer, "step", note))
        watch.enter_context(_watched(gan, "loss", functools.partial(notes.loss, gan.loss)))
        watch.enter_context(_watched(backend_of(gan.generator.params), "matmul", notes.product))
        result = gan.train_step(real, z)
    G = gan.generator
    title = f"batch of {len(real)}, {G.dtype}, {G.backend.name}"
    if hasattr(gan.adam_g, "t"):  # an optimizer of your own need not count
        title += f", step {gan.adam_g.t} of this GAN"
    return Trace(title, tuple(notes.rows), result)


def first_step(recipe: str, batch_size: int, seed: int) -> tuple[GAN, Array, Array]:
    """GAN, real images and z of the first step of ``minigan train`` with these options."""
    rng = np.random.default_rng(seed)  # the draws stand in the order of ``minigan.training``
    gan = new_gan(RECIPES[recipe], rng)
    images = load_mnist("train")[0].reshape(-1, IMAGE_SIZE)
    assert gan.generator.n_in is not None
    rng.standard_normal((64, gan.generator.n_in), dtype=np.float32)  # the z of its pictures
    real = pixel_values()[images[next(batches(len(images), batch_size, rng))]]
    return gan, real, rng.standard_normal((batch_size, gan.generator.n_in), dtype=np.float32)


@contextlib.contextmanager
def _watched(owner: Any, name: str, note: Callable[..., Any]) -> Iterator[None]:
    """While inside, ``owner.name(…)`` is ``note(call, …)``, with what it was before as call."""
    call, own = getattr(owner, name), vars(owner).get(name)
    setattr(owner, name, functools.partial(note, call))
    try:
        yield
    finally:
        if own is None:
            delattr(owner, name)  # the class's own shows again
        else:
            setattr(owner, name, own)


@dataclass
class _Notes:
    """Passes every call on, and writes a row about it."""

    kept: Kept
    rows: list[Row] = field(default_factory=list)
    step: str = "D"
    flop: int = 0  # of all products so far
    parts: dict[str, int] = field(default_factory=dict)  # flop of a backward's two parts
    makers: dict[tuple[int, int], int] = field(default_factory=dict)  # of caches: (layer, cache)
    in_backward: bool = False

    def product(self, call: Any, a: Array, b: Array, out: Array | None = None) -> Array:
        y: Array = call(a, b, out)
        self.flop += 2 * a.shape[-1] * y.size  # each element of y is a sum of as many products
        return y

    def part(self, name: str, call: Any, *args: Any, **named: Any) -> Any:
        before = self.flop
        result = call(*args, **named)
        self.parts[name] = self.flop - before
        return result

    def forward(self, net: str, i: int, layer: Layer, call: Any, x: Array) -> tuple[Array, Any]:
        if self.in_backward:  # of a layer that computes its y anew to find its gradient
            again: tuple[Array, Any] = call(x)
            return again
        before = self.flop
        y, cache = call(x)
        self.makers[id(layer), id(cache)] = len(self.rows)
        kept, size = self.kept.note(f"{net} {i}", layer, x, y, cache)
        lines = (_line(layer, "y", y.shape, None, self.flop - before),)
        name, phase = _name(i, layer), f"{net} forward"
        where = other_equations(type(layer))
        self.rows.append(Row(self.step, phase, name, x.shape, lines, kept, size, where=where))
        return y, cache

    def backward(
        self, net: str, i: int, layer: Layer, call: Any, dy: Array, cache: Any, **flags: bool
    ) -> Array | None:
        self.parts, self.in_backward = {}, True
        dx: Array | None = call(dy, cache, **flags)
        self.in_backward = False
        made = self.makers.get((id(layer), id(cache)))
        # y = x W is linear in x and in W, so dx and dW take a product as large as the one of y.
        cost, x_shape = 0, dy.shape
        if made is not None:
            cost, x_shape = self.rows[made].lines[0].flop, self.rows[made].given
            self.rows[made] = replace(self.rows[made], partner=len(self.rows))
        lines: list[Line] = []
        if flags.get("param_grads", True):
            for name in layer.param_names:
                gradient = getattr(layer, "d" + name)
                flop = 0 if lines else self.parts.get("param_grads", 0)
                lines.append(_line(layer, "d" + name, gradient.shape, _norm(gradient), flop))
        else:
            for name in layer.param_names:
                shape, flop = getattr(layer, name).shape, 0 if lines else cost
                lines.append(_line(layer, "d" + name, shape, None, flop, skipped=True))
        if dx is not None:
            lines.append(_line(layer, "dx", dx.shape, _norm(dx), self.parts.get("input_grad", 0)))
        else:
            lines.append(_line(layer, "dx", x_shape, None, cost, skipped=True))
        name, phase = _name(i, layer), f"{net} backward"
        self.rows.append(Row(self.step, phase, name, dy.shape, tuple(lines), partner=made))
        return dx

    def loss(self, which: Any, call: Any, p: Array, target: Any) -> tuple[Any, Array]:
        loss, dp = call(p, target)
        name = which.__name__
        if isinstance(target, (int, float)):
            name += f", t={target:g}"
        gradient = "dL/dx" if which is bce_with_logits else "dL/dp"
        size, norm = float(loss), _norm(dp)
        lines = _line(which, "L", (), size), _line(which, gradient, dp.shape, norm)
        self.rows.append(Row(self.step, "loss", name, p.shape, lines))
        return loss, dp

    def optimizer(self, letter: str, net: Sequential, optimizer: Any, call: Any) -> None:
        norm, before, kind = _norm(net.grads), net.params.copy(), type(optimizer)
        call()
        with np.errstate(invalid="ignore"):  # ∞ - ∞
            moved, shape = net.params - before, before.shape
        lines = (
            Line("g", "g = all gradients in one vector", "", shape, norm),
            _line(kind, "θ", shape, _norm(moved)),
        )
        of = f"step {optimizer.t} of " if hasattr(optimizer, "t") else ""
        name, phase = of + kind.__name__, f"{kind.__name__} {letter}"
        self.rows.append(Row(self.step, phase, name, shape, lines, where=other_equations(kind)))
        self.step = "G"


def _name(i: int, layer: Layer) -> str:
    return " ".join(f"{i} {layer!r}".split())  # in one line


def _norm(a: Array) -> float:
    """With the squares of a / max |a|: those of a itself may be too small or large for float32."""
    largest = float(abs(a).max()) if a.size else 0.0
    if not 0 < largest < math.inf:
        return largest
    a = a / largest
    return largest * math.sqrt(float((a * a).sum(dtype="float64")))


def _line(
    of: Any, name: str, shape: Any, size: float | None, flop: int = 0, **skipped: bool
) -> Line:
    """With the formula for ``name`` from the docstring of a layer, or of a class or function."""
    name, formula, remark = equation(type(of) if isinstance(of, Layer) else of, name)
    return Line(name, formula, remark, tuple(shape), size, flop, **skipped)
