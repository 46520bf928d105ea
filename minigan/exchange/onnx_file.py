"""A generator as a graph of ONNX, which runs without minigan, as after training and in float32.

The graph takes ``z``, with any number of rows, and returns ``images``.  What stands beside the
latent point, the one-hot vector of a class or noise, is in the columns of ``z``, as in minigan.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigan.activations import LeakyReLU, ReLU, Sigmoid, Tanh
from minigan.backend import Array
from minigan.batch_norm import BatchNorm1d
from minigan.errors import InputError
from minigan.exchange.optional import needed
from minigan.layers import Layer, Linear
from minigan.network import Sequential
from minigan.style import EPS, Constant, ModulatedLinear, Noise, Shift
from minigan.styled import Styled

OPSET, IR_VERSION = 17, 8  # of 2022: newer programs read them, too
INPUT, OUTPUT = "z", "images"


def onnx_bytes(net: Sequential, notes: dict[str, str]) -> bytes:
    """Return the file.  ``notes`` are stored in it as text.

    Raises InputError if a layer has no form in ONNX, or if the package onnx is not installed.
    """
    onnx = needed("onnx", "a file of ONNX")
    graph = Graph(onnx, net)
    if isinstance(net, Styled):
        graph.styled(net)
    elif type(net) is Sequential:
        value = INPUT
        for layer in net.layers:
            value = graph.layer(layer, value)
        graph.add("Identity", value, output=OUTPUT)
    else:
        raise InputError(f"a {type(net).__name__} network has no form in ONNX that minigan knows")
    model = graph.model(net)
    onnx.helper.set_model_props(model, notes)
    onnx.checker.check_model(model, full_check=True)
    content: bytes = model.SerializeToString()
    return content


class Graph:
    """The nodes of a graph and its constants, in the order in which they are added."""

    def __init__(self, onnx: Any, net: Sequential) -> None:
        self.onnx, self.to_numpy = onnx, net.backend.to_numpy
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add(self, operator: str, *inputs: str, output: str = "", **options: Any) -> str:
        """Add a node, and return the name of its output."""
        name = output or f"{operator}_{len(self.nodes)}"
        self.nodes.append(self.onnx.helper.make_node(operator, inputs, [name], **options))
        return name

    def constant(self, array: Array, dtype: str = "float32") -> str:
        """Add a constant, and return its name."""
        name = f"constant_{len(self.constants)}"
        array = np.array(self.to_numpy(array), dtype, order="C")
        self.constants.append(self.onnx.numpy_helper.from_array(array, name))
        return name

    def number(self, value: float) -> str:
        return self.constant(np.array(value))

    def columns(self, value: str, start: int, end: int) -> str:
        """Return these columns of a matrix."""
        limits = [self.constant(np.array([n]), "int64") for n in (start, end, 1)]
        return self.add("Slice", value, *limits)

    def layer(self, layer: Layer, x: str, beside: str = "") -> str:
        """Add a layer, as after training; ``beside`` is the style or the noise that it sees."""
        rule = RULES.get(type(layer))
        if rule is None:
            raise InputError(f"the layer {layer!r} has no form in ONNX that minigan knows")
        return rule(self, layer, x, beside)

    def styled(self, net: Styled) -> None:
        """Add the mapping network, and then the layers that see its result."""
        column = net.n_z or 1
        w = self.columns(INPUT, 0, column)
        for layer in net.mapping:
            w = self.layer(layer, w)
        y = INPUT
        for i in net.way:
            layer, beside = net.layers[i], ""
            if layer.beside == "style":
                beside = self.layer(net.layers[i - 1], w)  # the Linear of this layer's style
            elif layer.beside == "noise":
                beside = self.columns(INPUT, column, column + layer.n)
                column += layer.n
            y = self.layer(layer, y, beside)
        self.add("Identity", y, output=OUTPUT)

    def model(self, net: Sequential) -> Any:
        """Return the model with all that was added."""
        helper, number = self.onnx.helper, self.onnx.TensorProto.FLOAT
        graph = helper.make_graph(
            self.nodes,
            "generator",
            [helper.make_tensor_value_info(INPUT, number, ["N", net.n_in])],
            [helper.make_tensor_value_info(OUTPUT, number, ["N", net.n_out])],
            self.constants,
        )
        return helper.make_model(
            graph,
            producer_name="minigan",
            ir_version=IR_VERSION,
            opset_imports=[helper.make_opsetid("", OPSET)],
        )


def _linear(graph: Graph, layer: Any, x: str, beside: str) -> str:
    return graph.add("Gemm", x, graph.constant(layer.W), graph.constant(layer.b))


def _batch_norm(graph: Graph, layer: Any, x: str, beside: str) -> str:
    arrays = layer.gamma, layer.beta, layer.running_mean, layer.running_var
    return graph.add("BatchNormalization", x, *map(graph.constant, arrays), epsilon=layer.eps)


def _modulated(graph: Graph, layer: Any, x: str, style: str) -> str:
    """Add y = d v + b, with v = ((1 + s) x) W and d = 1 / √((1 + s)² W² + eps)."""
    scale = graph.add("Add", style, graph.number(1))
    v = graph.add("MatMul", graph.add("Mul", scale, x), graph.constant(layer.W))
    square = graph.constant(layer.W * layer.W)
    q = graph.add("MatMul", graph.add("Mul", scale, scale), square)
    root = graph.add("Sqrt", graph.add("Add", q, graph.number(EPS)))
    return graph.add("Add", graph.add("Div", v, root), graph.constant(layer.b))


def _noise(graph: Graph, layer: Any, x: str, noise: str) -> str:
    return graph.add("Add", x, graph.add("Mul", noise, graph.constant(layer.k)))


def _constant(graph: Graph, layer: Any, x: str, beside: str) -> str:
    rows = graph.add("Mul", graph.columns(x, 0, 1), graph.number(0))  # (N, 1)
    return graph.add("Add", rows, graph.constant(layer.c))


def _leaky_relu(graph: Graph, layer: Any, x: str, beside: str) -> str:
    return graph.add("LeakyRelu", x, alpha=layer.negative_slope)


RULES: dict[type[Layer], Callable[[Graph, Any, str, str], str]] = {
    Linear: _linear,
    BatchNorm1d: _batch_norm,
    ModulatedLinear: _modulated,
    Shift: lambda graph, layer, x, style: graph.add("Add", x, style),
    Noise: _noise,
    Constant: _constant,
    LeakyReLU: _leaky_relu,
    ReLU: lambda graph, layer, x, beside: graph.add("Relu", x),
    Tanh: lambda graph, layer, x, beside: graph.add("Tanh", x),
    Sigmoid: lambda graph, layer, x, beside: graph.add("Sigmoid", x),
}
