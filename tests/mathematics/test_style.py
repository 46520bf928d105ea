"""Layers that see a style, noise, and the network that carries both to them."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from helpers.every_layer import every_dtype, normal

import minigan as mg
from minigan.backend import Array, Backend, noted_products
from minigan.models import style_generator
from minigan.style import Constant, ModulatedLinear, Noise, Shift
from minigan.styled import Styled

LAYERS: dict[str, Any] = {
    "ModulatedLinear": lambda **kw: ModulatedLinear(2, 3, seed=1, **kw),
    "Shift": lambda **kw: Shift(2),
    "Noise": lambda **kw: Noise(2, **kw),
    "Constant": lambda **kw: Constant(3, seed=1, **kw),
}
every_layer = pytest.mark.parametrize("name", LAYERS)


def styled(seed: int = 0, **options: Any) -> Styled:
    mapping = mg.Linear(3, 6), mg.LeakyReLU(0.2), mg.Linear(6, 5), mg.Tanh()
    synthesis = [
        Constant(4), ModulatedLinear(4, 6), Noise(6), mg.Tanh(),
        ModulatedLinear(6, 7), Noise(7), mg.Tanh(), mg.Linear(7, 2),
    ]  # fmt: skip
    net = Styled(mapping, synthesis, seed=seed, **({"dtype": "float64"} | options))
    for layer in net.layers:
        if isinstance(layer, Noise):
            layer.k += 0.5
    net.weights_changed()
    return net


# ---------------------------------------------------------------- the layers


def test_a_modulated_layer_by_hand() -> None:
    layer = ModulatedLinear(2, 1, dtype="float64")
    layer.W[...] = [[3.0], [4.0]]
    layer.b[...] = 0.5
    y, _ = layer.forward(np.array([[1.0, 2.0, 0.0, 0.0], [1.0, 2.0, 1.0, 0.0]]))
    # u W / |(1 + s) W|: (3 + 8) / 5, and with twice the first input (6 + 8) / √52
    np.testing.assert_allclose(y, [[11 / 5 + 0.5], [14 / np.sqrt(52) + 0.5]], rtol=1e-8)


def test_each_row_has_weights_of_its_own() -> None:
    """As the paper puts it: W is scaled by the style, and each unit's weights get the length 1."""
    layer = ModulatedLinear(4, 3, seed=0, dtype="float64")
    x, s = normal(5, 4), normal(5, 4, seed=1)
    y, _ = layer.forward(np.concatenate([x, s], axis=1))
    for n in range(5):
        W = (1 + s[n])[:, None] * layer.W
        W = W / np.sqrt((W * W).sum(axis=0) + 1e-8)
        np.testing.assert_allclose(y[n], x[n] @ W + layer.b, rtol=1e-12)


def test_a_modulated_layer_starts_as_linear_does_but_for_b() -> None:
    layer = ModulatedLinear(400, 300, seed=0, dtype="float64")
    rng = np.random.default_rng(0)
    np.testing.assert_array_equal(layer.W, rng.uniform(-0.05, 0.05, (400, 300)))
    np.testing.assert_array_equal(layer.b, 0)


def test_demodulation_keeps_the_variance() -> None:
    layer = ModulatedLinear(300, 40, seed=0, dtype="float64")
    x, s = normal(400, 300), 5 * np.tile(normal(1, 300, seed=1), (400, 1))
    y, _ = layer.forward(np.concatenate([x, s], axis=1))
    assert y.var() == pytest.approx(1, abs=0.05)  # 16,000 numbers
    strong, _ = layer.forward(np.concatenate([x, 100 * (1 + s) - 1], axis=1))
    np.testing.assert_allclose(strong, y, rtol=1e-4, atol=1e-6)  # the strength of all is no style


def test_a_shift_by_hand() -> None:
    layer = Shift(2)
    y, cache = layer.forward(np.array([[1.0, 2.0, 10.0, 20.0]]))
    np.testing.assert_array_equal(y, [[11, 22]])
    dx = layer.backward(np.array([[3.0, 4.0]]), cache)
    np.testing.assert_array_equal(dx, [[3, 4, 3, 4]])
    with pytest.raises(ValueError, match=r"x has shape \(1, 3\), expected \(N, 4\)"):
        layer.forward(np.ones((1, 3)))
    assert repr(layer) == "Shift(2)"


def test_noise_by_hand() -> None:
    layer = Noise(2, dtype="float64")
    xe = np.array([[1.0, 2.0, 10.0, 20.0], [3.0, 4.0, 30.0, 40.0]])
    np.testing.assert_array_equal(layer.forward(xe)[0], xe[:, :2])  # no noise in the beginning
    layer.k[...] = [1.0, 0.5]
    y, cache = layer.forward(xe)
    np.testing.assert_array_equal(y, [[11, 12], [33, 24]])
    dx = layer.backward(np.array([[1.0, 2.0], [3.0, 4.0]]), cache)
    np.testing.assert_array_equal(dx, [[1, 2, 1, 1], [3, 4, 3, 2]])
    np.testing.assert_array_equal(layer.dk, [10 + 90, 40 + 160])


def test_a_constant_sees_nothing() -> None:
    layer = Constant(3, seed=0, dtype="float64")
    np.testing.assert_array_equal(layer.c, np.random.default_rng(0).standard_normal(3))
    x = normal(4, 7)
    y, cache = layer.forward(x)
    np.testing.assert_array_equal(y, np.tile(layer.c, (4, 1)))
    dy = normal(4, 3, seed=1)
    np.testing.assert_array_equal(layer.backward(dy, cache), np.zeros((4, 7)))
    np.testing.assert_allclose(layer.dc, dy.sum(axis=0))


@pytest.mark.parametrize("seed", range(5))
def test_gradients_of_the_layers(seed: int) -> None:
    layer = ModulatedLinear(4, 3, seed=seed)
    report = mg.check_gradients(layer, normal(5, 8, seed=seed))
    assert report, report
    assert {array.name for array in report.arrays} == {"W", "b", "x"}
    noise = Noise(4)
    noise.k += normal(4, seed=seed, dtype="float32")
    assert mg.check_gradients(noise, normal(5, 8, seed=seed))
    assert mg.check_gradients(Shift(4), normal(5, 8, seed=seed))


@every_layer
@every_dtype
def test_backends_agree_and_keep_dtype_and_arguments(
    name: str, dtype: str, backend: Backend
) -> None:
    layer, host = LAYERS[name](dtype=dtype, backend=backend), LAYERS[name](dtype=dtype)
    host_x = normal(5, 4, dtype=dtype)
    x = backend.asarray(host_x.copy())
    results = []
    for one, data, there in ((layer, x, backend), (host, host_x, mg.get_backend("numpy"))):
        y, cache = one.forward(data)
        dy = there.asarray(normal(*y.shape, seed=5, dtype=dtype))
        dx = one.backward(dy, cache)
        results.append([y, dx, *(getattr(one, "d" + key) for key in one.param_names)])
    rtol = 1e-5 if dtype == "float32" else 1e-12
    for got, want in zip(*results, strict=True):
        assert got.dtype == dtype
        np.testing.assert_allclose(backend.to_numpy(got), want, rtol=rtol, atol=rtol / 10)
    np.testing.assert_array_equal(backend.to_numpy(x), host_x)


@every_layer
def test_flags_and_memory(name: str) -> None:
    layer, x = LAYERS[name](), normal(5, 4, dtype="float32")
    y, cache = layer.forward(x)
    dy = np.ones_like(y)
    before = {key: getattr(layer, "d" + key).copy() for key in layer.param_names}
    dx = layer.backward(dy, cache, param_grads=False)
    for key, gradient in before.items():
        np.testing.assert_array_equal(getattr(layer, "d" + key), gradient)
    assert layer.backward(dy, cache, input_grad=False) is None
    for result in (y, dx):
        assert not np.shares_memory(result, x)
        assert not np.shares_memory(result, dy)


# ---------------------------------------------------------------- the network


def by_hand(net: Styled, x: Array) -> Array:
    z, noise, used = x[:, :3], x[:, 3:], 0
    w, *_ = z, None
    for layer in net.mapping:
        w = layer(w)
    y = w
    for layer, affine in zip(net.layers[4:], [None, *net.layers[4:]], strict=False):
        if isinstance(layer, ModulatedLinear):
            y = layer(np.concatenate([y, affine(w)], axis=1))  # type: ignore[misc]
        elif isinstance(layer, Noise):
            y = layer(np.concatenate([y, noise[:, used : used + layer.n]], axis=1))
            used += layer.n
        elif not (isinstance(layer, mg.Linear) and layer is not net.layers[-1]):
            y = layer(y)
    return y


def test_forward_is_what_it_says() -> None:
    net = styled()
    assert (net.n_in, net.n_out) == (3 + 6 + 7, 2)
    x = normal(5, 16)
    y, _ = net.forward(x)
    np.testing.assert_allclose(y, by_hand(net, x), rtol=1e-13)
    np.testing.assert_array_equal(net(x), y)
    w = net.styles(x[:, :3])
    np.testing.assert_array_equal(net.images([w, w], x), y)
    names = [name for name, _, _ in net.named_parameters()]
    assert names[4:9] == ["4.c", "5.W", "5.b", "6.W", "6.b"]


@pytest.mark.parametrize("seed", range(3))
def test_gradients_of_the_network(seed: int) -> None:
    net = styled(seed)
    report = mg.check_gradients(net, normal(4, 16, seed=seed))
    assert report, report
    assert {array.name for array in report.arrays} >= {"0.W", "4.c", "5.W", "6.W", "7.k", "x"}


def test_a_path_that_is_forgotten_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """If w's gradient comes from one of its two layers only, the mapping is told half the truth."""
    rule = mg.Linear.input_grad

    def forgetful(self: mg.Linear, dy: Array, x: Array) -> Array:
        dx = rule(self, dy, x)
        return dx * 0 if self.n_out == 6 and self.n_in == 5 else dx

    monkeypatch.setattr(mg.Linear, "input_grad", forgetful)
    report = mg.check_gradients(styled(), normal(4, 16))
    failed = {array.name for array in report.arrays if array.verdict == "FAIL"}
    assert failed >= {"0.W", "2.W"}
    assert not failed & {"4.c", "5.W", "6.W", "9.W"}


def test_mixed_styles_reach_their_layers() -> None:
    """The first layers take their style from one image, the later ones from another."""
    net, x = styled(), normal(2, 16)
    one, other = net.styles(x[:1, :3]), net.styles(x[1:, :3])
    mixed = net.images([one, other], x[:1])
    assert not np.allclose(mixed, net(x[:1]))
    for ws, message in (
        ([one], "1 styles are given, for 2 layers"),
        ([one, other, one], "3 styles are given"),
        ([], "0 styles are given"),
        ([one, np.repeat(other, 2, axis=0)], r"w has shape \(2, 5\), expected \(1, 5\)"),
    ):
        with pytest.raises(ValueError, match=message):
            net.images(ws, x[:1])
    affine: Any = net.layers[9]
    affine.W[...] = affine.b[...] = 0  # the second layer no longer listens
    np.testing.assert_allclose(net.images([one, other], x[:1]), net(x[:1]), rtol=1e-14)


def test_all_that_holds_for_a_sequential() -> None:
    net, x = styled(dtype="float32"), normal(4, 16, dtype="float32")
    y, cache = net.forward(x)
    assert net.backward(np.ones_like(y), cache, input_grad=False) is None
    grads = net.grads.copy()
    net.grads[...] = 7
    dx = net.backward(np.ones_like(y), cache, param_grads=False)
    assert (net.grads == 7).all()
    assert dx is not None
    assert dx.shape == x.shape
    net.backward(np.ones_like(y), cache)
    np.testing.assert_array_equal(net.grads, grads)
    twin = copy.deepcopy(net)
    np.testing.assert_array_equal(twin(x), y)
    twin.params[...] = 0
    assert (twin(x) == 0).all()
    np.testing.assert_array_equal(net(x), y)
    mg.Adam(net).step()
    with pytest.raises(RuntimeError, match="stale cache"):
        net.backward(np.ones_like(y), cache)
    with pytest.raises(ValueError, match=r"x has shape \(4, 3\), expected \(N, 16\)"):
        net.forward(x[:, :3])
    assert repr(net).startswith("Styled: ")


def test_no_product_is_made_for_a_gradient_that_nobody_asks_for() -> None:
    net, x = styled(), normal(4, 16)
    y, cache = net.forward(x)

    def products(**flags: bool) -> int:
        noted: list[Any] = []
        with noted_products(net.backend, noted.append):
            net.backward(np.ones_like(y), cache, **flags)
        return len(noted)

    assert products(input_grad=False) == products() - 1  # dz, by the first layer of the mapping


def test_networks_that_do_not_fit() -> None:
    mapping = mg.Linear(3, 5), mg.Tanh()
    with pytest.raises(ValueError, match="takes rows of 4 but gets 6"):
        Styled(mapping, [Constant(6), ModulatedLinear(4, 2)])
    shared = mg.Linear(3, 5)
    with pytest.raises(ValueError, match="stands twice in this network"):
        Styled([shared], [Constant(3), shared])
    with pytest.raises(ValueError, match="needs at least one layer"):
        Styled([], [Constant(6)])
    with pytest.raises(TypeError, match="layer 1 is a str"):
        Styled(mapping, [Constant(6), "layer"])  # type: ignore[list-item]
    for without in (mg.Tanh(), Constant(5)):
        with pytest.raises(ValueError, match="no layer of the mapping has a width"):
            Styled([without], [Constant(4), ModulatedLinear(4, 2)])
    with pytest.raises(ValueError, match=r"begin with Linear\(5, 4\): expected a Constant"):
        Styled(mapping, [mg.Linear(5, 4), ModulatedLinear(4, 2)])
    with pytest.raises(ValueError, match="no layer of g sees a style, as ModulatedLinear does"):
        Styled(mapping, [Constant(4), Noise(4)])
    for bad in (
        lambda: ModulatedLinear(0, 2),
        lambda: Noise(-1),
        lambda: Shift(0),
        lambda: Constant(True),
    ):
        with pytest.raises(ValueError, match="expected a whole number of at least 1"):
            bad()


def test_a_gan_with_styles_trains(backend: Backend) -> None:
    host, there = (
        mg.GAN(
            styled(dtype="float64", backend=b),
            mg.Sequential(mg.Linear(2, 8), mg.LeakyReLU(0.2), mg.Linear(8, 1), seed=1,
                          dtype="float64", backend=b),
            logits=True, r1=0.1,
        )
        for b in ("numpy", backend)
    )  # fmt: skip
    assert host.z_columns == 16
    rng = np.random.default_rng(0)
    for _ in range(10):
        real, z = rng.uniform(-1, 1, (6, 2)), rng.standard_normal((6, 16))
        want = host.train_step(real, z)
        got = there.train_step(backend.asarray(real), backend.asarray(z))
        np.testing.assert_allclose([float(x) for x in got], [float(x) for x in want], rtol=1e-11)


def test_the_model() -> None:
    G = style_generator(20, seed=0)
    assert (G.n_in, G.n_out, G.styled) == (20 + 1536, 784, 4)
    with pytest.raises(ValueError, match="expected a whole number of at least 1"):
        style_generator(0)
