"""Tensors by PyTorch's names: which they are, and what is taken for a network's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigan as mg
from minigan.exchange.names import parameters_of, set_network, set_vector, tensors_of
from minigan.models import style_generator


def network(**options: Any) -> mg.Sequential:
    net = mg.Sequential(
        mg.Linear(3, 4), mg.BatchNorm1d(4), mg.ReLU(), mg.Linear(4, 2), mg.Tanh(), seed=1, **options
    )
    net.forward(np.random.default_rng(0).standard_normal((5, 3)).astype(net.dtype))
    return net


KEYS = [
    "model.0.weight", "model.0.bias", "model.1.weight", "model.1.bias", "model.1.running_mean",
    "model.1.running_var", "model.1.num_batches_tracked", "model.3.weight", "model.3.bias",
]  # fmt: skip


def test_keys_and_shapes_are_pytorchs() -> None:
    net = network()
    tensors = tensors_of(net, batches=7)
    assert list(tensors) == KEYS
    np.testing.assert_array_equal(tensors["model.0.weight"], net[0].W.T)  # type: ignore[attr-defined]
    assert tensors["model.1.num_batches_tracked"] == 7
    assert all(array.flags.c_contiguous for array in tensors.values())
    assert list(tensors_of(net, first=1))[-1] == "model.4.bias"
    net.params[...] = 0
    assert tensors["model.0.weight"].any()  # a copy


@pytest.mark.parametrize("prefix", ["model.", "", "net.", "module.main2.", "0."])
@pytest.mark.parametrize("first", [0, 1, 9])
def test_any_prefix_and_any_first_number(prefix: str, first: int) -> None:
    net, other = network(), network()
    tensors = {
        key.replace("model.", prefix): array for key, array in tensors_of(net, first).items()
    }
    other.params[...] = 0
    updates = other.updates
    set_network(other, tensors, "the file")
    for name, array in net.state().items():
        np.testing.assert_array_equal(other.state()[name], array)
    assert other.updates > updates


def test_vectors_are_transposed_part_by_part() -> None:
    net = network()
    vector = np.arange(net.params.size, dtype="float32")
    parts = parameters_of(net, vector)
    assert [part.shape for part in parts.values()] == [(4, 3), (4,), (4,), (4,), (2, 4), (2,)]
    np.testing.assert_array_equal(parts["0.W"][1], [1, 5, 9])
    again = np.zeros_like(vector)
    set_vector(net, again, list(parts.values()), "the file")
    np.testing.assert_array_equal(again, vector)
    with pytest.raises(mg.InputError, match="the file has 5 tensors, expected 6"):
        set_vector(net, again, list(parts.values())[1:], "the file")
    with pytest.raises(mg.InputError, match=r"the file: tensor 0 is float32 \(3, 4\), expected"):
        set_vector(net, again, [parts["0.W"].T, *list(parts.values())[1:]], "the file")


def changed(**changes: Any) -> dict[str, Any]:
    tensors = tensors_of(network())
    for key, array in changes.items():
        tensors["model." + key.replace("_", ".", 1)] = array
    return {key: array for key, array in tensors.items() if array is not None}


ONES = np.ones(4, "float32")


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({}, r"has nothing, expected model\.0\.weight, .*"),
        (changed(**{"3_bias": None}), r"has no model\.3\.bias"),
        (changed(**{"5_weight": ONES}), r"has model\.5\.weight, expected .* only"),
        (changed(**{"0_weight": np.ones((3, 4), "float32")}), r"\(3, 4\), expected .*\(4, 3\)"),
        (changed(**{"0_bias": ONES.astype(float)}), "0.bias is float64 .* expected float32"),
        (changed(**{"0_bias": ONES * np.nan}), "0.bias has numbers that are not finite"),
        (changed(**{"1_running_var": -ONES}), "1.running_var has numbers below 0"),
        (changed(**{"1_running_mean": None}), "has no model.1.running_mean"),
        ({"weight": ONES}, "has weight, expected"),
        ({**changed(), "other.7.weight": ONES}, "has model.0.weight, .*expected"),
        ({**changed(), "model.00.weight": ONES}, "expected"),
        ({**changed(), "model.99999999999.weight": ONES}, "expected"),
        ({f"model.{i}.weight": ONES for i in range(9)}, r"… \(9\)|weight is float32"),
    ],
)
def test_tensors_of_another_network(tensors: dict[str, Any], message: str) -> None:
    net = network()
    before = net.params.copy()
    with pytest.raises(mg.InputError, match=f"^the file.*{message}"):
        set_network(net, tensors, "the file")
    np.testing.assert_array_equal(net.params, before)


def test_layers_that_pytorch_has_not() -> None:
    with pytest.raises(mg.InputError, match="a Styled network is not a row of layers"):
        tensors_of(style_generator(3, seed=0))

    class Scale(mg.Layer):
        param_names = ("s",)

        def draw(self, rng: np.random.Generator) -> Any:
            return (np.ones(1),)

    with pytest.raises(mg.InputError, match=r"has no layer Scale\(\): .*save"):
        tensors_of(mg.Sequential(Scale()))
