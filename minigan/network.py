"""Sequential: layers in a row, with all parameters in one vector and all gradients in another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigan.backend import Array, Backend, get_backend
from minigan.checks import check_dtype, check_layers
from minigan.layers import Layer, Seed


@dataclass(frozen=True)
class Cache:
    """What one forward pass leaves for the backward pass: one from each layer."""

    network: Sequential
    optimizer_steps: int
    layers: list[Any]


class Sequential:
    """Layers in a row (``torch.nn.Sequential``).  x: (N, first n_in), y: (N, last n_out)

        y  = fₖ(… f₂(f₁(x)))
        dx = the layers' backward rules, last layer first (the chain rule)

    ``params`` and ``grads`` are 1-D and contiguous; each layer's W, b and dW, db are views into
    them, so that an optimizer is one formula over one vector and a checkpoint one copy.  To set
    weights write into them: ``net.params[:] = …`` or ``net[0].W[...] = …``.

    Parameters are drawn anew from ``seed`` (an int, a ``numpy.random.Generator``, or None for
    fresh entropy), layer by layer, in float64, then cast to ``dtype``: two networks that are given
    one int share their first draws, so give one Generator to both.

    Raises TypeError for what is not a layer; ValueError for no layers, for widths that do not fit,
    and for a layer that is in a network already or stands here twice.
    """

    def __init__(
        self,
        *layers: Layer,
        seed: Seed = None,
        dtype: str = "float32",
        backend: str | Backend = "numpy",
    ) -> None:
        self.layers = layers
        self.n_in, self.n_out = check_layers(layers, Layer)
        self.dtype = check_dtype(dtype)
        self.backend = get_backend(backend)
        self.optimizer_steps = 0  # counted by the optimizer, so that backward knows a stale cache

        rng, start = np.random.default_rng(seed), 0
        values = [self.backend.asarray(np.zeros(0), self.dtype)]
        self._slots: list[tuple[str, Layer, str, slice, tuple[int, ...]]] = []
        for i, layer in enumerate(layers):
            layer.allocate(rng, self.dtype, self.backend)
            for name in layer.param_names:
                value = getattr(layer, name)
                where = slice(start, start := start + value.size)
                self._slots.append((f"{i}.{name}", layer, name, where, value.shape))
                values.append(value.reshape(-1))
        self.params = np.concatenate(values)
        self.grads = np.zeros_like(self.params)
        self.bind()

    def bind(self) -> None:
        """Make every layer's parameters and gradients views into the two vectors."""
        for _, layer, name, where, shape in self._slots:
            setattr(layer, name, self.params[where].reshape(shape))
            setattr(layer, "d" + name, self.grads[where].reshape(shape))
        for layer in self.layers:
            layer.bound = True

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)  # copy.deepcopy and pickle come by here: a copied view is
        self.bind()  # an array of its own, and training would no longer reach it

    def named_parameters(self) -> Iterator[tuple[str, Array, Array]]:
        """(name, parameter, gradient) in the order of construction: ``"0.W"``, ``"0.b"``, …"""
        for key, layer, name, _, _ in self._slots:
            yield key, getattr(layer, name), getattr(layer, "d" + name)

    def named_buffers(self) -> Iterator[tuple[str, Array]]:
        """(name, array) of what layers keep beside their parameters: ``"1.running_mean"``, …"""
        for i, layer in enumerate(self.layers):
            for name in layer.buffer_names:
                yield f"{i}.{name}", getattr(layer, name)

    def forward(self, x: Array) -> tuple[Array, Cache]:
        """y and the cache that ``backward`` will need; any number of caches may be in use at once.

        Raises TypeError or ValueError if x has the wrong shape, dtype or device.
        """
        return self._through("forward", x)

    def evaluate(self, x: Array) -> tuple[Array, Cache]:
        """The same when training is over: ``BatchNorm1d`` then uses its running statistics.

        ``net(x)`` is ``net.evaluate(x)[0]``.
        """
        return self._through("evaluate", x)

    def _through(self, method: str, x: Array) -> tuple[Array, Cache]:
        caches = []
        for layer in self.layers:
            x, cache = getattr(layer, method)(x)
            caches.append(cache)
        return x, Cache(self, self.optimizer_steps, caches)

    def backward(
        self, dy: Array, cache: Cache, *, input_grad: bool = True, param_grads: bool = True
    ) -> Array | None:
        """From dy = dL/dy to dx = dL/dx, overwriting ``grads`` with dL/d(params) on the way.

        ``input_grad=False`` returns None and spares the first layer's dx (PyTorch's
        ``x.detach()``); ``param_grads=False`` leaves ``grads`` alone (a frozen network).

        Raises RuntimeError for a cache of another network, or from before an optimizer step: old
        activations and new weights do not make a gradient.
        """
        if not isinstance(cache, Cache):
            raise TypeError(f"cache is a {type(cache).__name__}, expected what forward returned")
        if cache.network is not self:
            raise RuntimeError("cache comes from another network's forward")
        if cache.optimizer_steps != self.optimizer_steps:
            raise RuntimeError(
                f"stale cache: it was made after optimizer step {cache.optimizer_steps}, the "
                f"weights are those of step {self.optimizer_steps}; run forward again"
            )
        # The last layer to visit: the first one, unless no gradient is needed that far down.
        trained = [i for i, layer in enumerate(self.layers) if layer.param_names and param_grads]
        last = 0 if input_grad else min(trained, default=len(self.layers))
        grad: Any = dy
        for i in reversed(range(last, len(self.layers))):
            grad = self.layers[i].backward(
                grad, cache.layers[i], input_grad=input_grad or i > last, param_grads=param_grads
            )
        return grad if input_grad else None

    def __call__(self, x: Array) -> Array:
        return self.evaluate(x)[0]

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, i: int) -> Layer:
        return self.layers[i]

    def __repr__(self) -> str:
        lines = [f"Sequential: {self.params.size:,} parameters, {self.dtype}, {self.backend.name}"]
        for i, layer in enumerate(self.layers):
            slots = [slot for slot in self._slots if slot[1] is layer]
            shapes = "  ".join(f"{name} {shape}" for _, _, name, _, shape in slots)
            count = f"{sum(where.stop - where.start for _, _, _, where, _ in slots):,}"
            lines.append(f"  {i}  {layer!r:<20} {shapes:<28} {count if slots else '':>9}".rstrip())
        return "\n".join(lines)
