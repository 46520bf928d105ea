"""The pictures of a tape: its images, the gradient at each fake, and the histograms."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.browser import Browser
from helpers.small_gan import batch, small
from helpers.tapes import first_tape, rows_of, tape_with_an_own_layer

import minigan as mg
from minigan.backend import Backend
from minigan.cli import main
from minigan.tape import Trace, coloured, first_step
from minigan.tape.bars import COUNT, bars_of


def images_of(page: str) -> Any:
    return json.loads(page.split('id="data">')[1].split("</script>")[0])["images"]


def numbers(text: str, kind: Any) -> Any:
    return np.frombuffer(base64.b64decode(text), kind).astype(float)


# ---------------------------------------------------------------- what is noted


@pytest.mark.parametrize("logits", [False, True])
def test_images_answers_and_the_gradient_are_those_of_the_step(logits: bool) -> None:
    """The step of D and the way to the images, written out on a twin."""
    (real, z), gan, twin = batch(20), small(logits=logits), small(logits=logits)
    pictures = mg.trace(gan, real, z).pictures
    assert pictures is not None
    assert pictures.probable
    G, D = twin.generator, twin.discriminator
    fake, before = G.forward(z)[0], D.forward(G.forward(z)[0])[0]
    of_real = D.forward(real)[0]
    twin.train_step(real, z)
    p, cache = D.forward(fake)
    dy = (mg.bce_with_logits if logits else mg.bce)(p, 1.0)[1]
    gradient = D.backward(dy, cache)
    assert gradient is not None
    np.testing.assert_array_equal(pictures.real, real[:16])
    np.testing.assert_array_equal(pictures.fakes, fake[:16])
    np.testing.assert_allclose(pictures.gradient, gradient[:16], rtol=1e-5, atol=1e-9)
    for answers, y in zip(pictures.answers, (of_real, before, p), strict=True):
        probability = 1 / (1 + np.exp(-y[:16, 0])) if logits else y[:16, 0]
        np.testing.assert_allclose(answers, probability, rtol=1e-5)


def test_the_same_on_every_backend(backend: Backend) -> None:
    here, there = (
        mg.trace(small(dtype="float64", backend=name), *batch(8, "float64"))
        for name in ("numpy", backend)
    )
    assert here.pictures is not None
    assert there.pictures is not None
    most = abs(here.pictures.gradient).max()  # where terms cancel, an element has only their bits
    np.testing.assert_allclose(
        there.pictures.gradient, here.pictures.gradient, rtol=1e-7, atol=1e-13 * most
    )
    for ours, theirs in zip(here.rows, there.rows, strict=True):
        for one, other in zip(ours.lines, theirs.lines, strict=True):
            assert (one.bars is None) == (other.bars is None)
            if one.bars is not None and other.bars is not None:
                assert (one.bars.size, one.bars.zeros) == (other.bars.size, other.bars.zeros)


def test_a_step_of_another_kind_has_no_pictures() -> None:
    class Patient(mg.GAN):
        def train_step(self, real: Any, z: Any, labels: Any = None) -> Any:
            self.discriminator.forward(real)
            p = np.float32(0.5)
            return mg.StepResult(p, p, p, p)

    plain = small()
    tape = mg.trace(Patient(plain.generator, plain.discriminator), *batch(8))
    assert tape.pictures is None
    assert images_of(tape.html()) is None


# ---------------------------------------------------------------- what the page gets


def test_the_page_shows_how_each_pixel_should_change() -> None:
    tape = first_tape()
    assert tape.pictures is not None
    images = images_of(tape.html())
    assert (images["height"], images["width"], images["channels"]) == (28, 28, 1)
    real, fakes = (numbers(images[name], np.uint8) for name in ("real", "fakes"))
    for shown, exact in ((real, tape.pictures.real), (fakes, tape.pictures.fakes)):
        np.testing.assert_allclose(shown / 127.5 - 1, exact.ravel(), atol=0.5 / 127.5 + 1e-6)
    changes = numbers(images["changes"], np.int8).reshape(16, 784) / 127
    exact = -tape.pictures.gradient / abs(tape.pictures.gradient).max(axis=1, keepdims=True)
    np.testing.assert_allclose(changes * abs(changes), exact, atol=1 / 127)  # (x ± 0.5/127)²
    norms = np.linalg.norm(tape.pictures.gradient, axis=1)
    np.testing.assert_allclose([float(norm) for norm in images["norms"]], norms, rtol=0.06)
    assert images["classes"] == []


def test_own_images_with_a_shape_and_names(tmp_path: Path) -> None:
    """Colour, not square, in folders that give the classes their names; by the command."""
    from PIL import Image

    rng = np.random.default_rng(0)
    for name in ("cats", "dogs & <b>"):
        (tmp_path / "own" / name).mkdir(parents=True)
        for i in range(10):
            pixels = rng.integers(0, 256, (10, 14, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "own" / name / f"{i}.png")
    out = tmp_path / "page.html"
    options = ["--recipe", "conditional", "--batch-size", "4", "--data", str(tmp_path / "own")]
    assert main(["trace", *options, "--html", str(out)]) == 0
    images = images_of(out.read_text(encoding="utf-8"))
    assert (images["height"], images["width"], images["channels"]) == (10, 14, 3)
    assert len(numbers(images["real"], np.uint8)) == 4 * 10 * 14 * 3
    assert len(numbers(images["changes"], np.int8)) == 4 * 10 * 14  # one for the three colours
    assert set(images["classes"]) <= {"cats", "dogs & <b>"}
    assert len(images["classes"]) == 4


@pytest.mark.parametrize(
    ("n", "shape"), [(784, (28, 28)), (192, (8, 8)), (420, None), (5, None), (49, None)]
)
def test_images_are_squares_if_nothing_else_is_known(n: int, shape: tuple[int, int] | None) -> None:
    rng = np.random.default_rng(0)
    G = mg.Sequential(mg.Linear(3, n), mg.Tanh(), seed=rng)
    D = mg.Sequential(mg.Linear(n, 1), mg.Sigmoid(), seed=rng)
    real = rng.uniform(-1, 1, (4, n)).astype("float32")
    tape = mg.trace(mg.GAN(G, D), real, rng.standard_normal((4, 3)).astype("float32"))
    images = images_of(tape.html())
    assert (images and (images["height"], images["width"])) == shape
    if n == 420:
        assert images_of(tape.html(shape=(20, 21)))["width"] == 21
        assert images_of(tape.html(shape=(10, 14, 3)))["channels"] == 3


def test_numbers_that_are_not_finite_leave_a_page() -> None:
    gan = small()
    gan.discriminator.params[0] = np.inf
    with np.errstate(all="ignore"):
        page = mg.trace(gan, *batch(8)).html(shape=(5, 1))
    assert len(numbers(images_of(page)["changes"], np.int8)) == 40


# ---------------------------------------------------------------- histograms


def test_bars_count_every_value_once() -> None:
    values = np.random.default_rng(0).standard_normal((300, 40)).astype("float32")
    values[values < -1] = 0
    values[0, :3] = 1000, np.inf, np.nan
    bars = bars_of(values)
    assert (bars.size, bars.not_finite, bars.every) == (12_000, 2, 1)
    assert bars.zeros == (values == 0).sum()
    assert sum(bars.counts) == 12_000 - 2 - bars.zeros
    assert len(bars.counts) == COUNT
    assert -1 < bars.low < -0.98
    assert 2 < bars.high < 4  # and not 1000
    edges = np.linspace(bars.low, bars.high, COUNT + 1)
    inside = values[(values > edges[5]) & (values < edges[6])]
    assert abs(bars.counts[5] - np.count_nonzero(inside)) <= 1


def test_bars_of_few_equal_and_no_values() -> None:
    assert bars_of(np.zeros((4, 4))).counts == ()
    assert bars_of(np.zeros((0, 4))).size == 0
    equal = bars_of(np.full(7, 2.5))
    assert (equal.low, equal.high, equal.counts) == (2.5, 2.5, (7,))
    huge = bars_of(np.array([-1e308, 1e308, 3]))
    assert sum(huge.counts) == 3


def test_a_large_array_is_looked_at_in_all_columns() -> None:
    """Without this, a histogram of many images would see some pixels and never others."""
    columns = np.arange(1, 1025, dtype="float32")
    bars = bars_of(np.broadcast_to(columns, (3000, 1024)))
    assert bars.every == 3
    assert bars.size == 3000 * 1024 // 3
    middle = bars.counts[1:-1]  # the outer bars hold more
    assert max(middle) < 1.1 * min(middle)


def test_every_value_and_gradient_has_its_bars() -> None:
    for tape in (first_tape(), tape_with_an_own_layer()):
        for row in tape.rows:
            for line in row.lines:
                expected = not line.skipped and line.name not in ("L", "R", "g", "θ", "dR/dθ")
                assert (line.bars is not None) == expected, (row.phase, line.name)


# ---------------------------------------------------------------- in colours


def test_colours_change_no_letter() -> None:
    text = str(first_tape())
    painted = coloured(text)
    for code in (0, 1, 2, 32, 33, 35, 36):
        assert f"\x1b[{code}m" in painted
        painted = painted.replace(f"\x1b[{code}m", "")
    assert painted == text
    lines = coloured(text).splitlines()
    assert sum(line.startswith("\x1b[2m") for line in lines) == len(
        re.findall(r"  skipped *(?=\(|$)", text, re.MULTILINE)
    )
    phases = {(row.step, row.phase) for row in first_tape().rows}
    assert sum(line[:2] == "\x1b[" and "m" in line and ".\x1b[0m " in line for line in lines) == (
        len(phases)
    )


# ---------------------------------------------------------------- in the browser


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("tape") / "tape.html"
    tape: Trace = mg.trace(*first_step("conditional", 4, 0))
    file.write_text(tape.html(classes="abcdefghij"), encoding="utf-8")
    return file


@pytest.mark.page
@pytest.mark.parametrize(("width", "dark"), [(1200, False), (400, False), (1200, True)])
def test_the_page_in_a_browser(browser: Browser, page: Path, width: int, dark: bool) -> None:
    browser.open(page, width=width, dark=dark)
    assert browser.run("return document.querySelectorAll('#panel canvas').length") == 4 + 2 * 4
    assert "How each pixel" in browser.run(
        "return document.querySelectorAll('#panel canvas')[5].getAttribute('aria-label')"
    )
    words = browser.text("panel")
    assert "class " in words
    assert "D says 0." in words
    assert browser.violations() == []
    browser.run("show(1)")
    charts = browser.run("return document.querySelectorAll('#panel .bars').length")
    lines = [one for row in mg.trace(*first_step("conditional", 4, 0)).rows for one in row.lines]
    assert charts == sum(line.bars is not None for line in lines) - 3  # but for those of the losses
    assert browser.violations() == []
    browser.run("for (let i = 0; i < entries.length; i++) show(i)")
    assert browser.run("return document.documentElement.scrollWidth") == width
    assert "In all" in browser.text("panel")


@pytest.mark.page
def test_links_lead_to_rows(browser: Browser, page: Path) -> None:
    browser.open(page)
    tape = mg.trace(*first_step("conditional", 4, 0))
    last = len(rows_of(tape, "D", "G forward")) - 1
    browser.run(f"location.hash = '#{last + 3}'")
    browser.run("show(Number(location.hash.slice(1)) - 1)")
    assert browser.run("return document.querySelectorAll('#panel canvas').length") == 4  # fakes
    browser.run("document.querySelector('#panel .link').click()")
    assert tape.rows[last - 1].name.split("(")[0] in browser.run(
        "return document.querySelector('#panel h2').textContent"
    )
