"""Styled: the network that carries a style to every layer that sees one.

In the networks before this one, z enters at the bottom and is handed on from layer to layer.  Here
a small network first makes w of z.  Then w goes to each hidden layer directly, and sets how
strongly it uses each of its inputs (Karras et al. 2019).  What goes through the layers begins as a
constant, and a little noise is added on the way.

So the layers no longer stand in a row: w goes several ways.  The way back needs one more rule, and
it is all that there is to say about networks of any shape: where a value was used several times,
the gradients that come back from there are added.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigan.backend import Array, check_array, through
from minigan.data import network_text
from minigan.layers import Layer, Linear
from minigan.network import Cache, Sequential, widths
from minigan.style import Constant


class Styled(Sequential):
    """A mapping network f, and layers g₁ … g_L that see its result.  z: (N, latent_dim), y: (N, n)

        w  = f(z)                       w: (N, n_w), the style
        sₗ = w Aₗ + aₗ                  for each layer that sees a style, by a ``Linear`` of its own
        xₗ = gₗ(xₗ₋₁, sₗ)  or  gₗ(xₗ₋₁, εₗ)  or  gₗ(xₗ₋₁)           x₀ = z
        y  = x_L

    g₁ is a ``Constant``, which looks at nothing but the number of rows of x₀.  On the way back x
    has one way, and w as many as there are layers that see a style; their gradients are added:

        dw = Σₗ dsₗ Aₗᵀ                 and dz follows from dw by the backward rules of f

    ``mapping`` and ``synthesis`` are the layers of f and g.  The argument of ``forward`` has the
    columns of z, and beside them ε for all ``Noise`` layers in their order, (N, latent_dim + Σ n).
    In ``layers``, the ``Linear`` of a style stands right before the layer that sees it.  All
    parameters are in ``params``, and the rules of ``Sequential`` hold.

    Raises the errors of ``Sequential``, and ValueError if no layer of f has a width, if g₁ is no
    ``Constant``, or if no layer of g sees a style.
    """

    def __init__(
        self, mapping: Sequence[Layer], synthesis: Sequence[Layer], **options: Any
    ) -> None:
        self.mapping, synthesis = tuple(mapping), tuple(synthesis)
        (self.n_z, self.n_w), (_, n_out) = widths(self.mapping), widths(synthesis)
        if self.n_z is None or self.n_w is None:
            raise ValueError(
                "no layer of the mapping has a width, as Linear has, to know z and w by"
            )
        if not isinstance(synthesis[0], Constant):
            raise ValueError(f"the layers of g begin with {synthesis[0]!r}: expected a Constant")
        self.styled = sum(layer.beside == "style" for layer in synthesis)
        noise = sum(layer.n for layer in synthesis if layer.beside == "noise")
        self._both_ends = self.n_z + noise, n_out
        layers, self.way = list(self.mapping), list[int]()  # where g₁ … g_L stand in ``layers``
        for layer in synthesis:
            if layer.beside == "style":
                layers.append(Linear(self.n_w, layer.n))
            self.way.append(len(layers))
            layers.append(layer)
        super().__init__(*layers, **options)
        if not self.styled:
            raise ValueError("no layer of g sees a style, as ModulatedLinear does")

    def _ends(self, layers: tuple[Layer, ...]) -> tuple[int | None, int | None]:
        if len(set(map(id, layers))) < len(layers):
            raise ValueError("a layer stands twice in this network")
        return self._both_ends

    @property
    def architecture(self) -> str:
        """The call that makes this network, as text: ``Styled((Linear(9, 4),), (Constant(5),))``.

        Raises InputError for a layer whose ``repr`` is not the call that makes it.
        """
        synthesis = tuple(self.layers[i] for i in self.way)
        return network_text(type(self).__name__, (self.mapping, synthesis))

    def styles(self, z: Array) -> Array:
        """Return the styles w of latent points, (N, latent_dim), as after training."""
        for layer in self.mapping:
            z = layer(z)
        return z

    def images(self, ws: Sequence[Array], x: Array) -> Array:
        """Return images of styles, one w, (N, n_w), for each layer that sees one.

        x is as in ``forward``, but only its noise is looked at.  Raises ValueError for another
        number of styles, or if one of them has other rows than x.
        """
        check_array("x", x, (None, self.n_in), like=self.params)
        if len(ws) != self.styled:
            raise ValueError(f"{len(ws)} styles are given, for {self.styled} layers that see one")
        for w in ws:
            check_array("w", w, (len(x), self.n_w), like=x)
        return self._synthesis("evaluate", ws, x, [None] * len(self.layers))

    def _through(self, method: str, x: Array) -> tuple[Array, Cache]:
        check_array("x", x, (None, self.n_in), like=self.params)
        caches: list[Any] = [None] * len(self.layers)
        w = x[:, : self.n_z]
        for i, layer in enumerate(self.mapping):
            w, caches[i] = through(layer, method, w)
        y = self._synthesis(method, [w] * self.styled, x, caches)
        return y, Cache(self, self.updates, caches)

    def _synthesis(self, method: str, ws: Sequence[Array], x: Array, caches: list[Any]) -> Array:
        y, styles, noise = x, iter(ws), x[:, self.n_z :]
        for i in self.way:
            layer = self.layers[i]
            if layer.beside == "style":
                affine = self.layers[i - 1]
                s, caches[i - 1] = through(affine, method, next(styles))
                y = np.concatenate([y, s], axis=1)
            elif layer.beside == "noise":
                y, noise = np.concatenate([y, noise[:, : layer.n]], axis=1), noise[:, layer.n :]
            y, caches[i] = through(layer, method, y)
        return y

    def _back(
        self, dy: Array, caches: list[Any], input_grad: bool, param_grads: bool
    ) -> Array | None:
        dx, of_noise = dy, []
        dw: Any = 0
        for i in reversed(self.way):
            layer = self.layers[i]
            dx = layer.backward(dx, caches[i], param_grads=param_grads)
            if layer.beside:
                dx, beside = dx[:, : layer.n], dx[:, layer.n :]
            if layer.beside == "style":  # w was used several times: add what comes back
                affine, cache = self.layers[i - 1], caches[i - 1]
                dw = dw + affine.backward(beside, cache, param_grads=param_grads)
            elif layer.beside == "noise":
                of_noise.append(beside)
        for i, layer in reversed(list(enumerate(self.mapping))):
            dw = layer.backward(
                dw, caches[i], input_grad=input_grad or i > 0, param_grads=param_grads
            )
        return np.concatenate([dw, *reversed(of_noise)], axis=1) if input_grad else None
