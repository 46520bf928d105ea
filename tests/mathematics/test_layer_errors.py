"""What layers refuse, and how they say so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers.every_layer import LAYERS, every_layer, normal

import minigan as mg
from minigan.backend import Backend
from minigan.style import Constant, ModulatedLinear
from minigan.styled import Styled


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        ([[1.0, 2, 3, 4]], TypeError, "x is a list"),
        (np.ones((2, 4)), TypeError, "x has dtype float64, expected float32"),
        (np.ones((2, 4), int), TypeError, "x has dtype int64, expected float32"),
        (np.ones((2, 5), "float32"), ValueError, r"x has shape \(2, 5\), expected \(N, 4\)"),
        (np.ones(4, "float32"), ValueError, r"x has shape \(4,\), expected \(N, 4\)"),
    ],
)
def test_linear_names_what_is_wrong_with_x(x: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        mg.Linear(4, 3).forward(x)


@pytest.mark.parametrize("name", ["ReLU", "LeakyReLU", "Tanh", "Sigmoid"])
@pytest.mark.parametrize("x", [np.ones((2, 4), int), np.ones(3, "float16"), [1.0], 1.0, None])
def test_activations_want_float_arrays(name: str, x: Any) -> None:
    with pytest.raises(TypeError, match=r"^x "):
        LAYERS[name]().forward(x)


@every_layer
def test_dy_must_be_like_y(name: str) -> None:
    layer = LAYERS[name]()
    y, cache = layer.forward(normal(5, 4, dtype="float32"))
    with pytest.raises(ValueError, match="dy has shape"):
        layer.backward(y[:1], cache)  # would broadcast
    with pytest.raises(ValueError, match="dy has shape"):
        layer.backward(np.ones((5, 1), "float32"), cache)
    with pytest.raises(TypeError, match="dy has dtype float64"):
        layer.backward(y.astype("float64"), cache)


def test_other_things_than_arrays() -> None:
    others: list[Any] = [np.ma.masked_array([[1.0]]), None]
    for other in others:
        with pytest.raises(TypeError, match=r"x is a .*, expected a NumPy or CuPy array"):
            mg.Sigmoid().forward(other)
    with pytest.raises(ValueError, match="x has no dimensions"):
        mg.Sigmoid().forward(np.array(1.0))
    with pytest.raises(TypeError, match="cache is a NoneType"):
        mg.Linear(4, 3).backward(np.ones((2, 3), "float32"), None)


def test_arguments_that_do_not_exist() -> None:
    x = normal(2, 3)
    with pytest.raises(TypeError, match="unexpected keyword argument 'inplace'"):
        mg.ReLU().forward(x, inplace=True)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="missing a required argument: 'x'"):
        mg.ReLU().forward()  # type: ignore[call-arg]
    np.testing.assert_array_equal(mg.ReLU().forward(x=x)[0], mg.ReLU().forward(x)[0])


@pytest.mark.parametrize(
    ("drawn", "got"), [(np.ones(2), "a ndarray"), ((), "0"), ((np.ones(2), np.ones(2)), "2")]
)
def test_draw_that_does_not_fit_the_names(drawn: Any, got: str) -> None:
    class Scale(mg.Layer):
        param_names = ("s",)

        def draw(self, rng: np.random.Generator) -> Any:
            return drawn

    message = f"Scale.draw returned {got}, expected a tuple of 1, an array for each of s"
    with pytest.raises(ValueError, match=message):
        mg.Sequential(Scale())
    with pytest.raises(ValueError, match=r"Scale\(\) has no s yet: check Sequential\(Scale\(\)\)"):
        mg.check_gradients(Scale(), normal(2, 2))


def test_arrays_of_another_device(stand_in: Backend) -> None:
    host = normal(2, 4, dtype="float32")
    device = stand_in.asarray(host)
    with pytest.raises(TypeError, match="x is a numpy array, expected a cupy array"):
        mg.Linear(4, 3, backend="cupy").forward(host)
    with pytest.raises(TypeError, match="x is a cupy array, expected a numpy array"):
        mg.Linear(4, 3).forward(device)
    _, cache = mg.Tanh().forward(device)
    with pytest.raises(TypeError, match="dy is a numpy array"):
        mg.Tanh().backward(host, cache)


@pytest.mark.parametrize("size", [0, -1, 2.5, "3", True, None])
def test_linear_sizes(size: Any) -> None:
    with pytest.raises(ValueError, match="n_in is"):
        mg.Linear(size, 3)
    with pytest.raises(ValueError, match="n_out is"):
        mg.Linear(3, size)


@pytest.mark.parametrize("dtype", ["float16", "int32", int, None, "double precision"])
def test_dtypes(dtype: Any) -> None:
    with pytest.raises(ValueError, match="dtype is"):
        mg.Linear(3, 2, dtype=dtype)


@pytest.mark.parametrize("slope", [-0.1, 1.1, float("nan"), "x", None, [0.2]])
def test_negative_slope(slope: Any) -> None:
    with pytest.raises(ValueError, match="negative_slope"):
        mg.LeakyReLU(slope)


def test_base_class_says_what_is_missing() -> None:
    class Half(mg.Layer):
        pass

    with pytest.raises(NotImplementedError, match="Half has no forward"):
        Half().forward(normal(2, 2))
    with pytest.raises(NotImplementedError, match="Half has no input_grad"):
        Half().backward(normal(2, 2), normal(2, 2))


@pytest.mark.parametrize("rows", [1, 2, 3])  # an array of two rows could be taken for a pair
@pytest.mark.parametrize("returned", [lambda x: x, lambda x: None, lambda x: (x, x, x)])
def test_a_forward_that_returns_no_pair(returned: Any, rows: int) -> None:
    class Own(mg.Layer):
        def forward(self, x: Any) -> Any:
            return returned(x)

    kind = type(returned(np.ones(1))).__name__
    message = rf"Own\(\).forward returned a {kind}, expected the pair \(y, cache\)"
    x = normal(rows, 3)
    for net in (Own(), mg.Sequential(Own(), dtype="float64")):
        with pytest.raises(TypeError, match=message):
            mg.check_gradients(net, x)
    with pytest.raises(TypeError, match=message):
        mg.Sequential(mg.Linear(3, 3), Own(), dtype="float64").forward(x)
    styled = Styled((Own(), mg.Linear(3, 3)), (Constant(3), ModulatedLinear(3, 3)))
    with pytest.raises(TypeError, match=message):
        styled.forward(x.astype("float32"))
