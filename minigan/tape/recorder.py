"""Record one training step: what every layer was given, made, kept and left out, in order.

``GAN.train_step`` itself runs.  Meanwhile the methods of the layers, the loss and both optimizers
are watched, and the matrix products are noted; each call is passed on unchanged.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

import minigan.gan as gan_module
from minigan.backend import Array, Product, backend_of, noted_products
from minigan.gan import GAN
from minigan.layers import Layer
from minigan.network import Sequential
from minigan.penalty import r1
from minigan.tape.bars import bars_of
from minigan.tape.cache_memory import CacheMemory
from minigan.tape.equations import equations_of, other_equations
from minigan.tape.images import Album
from minigan.tape.lines import gradient_line, line_of, name_of, norm_of
from minigan.tape.page import tape_page, tape_table
from minigan.tape.rows import Line, Row, Tape
from minigan.tape.text import tape_text

ONE_AT_A_TIME = threading.RLock()


class Trace(Tape):
    """The tape of one training step: print it, or make it the last line of a notebook's cell."""

    def __str__(self) -> str:
        return tape_text(self)

    def _repr_html_(self) -> str:
        return tape_table(self)

    def html(self, shape: tuple[int, ...] | None = None, classes: Sequence[str] = ()) -> str:
        """Return one self-contained page to click through, row by row.

        It shows the first images of the step.  ``shape`` is that of an image, (h, w), or (h, w, 3)
        in colour; if it is not given, images are squares.  ``classes`` are the names of the
        classes, which have numbers otherwise.
        """
        return tape_page(self, shape, classes)


def trace(gan: GAN, real: Array, z: Array, labels: Array | None = None) -> Trace:
    """Take one training step, ``gan.train_step(real, z, labels)``, and note all that happens in it.

        L2 norm of a gradient g:             |g| = √Σ g²
        matrix product (N, n) by (n, m):     2 N n m floating point operations

    The step is a real one: both networks move exactly as they do without the trace, bit for bit.
    The formulas come from the docstrings of the layers; a layer of your own shows its equations if
    its docstring has them on lines of their own, below the first line.  The products that are
    counted are those that layers make with ``minigan.backend.matmul``.  Recording takes time, and
    waits for a GPU.

    real: (B, 784) in [-1, 1], z: (B, latent_dim).  Raises what ``train_step`` raises.
    """
    notes = _Notes(CacheMemory(gan.generator.params, gan.discriminator.params), Album(gan))
    with contextlib.ExitStack() as watch:
        watch.enter_context(ONE_AT_A_TIME)  # r1 is watched where all GANs find it
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
                    ("double_backward", functools.partial(notes.double_backward, i, layer)),
                ):
                    watch.enter_context(_watched(layer, method, note))
            note = functools.partial(notes.optimizer, letter, net, optimizer)
            watch.enter_context(_watched(optimizer, "step", note))
        watch.enter_context(_watched(gan, "loss", functools.partial(notes.loss, gan.loss)))
        watch.enter_context(_watched(gan_module, "r1", functools.partial(notes.penalty, gan)))
        watch.enter_context(noted_products(backend_of(gan.generator.params), notes.product))
        result = gan.train_step(real, z, labels)
    G = gan.generator
    title = f"batch of {len(real)}, {G.dtype}, {G.backend.name}"
    if hasattr(gan.adam_g, "t"):  # an optimizer of your own need not count its steps
        title += f", step {gan.adam_g.t} of this GAN"
    return Trace(title, tuple(notes.rows), result, notes.album.pictures(real, labels))


@contextlib.contextmanager
def _watched(owner: Any, name: str, note: Callable[..., Any]) -> Iterator[None]:
    """Inside the block, ``owner.name(…)`` runs ``note(call, …)`` with the original as ``call``."""
    call, own = getattr(owner, name), vars(owner).get(name)
    setattr(owner, name, functools.partial(note, call))
    try:
        yield
    finally:
        if own is None:
            delattr(owner, name)  # so that the class's method shows again
        else:
            setattr(owner, name, own)


@dataclass
class _Notes:
    """Passes every call on, and writes a row about it."""

    memory: CacheMemory
    album: Album
    rows: list[Row] = field(default_factory=list)
    step: str = "D"
    flop: int = 0  # operations of all products so far
    parts: dict[str, int] = field(default_factory=dict)  # flop of the two parts of a backward pass
    makers: dict[tuple[int, int], int] = field(default_factory=dict)  # (layer, cache): row
    in_backward: bool = False
    passes: str = ""  # what the penalty calls the pass that it makes now

    def product(self, product: Product) -> None:
        self.flop += product.flop

    def penalty(
        self, gan: GAN, call: Any, net: Sequential, x: Array, gamma: float, *picks: Array
    ) -> Any:
        if net is not gan.discriminator:  # of another GAN, in another thread
            return call(net, x, gamma, *picks)
        self.passes = "R1 backward"
        R = call(net, x, gamma, *picks)
        self.passes = ""
        of = f"r1, γ = {gan.r1_every} · {gan.r1:g}"
        every = f"in every {gan.r1_every}th step, so with {gan.r1_every} times the weight"
        lines = (
            line_of(r1, "R", (), float(R)),
            Line("dR/dθ", "dR/dθ = all gradients of R", "", net.grads.shape, norm_of(net.grads)),
        )
        self.rows.append(Row(self.step, "R1", of, x.shape, lines, where=((every, ""),)))
        return R

    def double_backward(
        self, i: int, layer: Layer, call: Any, t: Array, dy: Array, cache: Any
    ) -> tuple[Array, Array | None]:
        before, self.passes = self.flop, "R1 upward"
        ddy, dx = call(t, dy, cache)
        self.passes = "R1 downward"
        lines = [
            gradient_line(layer, f"dR/d{name}", gradient)
            for name in layer.param_names
            for gradient in [getattr(layer, "d" + name)]
        ]
        lines.append(gradient_line(layer, "dR/d(dy)", ddy))
        if dx is not None:
            lines.append(gradient_line(layer, "dR/dx", dx))
        # dx = dy Wᵀ is linear in dy and in W, so both take a product of the same size.
        share = (self.flop - before) // (2 if layer.param_names else 1)
        for k in {0, len(layer.param_names)}:
            lines[k] = lines[k]._replace(flop=share)
        name, made = name_of(i, layer), self.makers.get((id(layer), id(cache)))
        row = Row(self.step, "R1 upward", name, t.shape, tuple(lines), partner=made)
        self.rows.append(row)
        return ddy, dx

    def part(self, name: str, call: Any, *args: Any, **named: Any) -> Any:
        before = self.flop
        result = call(*args, **named)
        self.parts[name] = self.flop - before
        return result

    def forward(self, net: str, i: int, layer: Layer, call: Any, x: Array) -> tuple[Array, Any]:
        if self.in_backward:  # a layer computes its y again to find its gradient
            again: tuple[Array, Any] = call(x)
            return again
        before = self.flop
        y, cache = call(x)
        self.album.note_forward(layer, y)
        self.makers[id(layer), id(cache)] = len(self.rows)
        kept, size = self.memory.note(f"{net} {i}", layer, x, y, cache)
        lines = (line_of(layer, "y", y.shape, None, self.flop - before, bars=bars_of(y)),)
        name, phase = name_of(i, layer), "R1 forward" if self.passes else f"{net} forward"
        where = other_equations(type(layer))
        self.rows.append(Row(self.step, phase, name, x.shape, lines, kept, size, where=where))
        return y, cache

    def backward(
        self, net: str, i: int, layer: Layer, call: Any, dy: Array, cache: Any, **flags: bool
    ) -> Array | None:
        self.parts, self.in_backward = {}, True
        dx: Array | None = call(dy, cache, **flags)
        self.in_backward = False
        if self.step == "G":
            self.album.note_backward(layer, dx)
        made = self.makers.get((id(layer), id(cache)))
        # y = x W is linear in x and in W, so dx and dW each take a product as large as that of y.
        cost, x_shape = 0, dy.shape
        if made is not None:
            cost, x_shape = self.rows[made].lines[0].flop, self.rows[made].given
            self.rows[made] = replace(self.rows[made], partner=len(self.rows))
        lines: list[Line] = []
        if flags.get("param_grads", True):
            for name in layer.param_names:
                gradient = getattr(layer, "d" + name)
                flop = 0 if lines else self.parts.get("param_grads", 0)
                lines.append(gradient_line(layer, "d" + name, gradient, flop))
        else:
            for name in layer.param_names:
                shape, flop = getattr(layer, name).shape, 0 if lines else cost
                lines.append(line_of(layer, "d" + name, shape, None, flop, skipped=True))
        if dx is not None:
            lines.append(gradient_line(layer, "dx", dx, self.parts.get("input_grad", 0)))
        else:
            lines.append(line_of(layer, "dx", x_shape, None, cost, skipped=True))
        name, phase = name_of(i, layer), self.passes or f"{net} backward"
        self.rows.append(Row(self.step, phase, name, dy.shape, tuple(lines), partner=made))
        return dx

    def loss(self, which: Any, call: Any, p: Array, target: Any) -> tuple[Any, Array]:
        loss, dp = call(p, target)
        self.album.note_answers(p)
        name = which.__name__
        if isinstance(target, (int, float)):
            name += f", t={target:g}"
        gradient = next((left for left in equations_of(which) if left.startswith("dL/")), "dL/dp")
        lines = line_of(which, "L", (), float(loss)), gradient_line(which, gradient, dp)
        self.rows.append(Row(self.step, "loss", name, p.shape, lines))
        return loss, dp

    def optimizer(self, letter: str, net: Sequential, optimizer: Any, call: Any) -> None:
        norm, before, kind = norm_of(net.grads), net.params.copy(), type(optimizer)
        call()
        with np.errstate(invalid="ignore"):  # for ∞ - ∞
            moved, shape = net.params - before, before.shape
        lines = (
            Line("g", "g = all gradients in one vector", "", shape, norm),
            line_of(kind, "θ", shape, norm_of(moved)),
        )
        of = f"step {optimizer.t} of " if hasattr(optimizer, "t") else ""
        name, phase = of + kind.__name__, f"{kind.__name__} {letter}"
        self.rows.append(Row(self.step, phase, name, shape, lines, where=other_equations(kind)))
        self.step = "G"
