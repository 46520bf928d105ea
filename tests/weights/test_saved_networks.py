"""``net.save``, ``mg.load`` and ``net.copy_from``: all of a network, or one clear line."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigan as mg
from minigan.backend import Array, Backend
from minigan.data import load_archive, save_archive
from minigan.models import style_generator
from minigan.network import Sequential
from minigan.style import Constant, ModulatedLinear, Noise, Shift
from minigan.weights import build


class Swish(mg.Layer):
    """y = x σ(β x), with a β that is given."""

    def __init__(self, beta: float = 1.0) -> None:
        self.beta = beta

    def forward(self, x: Array) -> Any:
        return x / (1 + np.exp(-self.beta * x)), x

    def __repr__(self) -> str:
        return f"Swish({self.beta})"


class Scale(mg.Layer):
    """A layer whose parameters are drawn when it is put into a network."""

    param_names = ("s",)

    def __init__(self, n: int) -> None:
        self.n_in = self.n_out = n

    def draw(self, rng: np.random.Generator) -> tuple[Array, ...]:
        return (rng.uniform(0.5, 1.5, self.n_in or 1),)

    def forward(self, x: Array) -> Any:
        return x * self.s, x  # type: ignore[attr-defined]

    def __repr__(self) -> str:
        return f"Scale({self.n_in})"


def trained(net: Sequential) -> Sequential:
    """The network with running statistics that are not those of the start."""
    rng = np.random.default_rng(3)
    for _ in range(3):
        net.forward(net.backend.asarray(rng.standard_normal((8, net.n_in or 1)), net.dtype))
    return net


def every_layer(**options: Any) -> Sequential:
    return Sequential(
        mg.Linear(5, 4), mg.BatchNorm1d(4, eps=1e-3, momentum=0.25), mg.ReLU(), mg.Linear(4, 4),
        mg.LeakyReLU(0.3), mg.Tanh(), mg.Linear(4, 2), mg.Sigmoid(), **options,
    )  # fmt: skip


NETWORKS: dict[str, Callable[[], Sequential]] = {
    "every layer": lambda: every_layer(seed=1),
    "float64": lambda: every_layer(seed=1, dtype="float64"),
    "without parameters": lambda: Sequential(mg.Tanh()),
    "style": lambda: style_generator(6, seed=1),
}


@pytest.mark.parametrize("kind", NETWORKS)
def test_all_of_a_network_comes_back(kind: str, tmp_path: Path) -> None:
    net = NETWORKS[kind]() if kind == "without parameters" else trained(NETWORKS[kind]())
    net.save(str(tmp_path / "net"))  # no ending is added to the name
    again = mg.load(tmp_path / "net")
    assert type(again) is type(net)
    assert again.architecture == net.architecture
    assert repr(again) == repr(net)
    assert again.state().keys() == net.state().keys()
    for name, array in net.state().items():
        np.testing.assert_array_equal(again.state()[name], array, err_msg=name)
        assert again.state()[name].dtype == array.dtype
    x = np.random.default_rng(2).standard_normal((3, net.n_in or 4)).astype(net.dtype)
    np.testing.assert_array_equal(again(x), net(x))
    for one, two in zip(net.layers, again.layers, strict=True):  # eps, momentum, negative_slope
        assert {k: v for k, v in vars(one).items() if isinstance(v, float)} == {
            k: v for k, v in vars(two).items() if isinstance(v, float)
        }


def test_a_network_goes_to_another_backend(backend: Backend, tmp_path: Path) -> None:
    net = trained(every_layer(seed=1, backend=backend))
    net.save(tmp_path / "net.npz")
    for other in (mg.load(tmp_path / "net.npz"), mg.load(tmp_path / "net.npz", backend=backend)):
        for name, array in net.state().items():
            np.testing.assert_array_equal(
                other.backend.to_numpy(other.state()[name]), backend.to_numpy(array)
            )


def test_the_text_is_the_call_that_makes_the_network() -> None:
    net = every_layer(seed=0)
    names = {name: getattr(mg, name) for name in mg.__all__}
    assert eval(net.architecture, names).architecture == net.architecture
    assert "    BatchNorm1d(4, eps=0.001, momentum=0.25),\n" in net.architecture
    assert build(net.architecture, seed=0).params.tobytes() == net.params.tobytes()


@pytest.mark.parametrize("layer", [Shift(3), Noise(3), Constant(3), ModulatedLinear(3, 2)])
def test_a_layer_of_styles_comes_back_on_its_own(layer: mg.Layer, tmp_path: Path) -> None:
    net = Sequential(layer, seed=0)
    net.save(tmp_path / "net.npz")
    again = mg.load(tmp_path / "net.npz")
    assert repr(again) == repr(net)
    assert (again.params == net.params).all()


def test_layers_of_ones_own(tmp_path: Path) -> None:
    net = Sequential(mg.Linear(2, 3), Swish(1.5), Scale(3), seed=0)
    net.save(tmp_path / "net.npz")
    again = mg.load(tmp_path / "net.npz", layers={"Swish": Swish, "Scale": Scale})
    x = np.ones((2, 2), np.float32)
    np.testing.assert_array_equal(again(x), net(x))
    with pytest.raises(mg.InputError, match=r"net.npz: .* a layer Swish, .* layers={\"Swish\": S"):
        mg.load(tmp_path / "net.npz")


class Silent(Swish):
    def __repr__(self) -> str:
        return "Silent()"


class Masked(mg.Layer):
    def __init__(self) -> None:
        self.mask = np.random.default_rng().random(4)


class Named(Swish):
    def __repr__(self) -> str:
        return "swish with beta 1"


class Demanding(mg.Layer):
    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng


@pytest.mark.parametrize(
    ("layer", "reason"),
    [
        (Silent(2.0), "its beta is 2.0 and would be 1.0"),
        (Masked(), "its mask would have other numbers, and is not in buffer_names"),
        (Named(), "'swish with beta 1' is not a call"),
        (Demanding(np.random.default_rng()), "missing 1 required positional argument"),
    ],
)
def test_a_layer_that_would_come_back_as_another(
    layer: mg.Layer, reason: str, tmp_path: Path
) -> None:
    with pytest.raises(mg.InputError, match=f"{type(layer).__name__} has the repr .*{reason}"):
        Sequential(layer).save(tmp_path / "net.npz")
    assert list(tmp_path.iterdir()) == []


def test_a_changed_attribute_is_saved_or_refused(tmp_path: Path) -> None:
    """``repr`` reads the attributes, so that what was changed later is in the file, too."""
    net = every_layer(seed=0)
    net[4].negative_slope = 0.7  # type: ignore[attr-defined]
    net[1].momentum = 0.5  # type: ignore[attr-defined]
    net.save(tmp_path / "net.npz")
    again = mg.load(tmp_path / "net.npz")
    assert (again[4].negative_slope, again[1].momentum) == (0.7, 0.5)  # type: ignore[attr-defined]


def stored(file: Path, **changes: Any) -> Path:
    """A file of a network, with some of its arrays or its text replaced."""
    trained(every_layer(seed=1)).save(file)
    arrays, meta = load_archive(file)
    if "network" in changes:
        meta["network"] = changes.pop("network")
    arrays = {name: array for name, array in (arrays | changes).items() if array is not None}
    save_archive(file, arrays, meta)
    return file


NAN = np.full(50, np.nan, "float32")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"network": None}, "holds no network, expected a file that net.save has written"),
        ({"network": "print('hello')"}, "describes a print, expected a network"),
        ({"network": "__import__('os').system('true')"}, "is not a call of a constructor"),
        ({"network": "Sequential(" * 300}, "is not a call of a constructor"),
        ({"network": "Sequential(" + "-" * 5000 + "1)"}, "is not a call"),
        ({"network": "Sequential(Linear(5, open('x')))"}, "Linear cannot be made"),
        ({"network": "Sequential(Linear(5))"}, "Linear cannot be made: .*n_out"),
        ({"network": "Sequential(Linear(5, -4))"}, "Linear cannot be made: n_out is -4"),
        ({"network": "Sequential(5)"}, "the network holds 5, expected layers"),
        ({"network": "Sequential(Adam(5))"}, "a layer Adam, which minigan does not know"),
        ({"network": "Sequential(*x)"}, "is not a call"),
        ({"network": "Sequential(Linear(5, 4), seed=3)"}, "Sequential is given seed"),
        ({"network": "Sequential(Linear(5, 2))"}, "'params' is float32 .*, expected .*12"),
        ({"network": "Sequential(Linear(5, 4), Linear(3, 2))"}, "takes rows of 3 but gets 4"),
        ({"params": NAN}, "another architecture"),
        ({"params": None}, "holds no network"),
        ({"params": np.zeros(3, "int32")}, "its numbers are int32"),
        ({"1.running_mean": None}, "has no '1.running_mean'"),
        ({"1.running_mean": NAN[:4]}, "numbers that are not finite"),
        ({"1.running_var": np.full(4, -1, "float32")}, "has numbers below 0"),
        ({"3.running_var": NAN}, "holds '3.running_var', which no layer has"),
    ],
)
def test_files_that_hold_something_else(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    file = stored(tmp_path / "net.npz", **changes)
    with pytest.raises(mg.InputError, match=message) as caught:
        mg.load(file)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "Sequential(Linear(1000000, 1000000))",
        "Sequential(Linear(1000000, 1000000, seed=0))",
        "Sequential(Constant(100000000000))",
        "Sequential(" + "Linear(8, 8), " * 10_000 + ")",
        "Styled((Linear(1, 60),), (Constant(60), ModulatedLinear(60, 1), ))",
    ],
)
def test_a_small_file_takes_little_memory(text: str, tmp_path: Path) -> None:
    file = stored(tmp_path / "net.npz", network=text)
    tracemalloc.start()
    with pytest.raises(mg.InputError):
        mg.load(file)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100e6  # of 8 TB, of 8 TB, of 800 GB


def test_files_of_other_kinds(tmp_path: Path) -> None:
    with pytest.raises(mg.InputError, match="a run, whose generator load_generator returns"):
        mg.load(mg.training.sampling.PRETRAINED)
    with pytest.raises(mg.InputError, match="does not exist"):
        mg.load(tmp_path / "none.npz")
    with pytest.raises(mg.InputError, match="is a directory|Is a directory"):
        mg.load(tmp_path)
    file = stored(tmp_path / "net.npz")
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(mg.InputError, match="damaged"):
        mg.load(file)


def test_copying_takes_the_running_statistics_along() -> None:
    net, other = trained(every_layer(seed=1)), every_layer(seed=2, dtype="float64")
    x = np.random.default_rng(2).standard_normal((3, 5)).astype("float32")
    _, cache = other.forward(x.astype("float64"))
    other.copy_from(net)
    for name, array in net.state().items():
        np.testing.assert_array_equal(other.state()[name], array, err_msg=name)
    np.testing.assert_allclose(other(x.astype("float64")), net(x), atol=1e-6)
    with pytest.raises(RuntimeError, match="stale cache"):
        other.backward(np.ones((3, 2)), cache)
    net.params[...] = 0
    assert other.params.any()  # a copy, not a view


def test_copying_between_backends(backend: Backend) -> None:
    net = trained(every_layer(seed=1))
    there = every_layer(seed=2, backend=backend)
    there.copy_from(net)
    back = every_layer(seed=3)
    back.copy_from(there)
    for name, array in net.state().items():
        np.testing.assert_array_equal(back.state()[name], array)


@pytest.mark.parametrize(
    "other",
    [
        Sequential(mg.Linear(5, 4), mg.Linear(4, 2)),
        Sequential(mg.Linear(4, 5), mg.BatchNorm1d(5)),
        Sequential(mg.Linear(5, 4), mg.ReLU(), mg.BatchNorm1d(4)),
    ],
)
def test_networks_that_differ_are_not_copied(other: Sequential) -> None:
    net = Sequential(mg.Linear(5, 4), mg.BatchNorm1d(4))
    before = net.params.copy()
    with pytest.raises(ValueError, match="differ in names or shapes"):
        net.copy_from(other)
    np.testing.assert_array_equal(net.params, before)
