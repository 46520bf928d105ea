"""The networks in the page compute what they compute in Python."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
import pytest
from helpers.browser import Browser
from helpers.pages import louder, page_file, whole_run

from minigan.activations import sigmoid
from minigan.backend import Array
from minigan.report import packed
from minigan.styled import Styled
from minigan.training.draws import with_classes
from minigan.training.run import Run
from minigan.training.sampling import draw_truncated, mean_style

pytestmark = pytest.mark.page


def computed(browser: Browser, code: str, rows: Array) -> Array:
    """What the JavaScript, a function of a row and its number, makes of each row."""
    text = browser.run(
        f"const f = {code}, rows = float32(arguments[0]), n = arguments[1], made = [];"
        "for (let i = 0; i * n < rows.length; i++) made.push(f(rows.slice(i * n, (i + 1) * n), i));"
        "const all = new Float32Array(made.length * made[0].length);"
        "made.forEach((row, i) => all.set(row, i * row.length));"
        "const url = new FileReader(), done = new Promise((then) => { url.onload = then; });"
        "url.readAsDataURL(new Blob([all]));"
        "return done.then(() => url.result.split(',')[1])",
        packed(rows),
        rows.shape[1],
    )
    return np.frombuffer(base64.b64decode(text), np.float32).reshape(len(rows), -1)


def inputs(run: Run, N: int) -> Array:
    rng, K = np.random.default_rng(5), len(run.classes)
    columns = run.fixed_z.shape[1] - K  # z, with noise if G takes some
    z = rng.standard_normal((N, columns)).astype(np.float32)
    return with_classes(z, np.arange(N) % max(K, 1), K)


@pytest.mark.parametrize(
    ("recipe", "N"),
    [
        ("averaged", 1000),
        ("conditional", 200),
        ("tutorial", 100),
        ("least-squares", 100),
        ("style", 100),
    ],
)
def test_the_page_computes_what_python_computes(
    recipe: str, N: int, browser: Browser, tmp_path: Path
) -> None:
    run = louder(whole_run(recipe))
    browser.open(page_file(run, tmp_path))
    x = inputs(run, N)
    images = run.drawing_generator(x)
    assert np.ptp(images) > 1.5
    of_page = computed(browser, "(x) => G.evaluate(x)[0]", x)
    assert np.abs(of_page - images).max() < 2 / 255  # pixels go from -1 to 1

    D, K = run.gan.discriminator, len(run.classes)
    y, cache = D.evaluate(images)
    dy = np.eye(K, dtype=np.float32)[np.arange(N) % K] if K else np.ones_like(y)
    dx = D.backward(dy, cache, param_grads=False)
    picked = (y * dy).sum(axis=1)
    p = sigmoid(picked) if run.gan.logits else picked
    digit = "i % Math.max(1, data.classes.length)"
    code = f"(x, i) => {{ const {{ p, dx }} = critic.ask(x, {digit}); return [p, ...dx]; }}"
    of_page = computed(browser, code, images)
    assert np.abs(of_page[:, 0] - p).max() < 1e-3 * max(1, np.abs(p).max())
    errors = np.linalg.norm(of_page[:, 1:] - dx, axis=1) / np.linalg.norm(dx, axis=1)
    # Where a LeakyReLU stands at its kink, the gradient itself jumps with the last bit of a weight.
    assert np.mean(errors < 0.01) > 0.95
    assert np.median(errors) < 1e-3


def test_images_of_another_shape_in_colour(browser: Browser, tmp_path: Path) -> None:
    run = louder(whole_run(shape=(10, 12, 3), latent_dim=20))
    browser.open(page_file(run, tmp_path))
    image = run.drawing_generator(run.fixed_z[:1])[0]
    shown = browser.run(
        "const canvas = document.getElementById('explorer-canvas'), { width, height } = canvas;"
        "return [width, height, [...canvas.getContext('2d').getImageData(0, 0, 12, 10).data]]"
    )
    assert shown[:2] == [12, 10]
    pixels = np.array(shown[2]).reshape(10, 12, 4)
    assert np.abs(pixels[:, :, :3] - (image.reshape(10, 12, 3) + 1) * 127.5).max() < 1.5
    browser.find("critic-clear").click()
    browser.drag("critic-canvas", (0, 0), (0, 0))
    drawn = np.array(browser.run("return [...critic.state.image]")).reshape(10, 12, 3)
    assert drawn[5, 6].tolist() == [1, 1, 1]
    assert drawn[0, 0].tolist() == [-1, -1, -1]


def test_truncated_and_mixed_styles(browser: Browser, tmp_path: Path) -> None:
    run = louder(whole_run("style", latent_dim=20))
    browser.open(page_file(run, tmp_path))
    G = run.drawing_generator
    assert isinstance(G, Styled)
    x = run.fixed_z[:2]
    psi = browser.run(
        "const psi = document.getElementById('psi'); psi.value = 0.5;"
        "psi.dispatchEvent(new Event('input')); return explorer.state.psi"
    )
    assert psi == 0.5
    shown = np.array(browser.run("explorer.start_from(0); return [...explorer.image()]"))
    assert np.abs(shown - draw_truncated(G, x[:1], 0.5)[0]).max() < 2 / 255
    browser.find("mix").click()
    shown = np.array(browser.run("return [...explorer.image()]"))
    mean, w = mean_style(G), G.styles(x[:, :20])
    own, other = (mean + np.float32(0.5) * (style - mean) for style in (w[:1], w[1:]))
    assert np.abs(shown - G.images([own, own, own, other], x[:1])[0]).max() < 2 / 255


def test_size_and_speed(
    browser: Browser, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The size is held; the times are printed, because they depend on the machine and its load."""
    file = page_file(whole_run("conditional"), tmp_path)
    size = file.stat().st_size / 1e6
    assert size < 9.5  # the film may add 3.2
    browser.open(file)
    opened = browser.run("return performance.getEntriesByType('navigation')[0].loadEventEnd")
    drag, asked = browser.run(
        "const time = (act) => { const start = performance.now();"
        " for (let i = 0; i < 20; i++) act(i / 20); return (performance.now() - start) / 20; };"
        "return [time((x) => explorer.move_to(x, 0)), time(() => critic.step(1))]"
    )
    with capsys.disabled():
        print(f"\n{size:.1f} MB; open {opened:.0f} ms; digit {drag:.1f} ms; D {asked:.1f} ms")
