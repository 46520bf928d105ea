"""Sequential: layers in a row, with all parameters in one vector and all gradients in another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np

from minigan.backend import Array, Backend, check_dtype, get_backend, through
from minigan.backend.flat import FlatViews, check_holds_no_layers, prepare_weights
from minigan.data import network_text, save_archive
from minigan.layers import Layer, Seed


@dataclass(frozen=True)
class Cache:
    """What a forward pass keeps for backward: each layer's cache, and which weights it used."""

    network: Sequential
    updates: int
    layers: list[Any]


class Sequential:
    """Layers in a row, as in ``torch.nn.Sequential``.  x: (N, first n_in), y: (N, last n_out)

        y  = fₖ(… f₂(f₁(x)))
        dx = the layers' backward rules, last layer first (the chain rule)

    ``params`` and ``grads`` are 1-D, contiguous arrays.  Each layer's W and b are views into
    ``params``, its dW and db are views into ``grads``: an optimizer is then one formula over one
    vector, and a checkpoint is one copy.  To set weights, write into these arrays, for instance
    with ``net[0].W[...] = …``, and then call ``net.weights_changed()``, so that a cache from before
    is known to be stale.  An array put in their place is an error in the next step or backward.

    All parameters are drawn anew from ``seed``, layer by layer, in float64, and then cast to
    ``dtype``.  ``seed`` is an int, a ``numpy.random.Generator``, or None for unpredictable numbers.
    Two networks with the same int share their first random numbers: give both one Generator.  With
    ``keep_weights=True`` the layers keep the weights that they have, and ``seed`` is not used.

    Raises TypeError if an argument is not a ``Layer``; ValueError if there are no layers, if the
    widths of neighbours do not fit, if a layer is in another network or stands here twice, if it
    holds layers of its own, or if weights that are kept have another shape than drawn ones.  Warns
    if weights that were set are drawn anew.
    """

    def __init__(
        self,
        *layers: Layer,
        seed: Seed = None,
        dtype: str = "float32",
        backend: str | Backend = "numpy",
        keep_weights: bool = False,
    ) -> None:
        self.layers = layers
        self.n_in, self.n_out = self._ends(layers)
        self.dtype = check_dtype(dtype)
        self.backend = get_backend(backend)
        self.updates = 0  # of the weights: counted, so that backward detects a stale cache

        rng = np.random.default_rng(seed)
        values = [self.backend.asarray(np.zeros(0), self.dtype)]
        self._views = FlatViews()
        for i, layer in enumerate(layers):
            prepare_weights(layer, i, keep_weights, rng, self.dtype, self.backend)
            for name in layer.param_names:
                value = getattr(layer, name)
                self._views.add(f"{i}.{name}", layer, name, value.shape, value.size)
                values.append(value.reshape(-1))
        self.params = np.concatenate(values)
        self.grads = np.zeros_like(self.params)
        self.bind()

    def _ends(self, layers: tuple[Layer, ...]) -> tuple[int | None, int | None]:
        return widths(layers)

    def bind(self) -> None:
        """Make every layer's parameters and gradients views into the two vectors."""
        self._views.bind(self)
        for layer in self.layers:
            layer.bound = True

    def check_views(self) -> None:
        """Raise RuntimeError if another array was put in the place of one of the network's own."""
        self._views.check()

    def weights_changed(self) -> None:
        """Count a change of the weights: every cache from before is stale.

        Optimizers call this.  Call it yourself after you have written into ``params``.
        """
        self.updates += 1

    def __getstate__(self) -> dict[str, Any]:
        self.check_views()  # another array in the place of a weight would be lost in a copy
        return self.__dict__

    def __setstate__(self, state: dict[str, Any]) -> None:
        # copy.deepcopy and pickle call this method.  They copy each view as an array of its own,
        # which training would no longer reach, so the views are made again.
        self.__dict__.update(state)
        self.bind()

    def named_parameters(self) -> Iterator[tuple[str, Array, Array]]:
        """Return (name, parameter, gradient), layer by layer; names are ``"0.W"``, ``"0.b"``, …"""
        return iter(self._views)

    def named_buffers(self) -> Iterator[tuple[str, Array]]:
        """Yield (name, array) for what layers keep beside parameters: ``"1.running_mean"``, …"""
        for i, layer in enumerate(self.layers):
            for name in layer.buffer_names:
                yield f"{i}.{name}", getattr(layer, name)

    def state(self) -> dict[str, Array]:
        """Return all arrays that training changes, not copied: ``params`` and the buffers.

        Raises RuntimeError if another array was put in the place of one of the network's own.
        """
        self.check_views()
        return {"params": self.params, **dict(self.named_buffers())}

    def _shapes(self) -> list[tuple[str, tuple[int, ...]]]:
        parameters = [(name, parameter) for name, parameter, _ in self.named_parameters()]
        return [(name, array.shape) for name, array in [*parameters, *self.named_buffers()]]

    def copy_from(self, other: Sequential) -> None:
        """Copy the parameters and the buffers of a network with the same layers.

        (``params`` alone would leave out the running statistics of a ``BatchNorm1d``.)  ``other``
        may have another dtype, and be on another backend.  Raises ValueError unless the names and
        the shapes of all parameters and buffers are the same.
        """
        if self._shapes() != other._shapes():
            raise ValueError("the parameters of the two networks differ in names or shapes")
        theirs = other.state()
        for name, array in self.state().items():
            array[...] = self.backend.asarray(other.backend.to_numpy(theirs[name]), self.dtype)
        self.weights_changed()

    @property
    def architecture(self) -> str:
        """The call that makes this network, as text: ``Sequential(Linear(2, 1), Sigmoid())``.

        Raises InputError for a layer whose ``repr`` is not the call that makes it.
        """
        return network_text(type(self).__name__, self.layers)

    def save(self, path: str | Path) -> None:
        """Write layers, parameters and buffers to one file, which ``minigan.load`` reads.

        Raises InputError as ``architecture`` does, and OSError if the file cannot be written.
        """
        arrays = {name: self.backend.to_numpy(array) for name, array in self.state().items()}
        save_archive(Path(path), arrays, {"network": self.architecture})

    def forward(self, x: Array) -> tuple[Array, Cache]:
        """Return y, and the cache that ``backward`` needs; several caches may be in use at once.

        Raises TypeError or ValueError if x has the wrong shape, dtype or device.
        """
        return self._through("forward", x)

    def evaluate(self, x: Array) -> tuple[Array, Cache]:
        """Run the network as it is used after training, and return y and the cache.

        ``BatchNorm1d`` then uses its running statistics.  ``net(x)`` is ``net.evaluate(x)[0]``.
        """
        return self._through("evaluate", x)

    def _through(self, method: str, x: Array) -> tuple[Array, Cache]:
        caches = []
        for layer in self.layers:
            x, cache = through(layer, method, x)
            caches.append(cache)
        return x, Cache(self, self.updates, caches)

    @overload
    def backward(
        self, dy: Array, cache: Cache, *, input_grad: Literal[True] = True, param_grads: bool = True
    ) -> Array: ...
    @overload
    def backward(
        self, dy: Array, cache: Cache, *, input_grad: Literal[False], param_grads: bool = True
    ) -> None: ...
    @overload
    def backward(
        self, dy: Array, cache: Cache, *, input_grad: bool, param_grads: bool = True
    ) -> Array | None: ...
    def backward(
        self, dy: Array, cache: Cache, *, input_grad: bool = True, param_grads: bool = True
    ) -> Array | None:
        """Return dx = dL/dx for a given dy = dL/dy, and overwrite ``grads`` with dL/d(params).

        ``input_grad=False`` skips the first layer's dx and returns None, as after PyTorch's
        ``x.detach()``.  ``param_grads=False`` leaves ``grads`` as it is: the network is frozen.

        Raises RuntimeError if the cache comes from another network, or was made before an optimizer
        step (activations of the old weights do not go with the new weights), or if another array
        was put in the place of a parameter, a gradient or a vector.
        """
        if not isinstance(cache, Cache):
            raise TypeError(f"cache is a {type(cache).__name__}, expected what forward returned")
        if cache.network is not self:
            raise RuntimeError("cache comes from another network's forward")
        if cache.updates != self.updates:
            raise RuntimeError(
                f"stale cache: it was made after update {cache.updates} of the weights, which are "
                f"now those of update {self.updates}; run forward again"
            )
        self.check_views()
        with self.backend.branching():
            return self._back(dy, cache.layers, input_grad, param_grads)

    def _back(
        self, dy: Array, caches: list[Any], input_grad: bool, param_grads: bool
    ) -> Array | None:
        # Go back as far as a gradient is needed: to layer 0 for dx, else to the first parameters.
        trained = [i for i, layer in enumerate(self.layers) if layer.param_names and param_grads]
        last = 0 if input_grad else min(trained, default=len(self.layers))
        grad: Any = dy
        for i in reversed(range(last, len(self.layers))):
            grad = self.layers[i].backward(
                grad, caches[i], input_grad=input_grad or i > last, param_grads=param_grads
            )
        return grad if input_grad else None

    def __call__(self, x: Array) -> Array:
        return self.evaluate(x)[0]

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, i: int) -> Layer:
        return self.layers[i]

    def __repr__(self) -> str:
        kind, size = type(self).__name__, self.params.size
        lines = [f"{kind}: {size:,} parameters, {self.dtype}, {self.backend.name}"]
        for i, layer in enumerate(self.layers):
            own = self._views.of(layer)
            shapes = "  ".join(f"{name} {shape}" for name, shape, _ in own)
            count = f"{sum(size for _, _, size in own):,}" if own else ""
            lines.append(f"  {i}  {layer!r:<20} {shapes:<28} {count:>9}".rstrip())
        return "\n".join(lines)


def widths(layers: tuple[Layer, ...]) -> tuple[int | None, int | None]:
    """Return the columns of the network's x and y (None: any); raise unless the layers fit."""
    if not layers:
        raise ValueError("Sequential needs at least one layer")
    first = width = None
    for i, layer in enumerate(layers):
        if not isinstance(layer, Layer):
            raise TypeError(f"layer {i} is a {type(layer).__name__}, expected a minigan Layer")
        if layer.bound:
            raise ValueError(f"layer {i}, {layer!r}, belongs to another network already")
        check_holds_no_layers(f"layer {i}, {layer!r},", layer)
        if any(layer is other for other in layers[:i]):
            raise ValueError(f"layer {i}, {layer!r}, stands twice in this network")
        takes = layer.n if layer.beside else layer.n_in
        if takes is not None and width is not None and takes != width:
            raise ValueError(f"layer {i}, {layer!r}, takes rows of {takes} but gets {width}")
        first = takes if first is None else first
        width = layer.n_out if layer.n_out is not None else width
    return first, width
