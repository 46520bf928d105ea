"""The drawn graphs of the docs are what the code computes now, and can be read by everybody."""

from __future__ import annotations

import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigan as mg
from minigan.conditional import beside, into_picked, one_hot, picked
from minigan.style import ModulatedLinear

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "images" / "graphs"
sys.path.insert(0, str(FOLDER))
import adam  # noqa: E402
import by_hand  # noqa: E402
import colours  # noqa: E402
import figures  # noqa: E402
import steps  # noqa: E402
from draw import PICTURES  # noqa: E402

SVG = "{http://www.w3.org/2000/svg}"
WIDTH = 360  # units; the same number of CSS pixels on a narrow phone
LETTER = 0.605 * 11  # the widest of the fixed-width fonts that a picture asks for


def root_of(name: str) -> ElementTree.Element:
    return ElementTree.fromstring((FOLDER / f"{name}.svg").read_text(encoding="utf-8"))


def shown(name: str, identity: str) -> tuple[Any, Any]:
    """Return the numbers that a picture shows for a value, and those for its gradient."""
    (group,) = (g for g in root_of(name).iter(f"{SVG}g") if g.get("id") == identity)
    found: dict[str, list[list[float]]] = {"v": [], "g": []}
    for text in group.iter(f"{SVG}text"):
        kinds, words = (text.get("class") or "").split(), (text.text or "").split()
        if "b" in kinds or "s" in kinds:
            continue  # a name, or a shape
        side = "g" if "g" in kinds else "v"
        found[side].append([float(word.replace("−", "-")) for word in words])
    return np.array(found["v"]), np.array(found["g"])


def same(name: str, identity: str, value: Any = None, grad: Any = None) -> None:
    """Compare a value and a gradient with what the picture shows, to three decimals."""
    for number, drawn in zip((value, grad), shown(name, identity), strict=True):
        if number is not None:
            expected = np.asarray(number, float)
            assert drawn.size == expected.size, (name, identity)
            np.testing.assert_allclose(drawn.ravel(), expected.ravel(), rtol=0, atol=5.1e-4)


@pytest.mark.parametrize("name", PICTURES)
def test_the_file_is_what_the_script_draws(name: str) -> None:
    """After a change, ``python docs/images/graphs/draw.py`` draws all of them anew."""
    drawn = PICTURES[name]().svg()
    assert (FOLDER / f"{name}.svg").read_text(encoding="utf-8") == drawn


def test_each_file_has_a_picture_and_a_page_in_both_languages() -> None:
    assert {path.stem for path in FOLDER.glob("*.svg")} == set(PICTURES)
    for folder, link in (("docs", "images"), ("docs/ko", "../images")):
        text = "".join(page.read_text("utf-8") for page in sorted((ROOT / folder).glob("*.md")))
        found = re.findall(rf"!\[([^\]]+)\]\({link}/graphs/(\w+)\.svg\)", text)
        assert sorted(name for _, name in found) == sorted(PICTURES)
        assert all(len(alt) > 20 for alt, _ in found)


@pytest.mark.parametrize("name", PICTURES)
def test_words_are_text_and_inside_the_picture(name: str) -> None:
    root = root_of(name)
    _, _, width, height = map(float, (root.get("viewBox") or "").split())
    assert width == WIDTH
    assert (FOLDER / f"{name}.svg").stat().st_size < 12_000
    assert all(root.findtext(f"{SVG}{tag}") for tag in ("title", "desc"))
    assert "11px" in (root.findtext(f"{SVG}style") or "")
    for text in root.iter(f"{SVG}text"):
        x, y, long = float(text.get("x", 0)), float(text.get("y", 0)), len(text.text or "") * LETTER
        left = x - {"middle": long / 2, "end": long}.get(text.get("text-anchor", ""), 0)
        assert left >= 2, text.text
        assert left + long <= width - 2, text.text
        assert 9 <= y <= height - 4, text.text
    for box in root.iter(f"{SVG}rect"):
        left, top = float(box.get("x", 0)), float(box.get("y", 0))
        assert left >= 0, name
        assert left + float(box.get("width", 0)) <= width
        assert top + float(box.get("height", 0)) <= height


@pytest.mark.parametrize("palette", [colours.LIGHT, colours.DARK])
def test_text_stands_out_from_its_ground(palette: dict[str, str]) -> None:
    """The contrast is at least 4.5 : 1, which WCAG asks of text of this size."""

    def luminance(colour: str) -> float:
        parts = (int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5))
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return float(np.dot([0.2126, 0.7152, 0.0722], linear))

    def fill(kind: str) -> float:
        return luminance(palette[kind].split()[0])

    pairs = [
        (text, ground)
        for text in ("text", "v", "g", "t", "s")
        for ground in ("ground", "plate", "param", "frozen")
    ]
    for text, ground in [*pairs, ("text", "op")]:
        low, high = sorted((fill(text), fill(ground)))
        assert (high + 0.05) / (low + 0.05) >= 4.5, (text, ground)


def test_numbers_are_short_and_exact_where_they_can_be() -> None:
    assert figures.rows_of([[1, -0.25], [10, 0]]) == [" 1 −0.25", "10     0"]
    assert figures.rows_of([1 / 3, -2.0, -1e-9]) == ["0.333 −2.000 0.000"]
    assert figures.rows_of(0.3125) == ["0.3125"]


def test_numbers_of_the_network() -> None:
    net, x = by_hand.network(), np.array([[1.0, 2.0]])
    y, cache = net.forward(x)
    dx = net.backward(y - 1.0, cache)
    for name, parameter, grad in net.named_parameters():
        layer, letter = name.split(".")
        same("two_two_one_arrays", f"{letter}{1 if layer == '0' else 2}", parameter, grad)
    same("two_two_one_arrays", "x", x, dx)
    same("two_two_one_arrays", "y", y, y - 1)
    first: Any = net.layers[0]
    last: Any = net.layers[2]
    assert dx is not None
    for i in range(2):
        same("two_two_one", f"x{i}", x[0, i], dx[0, i])
        same("two_two_one", f"b1{i}", first.b[i], first.db[i])
        same("two_two_one", f"W2{i}", last.W[i], last.dW[i])
        for j in range(2):
            same("two_two_one", f"W1{i}{j}", first.W[i, j], first.dW[i, j])
    same("two_two_one", "y", y, y - 1)


def test_numbers_of_the_two_ways() -> None:
    h = 1e-6
    slope = (3 * (2 + h) * (2 + h) ** 2 - 3 * (2 - h) * (2 - h) ** 2) / (2 * h)
    same("two_ways", "x", 2, slope)
    same("two_ways", "L", 24, 1)


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("relu", mg.ReLU()),
        ("leaky_relu", mg.LeakyReLU(0.2)),
        ("tanh", mg.Tanh()),
        ("sigmoid", mg.Sigmoid()),
    ],
)
def test_numbers_of_a_layer_that_acts_on_each_number(name: str, layer: Any) -> None:
    x, _ = shown(name, "x")
    _, dy = shown(name, "dy")
    y, cache = layer.forward(x.reshape(1, -1))
    same(name, "y", y)
    same(name, "dx", grad=layer.backward(dy.reshape(1, -1), cache))


def test_numbers_of_linear() -> None:
    layer = mg.Linear(2, 2, dtype="float64")
    layer.W[...], _ = shown("linear", "W")
    layer.b[...] = shown("linear", "b")[0][0]
    y, cache = layer.forward(shown("linear", "x")[0])
    _, dy = shown("linear", "y")
    same("linear", "y", y)
    same("linear", "x", grad=layer.backward(dy, cache))
    same("linear", "W", grad=layer.dW)
    same("linear", "b", grad=layer.db)


def test_numbers_of_sigmoid_and_bce() -> None:
    x, t = shown("sigmoid_bce", "x")[0], shown("sigmoid_bce", "t")[0]
    loss, dx = mg.bce_with_logits(x, t)
    same("sigmoid_bce", "x", grad=dx)
    same("sigmoid_bce", "L", loss)
    same("sigmoid_bce", "L_direct", loss)
    p, _ = mg.Sigmoid().forward(x)
    same("sigmoid_bce", "p", p, mg.bce(p, t)[1])


def test_numbers_of_batch_norm() -> None:
    """The page's code, in steps, and the picture show what the layer computes."""
    x, y_dy = shown("batch_norm", "x")[0], shown("batch_norm", "y")
    norm = mg.BatchNorm1d(2, dtype="float64")
    norm.gamma[...] = shown("batch_norm", "gamma")[0][0]
    norm.beta[...] = shown("batch_norm", "beta")[0][0]
    y, cache = norm.forward(x)
    dx = norm.backward(y_dy[1], cache)
    same("batch_norm", "y", y)
    same("batch_norm", "x", grad=dx)
    same("batch_norm", "gamma", grad=norm.dgamma)
    same("batch_norm", "beta", grad=norm.dbeta)
    same("batch_norm", "x_hat", cache[0])
    _, direct = shown("batch_norm", "direct")
    _, through_var = shown("batch_norm", "through_var")
    _, dcentred = shown("batch_norm", "centred")
    np.testing.assert_allclose(direct + through_var, dcentred, rtol=0, atol=1.6e-3)
    bars = shown("batch_norm_compact", "dx")[0].reshape(2, 3).T
    np.testing.assert_allclose(bars, dx, rtol=0, atol=5.1e-4)
    parts = [shown("batch_norm_compact", part)[0] for part in ("dy", "moves", "stretches", "rest")]
    np.testing.assert_allclose(sum(parts[:3]), parts[3], rtol=0, atol=1.6e-3)


def test_numbers_of_adam() -> None:
    net = mg.Sequential(mg.Linear(1, 1), seed=0, dtype="float64")
    optimizer = mg.Adam(net, lr=1.0, betas=adam.BETAS)
    shown_g = np.array([shown("adam", f"g{k}")[0].ravel() for k in range(2)]).T
    for t, g in enumerate(shown_g):
        before = net.params.copy()
        net.grads[:] = g
        optimizer.step()
        for k, step in enumerate(net.params - before):
            assert shown("adam", f"step{k}")[0].ravel()[t] == pytest.approx(step, abs=5.1e-4)


def test_numbers_of_the_gan_step() -> None:
    """The picture shows the step that ``GAN.train_step`` takes."""
    G, D = steps.smallest_gan()
    gan = mg.GAN(G, D, lr=0.1)
    result = gan.train_step(steps.REAL, steps.Z)
    same("gan_step", "G", [2, 1], gan.generator.grads)
    same("gan_step", "D", [1, 0])
    same("gan_step", "D2", gan.discriminator.params)
    same("gan_step", "d_loss", result.d_loss, 1)
    same("gan_step", "g_loss", result.g_loss, 1)
    p = shown("gan_step", "p")[0]
    assert p[:2].mean() == pytest.approx(float(result.p_real), abs=5e-4)
    assert p[2:].mean() == pytest.approx(float(result.p_fake), abs=5e-4)

    def d_loss(*nudge: float) -> float:
        _, D = steps.smallest_gan()
        D.params[:] += nudge
        answers = D(shown("gan_step", "x")[0])
        return float(mg.bce(answers[:2], 1.0)[0] + mg.bce(answers[2:], 0.0)[0])

    h = 1e-5
    slopes = [d_loss(h, 0) - d_loss(-h, 0), d_loss(0, h) - d_loss(0, -h)]
    same("gan_step", "D", grad=np.array(slopes) / (2 * h))


def test_numbers_of_r1() -> None:
    net = by_hand.network()
    penalty = mg.r1(net, shown("r1", "x")[0], gamma=2)
    same("r1", "R", penalty)
    first: Any = net.layers[0]
    last: Any = net.layers[2]
    for layer, identity in ((first, "dW1"), (last, "dW2")):
        drawn = shown_in_purple(identity)
        np.testing.assert_allclose(drawn, layer.dW, rtol=0, atol=1e-12)


def shown_in_purple(identity: str) -> Any:
    (group,) = (g for g in root_of("r1").iter(f"{SVG}g") if g.get("id") == identity)
    rows = [text.text or "" for text in group.iter(f"{SVG}text") if text.get("class") == "t"]
    return np.array([[float(word.replace("−", "-")) for word in row.split()] for row in rows])


def test_numbers_of_the_conditional_gan() -> None:
    z, c = shown("conditional_g", "z")[0], shown("conditional_g", "c")[0]
    layer = mg.Linear(6, 2, dtype="float64")
    layer.W[...], dW = shown("conditional_g", "W")
    layer.b[...] = 0
    y, cache = layer.forward(beside(z, c))
    layer.backward(shown("conditional_g", "y")[1], cache)
    same("conditional_g", "y", y)
    np.testing.assert_allclose(dW, layer.dW, rtol=0, atol=1e-12)

    logits, dlogits = shown("conditional_d", "y")
    c = one_hot(np.array([1, 3, 1]), 3, np.eye(4))
    answers = picked(logits, c)
    loss, dp = mg.bce_with_logits(answers, 1.0)
    same("conditional_d", "c", c)
    same("conditional_d", "p", answers, dp)
    same("conditional_d", "L", loss)
    np.testing.assert_allclose(dlogits, into_picked(dp, c), rtol=0, atol=5.1e-4)


def test_numbers_of_the_modulated_layer() -> None:
    layer = ModulatedLinear(2, 2, seed=0, dtype="float64")
    layer.W[...], dW = shown("modulated", "W")
    layer.b[...] = 0
    xs = np.concatenate([shown("modulated", name)[0] for name in "xs"], axis=1)
    y, cache = layer.forward(xs)
    dxs = layer.backward(shown("modulated", "y")[1], cache)
    same("modulated", "y", y)
    same("modulated", "x", grad=dxs[:, :2])
    same("modulated", "s", grad=dxs[:, 2:])
    np.testing.assert_allclose(dW, layer.dW, rtol=0, atol=5.1e-4)


def test_ways_back_to_w_are_added() -> None:
    ways = sum(shown("style", way)[1] for way in ("way1", "way2"))
    np.testing.assert_allclose(ways, shown("style", "w")[1], rtol=0, atol=1.6e-3)


def test_numbers_of_the_kink() -> None:
    relu, h = mg.ReLU(), 1e-5
    x = h * shown("kink", "x")[0]
    same("kink", "numeric", grad=(relu(x.T + h) - relu(x.T - h)) / (2 * h))
    same("kink", "backprop", grad=x > 0)
